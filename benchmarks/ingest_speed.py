"""Points per second through HTTP, of 1 client and of 8 at once, beside `mlflow server` with SQLite.

Ours is the local server, with the emulator; both servers have no sign-in and run the whole time, on this machine. Both
get the same curves of 10 keys, in a run for each client. A request has the server's maximal size: 10,000 points as
columns (`POST /iterations/{id}/log`) for ours, 1,000 for MLflow (`runs/log-batch`); ours is measured with requests of
1,000 points too. The figures are medians over rounds in which the servers take turns.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.kit import diary
from benchmarks.kit.connection import Connection, connected
from benchmarks.kit.curves import Curves, make_curves
from benchmarks.kit.load import Sending, send_all
from benchmarks.kit.processes import end_on_sigterm, local_server
from benchmarks.kit.report import Number, parse_options, show
from benchmarks.peers import mlflow_server

KEYS = 10
BATCH, SMALL_BATCH = 10_000, 1_000


class PointsLost(Exception):
    """A server has fewer points than it acknowledged."""


@dataclass(frozen=True, slots=True)
class Load:
    """The number of points per client, by the number of clients, and the number of rounds."""

    points: dict[int, int]
    rounds: int


FULL = Load({1: 100_000, 8: 40_000}, rounds=3)
WARM_UP = 2_000


@dataclass(frozen=True, slots=True)
class Contender:
    """A server in the comparison: creates a run, prepares a client's requests, and counts the stored points."""

    name: str
    url: str
    new_run: Callable[[], str]
    requests: Callable[[str, Curves], Sequence[Sending]]
    count: Callable[[str], int]


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_options("ingest_speed", __doc__, arguments)
    end_on_sigterm()
    show(options, measure(FULL, peer=options.peer))
    return 0


def measure(load: Load, *, peer: bool) -> dict[str, Number]:
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        ours = stack.enter_context(local_server(Path(directory) / "ours")).url
        contenders = list(_ours(stack.enter_context(connected(ours)), ours))
        if peer:
            theirs = stack.enter_context(mlflow_server.mlflow_server(Path(directory) / "mlflow")).url
            contenders.append(_mlflow(stack.enter_context(connected(theirs)), theirs))
        speeds = _race(contenders, load)
    return _figures(speeds, load)


def _race(contenders: Sequence[Contender], load: Load) -> dict[str, list[float]]:
    """Points per second by figure, one for each round."""
    for contender in contenders:
        _speed(contender, max(load.points), WARM_UP)
    speeds: dict[str, list[float]] = {}
    for _ in range(load.rounds):
        for clients, points in load.points.items():
            for contender in contenders:
                name = contender.name.format(f"points_per_s_{clients}")
                speeds.setdefault(name, []).append(_speed(contender, clients, points))
    return speeds


def _speed(contender: Contender, clients: int, points: int) -> float:
    """The points per second; PointsLost if the server then has more or fewer points than it was sent."""
    curves, runs = make_curves(KEYS, points // KEYS), [contender.new_run() for _ in range(clients)]
    sent = send_all(contender.url, [contender.requests(run, curves) for run in runs])
    counted = sum(map(contender.count, runs))
    if counted != clients * points:
        raise PointsLost(f"{contender.name.format('server')} was sent {clients * points} points and has {counted}")
    return counted / sent.seconds


def _ours(connection: Connection, url: str) -> Iterator[Contender]:
    experiment = diary.new_experiment(connection)

    def contender(name: str, batch: int) -> Contender:
        return Contender(
            name,
            url,
            new_run=lambda: diary.new_iteration(connection, experiment),
            requests=lambda run, curves: diary.flushes(run, curves, batch),
            count=lambda run: diary.counted(connection, run),
        )

    yield contender("{}", BATCH)
    yield contender("{}_small_batch", SMALL_BATCH)


def _mlflow(connection: Connection, url: str) -> Contender:
    experiment = mlflow_server.new_experiment(connection, "benchmark")

    return Contender(
        "mlflow_{}",
        url,
        new_run=lambda: mlflow_server.new_run(connection, experiment),
        requests=mlflow_server.log_batches,
        # All keys have as many points as the counted one.
        count=lambda run: KEYS * sum(1 for _ in mlflow_server.history(connection, run, "loss")),
    )


def _figures(speeds: dict[str, list[float]], load: Load) -> dict[str, Number]:
    figures: dict[str, Number] = {name: median(each) for name, each in speeds.items()}
    for clients in load.points:
        theirs = figures.get(f"mlflow_points_per_s_{clients}")
        if theirs:
            ours = f"points_per_s_{clients}"
            figures[f"ratio_{clients}"] = figures[ours] / theirs
            figures[f"ratio_{clients}_small_batch"] = figures[f"{ours}_small_batch"] / theirs
    sizes = {"batch_points": BATCH, "small_batch_points": SMALL_BATCH, "mlflow_batch_points": mlflow_server.MAX_BATCH}
    return figures | {"keys": KEYS, "rounds": load.rounds} | sizes


if __name__ == "__main__":
    sys.exit(main())
