"""Tables of 1,000 and 10,000 runs with 20 metrics and 5 parameters each, beside `mlflow server` with SQLite.

Both servers run on this machine, ours with the emulator, and without sign-in; each is restarted after it was filled.
Ours is filled through its API, all runs are ended, and the upkeep packs them. MLflow's first run is too; the others are
copies of its rows with other values, in its database.
Times are medians of rounds, ours and MLflow's in turn. Each round sorts by another metric, so that no cache helps:

sort        the first 50 runs sorted by a metric, with all metrics and parameters
filter      the same of the runs with one value of a parameter, which one run in 200 has
page2       the second page of a sorted table, ours only: the process that answered the first one still has it
whole       all runs sorted, with all metrics and parameters: ours 1,000 at a time as columns, MLflow's in one page

`read_units_sort_10000` counts the read units of the sort without metrics and parameters, `include_50_read_units` the
units that these add, by the server's code in this process on the same table, which has read nothing before.
`read_units_sort_100000` is the first of a table whose runs are copies of these. `pack_wru_per_iteration` is
the number of write units of packing 1,000 runs, for each run. `columns_1000x40_kb_gzip` is the compressed answer of
1,000 runs with 40 columns.
"""

from __future__ import annotations

import gzip
import json
import random
import sqlite3
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.kit import diary
from benchmarks.kit.connection import Connection, connected
from benchmarks.kit.inside import server_inside
from benchmarks.kit.load import Sending, send_all
from benchmarks.kit.metering import Meter
from benchmarks.kit.processes import Served, end_on_sigterm, local_server, peak_mb
from benchmarks.kit.reading import KEYS, Reading, has, of_run, shared, timed
from benchmarks.kit.report import Number, parse_options, show
from benchmarks.peers import mlflow_server
from chalicelib import config, ids
from chalicelib.services.lifecycle import packing
from chalicelib.storage.blocks import column, request
from chalicelib.storage.table import item, keys

SIZES = (1000, 10_000)
COPIES = 10
ROUNDS, PAGE, COLUMNS_PAGE = 5, 50, 1000
PARAMETERS, VALUES = 5, 200
METRICS = [f"metric_{number:02}" for number in range(1, KEYS)]
INCLUDE = "include=metrics,parameters"
FILTER = "parameters.p0 = '7'"
RATIOS = {
    "ratio_1000": "sort_1000_s",
    "ratio_10000": "sort_10000_s",
    "filter_ratio_10000": "filter_10000_s",
    "whole_ratio_10000": "whole_10000_s",
}


@dataclass(frozen=True, slots=True)
class Table:
    """An experiment with this many runs."""

    experiment_id: str
    runs: int


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_options("tables", __doc__, arguments)
    end_on_sigterm()
    with tempfile.TemporaryDirectory() as folder:
        show(options, measure(Path(folder), SIZES, ROUNDS, COPIES, peer=options.peer))
    return 0


def measure(folder: Path, sizes: Sequence[int], rounds: int, copies: int, *, peer: bool) -> dict[str, Number]:
    ours, theirs = folder / "ours", folder / "mlflow"
    tables = [_fill_ours(ours, size) for size in sizes]
    packing_units = _pack(ours, tables)
    mlflow_tables = [_fill_mlflow(theirs, size) for size in sizes] if peer else []
    with ExitStack() as stack:
        served = stack.enter_context(local_server(ours))
        connection = stack.enter_context(connected(served.url))
        readings = [each for table in tables for each in _our_readings(connection, table)]
        if peer:
            url = stack.enter_context(mlflow_server.mlflow_server(theirs)).url
            readings += [each for table in mlflow_tables for each in _mlflow_readings(url, table)]
        figures = timed(readings, rounds)
        figures[f"page2_{tables[-1].runs}_s"] = _page2(connection, tables[-1], rounds)
        figures["columns_1000x40_kb_gzip"] = _columns_kb(connection, tables[0])
        figures |= {"server_peak_mb": peak_mb(served.pid)} | _units(served, tables[-1])
        figures["pack_wru_per_iteration"] = packing_units
    if copies:
        figures |= _units_of_copies(ours, tables[-1], copies)
    if peer:
        figures |= {ratio: figures[f"mlflow_{name}"] / figures[name] for ratio, name in RATIOS.items()}
    return figures


