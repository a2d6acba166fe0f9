"""Commands to running iterations."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, structs

from chalicelib import limits
from chalicelib.paging import Page
from chalicelib.routes.http.answer import Answer, created, deleted, listed, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, IdKey, PageQuery
from chalicelib.routes.http.problem import rule
from chalicelib.services import command as service
from deardiary.wire.shapes import Command

routes = Routes(__name__)

Kind = Annotated[
    str,
    rule(
        rf"^[A-Za-z0-9._-]{{1,{limits.MAX_COMMAND_KIND_CHARACTERS}}}(?![\s\S])",
        f"1 to {limits.MAX_COMMAND_KIND_CHARACTERS} letters, digits, points, underscores and hyphens",
    ),
]


class NewCommand(Body):
    kind: Kind
    text: Annotated[str, Meta(max_length=limits.MAX_COMMAND_TEXT_CHARACTERS)] = ""
    id_key: IdKey | None = None


@routes.get("/iterations/{iteration_id}/commands", query=PageQuery)
def list_commands(call: Call[None, PageQuery], iteration_id: str) -> Answer[Page[Command]]:
    return listed(service.list_commands(call.actor, iteration_id, call.query.limit, call.query.cursor))


@routes.post("/iterations/{iteration_id}/commands", body=NewCommand)
def create_command(call: Call[NewCommand, None], iteration_id: str) -> Answer[Command]:
    command, new = service.create_command(call.actor, iteration_id, **structs.asdict(call.body))
    return created(command, new=new)


@routes.get("/iterations/{iteration_id}/commands/{command_id}")
def get_command(call: Call[None, None], iteration_id: str, command_id: str) -> Answer[Command]:
    return ok(service.get_command(call.actor, iteration_id, command_id))


@routes.delete("/iterations/{iteration_id}/commands/{command_id}")
def delete_command(call: Call[None, None], iteration_id: str, command_id: str) -> Answer[None]:
    service.delete_command(call.actor, iteration_id, command_id)
    return deleted()
