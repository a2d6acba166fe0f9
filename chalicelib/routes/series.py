"""Series: curves as columns, and summaries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta

from chalicelib import clock
from chalicelib.columns import Columns
from chalicelib.routes.http.answer import Answer, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Id, Key, Query
from chalicelib.routes.http.points import Step
from chalicelib.services import series as service
from chalicelib.services.series import CurvePage, Window
from deardiary.wire.form import encode_float
from deardiary.wire.shapes import Curve, MetricSummary

routes = Routes(__name__)


@dataclass(frozen=True, slots=True)
class Summaries:
    """The summary of each key."""

    data: dict[str, MetricSummary]


@dataclass(frozen=True, slots=True)
class Curves:
    """Curves by key or by iteration. With a cursor there are more points, also of the last curve."""

    data: dict[str, Curve]
    next_cursor: str | None


class CurvesQuery(Query):
    key: list[Key] = []
    min_step: Step | None = None
    max_step: Step | None = None
    max_points: Annotated[int, Meta(ge=1)] | None = None
    cursor: str | None = None


class CurveOfIterationsQuery(Query):
    key: Key
    iteration_id: Annotated[list[Id], Meta(max_length=service.MOST_ITERATIONS)] = []
    min_step: Step | None = None
    max_step: Step | None = None
    max_points: Annotated[int, Meta(ge=1, le=service.MOST_POINTS)] = 200
    cursor: str | None = None


@routes.get("/iterations/{iteration_id}/metrics/series", query=CurvesQuery)
def list_curves(call: Call[None, CurvesQuery], iteration_id: str) -> Answer[Curves]:
    query = call.query
    window = Window(query.min_step, query.max_step, query.max_points)
    return _answer(service.read_curves(call.actor, iteration_id, query.key, window, query.cursor))


@routes.get("/experiments/{experiment_id}/metrics/series", query=CurveOfIterationsQuery)
def list_curve_of_iterations(call: Call[None, CurveOfIterationsQuery], experiment_id: str) -> Answer[Curves]:
    query = call.query
    window = Window(query.min_step, query.max_step, query.max_points)
    iterations = query.iteration_id
    page = service.read_curve_of_iterations(call.actor, experiment_id, query.key, iterations, window, query.cursor)
    return _answer(page)


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
