"""Metrics: points one by one, in batches, and read back."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.page import Page
from chalicelib.routes.answer import Answer, created, listed, ok
from chalicelib.routes.endpoint import Call, Routes
from chalicelib.routes.parse import Key, PageQuery
from chalicelib.routes.points import MetricBatch, NewMetric, from_list
from chalicelib.services import metric as service
from deardiary.shapes import BatchReceipt, Metric, MetricSummary

routes = Routes(__name__)


@dataclass(frozen=True, slots=True)
class Summaries:
    """A summary per key."""

    data: dict[str, MetricSummary]


class MetricsQuery(PageQuery):
    key: Key | None = None


@routes.get("/iterations/{iteration_id}/metrics", query=MetricsQuery)
def list_metrics(call: Call[None, MetricsQuery], iteration_id: str) -> Answer[Page[Metric]]:
    query = call.query
    return listed(service.list_metrics(call.actor, iteration_id, query.key, query.limit, query.cursor))


@routes.post("/iterations/{iteration_id}/metrics", body=NewMetric)
def create_metric(call: Call[NewMetric, None], iteration_id: str) -> Answer[Metric]:
    (point,) = from_list([call.body], "")
    return created(service.create_metric(call.actor, iteration_id, point))


@routes.post("/iterations/{iteration_id}/metrics/batch", body=MetricBatch)
def create_batch(call: Call[MetricBatch, None], iteration_id: str) -> Answer[BatchReceipt]:
    points = from_list(call.body.metrics, "metrics")
    return created(service.create_batch(call.actor, iteration_id, call.body.batch_id, points))


@routes.get("/iterations/{iteration_id}/metrics/summary")
def get_summary(call: Call[None, None], iteration_id: str) -> Answer[Summaries]:
    return ok(Summaries(service.summarize(call.actor, iteration_id)))
