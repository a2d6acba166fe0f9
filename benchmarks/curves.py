"""Charts of long curves, and what a part of a long history reads, beside `mlflow server` with SQLite.

Both servers run on this machine, without sign-in, filled through their APIs and restarted. The chart is that of our
page: the curves of 20 ended iterations with 100,000 points each, logged 1,000 at a time, in 500 buckets and nine
digits. MLflow's page asks for the same runs with `get-history-bulk-interval`, 500 points of each.

chart_20x100k_cold_s    the first reading of the chart, which makes the rollups
chart_20x100k_warm_s    a later one, the median over rounds; warm_ratio is the cold one over it
warm_cpu_ms             CPU time of our server's process for a warm chart
warm_read_units         read units of a warm chart, with access, by DynamoDB's rules
answer_kb_gzip          the answers by gzip, in KB of 1,000 bytes
one_of_ten_keys_read_units     1,000 points that represent one of ten metrics with 100,000 points each, after the first
                        reader; one_of_ten_keys_first_read_units is the first
window_1000_of_1m_read_units   1,000 steps in the middle of 1,000,000, after the first such reader
running_poll_read_units        the chart again while its iterations run, with nothing new, after the first such reader
                        (running_first_read_units); running_new_read_units after one flush to each
running_page_read_units 200 points of one of them as JSON, after the first such reader
ratio                   mlflow_chart_s over chart_20x100k_warm_s
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.kit import diary, experiments
from benchmarks.kit.connection import Connection, connected
from benchmarks.kit.curves import make_curves
from benchmarks.kit.inside import Inside, server_inside
from benchmarks.kit.load import Sending, send_all
from benchmarks.kit.metering import Meter
from benchmarks.kit.processes import cpu_seconds, end_on_sigterm, local_server
from benchmarks.kit.reading import KEY, one_key
from benchmarks.kit.report import Number, parse_options, show
from benchmarks.peers import mlflow_server

BUCKETS, DIGITS, BATCH, SHOWN = 500, 9, 1000, 1000


@dataclass(frozen=True, slots=True)
class Load:
    """The numbers of curves and points, and of repetitions."""

    curves: int
    points: int
    keys: int
    long: int
    window: int
    rounds: int


FULL = Load(curves=20, points=100_000, keys=10, long=1_000_000, window=1000, rounds=15)


@dataclass(frozen=True, slots=True)
class Filled:
    """The experiment of the chart and its iterations, one with many metrics, and one with a long curve."""

    experiment: str
    iterations: Sequence[str]
    wide: str
    long: str


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_options("curves", __doc__, arguments)
    end_on_sigterm()
    show(options, measure(FULL, peer=options.peer))
    return 0


def measure(load: Load, *, peer: bool) -> dict[str, Number]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        ours, theirs = Path(name) / "ours", Path(name) / "mlflow"
        filled = _fill(ours, load)
        runs = _fill_mlflow(theirs, load) if peer else []
        served = stack.enter_context(local_server(ours))
        connection = stack.enter_context(connected(served.url))
        # The first request opens connections and imports.
        connection.call("GET", f"/experiments/{filled.experiment}")
        pages = _chart_pages(connection, filled)
        cold, answers = _timed(pages)
        figures: dict[str, Number] = {"chart_20x100k_cold_s": cold}
        figures["answer_kb_gzip"] = sum(len(gzip.compress(json.dumps(page).encode())) for page in answers) / 1000
        read_mlflow = None
        if peer:
            url = stack.enter_context(mlflow_server.mlflow_server(theirs)).url
            other = stack.enter_context(connected(url))
            read_mlflow = lambda: mlflow_server.chart(other, runs, KEY, BUCKETS)  # noqa: E731
        figures |= _warm(pages, read_mlflow, served.pid, load.rounds)
        with server_inside(served) as inside, Meter.attached() as meter:
            figures |= _units(inside, meter, filled, load)
    figures["warm_ratio"] = figures["chart_20x100k_cold_s"] / figures["chart_20x100k_warm_s"]
    if peer:
        figures["ratio"] = figures["mlflow_chart_s"] / figures["chart_20x100k_warm_s"]
    return figures


def _fill(directory: Path, load: Load) -> Filled:
    with local_server(directory) as served, connected(served.url) as connection:
        experiment, iterations = experiments.make_curves_of(served.url, load.curves, load.points)
        other = diary.new_experiment(connection)
        wide, long = (diary.new_iteration(connection, other) for _ in range(2))
        for iteration, curves in ((wide, make_curves(load.keys, load.points)), (long, one_key(load.long))):
            end = Sending(f"/iterations/{iteration}", json.dumps({"status_id": 2}).encode(), "PATCH")
            send_all(served.url, [[*diary.flushes(iteration, curves, BATCH), end]])
    return Filled(experiment, iterations, wide, long)


def _fill_mlflow(directory: Path, load: Load) -> list[str]:
    with mlflow_server.mlflow_server(directory) as served, connected(served.url) as connection:
        experiment = mlflow_server.new_experiment(connection, "curves")
        runs = [mlflow_server.new_run(connection, experiment) for _ in range(load.curves)]
        for at, run in enumerate(runs):
            send_all(served.url, [mlflow_server.log_batches(run, make_curves(1, load.points, seed=str(at)))])
    return runs


def _chart_pages(connection: Connection | Inside, filled: Filled) -> Callable[[], list[Any]]:
    named = "".join(f"&iteration_id={each}" for each in filled.iterations)
    path = f"/experiments/{filled.experiment}/metrics/curves?key={KEY}&buckets={BUCKETS}&digits={DIGITS}{named}"
    return lambda: list(diary.pages(connection, path))


def _timed(read: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.perf_counter()
    found = read()
    return time.perf_counter() - begin, found


def _warm(ours: Callable[[], Any], theirs: Callable[[], Any] | None, pid: int, rounds: int) -> dict[str, Number]:
    ours()
    if theirs:
        theirs()
    seconds, their_seconds, cpu = [], [], 0.0
    for _ in range(rounds):
        before = cpu_seconds(pid)
        seconds.append(_timed(ours)[0])
        cpu += cpu_seconds(pid) - before
        if theirs:
            their_seconds.append(_timed(theirs)[0])
    figures: dict[str, Number] = {"chart_20x100k_warm_s": median(seconds), "warm_cpu_ms": 1000 * cpu / rounds}
    return figures | ({"mlflow_chart_s": median(their_seconds)} if theirs else {})


def _units(inside: Inside, meter: Meter, filled: Filled, load: Load) -> dict[str, Number]:
    middle = load.long // 2
    few = diary.series_path(filled.wide, KEY, SHOWN)
    window = f"{diary.series_path(filled.long, KEY)}&min_step={middle}&max_step={middle + load.window - 1}"
    reads: dict[str, Callable[[], Any]] = {
        "warm_read_units": _chart_pages(inside, filled),
        "one_of_ten_keys_first_read_units": lambda: list(diary.pages(inside, few)),
        "one_of_ten_keys_read_units": lambda: list(diary.pages(inside, few)),
        "window_1000_of_1m_first_read_units": lambda: list(diary.pages(inside, window)),
        "window_1000_of_1m_read_units": lambda: list(diary.pages(inside, window)),
    }
    figures = {name: _read_units(meter, read) for name, read in reads.items()}
    return figures | _units_of_running(inside, meter, filled, load)


def _units_of_running(inside: Inside, meter: Meter, filled: Filled, load: Load) -> dict[str, Number]:
    """Resume the iterations of the chart, and poll it."""
    for each in filled.iterations:
        inside.call("PATCH", f"/iterations/{each}", {"status_id": 1})
    poll = _chart_pages(inside, filled)
    page = f"/iterations/{filled.iterations[0]}/metrics?limit=200"
    figures = {
        "running_first_read_units": _read_units(meter, poll),
        "running_poll_read_units": _read_units(meter, poll),
    }
    more = {"step": list(range(load.points, load.points + BATCH)), "value": [0.5] * BATCH}
    for each in filled.iterations:
        inside.call("POST", f"/iterations/{each}/log", {"batch_id": "more", "metrics": {KEY: more}})
    figures["running_new_read_units"] = _read_units(meter, poll)
    inside.call("GET", page)
    return figures | {"running_page_read_units": _read_units(meter, lambda: inside.call("GET", page))}


def _read_units(meter: Meter, read: Callable[[], Any]) -> float:
    with meter.measuring() as calls:
        read()
    return sum(call.read_units for call in calls)


if __name__ == "__main__":
    sys.exit(main())
