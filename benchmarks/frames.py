"""A whole history as a data frame of pandas, by our client and by MLflow's, each from its server over HTTP.

Both servers run on this machine, ours with the emulator, and without sign-in; each is restarted after it was filled.
Ours is filled through its API, 1,000 points at a time; MLflow's with its first 1,000 points, the rest are rows in its
database. Times are from the call to the frame, with pandas already imported, medians of rounds, ours and MLflow's in
turn; MLflow reads the million points once:

frame_100k     100,000 points of the only key of an iteration, with step, value and time: our
               `client.metrics.to_dataframe`, MLflow's `MlflowClient.get_metric_history` in its own environment
frame_1m       the same for 1,000,000 points
columns_1m     the million points as lists, without pandas, ours only

Each frame is compared with the points that were written, bit for bit.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import deardiary
from benchmarks.kit import diary
from benchmarks.kit.connection import connected
from benchmarks.kit.curves import Curve
from benchmarks.kit.environments import MLFLOW, environment_of
from benchmarks.kit.load import send_all
from benchmarks.kit.processes import end_on_sigterm, local_server
from benchmarks.kit.reading import KEY, Reading, one_key, timed
from benchmarks.kit.report import Number, parse_options, show
from benchmarks.peers import mlflow_server

SIZES = {"100k": 100_000, "1m": 1_000_000}
ROUNDS, BATCH = 7, 1000
READ_ONCE = "1m"
RATIOS = {"ratio": "100k", "ratio_1m": "1m"}
PROGRAM = Path(__file__).with_name("peers") / "mlflow_frame.py"


@dataclass(frozen=True, slots=True)
class Filled:
    """The ids of an iteration, or run, of each size."""

    directory: Path
    ids: dict[str, str]


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_options("frames", __doc__, arguments)
    end_on_sigterm()
    with tempfile.TemporaryDirectory() as folder:
        show(options, measure(Path(folder), SIZES, ROUNDS, peer=options.peer))
    return 0


def measure(folder: Path, sizes: dict[str, int], rounds: int, *, peer: bool) -> dict[str, Number]:
    ours = _fill_ours(folder / "ours", sizes)
    theirs = _fill_mlflow(folder / "mlflow", sizes) if peer else None
    with ExitStack() as stack:
        url = stack.enter_context(local_server(ours.directory)).url
        client = stack.enter_context(deardiary.connect(url))
        readings = _readings(client, ours, sizes)
        if theirs is None:
            return timed(readings, rounds)
        mlflow_url = stack.enter_context(mlflow_server.mlflow_server(theirs.directory)).url
        seconds: dict[str, list[float]] = {}
        figures: list[dict[str, Number]] = []
        for number in range(rounds):
            figures.append(timed(readings, 1))
            for size, points in sizes.items():
                if size != READ_ONCE or number == 0:
                    took = _mlflow_seconds(mlflow_url, theirs.ids[size], points)
                    seconds.setdefault(f"mlflow_frame_{size}_s", []).append(took)
    medians = {name: median(each[name] for each in figures) for name in figures[0]}
    medians |= {name: median(each) for name, each in seconds.items()}
    return medians | {
        ratio: medians[f"mlflow_frame_{size}_s"] / medians[f"frame_{size}_s"] for ratio, size in RATIOS.items()
    }


def _fill_ours(directory: Path, sizes: dict[str, int]) -> Filled:
    with local_server(directory) as served, connected(served.url) as connection:
        experiment = diary.new_experiment(connection)
        ids = {size: diary.new_iteration(connection, experiment) for size in sizes}
        for size, points in sizes.items():
            send_all(served.url, [diary.flushes(ids[size], one_key(points), BATCH)])
    return Filled(directory, ids)


def _fill_mlflow(directory: Path, sizes: dict[str, int]) -> Filled:
    with mlflow_server.mlflow_server(directory) as served, connected(served.url) as connection:
        experiment = mlflow_server.new_experiment(connection, "frames")
        ids = {size: mlflow_server.new_run(connection, experiment) for size in sizes}
        for size, points in sizes.items():
            send_all(served.url, [mlflow_server.log_batches(ids[size], {KEY: one_key(points)[KEY].part(0, BATCH)})])
    with closing(sqlite3.connect(directory / "mlflow.db")) as database, database:
        for size, points in sizes.items():
            _insert(database, ids[size], one_key(points)[KEY].part(BATCH, points))
    return Filled(directory, ids)


def _insert(database: sqlite3.Connection, run_id: str, curve: Curve) -> None:
    points = zip(curve.steps, curve.times, curve.values, strict=True)
    database.executemany(
        "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, 0)",
        ((KEY, value, time, run_id, step) for step, time, value in points),
    )


def _readings(client: deardiary.Client, filled: Filled, sizes: dict[str, int]) -> list[Reading]:
    found = []
    for size, points in sizes.items():
        iteration, curve = filled.ids[size], one_key(points)[KEY]
        found.append(
            Reading(
                f"frame_{size}_s",
                lambda iteration=iteration: client.metrics.to_dataframe(iteration, keys=[KEY]),  # type: ignore[misc]
                lambda frame, curve=curve: _is_frame(frame, curve),  # type: ignore[misc]
            )
        )
    last, curve = list(sizes)[-1], one_key(list(sizes.values())[-1])[KEY]
    found.append(
        Reading(
            f"columns_{last}_s",
            lambda: client.metrics.columns(filled.ids[last], keys=[KEY]),
            lambda columns: columns["step"] == list(curve.steps) and columns["value"] == list(curve.values),
        )
    )
    return found


def _is_frame(frame: Any, curve: Curve) -> bool:
    times = frame["recorded_at"].dt.tz_localize(None).astype("datetime64[ms]").astype("int64")
    same = frame["step"].tolist() == list(curve.steps) and frame["value"].tolist() == list(curve.values)
    return same and times.tolist() == list(curve.times) and set(frame["key"]) == {KEY}


def _mlflow_seconds(url: str, run_id: str, points: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        # -I: the folder of the program has a module with the name of its package.
        program = ("-I", str(PROGRAM), url, run_id, KEY, str(points))
        seconds: float = json.loads(environment_of(MLFLOW).run(*program, cwd=Path(folder)).splitlines()[-1])
    return seconds


if __name__ == "__main__":
    sys.exit(main())
