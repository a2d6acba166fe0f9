"""Views of a project."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from chalicelib.paging import Page
from chalicelib.routes.http.answer import Answer, created, deleted, listed, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, Name, PageQuery, State, changes, check_state
from chalicelib.services import view as service
from deardiary.wire.shapes import View

routes = Routes(__name__)


class NewView(Body):
    name: Name
    state: State

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        check_state("state", self.state)


class ViewPatch(Body):
    name: Name | UnsetType = UNSET
    state: State | UnsetType = UNSET

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        if self.state is not UNSET:
            check_state("state", self.state)


@routes.get("/projects/{project_id}/views", query=PageQuery)
def list_views(call: Call[None, PageQuery], project_id: str) -> Answer[Page[View]]:
    return listed(service.list_views(call.actor, project_id, call.query.limit, call.query.cursor))


@routes.post("/projects/{project_id}/views", body=NewView)
def create_view(call: Call[NewView, None], project_id: str) -> Answer[View]:
    return created(service.create_view(call.actor, project_id, name=call.body.name, state=call.body.state))


@routes.get("/projects/{project_id}/views/{view_id}")
def get_view(call: Call[None, None], project_id: str, view_id: str) -> Answer[View]:
    return ok(service.get_view(call.actor, project_id, view_id))


@routes.patch("/projects/{project_id}/views/{view_id}", body=ViewPatch)
def update_view(call: Call[ViewPatch, None], project_id: str, view_id: str) -> Answer[View]:
    patch = service.ViewChanges(**changes(call.body))  # type: ignore[typeddict-item]
    return ok(service.update_view(call.actor, project_id, view_id, patch))


@routes.delete("/projects/{project_id}/views/{view_id}")
def delete_view(call: Call[None, None], project_id: str, view_id: str) -> Answer[None]:
    service.delete_view(call.actor, project_id, view_id)
    return deleted()
