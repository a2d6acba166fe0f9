"""Series: curves as columns, and summaries."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import Meta

from chalicelib import clock
from chalicelib.columns import Columns
from chalicelib.routes.http.answer import BINARY, MAX_ANSWER_BYTES, Answer, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Id, Key, Query
from chalicelib.routes.http.points import Step
from chalicelib.services import series as service
from chalicelib.services.points import chart, stored
from chalicelib.services.points.grid import Bucketed
from chalicelib.services.series import CurvePage, Window
from deardiary.wire.form import encode_float
from deardiary.wire.points_page import LENGTH, MAGIC, PointsPage
from deardiary.wire.shapes import Curve, MetricSummary

routes = Routes(__name__)

# Lambda returns bytes as base64: four characters for three bytes.
MOST_BYTES = MAX_ANSWER_BYTES // 4 * 3


@dataclass(frozen=True, slots=True)
class Summaries:
    """The summary of each key."""

    data: dict[str, MetricSummary]


@dataclass(frozen=True, slots=True)
class SummariesOfIterations:
    """The summaries of each iteration. `left`: the ids of those that did not fit; ask for them."""

    data: dict[str, dict[str, MetricSummary]]
    left: list[str]


@dataclass(frozen=True, slots=True)
class Curves:
    """Curves by key or by iteration. With a cursor there are more points, also of the last curve."""

    data: dict[str, Curve]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class GridCurve:
    """A curve on the grid; its lists are as long as ``x``, and null is a bucket without a number.

    ``last``, ``min`` and ``max`` leave NaN out. ``count`` is the number of points in the bucket, ``nan`` that of NaN
    among them, ``total`` that of all points of the curve.
    """

    last: list[float | None]
    min: list[float | None]
    max: list[float | None]
    count: list[int]
    nan: list[int]
    total: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves by key, then by iteration, on one grid, which is the same on all pages.

    ``x`` has the first position of each bucket: a step, or ms. The grid is from ``min_x`` to ``max_x``, both included;
    without any point it is empty.
    """

    x: list[int]
    min_x: int | None
    max_x: int | None
    data: dict[str, dict[str, GridCurve]]
    next_cursor: str | None


class CurvesQuery(Query):
    key: list[Key] = []
    min_step: Step | None = None
    max_step: Step | None = None
    max_points: Annotated[int, Meta(ge=1)] | None = None
    cursor: str | None = None


class ColumnsQuery(Query):
    key: list[Key] = []
    min_step: Step | None = None
    max_step: Step | None = None
    cursor: str | None = None


class CurveOfIterationsQuery(Query):
    key: Key
    iteration_id: Annotated[list[Id], Meta(max_length=service.MOST_ITERATIONS)] = []
    min_step: Step | None = None
    max_step: Step | None = None
    max_points: Annotated[int, Meta(ge=1, le=service.MOST_POINTS)] = 200
    cursor: str | None = None


class SummariesQuery(Query):
    iteration_id: Annotated[list[Id], Meta(min_length=1, max_length=service.MOST_ITERATIONS)]


class ChartQuery(Query):
    key: Annotated[list[Key], Meta(min_length=1, max_length=chart.MOST_KEYS)]
    iteration_id: Annotated[list[Id], Meta(max_length=chart.MOST_ITERATIONS)] = []
    buckets: Annotated[int, Meta(ge=1, le=chart.MOST_BUCKETS_A_CURVE)] = 500
    x: Annotated[
        Literal["step", "relative", "time"],
        Meta(description="relative: ms since the creation of the iteration; time: ms since 1970"),
    ] = "step"
    min_x: Step | None = None
    max_x: Step | None = None
    digits: (
        Annotated[
            int,
            Meta(ge=1, le=17, description="round numbers to this many significant digits; without it they are exact"),
        ]
        | None
    ) = None
    cursor: str | None = None


@routes.get("/iterations/{iteration_id}/metrics/series", query=CurvesQuery)
def list_curves(call: Call[None, CurvesQuery], iteration_id: str) -> Answer[Curves]:
    query = call.query
    window = Window(query.min_step, query.max_step, query.max_points)
    return _answer(service.read_curves(call.actor, iteration_id, query.key, window, query.cursor))


@routes.get("/iterations/{iteration_id}/metrics/columns", query=ColumnsQuery)
def list_columns(call: Call[None, ColumnsQuery], iteration_id: str) -> Answer[bytes]:
    query = call.query
    page = stored.read_stored(
        call.actor, iteration_id, query.key, query.min_step, query.max_step, query.cursor, MOST_BYTES
    )
    return Answer(200, _encoded(page), media_type=BINARY)


