"""The trash: deleted objects that can be restored."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from chalicelib.paging import Page
from chalicelib.routes.http.answer import Answer, deleted, listed, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, Name, PageQuery
from chalicelib.services import trash as service
from deardiary.wire.shapes import Experiment, Iteration, LoggedModel, Model, Project, Resource, Trashed

routes = Routes(__name__)


class Restoration(Body):
    name: Name | UnsetType = UNSET


@routes.get("/trash", query=PageQuery)
def list_trash(call: Call[None, PageQuery]) -> Answer[Page[Trashed]]:
    return listed(service.list_trash(call.actor, call.query.limit, call.query.cursor))


@routes.get("/projects/{project_id}/trash", query=PageQuery)
def list_trash_of_project(call: Call[None, PageQuery], project_id: str) -> Answer[Page[Trashed]]:
    return listed(service.list_trash_of_project(call.actor, project_id, call.query.limit, call.query.cursor))


@routes.post("/trash/{object_id}", body=Restoration)
def restore(
    call: Call[Restoration, None], object_id: str
) -> Answer[Project | Experiment | Iteration | Resource | Model | LoggedModel]:
    return ok(service.restore(call.actor, object_id, None if call.body.name is UNSET else call.body.name))


@routes.delete("/trash/{object_id}")
def purge(call: Call[None, None], object_id: str) -> Answer[None]:
    return deleted(finished=service.purge(call.actor, object_id))
