"""Our own server, driven over HTTP by the benchmarks: create a run, and read its data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.kit.connection import Asking, Connection
from benchmarks.kit.curves import Curves, batches, flush_body
from benchmarks.kit.load import Sending


def new_experiment(connection: Connection) -> str:
    project = connection.call("POST", "/projects", {"name": "benchmark"})["id"]
    made: str = connection.call("POST", f"/projects/{project}/experiments", {"name": "benchmark"})["id"]
    return made


def new_iteration(connection: Connection, experiment_id: str) -> str:
    made: str = connection.call("POST", f"/experiments/{experiment_id}/iterations", {})["id"]
    return made


def flushes(iteration_id: str, curves: Curves, points: int) -> list[Sending]:
    """The curves as requests of this many points, all keys in each."""
    pieces = batches(curves, points // len(curves))
    path = f"/iterations/{iteration_id}/log"
    return [Sending(path, flush_body(piece, f"batch-{number}")) for number, piece in enumerate(pieces)]


def counted(connection: Connection, iteration_id: str) -> int:
    """The number of points that the server reports."""
    summaries = connection.call("GET", f"/iterations/{iteration_id}/metrics/summary")["data"]
    return sum(summary["count"] for summary in summaries.values())


def series_path(iteration_id: str, key: str, max_points: int | None = None) -> str:
    few = "" if max_points is None else f"&max_points={max_points}"
    return f"/iterations/{iteration_id}/metrics/series?key={key}{few}"


def series(connection: Connection, path: str, key: str) -> dict[str, list[Any]]:
    """All points of one key, page by page, as columns."""
    whole: dict[str, list[Any]] = {"step": [], "value": [], "recorded_at": []}
    for page in pages(connection, path):
        for name, column in page["data"].get(key, {}).items():
            whole[name] += column
    return whole


def table(connection: Connection, experiment_id: str, key: str, limit: int, most: int) -> list[dict[str, Any]]:
    """The rows of the sorted table with the summaries of all keys, in pages of `limit`."""
    path = f"/experiments/{experiment_id}/iterations?include=metrics&order_by=metrics.{key}&limit={limit}"
    rows: list[dict[str, Any]] = []
    for page in pages(connection, path):
        rows += page["data"]
        if len(rows) >= most:
            break
    return rows


def pages(connection: Asking, path: str) -> Iterator[dict[str, Any]]:
    cursor: str | None = ""
    while cursor is not None:
        page = connection.call("GET", path + (f"&cursor={cursor}" if cursor else ""))
        yield page
        cursor = page["next_cursor"]
