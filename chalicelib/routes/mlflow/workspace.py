"""Workspaces, MLflow's word for projects. The name of a workspace is the project's id, or its name if that is one."""

from __future__ import annotations

import re
from typing import Any, Literal

from chalicelib.errors import Conflict, NotFound
from chalicelib.routes.http.answer import Answer, ok
from chalicelib.routes.http.endpoint import Call
from chalicelib.routes.mlflow import scope
from chalicelib.routes.mlflow.errors import refuse
from chalicelib.routes.mlflow.operations import Operations
from chalicelib.routes.mlflow.parse import Body, Query, Required
from chalicelib.services import project as service
from chalicelib.services.lifecycle import deletion
from deardiary.wire.shapes import Project

operations = Operations("/3.0/mlflow")

_NAME = re.compile(r"(?=.{2,63}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_PAGE = 200


class NewWorkspace(Body):
    name: Required
    description: str = ""


class WorkspacePatch(Body):
    description: str | None = None


class DeletionMode(Query):
    mode: Literal["RESTRICT", "SET_DEFAULT", "CASCADE"] = "RESTRICT"


@operations.get("/workspaces")
def list_workspaces(call: Call[None, None]) -> Answer[dict[str, Any]]:
    projects: list[Project] = []
    cursor: str | None = None
    while True:
        page = service.list_projects(call.actor, _PAGE, cursor, None)
        projects += page.data
        cursor = page.next_cursor
        if cursor is None:
            break
    names = [project.name for project in projects]
    return ok({"workspaces": [_form(each, alone=names.count(each.name) == 1) for each in projects]})


@operations.post("/workspaces", body=NewWorkspace)
def create_workspace(call: Call[NewWorkspace, None]) -> Answer[dict[str, Any]]:
    name = _checked(call.body.name, "created")
    if scope.find_project(call.actor, name) is not None:
        raise Conflict(f"Workspace '{name}' already exists.")
    created, _ = service.create_project(
        call.actor, name=name, description=call.body.description, id_key=f"mlflow workspace {name}"
    )
    return Answer(201, {"workspace": _form(created, alone=True)})


@operations.get("/workspaces/{workspace}")
def get_workspace(call: Call[None, None], workspace: str) -> Answer[dict[str, Any]]:
    return ok({"workspace": _named(workspace, _find(call, workspace))})


@operations.patch("/workspaces/{workspace}", body=WorkspacePatch)
def update_workspace(call: Call[WorkspacePatch, None], workspace: str) -> Answer[dict[str, Any]]:
    if call.body.description is None:
        refuse("Workspace update must have at least one key")
    found = _find(call, workspace)
    updated = service.update_project(call.actor, found.id, {"description": call.body.description})
    return ok({"workspace": _named(workspace, updated)})


@operations.delete("/workspaces/{workspace}", query=DeletionMode)
def delete_workspace(call: Call[None, DeletionMode], workspace: str) -> Answer[None]:
    """Delete the project into the trash, with all that is in it: RESTRICT guards nothing that cannot be restored."""
    found = _find(call, _checked(workspace, "deleted"))
    deletion.delete_project(call.actor, found.id)
    scope.forget(call.actor, workspace)
    return Answer(204)


def _find(call: Call[Any, Any], workspace: str) -> Project:
    if workspace == scope.DEFAULT:
        return scope.in_project(call, lambda project_id: service.get_project(call.actor, project_id))
    project_id = scope.find_project(call.actor, workspace)
    try:
        return service.get_project(call.actor, project_id or workspace)
    except NotFound:
        raise NotFound(f"Workspace '{workspace}' not found", kind="project", id=workspace) from None


def _checked(name: str, action: str) -> str:
    if name == scope.DEFAULT:
        refuse(f"The '{scope.DEFAULT}' workspace is reserved and cannot be {action}", "name")
    if not _NAME.fullmatch(name):
        refuse(f"Workspace name '{name}' must match the pattern [a-z0-9]([-a-z0-9]*[a-z0-9])? of 2 to 63", "name")
    return name


def _form(project: Project, *, alone: bool) -> dict[str, Any]:
    """The form of a project, under its own name if that names a workspace and no other project has it."""
    return _named(project.name if alone and _NAME.fullmatch(project.name) else project.id, project)


def _named(workspace: str, project: Project) -> dict[str, Any]:
    return {"name": workspace, "description": project.description or project.name}
