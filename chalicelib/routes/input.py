"""Inputs of iterations, and the uses of resources and model versions."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, structs

from chalicelib.errors import InvalidPayload
from chalicelib.paging import Page
from chalicelib.routes.http.answer import Answer, created, deleted, listed
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, Id, Labels, PageQuery, Text
from chalicelib.services import input as service
from deardiary.wire import limits
from deardiary.wire.shapes import Input, Iteration

routes = Routes(__name__)

Word = Annotated[str, Meta(max_length=limits.MAX_NAME_CHARACTERS)]


class NewInput(Body):
    kind: Literal["dataset", "resource", "model"]
    name: Word = ""
    digest: Word = ""
    source: Text = ""
    source_type: Word = ""
    context: Word = ""
    resource_id: Id | None = None
    modelversion_id: Id | None = None
    description: Text = ""
    labels: Labels = {}

    def __post_init__(self) -> None:
        super().__post_init__()
        size = sum(len(text.encode()) for label in self.labels.items() for text in label)
        if size > limits.MAX_INPUT_LABELS_BYTES:
            most = limits.MAX_INPUT_LABELS_BYTES
            raise InvalidPayload(f"labels have at most {most} bytes in UTF-8, all together", field="labels")


@routes.get("/iterations/{iteration_id}/inputs", query=PageQuery)
def list_inputs(call: Call[None, PageQuery], iteration_id: str) -> Answer[Page[Input]]:
    return listed(service.list_inputs(call.actor, iteration_id, call.query.limit, call.query.cursor))


@routes.post("/iterations/{iteration_id}/inputs", body=NewInput)
def create_input(call: Call[NewInput, None], iteration_id: str) -> Answer[Input]:
    found, new = service.create_input(call.actor, iteration_id, **structs.asdict(call.body))
    return created(found, new=new)


@routes.delete("/iterations/{iteration_id}/inputs/{input_id}")
def delete_input(call: Call[None, None], iteration_id: str, input_id: str) -> Answer[None]:
    service.delete_input(call.actor, iteration_id, input_id)
    return deleted()


@routes.get("/resources/{resource_id}/uses", query=PageQuery)
def list_uses_of_resource(call: Call[None, PageQuery], resource_id: str) -> Answer[Page[Iteration]]:
    return listed(service.list_uses_of_resource(call.actor, resource_id, call.query.limit, call.query.cursor))


@routes.get("/modelversions/{version_id}/uses", query=PageQuery)
def list_uses_of_version(call: Call[None, PageQuery], version_id: str) -> Answer[Page[Iteration]]:
    return listed(service.list_uses_of_version(call.actor, version_id, call.query.limit, call.query.cursor))