@routes.get("/experiments/{experiment_id}/metrics/series", query=CurveOfIterationsQuery)
def list_curve_of_iterations(call: Call[None, CurveOfIterationsQuery], experiment_id: str) -> Answer[Curves]:
    query = call.query
    window = Window(query.min_step, query.max_step, query.max_points)
    iterations = query.iteration_id
    page = service.read_curve_of_iterations(call.actor, experiment_id, query.key, iterations, window, query.cursor)
    return _answer(page)


@routes.get("/experiments/{experiment_id}/metrics/summary", query=SummariesQuery)
def get_summaries_of_iterations(call: Call[None, SummariesQuery], experiment_id: str) -> Answer[SummariesOfIterations]:
    found, left = service.summarize_iterations(call.actor, experiment_id, call.query.iteration_id)
    data = {name: {key: each.to_wire() for key, each in summaries.items()} for name, summaries in found.items()}
    return ok(SummariesOfIterations(data, left))


@routes.get("/experiments/{experiment_id}/metrics/curves", query=ChartQuery)
def get_chart(call: Call[None, ChartQuery], experiment_id: str) -> Answer[Chart]:
    query = call.query
    keys = tuple(dict.fromkeys(query.key))
    wanted = chart.Wanted(keys, tuple(query.iteration_id), query.buckets, query.x, query.min_x, query.max_x)
    page = chart.read_chart(call.actor, experiment_id, wanted, query.cursor)
    data = {
        key: {
            iteration_id: {**_grid_json(curve.on_grid, query.digits), "total": curve.total}
            for iteration_id, curve in each.items()
        }
        for key, each in page.curves.items()
    }
    low, high, x = (page.grid.low, page.grid.high, page.grid.starts()) if page.grid else (None, None, [])
    return Answer(200, raw={"x": x, "min_x": low, "max_x": high, "data": data, "next_cursor": page.next_cursor})


@routes.get("/iterations/{iteration_id}/metrics/summary")
def get_summary(call: Call[None, None], iteration_id: str) -> Answer[Summaries]:
    summaries = service.summarize(call.actor, iteration_id)
    return ok(Summaries({key: each.to_wire() for key, each in summaries.items()}))


def _answer(page: CurvePage) -> Answer[Curves]:
    """Answer with the JSON form directly: shapes of tens of thousands of points would take seconds."""
    data = {name: _to_json(columns) for name, columns in page.data.items()}
    return Answer(200, raw={"data": data, "next_cursor": page.next_cursor})


def _to_json(columns: Columns) -> dict[str, list[Any]]:
    return {
        "step": columns.steps.tolist(),
        "value": [encode_float(value) for value in columns.values],
        "recorded_at": clock.format_many(columns.times),
    }


def _grid_json(curve: Bucketed, digits: int | None = None) -> dict[str, list[Any]]:
    numbers = {"last": curve.last, "min": curve.min, "max": curve.max}
    encoded = {name: _encoded_numbers(of, digits) for name, of in numbers.items()}
    return {**encoded, "count": curve.count, "nan": curve.nan}


def _encoded_numbers(values: Sequence[float | None], digits: int | None) -> list[float | str | None]:
    """The numbers in their JSON form. All are rounded by one format: one by one takes three times as long."""
    numbers = [each for each in values if each is not None]
    if digits is not None:
        numbers = list(map(float, (f"%.{digits - 1}e " * len(numbers) % tuple(numbers)).split()))
    # A sum of finite numbers may be infinite: then each is looked at.
    encoded = numbers if math.isfinite(sum(numbers)) else map(encode_float, numbers)
    left = iter(encoded)
    return [None if each is None else next(left) for each in values]


def _encoded(page: PointsPage) -> bytes:
    moved: dict[str, list[str]] = {}
    for batch_hash, generation in page.homes.items():
        moved.setdefault(generation, []).append(batch_hash)
    rows = [[len(row.points), *(row.batch or (row.generation,))] for row in page.rows]
    fields = {"next_cursor": page.next_cursor, "rows": rows, "moved": moved}
    head = json.dumps(fields, separators=(",", ":")).encode()
    return b"".join((MAGIC, LENGTH.pack(len(head)), head, *(row.points for row in page.rows)))
