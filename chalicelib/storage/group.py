"""Groups: the rights on a project that a group of the OpenID Connect provider gives its members.

All groups of all projects are in one partition, so that a sign-in finds the rights of its groups in one Query.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

from chalicelib import ids
from chalicelib.errors import NotFound
from chalicelib.paging import Page
from chalicelib.storage import project
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.mapping import row_of, shape_of
from chalicelib.storage.table.transaction import Transaction


class GroupRow(Item, discriminator="group"):
    id = UnicodeAttribute()
    project_id = UnicodeAttribute()
    group = UnicodeAttribute()
    create_permission = BooleanAttribute()
    read_permission = BooleanAttribute()
    update_permission = BooleanAttribute()
    delete_permission = BooleanAttribute()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The rights on a project that the members of a group of the provider get when they sign in."""

    id: str
    project_id: str
    group: str
    create_permission: bool
    read_permission: bool
    update_permission: bool
    delete_permission: bool


def id_of(group: str) -> str:
    return ids.hash_text(group)


def put_group(group: Group) -> None:
    """Write the rights of a group. NotFound without the project."""
    write = Transaction()
    project.check_alive(group.project_id, write)
    write.replace(row_of(GroupRow, keys.group(group.project_id, group.id), group))
    write.commit()


def list_groups(project_id: str, limit: int, cursor: str | None) -> Page[Group]:
    rows = item.page(GroupRow, keys.GROUPS, keys.groups_prefix(project_id), limit=limit, cursor=cursor)
    return Page([shape_of(row, Group) for row in rows.data], rows.next_cursor)


def each_group() -> Iterator[Group]:
    """The groups of all projects."""
    return (shape_of(row, Group) for row in item.query(GroupRow, keys.GROUPS))


def delete_group(project_id: str, group_id: str) -> None:
    write = Transaction()
    write.delete(GroupRow(*keys.group(project_id, group_id)), GroupRow.pk.exists(), NotFound)
    write.commit()


def remove_groups_of_project(project_id: str) -> Iterator[None]:
    """Remove all groups of a project. Yield before each call."""
    return item.remove_partition(keys.GROUPS, keys.groups_prefix(project_id))
