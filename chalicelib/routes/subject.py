"""The accounts at the OpenID Connect provider that sign in a user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from chalicelib.paging import Page
from chalicelib.routes.http import cookie
from chalicelib.routes.http.answer import Answer, created, deleted, listed
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, PageQuery
from chalicelib.services import subject as service
from chalicelib.services.oidc import bounds, sign_in
from chalicelib.services.oidc.flow import LIFE
from chalicelib.services.subject import Subject

routes = Routes(__name__)


class NewSubject(Body):
    subject: Annotated[
        str, Meta(min_length=1, max_length=bounds.MAX_SUBJECT_CHARACTERS, description="The `sub` claim of the account")
    ]
    issuer: Annotated[str, Meta(min_length=1, max_length=bounds.MAX_ISSUER_CHARACTERS)] | None = None


@dataclass(frozen=True, slots=True)
class ProviderSignIn:
    """The URL at which the caller signs in at the provider; null if the server has none."""

    url: str | None


@routes.post("/auth/oidc")
def begin_link(call: Call[None, None]) -> Answer[ProviderSignIn]:
    """Begin a sign-in that adds an account at the provider to the caller's user."""
    begun = sign_in.begin_link(call.actor, call.site)
    if begun is None:
        return Answer(200, ProviderSignIn(None))
    stored = cookie.sign_in_setting(call.site, begun.cookie, int(LIFE.total_seconds()))
    return Answer(200, ProviderSignIn(begun.url), {"Set-Cookie": stored})


@routes.get("/users/{user_id}/subjects", query=PageQuery)
def list_subjects(call: Call[None, PageQuery], user_id: str) -> Answer[Page[Subject]]:
    return listed(service.list_subjects(call.actor, user_id, call.query.limit, call.query.cursor))


@routes.post("/users/{user_id}/subjects", body=NewSubject)
def link_subject(call: Call[NewSubject, None], user_id: str) -> Answer[Subject]:
    return created(service.link_subject(call.actor, user_id, call.body.issuer, call.body.subject))


@routes.delete("/users/{user_id}/subjects/{subject_id}")
def unlink_subject(call: Call[None, None], user_id: str, subject_id: str) -> Answer[None]:
    service.unlink_subject(call.actor, user_id, subject_id)
    return deleted()
