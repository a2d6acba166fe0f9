"""Permissions: one row in the user's partition, for requests, and a copy in the project's, for its list of members.

The rights that groups of the provider give are apart from those given by hand, in `by_groups`; a user has both. So a
sign-in changes nothing that was given by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from chalicelib import ids
from chalicelib.errors import NotFound, Overtaken
from chalicelib.paging import Page
from chalicelib.retry import Retry
from chalicelib.storage import project
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key
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
    # The rights that groups give, such as "create read"; None without any.
    by_groups = UnicodeAttribute(null=True)
    # False: the row is there for its groups only.
    by_hand = BooleanAttribute(null=True)


RIGHTS = ("create", "read", "update", "delete")


def add_permission(permission: UserPermission, write: Transaction) -> None:
    """Add both rows of a member of a new project to a transaction, which fails with NotFound without the user."""
    _check_user(permission.user_id, write)
    for key in _both(permission.user_id, permission.project_id):
        write.replace(row_of(PermissionRow, key, permission))


def put_permission(permission: UserPermission) -> None:
    """Write a permission by hand. NotFound without the user or the project."""
    user_id, project_id = permission.user_id, permission.project_id
    write = Transaction()
    project.check_alive(project_id, write)
    _check_user(user_id, write)
    fields = {name: getattr(permission, name) for name in ("id", "user_id", "project_id", *map(_field, RIGHTS))}
    for key in _both(user_id, project_id):
        write.update(PermissionRow(*key), [PermissionRow.kind.set(PermissionRow), *_by_hand(fields)], None, NotFound)
    write.commit()


def update_permission(user_id: str, project_id: str, changes: Mapping[str, object]) -> None:
    """Set these fields in both rows and leave the others: a concurrent update may be changing those.

    NotFound if the user has no permission on the project.
    """
    write = Transaction()
    for key in _both(user_id, project_id):
        actions = _by_hand({"user_id": user_id, **changes})
        write.update(PermissionRow(*key), actions, PermissionRow.pk.exists(), partial(no_permission, user_id))
    write.commit()


def put_rights_of_groups(user_id: str, project_id: str, rights: Iterable[str]) -> None:
    """Set the rights that groups give, and leave those given by hand. NotFound without the user or the project."""
    given = " ".join(right for right in RIGHTS if right in set(rights))
    for _ in Retry():
        try:
            _put_rights_of_groups(user_id, project_id, given)
        except Overtaken:
            continue
        return


def _put_rights_of_groups(user_id: str, project_id: str, given: str) -> None:
    """Overtaken if another request creates, changes or deletes the permission at the same time."""
    row = item.find(PermissionRow, keys.permission(user_id, project_id))
    write = Transaction()
    if given:
        project.check_alive(project_id, write)
        _check_user(user_id, write)
    new_id = ids.new_id()
    for key in _both(user_id, project_id):
        if row is None and given:
            write.put(_row_of_groups(key, new_id, user_id, project_id, given), Overtaken)
        elif row is not None and not given and row.by_hand is False:
            write.delete(PermissionRow(*key), PermissionRow.by_hand == False, Overtaken)  # noqa: E712 - an expression
        elif row is not None:
            action = PermissionRow.by_groups.set(given) if given else PermissionRow.by_groups.remove()
            write.update(PermissionRow(*key), [action], PermissionRow.pk.exists(), Overtaken)
    if row is not None or given:
        write.commit()


def _row_of_groups(key: Key, new_id: str, user_id: str, project_id: str, given: str) -> PermissionRow:
    none = dict.fromkeys(map(_field, RIGHTS), False)
    return PermissionRow(
        *key, id=new_id, user_id=user_id, project_id=project_id, by_groups=given, by_hand=False, **none
    )


def read_rights_of_groups(user_id: str) -> dict[str, frozenset[str]]:
    """The rights that groups give this user now, by project."""
    rows = item.query(PermissionRow, keys.user_partition(user_id), keys.PERMISSION)
    return {row.project_id: frozenset(row.by_groups.split()) for row in rows if row.by_groups}


def _by_hand(fields: Mapping[str, object]) -> list[Action]:
    return [
        *(getattr(PermissionRow, name).set(value) for name, value in fields.items()),
        PermissionRow.by_hand.remove(),
    ]


def _both(user_id: str, project_id: str) -> tuple[Key, Key]:
    return keys.permission(user_id, project_id), keys.member(project_id, user_id)


def _check_user(user_id: str, write: Transaction) -> None:
    write.check(UserRow, keys.user(user_id), UserRow.pk.exists() & UserRow.deleting.does_not_exist(), NotFound)


def _field(right: str) -> str:
    return f"{right}_permission"


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


def withdraw_permission(user_id: str, project_id: str) -> None:
    """Delete what was given by hand. The rights that groups give stay. NotFound if the user has no permission."""
    for _ in Retry():
        try:
            _withdraw_permission(user_id, project_id)
        except Overtaken:
            continue
        return


def _withdraw_permission(user_id: str, project_id: str) -> None:
    """Overtaken if a sign-in of the user changes the rights that groups give at the same time."""
    row = item.find(PermissionRow, keys.permission(user_id, project_id))
    if row is None:
        raise no_permission(user_id)
    write, none = Transaction(), {"by_hand": False, **dict.fromkeys(map(_field, RIGHTS), False)}
    for key in _both(user_id, project_id):
        if not row.by_groups:
            write.delete(PermissionRow(*key), PermissionRow.by_groups.does_not_exist(), Overtaken)
        else:
            actions = [getattr(PermissionRow, name).set(value) for name, value in none.items()]
            write.update(PermissionRow(*key), actions, PermissionRow.by_groups.exists(), Overtaken)
    write.commit()


def remove_permission(user_id: str, project_id: str) -> None:
    """Delete both rows, if they exist."""
    write = Transaction()
    write.delete(PermissionRow(*keys.permission(user_id, project_id)), None, NotFound)
    write.delete(PermissionRow(*keys.member(project_id, user_id)), None, NotFound)
    write.commit()


def shape(row: PermissionRow) -> UserPermission:
    """The permission of a user: what was given by hand, and what groups give."""
    by_groups = () if row.by_groups is None else row.by_groups.split()
    return shape_of(row, UserPermission, **{_field(right): True for right in by_groups})
