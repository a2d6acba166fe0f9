"""Sign-in."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chalicelib.routes.http.answer import Answer, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body
from chalicelib.services import auth as service
from deardiary.wire import limits
from deardiary.wire.shapes import Session, User

routes = Routes(__name__)


class Credentials(Body):
    username: Annotated[str, Meta(max_length=limits.MAX_CREDENTIAL_CHARACTERS)]
    password: Annotated[str, Meta(max_length=limits.MAX_CREDENTIAL_CHARACTERS)]


@routes.post("/auth", body=Credentials, public=True)
def sign_in(call: Call[Credentials, None]) -> Answer[Session]:
    return ok(service.sign_in(call.body.username, call.body.password, call.source))


@routes.post("/auth/refresh")
def refresh(call: Call[None, None]) -> Answer[Session]:
    return ok(service.refresh(call.actor))


@routes.get("/auth/me")
def get_me(call: Call[None, None]) -> Answer[User]:
    return ok(call.actor.user)
