"""Projects."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from chalicelib.paging import Page
from chalicelib.routes.http.answer import Answer, created, deleted, listed, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import (
    Body,
    DeletionQuery,
    IdKey,
    LabelChanges,
    Labels,
    Name,
    PageQuery,
    Text,
    Time,
    changes,
    past_date,
)
from chalicelib.services import project as service
from chalicelib.services.lifecycle import deletion
from deardiary.wire.shapes import Project

routes = Routes(__name__)


class NewProject(Body):
    name: Name
    description: Text = ""
    id_key: IdKey | None = None
    created_date: Time | None = None
    labels: Labels = {}


class ProjectPatch(Body):
    name: Name | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    labels: LabelChanges | UnsetType = UNSET


class ProjectsQuery(PageQuery):
    name: str | None = None


@routes.get("/projects", query=ProjectsQuery)
def list_projects(call: Call[None, ProjectsQuery]) -> Answer[Page[Project]]:
    return listed(service.list_projects(call.actor, call.query.limit, call.query.cursor, call.query.name))


@routes.post("/projects", body=NewProject)
def create_project(call: Call[NewProject, None]) -> Answer[Project]:
    body = call.body
    project, new = service.create_project(
        call.actor,
        name=body.name,
        description=body.description,
        id_key=body.id_key,
        created_date=past_date(body.created_date),
        labels=body.labels,
    )
    return created(project, new=new)


@routes.get("/projects/{project_id}")
def get_project(call: Call[None, None], project_id: str) -> Answer[Project]:
    return ok(service.get_project(call.actor, project_id))


@routes.patch("/projects/{project_id}", body=ProjectPatch)
def update_project(call: Call[ProjectPatch, None], project_id: str) -> Answer[Project]:
    patch = service.ProjectChanges(**changes(call.body))  # type: ignore[typeddict-item]
    return ok(service.update_project(call.actor, project_id, patch))


@routes.delete("/projects/{project_id}", query=DeletionQuery)
def delete_project(call: Call[None, DeletionQuery], project_id: str) -> Answer[None]:
    return deleted(finished=deletion.delete_project(call.actor, project_id, purge=call.query.purge))
