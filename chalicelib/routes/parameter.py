"""Parameters."""

from __future__ import annotations

from chalicelib.paging import Page
from chalicelib.routes.http.answer import Answer, created, deleted, listed, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, Key, PageQuery, ParameterValue
from chalicelib.services import parameter as service
from deardiary.wire.shapes import Parameter

routes = Routes(__name__)


class NewParameter(Body):
    key: Key
    value: ParameterValue


class ParameterPatch(Body):
    value: ParameterValue


@routes.get("/iterations/{iteration_id}/parameters", query=PageQuery)
def list_parameters(call: Call[None, PageQuery], iteration_id: str) -> Answer[Page[Parameter]]:
    return listed(service.list_parameters(call.actor, iteration_id, call.query.limit, call.query.cursor))


@routes.post("/iterations/{iteration_id}/parameters", body=NewParameter)
def create_parameter(call: Call[NewParameter, None], iteration_id: str) -> Answer[Parameter]:
    parameter, new = service.create_parameter(call.actor, iteration_id, key=call.body.key, value=call.body.value)
    return created(parameter, new=new)


@routes.get("/parameters/{parameter_id}")
def get_parameter(call: Call[None, None], parameter_id: str) -> Answer[Parameter]:
    return ok(service.get_parameter(call.actor, parameter_id))


@routes.patch("/parameters/{parameter_id}", body=ParameterPatch)
def update_parameter(call: Call[ParameterPatch, None], parameter_id: str) -> Answer[Parameter]:
    return ok(service.update_parameter(call.actor, parameter_id, call.body.value))


@routes.delete("/parameters/{parameter_id}")
def delete_parameter(call: Call[None, None], parameter_id: str) -> Answer[None]:
    service.delete_parameter(call.actor, parameter_id)
    return deleted()