def _fill_ours(directory: Path, size: int) -> Table:
    with local_server(directory) as served, connected(served.url) as connection:
        experiment = diary.new_experiment(connection)
        runs = [diary.new_iteration(connection, experiment) for _ in range(size)]
        send_all(served.url, shared([_flush(run, number) for number, run in enumerate(runs)]))
        send_all(served.url, shared([_end(run) for run in runs]))
    return Table(experiment, size)


def _end(run: str) -> Sending:
    return Sending(f"/iterations/{run}", b'{"status_id": 2}', "PATCH")


def _pack(directory: Path, tables: Sequence[Table]) -> float:
    """Pack the tables as the upkeep does, without waiting for a quiet time. The write units of a run of the first."""
    with local_server(directory) as served, server_inside(served), Meter.attached() as meter:
        with meter.measuring() as calls:
            _pack_one(tables[0])
        for table in tables[1:]:
            _pack_one(table)
    return sum(call.write_units for call in calls) / tables[0].runs


def _pack_one(table: Table) -> None:
    before, packing.QUIET_US = packing.QUIET_US, 0
    try:
        request.forget()
        request.request(table.experiment_id)
        packing.pack_requested(3600)
    finally:
        packing.QUIET_US = before


def _flush(run: str, number: int) -> Sending:
    (flush,) = diary.flushes(run, of_run(number), 1000)
    body = json.loads(flush.body or b"")
    return Sending(flush.path, json.dumps(body | {"parameters": _parameters(number)}).encode())


def _parameters(number: int) -> dict[str, str]:
    return {f"p{index}": str((number + index) % VALUES) for index in range(PARAMETERS)}


def _fill_mlflow(directory: Path, size: int) -> Table:
    with mlflow_server.mlflow_server(directory) as served, connected(served.url) as connection:
        experiment = mlflow_server.new_experiment(connection, f"table {size}")
        first = mlflow_server.new_run(connection, experiment)
        send_all(served.url, [mlflow_server.log_batches(first, of_run(0))])
        parameters = [{"key": key, "value": value} for key, value in _parameters(0).items()]
        connection.call("POST", f"{mlflow_server.API}/runs/log-batch", {"run_id": first, "params": parameters})
    with closing(sqlite3.connect(directory / "mlflow.db")) as database, database:
        for number in range(1, size):
            _copy_run(database, first, number)
    return Table(experiment, size)


def _copy_run(database: sqlite3.Connection, first: str, number: int) -> None:
    """Copy all rows of the first run: with its own id, its own parameters, and other values of its metrics."""
    copy, dice, parameters = uuid.uuid4().hex, random.Random(number), _parameters(number)  # noqa: S311
    for table in ("runs", "metrics", "latest_metrics", "params", "tags"):
        cursor = database.execute(f"SELECT * FROM {table} WHERE run_uuid = ?", (first,))  # noqa: S608
        names = [column[0] for column in cursor.description]
        for values in cursor.fetchall():
            row = dict(zip(names, values, strict=True)) | {"run_uuid": copy}
            if table == "params":
                row["value"] = parameters[row["key"]]
            elif "metrics" in table:
                row["value"] += dice.gauss(0, 0.05)
            marks = ", ".join("?" * len(row))
            database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))  # noqa: S608


