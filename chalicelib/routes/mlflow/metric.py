"""The history of a metric."""

from __future__ import annotations

import math
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from chalicelib.routes.http.answer import Answer
from chalicelib.routes.http.endpoint import Call
from chalicelib.routes.mlflow import limits, lookup, paging
from chalicelib.routes.mlflow.operations import Operations
from chalicelib.routes.mlflow.parse import Required, RunBody, number
from chalicelib.services import metric as service
from chalicelib.services.search.order import encode

operations = Operations("/2.0/mlflow")

# Time in ms since 1970, step and value.
Point = tuple[int, int, float]


class History(RunBody, kw_only=True):
    metric_key: Required
    max_results: int | None = None
    page_token: str = ""


@operations.get("/metrics/get-history", query=History)
def get_history(call: Call[None, History]) -> Answer[dict[str, Any]]:
    """The points in the order of time, step and value, each once; a long history comes in pages."""
    query = call.query
    size = paging.check_size("max_results", query.max_results, limits.MAX_HISTORY_RESULTS, limits.MAX_HISTORY_RESULTS)
    line, _ = lookup.find_run(call, query.id)
    points = _sorted(service.read_points(line.iteration, query.metric_key))
    scope = f"history {line.iteration.id} {query.metric_key}"
    left = paging.after(points, scope, query.page_token or None, 3, _key)
    page = [(_key(point), point) for point in left[:size]]
    more = len(left) > size
    return paging.answer("metrics", page, lambda point: _form(query.metric_key, *point), scope, more=more)


def _sorted(points: Iterable[Point]) -> list[Point]:
    """The points, each once. NaN comes after the numbers; tuples with it do not compare."""
    once = dict.fromkeys(points)
    if any(map(math.isnan, map(itemgetter(2), once))):
        return sorted(once, key=lambda point: (*point[:2], math.isnan(point[2]), point[2]))
    return sorted(once)


def _key(point: Point) -> paging.Key:
    """The same order in texts."""
    return tuple(encode(part, descending=False) for part in point)


def _form(key: str, time: int, step: int, value: float) -> dict[str, Any]:
    return {"key": key, "value": number(value), "timestamp": time, "step": step}
