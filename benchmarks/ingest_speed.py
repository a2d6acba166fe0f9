"""Points per second through HTTP, of 1 client and of 8 at once, beside `mlflow server` with SQLite.

Ours is the local server, with the emulator; both servers have no sign-in and run the whole time, on this machine. Both
get the same curves of 10 keys, in a run for each client. A request has the server's maximal size: 10,000 points as
columns (`POST /iterations/{id}/log`) for ours, 1,000 for MLflow (`runs/log-batch`); ours is measured with requests of
1,000 points too. 8 clients also send small flushes to both, of one point a key. The figures are medians over rounds in
which the servers take turns. The calls, CPU time and units of a flush are those of `benchmarks.ingest_cost`.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.ingest_cost import Effort, measure_all
from benchmarks.kit import diary
from benchmarks.kit.connection import Connection, connected
from benchmarks.kit.curves import Curves, make_curves
from benchmarks.kit.load import Sending, send_all
from benchmarks.kit.processes import end_on_sigterm, local_server
from benchmarks.kit.report import Number, parse_options, show
from benchmarks.peers import mlflow_server
from infra.emulator.launcher import running_emulator
from tests.support.server import server_on_emulator

KEYS = 10
BATCH, SMALL_BATCH = 10_000, 1_000
WIDE_KEYS = 1_000
EFFORT = Effort(before=20, measured=50)


class PointsLost(Exception):
    """A server has fewer points than it acknowledged."""


@dataclass(frozen=True, slots=True)
class Load:
    """The number of points of a client, by the number of clients, and the number of rounds."""

    points: dict[int, int]
    rounds: int
    # Of each of the clients that send small flushes, and how many they are.
    small_points: int = 2_000
    small_clients: int = 8
    costs: Effort = EFFORT


FULL = Load({1: 100_000, 8: 40_000}, rounds=3)
WARM_UP = 2_000


@dataclass(frozen=True, slots=True)
class Contender:
    """A server in the comparison: creates a run, prepares a client's requests, and counts the stored points."""

    # With the place of a figure's name.
    name: str
    url: str
    new_run: Callable[[], str]
    requests: Callable[[str, Curves], Sequence[Sending]]
    count: Callable[[str], int]
    # It sends a point of each key a request.
    is_small: bool = False


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
            contenders.extend(_mlflow(stack.enter_context(connected(theirs)), theirs))
        speeds = _race(contenders, load)
    return _figures(speeds, load) | flush_costs(load.costs)


def _race(contenders: Sequence[Contender], load: Load) -> dict[str, list[float]]:
    """Points per second by figure, one for each round."""
    for contender in contenders:
        _speed(contender, max(load.points), WARM_UP)
    speeds: dict[str, list[float]] = {}
    for _ in range(load.rounds):
        for clients, points in load.points.items():
            for contender in contenders:
                if not contender.is_small:
                    name = contender.name.format(f"points_per_s_{clients}")
                    speeds.setdefault(name, []).append(_speed(contender, clients, points))
        for contender in contenders:
            if contender.is_small:
                name = contender.name.format(f"flushes_per_s_{load.small_clients}")
                points_per_s = _speed(contender, load.small_clients, load.small_points)
                speeds.setdefault(name, []).append(points_per_s / KEYS)
    return speeds


def flush_costs(effort: Effort) -> dict[str, Number]:
    """The calls and CPU time of a flush of ten keys, and the write units of one of a thousand keys, a point each."""
    with (
        tempfile.TemporaryDirectory() as directory,
        running_emulator(Path(directory)) as emulator,
        server_on_emulator(emulator.environment()) as server,
    ):
        small, wide = measure_all(server, effort, [(KEYS, 1), (WIDE_KEYS, 1)])
    return {
        "flush_calls": small.calls,
        "flush_cpu_ms": 1000 * small.cpu_seconds,
        "flush_rru": small.reads,
        "flush_wru": small.writes,
        "wide_flush_rru": wide.reads,
        "wide_flush_wru": wide.writes,
    }


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

    def contender(name: str, batch: int, *, is_small: bool = False) -> Contender:
        return Contender(
            name,
            url,
            new_run=lambda: diary.new_iteration(connection, experiment),
            requests=lambda run, curves: diary.flushes(run, curves, batch),
            count=lambda run: diary.counted(connection, run),
            is_small=is_small,
        )

    yield contender("{}", BATCH)
    yield contender("{}_small_batch", SMALL_BATCH)
    yield contender("{}", KEYS, is_small=True)


def _mlflow(connection: Connection, url: str) -> Iterator[Contender]:
    experiment = mlflow_server.new_experiment(connection, "benchmark")

    def contender(batch: int, *, is_small: bool) -> Contender:
        return Contender(
            "mlflow_{}",
            url,
            new_run=lambda: mlflow_server.new_run(connection, experiment),
            requests=lambda run, curves: mlflow_server.log_batches(run, curves, batch),
            # All keys have as many points as the counted one.
            count=lambda run: KEYS * sum(1 for _ in mlflow_server.history(connection, run, "loss")),
            is_small=is_small,
        )

    yield contender(mlflow_server.MAX_BATCH, is_small=False)
    yield contender(KEYS, is_small=True)


def _figures(speeds: dict[str, list[float]], load: Load) -> dict[str, Number]:
    figures: dict[str, Number] = {name: median(each) for name, each in speeds.items()}
    for clients in load.points:
        theirs = figures.get(f"mlflow_points_per_s_{clients}")
        if theirs:
            ours = f"points_per_s_{clients}"
            figures[f"ratio_{clients}"] = figures[ours] / theirs
            figures[f"ratio_{clients}_small_batch"] = figures[f"{ours}_small_batch"] / theirs
    small = f"flushes_per_s_{load.small_clients}"
    if f"mlflow_{small}" in figures:
        figures[f"small_flush_ratio_{load.small_clients}"] = figures[small] / figures[f"mlflow_{small}"]
    sizes = {"batch_points": BATCH, "small_batch_points": SMALL_BATCH, "mlflow_batch_points": mlflow_server.MAX_BATCH}
    return figures | {"keys": KEYS, "rounds": load.rounds} | sizes


if __name__ == "__main__":
    sys.exit(main())
