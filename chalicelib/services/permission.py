"""Permissions of users on projects."""

from __future__ import annotations

from typing import TypedDict

from chalicelib import ids
from chalicelib.errors import InvalidPayload, NotFound, not_found
from chalicelib.paging import Page
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.storage import permission as storage
from chalicelib.storage.user import find_account, find_users
from deardiary.wire.shapes import Member, User, UserPermission


class PermissionChanges(TypedDict, total=False):
    """The fields of a permission that a PATCH may carry; those absent stay."""

    create_permission: bool
    read_permission: bool
    update_permission: bool
    delete_permission: bool


def list_permissions_of_project(actor: Actor, project_id: str, limit: int, cursor: str | None) -> Page[Member]:
    access.project(actor, project_id, Need.READ)
    page = storage.list_members(project_id, limit, cursor)
    users = find_users(each.user_id for each in page.data)
    return Page([_member(each, users[each.user_id]) for each in page.data if each.user_id in users], page.next_cursor)


def get_permission(actor: Actor, project_id: str, user_id: str) -> UserPermission:
    access.project(actor, project_id, Need.READ)
    return _permission(user_id, project_id)


def list_permissions_of_user(actor: Actor, user_id: str, limit: int, cursor: str | None) -> Page[UserPermission]:
    actor.require_self_or_admin(user_id)
    if find_account(user_id) is None:
        raise NotFound
    return storage.list_permissions_of_user(user_id, limit, cursor)


def put_permission(
    actor: Actor, project_id: str, user_id: str, *, create: bool, read: bool, update: bool, delete: bool
) -> UserPermission:
    """Replace the whole record."""
    require_manager(actor, project_id)
    _require_person(user_id)
    before = storage.find_permission(user_id, project_id)
    permission = UserPermission(
        id=before.id if before else ids.new_id(),
        user_id=user_id,
        project_id=project_id,
        create_permission=create,
        read_permission=read,
        update_permission=update,
        delete_permission=delete,
    )
    storage.put_permission(permission)
    return permission


def update_permission(actor: Actor, project_id: str, user_id: str, changes: PermissionChanges) -> UserPermission:
    """Change these fields of the record. NotFound if the user has none: only PUT creates one."""
    require_manager(actor, project_id)
    _require_person(user_id)
    storage.update_permission(user_id, project_id, changes)
    return _permission(user_id, project_id)


def delete_permission(actor: Actor, project_id: str, user_id: str) -> None:
    """Delete what was given by hand. The rights that the user's groups give stay."""
    require_manager(actor, project_id)
    storage.withdraw_permission(user_id, project_id)


def all_four(user_id: str, project_id: str) -> UserPermission:
    """The permissions of the creator of a project."""
    return UserPermission(
        id=ids.new_id(),
        user_id=user_id,
        project_id=project_id,
        create_permission=True,
        read_permission=True,
        update_permission=True,
        delete_permission=True,
    )


def require_manager(actor: Actor, project_id: str) -> None:
    """Require a manager: NotFound for strangers, PermissionRequired for members without all four permissions."""
    lineage = access.find_as_member(actor, project_id)
    access.require_all(actor, lineage)
    actor.require_session()


def _require_person(user_id: str) -> None:
    """Refuse a machine account: its next sign-in sets its permissions from the identity patterns again."""
    account = find_account(user_id)
    if account is None:
        raise not_found("user", user_id)
    if account.is_machine:
        raise InvalidPayload("These permissions follow from identity patterns: change those", field="user_id")


def _member(permission: UserPermission, user: User) -> Member:
    return Member(
        id=permission.id,
        user_id=user.id,
        project_id=permission.project_id,
        username=user.username,
        first_name=user.first_name,
        last_name=user.last_name,
        create_permission=permission.create_permission,
        read_permission=permission.read_permission,
        update_permission=permission.update_permission,
        delete_permission=permission.delete_permission,
    )


def _permission(user_id: str, project_id: str) -> UserPermission:
    found = storage.find_permission(user_id, project_id)
    if found is None:
        raise storage.no_permission(user_id)
    return found
