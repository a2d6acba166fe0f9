"""Permissions: one row in the user's partition, for requests, and a copy in the project's, for its list of members."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

from chalicelib.errors import NotFound
from chalicelib.paging import Page
from chalicelib.storage import project
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.mapping import row_of, shape_of
from chalicelib.storage.table.transaction import Transaction
from chalicelib.storage.user import UserRow
from deardiary.wire.shapes import UserPermission


class PermissionRow(Item, discriminator="permission"):
    id = UnicodeAttribute()
    user_id = UnicodeAttribute()
    project_id = UnicodeAttribute()
    create_permission = BooleanAttribute()
    read_permission = BooleanAttribute()
    update_permission = BooleanAttribute()
    delete_permission = BooleanAttribute()


def add_permission(permission: UserPermission, write: Transaction) -> None:
    """Add both rows to a transaction, which fails with NotFound without the user."""
    user, project_id = permission.user_id, permission.project_id
    write.check(UserRow, keys.user(user), UserRow.pk.exists() & UserRow.deleting.does_not_exist(), NotFound)
    write.replace(row_of(PermissionRow, keys.permission(user, project_id), permission))
    write.replace(row_of(PermissionRow, keys.member(project_id, user), permission))


def put_permission(permission: UserPermission) -> None:
    """Write a permission. NotFound without the user or the project."""
    write = Transaction()
    project.check_alive(permission.project_id, write)
    add_permission(permission, write)
    write.commit()


def update_permission(user_id: str, project_id: str, changes: Mapping[str, object]) -> None:
    """Set these fields in both rows and leave the others: a concurrent update may be changing those.

    NotFound if the user has no permission on the project.
    """
    fields = {"user_id": user_id, **changes}
    write = Transaction()
    for key in (keys.permission(user_id, project_id), keys.member(project_id, user_id)):
        actions = [getattr(PermissionRow, name).set(value) for name, value in fields.items()]
        write.update(PermissionRow(*key), actions, PermissionRow.pk.exists(), partial(no_permission, user_id))
    write.commit()


def no_permission(user_id: str) -> NotFound:
    return NotFound("This user has no permissions on the project", kind="permission", id=user_id)


def find_permission(user_id: str, project_id: str) -> UserPermission | None:
    row = item.find(PermissionRow, keys.permission(user_id, project_id))
    return None if row is None else shape(row)


def list_members(project_id: str, limit: int, cursor: str | None) -> Page[UserPermission]:
    rows = item.page(PermissionRow, keys.project_partition(project_id), keys.MEMBER, limit=limit, cursor=cursor)
    return Page([shape(row) for row in rows.data], rows.next_cursor)


def list_permissions_of_user(user_id: str, limit: int, cursor: str | None) -> Page[UserPermission]:
    rows = item.page(PermissionRow, keys.user_partition(user_id), keys.PERMISSION, limit=limit, cursor=cursor)
    return Page([shape(row) for row in rows.data], rows.next_cursor)


def read_permissions_of_user(user_id: str) -> list[UserPermission]:
    """All permissions of the user, in the order of the projects' ids."""
    return [shape(row) for row in item.query(PermissionRow, keys.user_partition(user_id), keys.PERMISSION)]


def each_member_id(project_id: str) -> Iterator[str]:
    """The ids of the users with a permission on the project."""
    return item.each_id(keys.project_partition(project_id), keys.MEMBER)


def each_project_id(user_id: str) -> Iterator[str]:
    """The ids of the projects on which the user has a permission."""
    return item.each_id(keys.user_partition(user_id), keys.PERMISSION)


def remove_permission(user_id: str, project_id: str) -> None:
    """Delete both rows, if they exist."""
    write = Transaction()
    write.delete(PermissionRow(*keys.permission(user_id, project_id)), None, NotFound)
    write.delete(PermissionRow(*keys.member(project_id, user_id)), None, NotFound)
    write.commit()


def shape(row: PermissionRow) -> UserPermission:
    return shape_of(row, UserPermission)
