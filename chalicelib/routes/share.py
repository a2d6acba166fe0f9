"""Shares of a project, and the session of a share's viewer."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chalicelib import limits
from chalicelib.errors import InvalidPayload
from chalicelib.paging import Page
from chalicelib.routes.http.answer import Answer, created, deleted, listed, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, Id, PageQuery
from chalicelib.services import share as service
from chalicelib.services.share import Opened
from deardiary.wire.shapes import Share

routes = Routes(__name__)

MOST_ITERATIONS, MOST_DAYS, DAYS = 20, 365, 30


class NewShare(Body):
    experiment_id: Id | None = None
    iteration_ids: Annotated[list[Id], Meta(max_length=MOST_ITERATIONS)] = []
    expires_in_days: Annotated[int, Meta(ge=1, le=MOST_DAYS)] = DAYS

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        if (self.experiment_id is None) == (not self.iteration_ids):
            raise InvalidPayload("Name either an experiment or iterations to share", field="iteration_ids")


class Opening(Body):
    secret: Annotated[
        str, Meta(max_length=limits.MAX_CREDENTIAL_CHARACTERS, description="The end of the link, after #/s/")
    ]


@routes.get("/projects/{project_id}/shares", query=PageQuery)
def list_shares(call: Call[None, PageQuery], project_id: str) -> Answer[Page[Share]]:
    return listed(service.list_shares(call.actor, project_id, call.query.limit, call.query.cursor))


@routes.post("/projects/{project_id}/shares", body=NewShare)
def create_share(call: Call[NewShare, None], project_id: str) -> Answer[Share]:
    share = service.create_share(
        call.actor,
        project_id,
        experiment_id=call.body.experiment_id,
        iteration_ids=call.body.iteration_ids,
        expires_in_days=call.body.expires_in_days,
    )
    return created(share)


@routes.delete("/projects/{project_id}/shares/{share_id}")
def delete_share(call: Call[None, None], project_id: str, share_id: str) -> Answer[None]:
    service.delete_share(call.actor, project_id, share_id)
    return deleted()


@routes.post("/auth/share", body=Opening, public=True)
def open_share(call: Call[Opening, None]) -> Answer[Opened]:
    return ok(service.open_share(call.body.secret, call.source))
