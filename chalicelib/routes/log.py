"""A flush: parameters, tags, labels, points and printed lines of an iteration in one request."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any

from msgspec import Meta

from chalicelib.routes.http.answer import Answer, created
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.output import NewOutput, from_output
from chalicelib.routes.http.parse import Body, Id, Key, LabelChanges, ParameterValue, TagValue
from chalicelib.routes.http.points import BatchId, MetricColumns, NewMetric, Step, from_columns, from_list
from chalicelib.services import log as service
from chalicelib.services.command import Acknowledgement
from deardiary.wire import limits
from deardiary.wire.shapes import FlushReceipt

routes = Routes(__name__)


class Acknowledged(Body):
    """A command that the writer has carried out, at this step."""

    command_id: Id
    step: Step | None = None


class Flush(Body):
    batch_id: BatchId
    parameters: Annotated[dict[Key, ParameterValue], Meta(max_length=limits.MAX_FLUSH_PARAMETERS)] = {}
    metrics: list[NewMetric] | dict[Key, MetricColumns] = []
    tags: Annotated[list[TagValue], Meta(max_length=limits.MAX_FLUSH_TAGS)] = []
    labels: LabelChanges = {}
    acknowledged: Annotated[list[Acknowledged], Meta(max_length=limits.MAX_FLUSH_COMMANDS)] = []
    output: NewOutput = []


def expects(user_id: str, body: Flush, iteration_id: str) -> Collection[Any]:
    batch_id = None if is_heartbeat(body) else body.batch_id
    return service.rows_of_flush(user_id, iteration_id, batch_id)


def is_heartbeat(body: Flush) -> bool:
    return not (body.parameters or body.metrics or body.tags or body.labels or body.output)


@routes.post("/iterations/{iteration_id}/log", body=Flush, expects=expects)
def create_log(call: Call[Flush, None], iteration_id: str) -> Answer[FlushReceipt]:
    body = call.body
    metrics = body.metrics
    points = from_list(metrics, "metrics") if isinstance(metrics, list) else from_columns(metrics, "metrics")
    receipt = service.accept_flush(
        call.actor,
        iteration_id,
        body.batch_id,
        parameters=body.parameters,
        tags=body.tags,
        labels=body.labels,
        points=points,
        output=from_output(body.output),
        acknowledged=[Acknowledgement(each.command_id, each.step) for each in body.acknowledged],
    )
    return created(receipt)
