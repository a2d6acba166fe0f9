"""Projects: a row in a partition of its own, and a row in the list of all projects."""

from __future__ import annotations

from collections.abc import Iterator

from pynamodb.attributes import UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.expressions.update import Action

from chalicelib.errors import Conflict, NotFound
from chalicelib.paging import Page
from chalicelib.storage.table import idkey, item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.mapping import row_of, shape_of
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Project


class ProjectRow(Item, discriminator="project"):
    id = UnicodeAttribute()
    name = UnicodeAttribute()
    description = UnicodeAttribute()
    created_date = UTCDateTimeAttribute()
    id_key = UnicodeAttribute(null=True)
    owner_id = UnicodeAttribute(null=True)


class ProjectListingRow(Item, discriminator="project-listing"):
    project_id = UnicodeAttribute()
    name = UnicodeAttribute()


ALIVE = ProjectRow.pk.exists() & ProjectRow.deleting.does_not_exist()


def create_project(project: Project, owner_id: str, id_key: str | None, write: Transaction) -> None:
    """Add the project to a transaction, which fails with Conflict if its owner has used this creation key.

    The caller adds its permissions to the same transaction.
    """
    row = row_of(ProjectRow, keys.project(project.id), project, owner_id=owner_id, id_key=id_key)
    write.put(row, Conflict)
    write.put(ProjectListingRow(*keys.project_listing(project.id), project_id=project.id, name=project.name), Conflict)
    if id_key is not None:
        idkey.claim_id_key(_id_key(owner_id, id_key), project.id, write, Conflict)


def check_alive(project_id: str, write: Transaction) -> None:
    write.check(ProjectRow, keys.project(project_id), ALIVE, NotFound)


def get_project(project_id: str) -> Project:
    return shape(item.get(ProjectRow, keys.project(project_id)))


def list_all_projects(limit: int, cursor: str | None, name: str | None) -> Page[Project]:
    condition = None if name is None else ProjectListingRow.name == name
    listing = item.page(ProjectListingRow, keys.PROJECTS, keys.PROJECT, limit=limit, cursor=cursor, condition=condition)
    return Page(get_projects([row.project_id for row in listing.data]), listing.next_cursor)


def get_projects(project_ids: list[str]) -> list[Project]:
    """The projects that exist, in the order given."""
    found = item.get_many(keys.project(each) for each in project_ids)
    rows = [found.get(keys.project(each)) for each in project_ids]
    return [shape(row) for row in rows if isinstance(row, ProjectRow)]


def update_project(project_id: str, name: str | None, description: str | None) -> Project:
    """Write name and description; None leaves a field unchanged."""
    row = ProjectRow(*keys.project(project_id))
    actions: list[Action] = [ProjectRow.id.set(project_id)]
    actions += [] if name is None else [ProjectRow.name.set(name)]
    actions += [] if description is None else [ProjectRow.description.set(description)]
    write = Transaction()
    write.update(row, actions, ALIVE, NotFound)
    if name is not None:
        listing = ProjectListingRow(*keys.project_listing(project_id))
        write.update(listing, [ProjectListingRow.name.set(name)], ProjectListingRow.pk.exists(), NotFound)
    write.commit()
    return get_project(project_id)


def hide_project(project_id: str, write: Transaction) -> None:
    write.update(ProjectRow(*keys.project(project_id)), [ProjectRow.deleting.set(True)], ALIVE, NotFound)
    write.delete(ProjectListingRow(*keys.project_listing(project_id)), None, NotFound)


def remove_project(project_id: str) -> Iterator[None]:
    """Remove the rows of the project's partition, the project's own at last. Yield before each call."""
    own = keys.project(project_id)
    yield from item.remove_partition(own.pk, keep=[own])
    item.delete_items([own])


def find_id_by_id_key(owner_id: str, id_key: str) -> str | None:
    """The id of the project that this user created under this key; None if there is none."""
    return idkey.find_id_key(_id_key(owner_id, id_key))


def release_id_key(project_id: str, write: Transaction) -> None:
    """Free the creation key of the project, if it has one."""
    row = item.find(ProjectRow, keys.project(project_id))
    if row is not None and row.owner_id and row.id_key:
        idkey.release_id_key(_id_key(row.owner_id, row.id_key), write)


def _id_key(owner_id: str, id_key: str) -> Key:
    return keys.id_key(keys.user_partition(owner_id), id_key)


def shape(row: ProjectRow) -> Project:
    return shape_of(row, Project, created_by=row.owner_id)
