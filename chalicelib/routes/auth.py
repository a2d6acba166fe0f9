"""Sign-in: for programs with a token, for browsers with a cookie that holds the same token."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from chalicelib import limits
from chalicelib.routes.http import cookie
from chalicelib.routes.http.answer import Answer, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, Query
from chalicelib.services import auth as service
from deardiary.wire.shapes import BrowserSession, Me, Session

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


@routes.post("/auth/session", body=Credentials, public=True)
def sign_in_browser(call: Call[Credentials, None]) -> Answer[BrowserSession]:
    cookie.require_no_foreign_page(call.headers, call.site)
    return _with_cookie(service.sign_in(call.body.username, call.body.password, call.source), call.site)


@routes.post("/auth/session/refresh")
def refresh_browser(call: Call[None, None]) -> Answer[BrowserSession]:
    cookie.require_no_foreign_page(call.headers, call.site)
    return _with_cookie(service.refresh(call.actor), call.site)


@routes.delete("/auth/session", public=True)
def sign_out_browser(call: Call[None, None]) -> Answer[None]:
    """Remove the cookie, also of a session that has ended."""
    cookie.require_no_foreign_page(call.headers, call.site)
    return Answer(204, None, cookie.clearing(call.site))


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


def _with_cookie(session: Session, site: str) -> Answer[BrowserSession]:
    answer = BrowserSession(expires_at=session.expires_at, user=session.user)
    return Answer(200, answer, cookie.setting(site, session.access_token, session.expires_at))
