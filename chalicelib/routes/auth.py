"""Sign-in."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from chalicelib.routes.http.answer import Answer, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, Query
from chalicelib.services import auth as service
from deardiary.wire import limits
from deardiary.wire.shapes import Me, Session

routes = Routes(__name__)


class Credentials(Body):
    username: Annotated[str, Meta(max_length=limits.MAX_CREDENTIAL_CHARACTERS)]
    password: Annotated[str, Meta(max_length=limits.MAX_CREDENTIAL_CHARACTERS)]


class MeQuery(Query):
    include: (
        Annotated[Literal["permissions"], Meta(description="Adds the caller's permissions on all projects")] | None
    ) = None


@routes.post("/auth", body=Credentials, public=True)
def sign_in(call: Call[Credentials, None]) -> Answer[Session]:
    return ok(service.sign_in(call.body.username, call.body.password, call.source))


@routes.post("/auth/refresh")
def refresh(call: Call[None, None]) -> Answer[Session]:
    return ok(service.refresh(call.actor))


@routes.get("/auth/me", query=MeQuery)
def get_me(call: Call[None, MeQuery]) -> Answer[Me]:
    user = call.actor.user
    held = tuple(service.read_own_permissions(call.actor)) if call.query.include else None
    me = Me(
        id=user.id,
        username=user.username,
        first_name=user.first_name,
        last_name=user.last_name,
        created_date=user.created_date,
        is_admin=user.is_admin,
        permissions=held,
    )
    return ok(me)
