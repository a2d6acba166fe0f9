"""The rights that groups of the OpenID Connect provider give on a project."""

from __future__ import annotations

from chalicelib.paging import Page
from chalicelib.routes.http.answer import Answer, deleted, listed, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, Key, PageQuery
from chalicelib.services import group as service
from chalicelib.services.group import Group

routes = Routes(__name__)


class GroupRecord(Body):
    group: Key
    create_permission: bool = False
    read_permission: bool = False
    update_permission: bool = False
    delete_permission: bool = False


@routes.get("/projects/{project_id}/groups", query=PageQuery)
def list_groups(call: Call[None, PageQuery], project_id: str) -> Answer[Page[Group]]:
    return listed(service.list_groups(call.actor, project_id, call.query.limit, call.query.cursor))


@routes.put("/projects/{project_id}/groups", body=GroupRecord)
def put_group(call: Call[GroupRecord, None], project_id: str) -> Answer[Group]:
    """Replace the rights of a group. Its members have them after their next sign-in."""
    body = call.body
    written = service.put_group(
        call.actor,
        project_id,
        body.group,
        create=body.create_permission,
        read=body.read_permission,
        update=body.update_permission,
        delete=body.delete_permission,
    )
    return ok(written)


@routes.delete("/projects/{project_id}/groups/{group_id}")
def delete_group(call: Call[None, None], project_id: str, group_id: str) -> Answer[None]:
    service.delete_group(call.actor, project_id, group_id)
    return deleted()
