"""Reading through HTTP: whole histories, downsampled curves, tables of many runs, beside `mlflow server` with SQLite.

Both servers run on this machine, ours with the emulator, and without sign-in; each is restarted after it was filled
through its API. Times are from the first request to the last decoded answer, medians over rounds in which everything is
read once, from ours and from MLflow in turn:

history_100k   all 100,000 points of the only key of an iteration, logged 1,000 at a time, page by page: our
               `metrics/series`, MLflow's `metrics/get-history`
series_100k    1,000 points that represent these 100,000; for MLflow its page's `get-history-bulk-interval`
series_1m      the same for 1,000,000 points, ours only
table_1000     all of 1,000 iterations with the summaries of their 20 keys, sorted by one: ours 200 at a time, which is
               the largest page, MLflow's `runs/search` in one page
table_page     the first 50 of them

`server_peak_mb` is the peak of our server's resident memory since its start, after all this; `history_100k_pages`
counts the pages of Queries in the iteration's partition, by the server's code in this process on the same table.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.kit import diary
from benchmarks.kit.connection import Connection, connected
from benchmarks.kit.inside import server_inside
from benchmarks.kit.load import send_all
from benchmarks.kit.metering import Meter
from benchmarks.kit.processes import Served, end_on_sigterm, local_server, peak_mb
from benchmarks.kit.reading import (
    KEY,
    PAGE,
    SHOWN,
    Load,
    Reading,
    has,
    is_sorted,
    is_whole,
    of_run,
    one_key,
    shared,
    stands_for,
    timed,
)
from benchmarks.kit.report import Number, parse_options, show
from benchmarks.peers import mlflow_server
from chalicelib.storage.table import keys

FULL = Load(history=100_000, series=1_000_000, iterations=1000, rounds=7)
BATCH, LARGEST_PAGE = 1000, 200
PEERS = {
    "history_ratio": "history_100k_s",
    "series_ratio": "series_100k_s",
    "table_ratio": "table_1000_s",
    "table_page_ratio": "table_page_s",
}


@dataclass(frozen=True, slots=True)
class Filled:
    """The ids of iterations with a history and with a long series (MLflow has none), of an experiment with a table."""

    history: str
    series: str
    table: str


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_options("read_speed", __doc__, arguments)
    end_on_sigterm()
    show(options, measure(FULL, peer=options.peer))
    return 0


def measure(load: Load, *, peer: bool) -> dict[str, Number]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        ours, theirs = Path(name) / "ours", Path(name) / "mlflow"
        filled = _fill_ours(ours, load)
        filled_mlflow = _fill_mlflow(theirs, load) if peer else None
        served = stack.enter_context(local_server(ours))
        idle, connection = peak_mb(served.pid), stack.enter_context(connected(served.url))
        readings = _our_readings(connection, filled, load)
        if filled_mlflow:
            url = stack.enter_context(mlflow_server.mlflow_server(theirs)).url
            _warm_mlflow(url, filled_mlflow)
            readings += _mlflow_readings(stack.enter_context(connected(url)), filled_mlflow, load)
        figures = timed(readings, load.rounds)
        figures["series_1m_bytes"] = len(connection.send("GET", diary.series_path(filled.series, KEY, SHOWN)))
        figures |= {"server_peak_mb": peak_mb(served.pid), "server_idle_mb": idle}
        figures["history_100k_pages"] = _pages(served, filled.history)
    if peer:
        figures |= {ratio: figures[f"mlflow_{name}"] / figures[name] for ratio, name in PEERS.items()}
    return figures


def _fill_ours(directory: Path, load: Load) -> Filled:
    with local_server(directory) as served, connected(served.url) as connection:
        experiment = diary.new_experiment(connection)
        history, series = (diary.new_iteration(connection, experiment) for _ in range(2))
        for iteration, points in ((history, load.history), (series, load.series)):
            send_all(served.url, [diary.flushes(iteration, one_key(points), BATCH)])
        table = diary.new_experiment(connection)
        runs = [diary.new_iteration(connection, table) for _ in range(load.iterations)]
        requests = [diary.flushes(run, of_run(number), BATCH)[0] for number, run in enumerate(runs)]
        send_all(served.url, shared(requests))
    return Filled(history, series, table)


def _fill_mlflow(directory: Path, load: Load) -> Filled:
    with mlflow_server.mlflow_server(directory) as served, connected(served.url) as connection:
        history = mlflow_server.new_run(connection, mlflow_server.new_experiment(connection, "history"))
        send_all(served.url, [mlflow_server.log_batches(history, one_key(load.history))])
        table = mlflow_server.new_experiment(connection, "table")
        runs = [mlflow_server.new_run(connection, table) for _ in range(load.iterations)]
        requests = [mlflow_server.log_batches(run, of_run(number))[0] for number, run in enumerate(runs)]
        send_all(served.url, shared(requests))
    return Filled(history, "", table)


def _our_readings(connection: Connection, filled: Filled, load: Load) -> list[Reading]:
    history, series = one_key(load.history)[KEY], one_key(load.series)[KEY]
    first = min(PAGE, load.iterations)

    def curve(iteration: str, most: int | None = None) -> Callable[[], Any]:
        return lambda: diary.series(connection, diary.series_path(iteration, KEY, most), KEY)

    def table(limit: int, rows: int) -> Callable[[], Any]:
        return lambda: diary.table(connection, filled.table, KEY, limit, rows)

    return [
        Reading("history_100k_s", curve(filled.history), is_whole(history)),
        Reading("series_100k_s", curve(filled.history, SHOWN), stands_for(history)),
        Reading("series_1m_s", curve(filled.series, SHOWN), stands_for(series)),
        Reading("table_1000_s", table(LARGEST_PAGE, load.iterations), is_sorted(load.iterations)),
        Reading("table_page_s", table(PAGE, first), is_sorted(first)),
    ]


def _mlflow_readings(connection: Connection, filled: Filled, load: Load) -> list[Reading]:
    def table(rows: int) -> Callable[[], Any]:
        return lambda: mlflow_server.table(connection, filled.table, KEY, rows)

    return [
        Reading(
            "mlflow_history_100k_s",
            lambda: list(mlflow_server.history(connection, filled.history, KEY)),
            has(load.history),
        ),
        Reading("mlflow_series_100k_s", lambda: mlflow_server.few_points(connection, filled.history, KEY, SHOWN), bool),
        Reading("mlflow_table_1000_s", table(load.iterations), has(load.iterations)),
        Reading("mlflow_table_page_s", table(PAGE), has(min(PAGE, load.iterations))),
    ]


def _warm_mlflow(url: str, filled: Filled) -> None:
    """Let each of its workers read once, unmeasured; the connection decides which one answers."""
    for _ in range(2 * mlflow_server.WORKERS):
        with connected(url) as connection:
            mlflow_server.table(connection, filled.table, KEY, 1)


def _pages(served: Served, iteration_id: str) -> int:
    """The number of pages of Queries in the iteration's partition, for all its points."""
    partition, path = keys.iteration_partition(iteration_id), diary.series_path(iteration_id, KEY)
    with server_inside(served) as server, Meter.attached() as meter, meter.measuring() as calls:
        for _page in diary.pages(server, path):
            pass
    return sum(call.operation == "Query" and any(key.pk == partition for key in call.keys) for call in calls)


if __name__ == "__main__":
    sys.exit(main())
