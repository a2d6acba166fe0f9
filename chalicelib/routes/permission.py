"""Permissions of users on a project."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from chalicelib.paging import Page
from chalicelib.routes.http.answer import Answer, deleted, listed, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, PageQuery, changes
from chalicelib.services import permission as service
from deardiary.wire.shapes import Member, UserPermission

routes = Routes(__name__)


class PermissionRecord(Body):
    """The whole record; a permission that is left out is not granted."""

    create_permission: bool = False
    read_permission: bool = False
    update_permission: bool = False
    delete_permission: bool = False


class PermissionPatch(Body):
    """The permissions to change; one that is left out stays."""

    create_permission: bool | UnsetType = UNSET
    read_permission: bool | UnsetType = UNSET
    update_permission: bool | UnsetType = UNSET
    delete_permission: bool | UnsetType = UNSET


@routes.get("/projects/{project_id}/permissions", query=PageQuery)
def list_permissions_of_project(call: Call[None, PageQuery], project_id: str) -> Answer[Page[Member]]:
    return listed(service.list_permissions_of_project(call.actor, project_id, call.query.limit, call.query.cursor))


@routes.get("/projects/{project_id}/permissions/{user_id}")
def get_permission(call: Call[None, None], project_id: str, user_id: str) -> Answer[UserPermission]:
    return ok(service.get_permission(call.actor, project_id, user_id))


@routes.put("/projects/{project_id}/permissions/{user_id}", body=PermissionRecord)
def put_permission(call: Call[PermissionRecord, None], project_id: str, user_id: str) -> Answer[UserPermission]:
    record = service.put_permission(
        call.actor,
        project_id,
        user_id,
        create=call.body.create_permission,
        read=call.body.read_permission,
        update=call.body.update_permission,
        delete=call.body.delete_permission,
    )
    return ok(record)


@routes.patch("/projects/{project_id}/permissions/{user_id}", body=PermissionPatch)
def update_permission(call: Call[PermissionPatch, None], project_id: str, user_id: str) -> Answer[UserPermission]:
    patch = service.PermissionChanges(**changes(call.body))  # type: ignore[typeddict-item]
    return ok(service.update_permission(call.actor, project_id, user_id, patch))


@routes.delete("/projects/{project_id}/permissions/{user_id}")
def delete_permission(call: Call[None, None], project_id: str, user_id: str) -> Answer[None]:
    service.delete_permission(call.actor, project_id, user_id)
    return deleted()
