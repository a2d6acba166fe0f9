"""API tokens of the caller."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chalicelib.paging import Page
from chalicelib.routes.http.answer import Answer, created, deleted, listed
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, Id, Name, PageQuery
from chalicelib.services import token as service
from deardiary.wire.shapes import ApiToken

routes = Routes(__name__)

Days = Annotated[int, Meta(ge=1, le=3650)]


class NewToken(Body):
    name: Name
    expires_in_days: Days | None = None
    project_id: Id | None = None
    read_only: bool = False


@routes.get("/auth/tokens", query=PageQuery)
def list_tokens(call: Call[None, PageQuery]) -> Answer[Page[ApiToken]]:
    return listed(service.list_tokens(call.actor, call.query.limit, call.query.cursor))


@routes.post("/auth/tokens", body=NewToken)
def create_token(call: Call[NewToken, None]) -> Answer[ApiToken]:
    token = service.create_token(
        call.actor,
        name=call.body.name,
        expires_in_days=call.body.expires_in_days,
        project_id=call.body.project_id,
        read_only=call.body.read_only,
    )
    return created(token)


@routes.delete("/auth/tokens/{token_id}")
def delete_token(call: Call[None, None], token_id: str) -> Answer[None]:
    service.delete_token(call.actor, token_id)
    return deleted()