def _our_readings(connection: Connection, table: Table) -> list[Reading]:
    path, size = f"/experiments/{table.experiment_id}/iterations", table.runs
    keys = cycle(METRICS)

    def rows(condition: str = "") -> Callable[[], Any]:
        return lambda: connection.call("GET", _query(path, next(keys), PAGE, condition))["data"]

    def whole() -> list[str]:
        query = f"{path}?order_by=metrics.{next(keys)}&{INCLUDE}&format=columns&limit={COLUMNS_PAGE}"
        return [each for page in diary.pages(connection, query) for each in page["ids"]]

    readings = [Reading(f"sort_{size}_s", rows(), has(PAGE))]
    if size == max(SIZES):
        readings += [
            Reading(f"filter_{size}_s", rows(FILTER), has(min(PAGE, size // VALUES))),
            Reading(f"whole_{size}_s", whole, has(size)),
        ]
    return readings


def _page2(connection: Connection, table: Table, rounds: int) -> float:
    """Median seconds of the second page, each after a first one of another order."""
    path, seconds = f"/experiments/{table.experiment_id}/iterations", []
    for key in METRICS[-rounds:]:
        pages = diary.pages(connection, _query(path, key, PAGE))
        next(pages)
        begin = time.perf_counter()
        next(pages)
        seconds.append(time.perf_counter() - begin)
    return median(seconds)


def _query(path: str, key: str, limit: int, condition: str = "", include: str = INCLUDE) -> str:
    condition = condition.replace(" ", "%20").replace("=", "%3D")
    return f"{path}?order_by=metrics.{key}&limit={limit}&filter={condition}&{include}"


def _mlflow_readings(url: str, table: Table) -> list[Reading]:
    """Each over a new connection: the server closes them after some requests."""
    size, keys = table.runs, cycle(METRICS)

    def rows(most: int, condition: str = "") -> Callable[[], Any]:
        def read() -> Any:
            with connected(url) as connection:
                return mlflow_server.table(connection, table.experiment_id, next(keys), most, condition)

        return read

    readings = [Reading(f"mlflow_sort_{size}_s", rows(PAGE), has(PAGE))]
    if size == max(SIZES):
        condition = FILTER.replace("parameters", "params")
        readings += [
            Reading(f"mlflow_filter_{size}_s", rows(PAGE, condition), has(min(PAGE, size // VALUES))),
            Reading(f"mlflow_whole_{size}_s", rows(size), has(size)),
        ]
    return readings


def _columns_kb(connection: Connection, table: Table) -> float:
    """20 metrics, of 10 of them also the minimum, 5 parameters and 5 fields."""
    fields = "".join(f"&fields={name}" for name in ("name", "status_id", "created_date", "end_date", "created_by"))
    path = f"/experiments/{table.experiment_id}/iterations?format=columns&limit=1000"
    answer = json.loads(connection.send("GET", f"{path}&{INCLUDE}{fields}&parts=last&parts=min"))
    for key in METRICS[: KEYS // 2]:
        del answer["columns"]["metrics"][key]["min"]
    return len(gzip.compress(json.dumps(answer, separators=(",", ":")).encode())) / 1000


def _units(served: Served, table: Table) -> dict[str, Number]:
    path = f"/experiments/{table.experiment_id}/iterations"
    with server_inside(served) as server, Meter.attached() as meter:

        def units(include: str) -> float:
            column.forget()
            with meter.measuring() as calls:
                server.call("GET", _query(path, METRICS[0], PAGE, include=include))
            return sum(call.read_units for call in calls)

        bare = units("")
        return {f"read_units_sort_{table.runs}": bare, "include_50_read_units": units(INCLUDE) - bare}


def _units_of_copies(directory: Path, table: Table, copies: int) -> dict[str, Number]:
    """Copy each run of a table so often; count the read units of a sort of it."""
    with local_server(directory) as served, connected(served.url) as connection:
        larger = Table(diary.new_experiment(connection), table.runs * copies)
        with server_inside(served):
            _copy_items(table, larger, copies)
            _pack_one(larger)
        units = _units(served, larger)
    return {name: number for name, number in units.items() if name.startswith("read_units")}


def _copy_items(table: Table, larger: Table, copies: int) -> None:
    """Copy ITERATION and SERIES of each run, which is all that a sort by a metric reads, under new ids."""
    partition = keys.experiment_partition(larger.experiment_id)
    for iteration, series in zip(_items(table, "ITERATION#"), _items(table, "SERIES#"), strict=True):
        requests = []
        for _ in range(copies):
            run = ids.new_id()
            own = {"PK": {"S": partition}, "id": {"S": run}, "experiment_id": {"S": larger.experiment_id}}
            requests.append({"PutRequest": {"Item": iteration | own | {"SK": {"S": f"ITERATION#{run}"}}}})
            beside = {"PK": {"S": partition}, "SK": {"S": f"SERIES#{run}"}}
            requests.append({"PutRequest": {"Item": series | beside}})
        _dynamodb().batch_write_item(RequestItems={config.settings().table: requests})


def _dynamodb() -> Any:
    return item.connection().connection.client


def _items(table: Table, prefix: str) -> Iterator[dict[str, Any]]:
    """Whole items of the runs, in the order of their ids."""
    pages = (
        item.connection()
        .connection.client.get_paginator("query")
        .paginate(
            TableName=config.settings().table,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :prefix)",
            ExpressionAttributeValues={
                ":pk": {"S": keys.experiment_partition(table.experiment_id)},
                ":prefix": {"S": prefix},
            },
        )
    )
    return (each for page in pages for each in page["Items"])


if __name__ == "__main__":
    sys.exit(main())
