"""Metrics: create points singly or in batches, and read, change and delete them."""

from __future__ import annotations

from typing import cast

from msgspec import UNSET, UnsetType

from chalicelib.paging import Page
from chalicelib.routes.http import parse
from chalicelib.routes.http.answer import Answer, created, deleted, listed, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, Key, PageQuery, Time
from chalicelib.routes.http.points import MetricBatch, NewMetric, Number, Step, from_list, number
from chalicelib.services import metric as service
from chalicelib.services.metric import MetricChanges
from chalicelib.services.points import batch
from deardiary.wire.shapes import BatchReceipt, Metric

routes = Routes(__name__)


class MetricsQuery(PageQuery):
    key: Key | None = None


class MetricPatch(Body):
    value: Number | UnsetType = UNSET
    step: Step | UnsetType = UNSET
    recorded_at: Time | UnsetType = UNSET


@routes.get("/iterations/{iteration_id}/metrics", query=MetricsQuery)
def list_metrics(call: Call[None, MetricsQuery], iteration_id: str) -> Answer[Page[Metric]]:
    query = call.query
    return listed(service.list_metrics(call.actor, iteration_id, query.key, query.limit, query.cursor))


@routes.post("/iterations/{iteration_id}/metrics", body=NewMetric)
def create_metric(call: Call[NewMetric, None], iteration_id: str) -> Answer[Metric]:
    return created(service.create_metric(call.actor, iteration_id, from_list([call.body], "")))


@routes.post("/iterations/{iteration_id}/metrics/batch", body=MetricBatch)
def create_batch(call: Call[MetricBatch, None], iteration_id: str) -> Answer[BatchReceipt]:
    points = from_list(call.body.metrics, "metrics")
    return created(batch.create_batch(call.actor, iteration_id, call.body.batch_id, points))


@routes.get("/metrics/{metric_id}")
def get_metric(call: Call[None, None], metric_id: str) -> Answer[Metric]:
    return ok(service.get_metric(call.actor, metric_id))


@routes.patch("/metrics/{metric_id}", body=MetricPatch)
def update_metric(call: Call[MetricPatch, None], metric_id: str) -> Answer[Metric]:
    changes = parse.changes(call.body)
    if "value" in changes:
        changes["value"] = number(changes["value"], "value")
    return ok(service.update_metric(call.actor, metric_id, cast("MetricChanges", changes)))


@routes.delete("/metrics/{metric_id}")
def delete_metric(call: Call[None, None], metric_id: str) -> Answer[None]:
    service.delete_metric(call.actor, metric_id)
    return deleted()
