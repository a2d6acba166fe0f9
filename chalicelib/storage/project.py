"""Projects: a row in a partition of its own, and a row in the list of all projects."""

from __future__ import annotations

from collections.abc import Iterator

from pynamodb.attributes import UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.expressions.update import Action

from chalicelib.errors import Conflict, NotFound, Overtaken
from chalicelib.paging import Page
from chalicelib.storage import label
from chalicelib.storage.label import Labelled, Texts
from chalicelib.storage.table import idkey, item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.mapping import row_of, shape_of
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Project


class ProjectRow(Labelled, discriminator="project"):
    id = UnicodeAttribute()
    name = UnicodeAttribute()
    description = UnicodeAttribute()
    created_date = UTCDateTimeAttribute()
    id_key = UnicodeAttribute(null=True)
    owner_id = UnicodeAttribute(null=True)
    labels = Texts(null=True)
    labels_hash = UnicodeAttribute(null=True)
    # JSON; see `alertrule.py`.
    alert_rules = UnicodeAttribute(null=True)


class ProjectListingRow(Item, discriminator="project-listing"):
    project_id = UnicodeAttribute()
    name = UnicodeAttribute()


ALIVE = ProjectRow.pk.exists() & ProjectRow.deleting.does_not_exist()
HIDDEN = ProjectRow.deleting == True  # noqa: E712


def create_project(project: Project, owner_id: str, id_key: str | None, write: Transaction) -> None:
    """Add the project to a transaction, which fails with Conflict if its owner has used this creation key.

    The caller adds its permissions to the same transaction.
    """
    row = _row(project, owner_id=owner_id, id_key=id_key)
    write.put(row, Conflict)
    label.put_long(project, write)
    write.put(ProjectListingRow(*keys.project_listing(project.id), project_id=project.id, name=project.name), Conflict)
    if id_key is not None:
        idkey.claim_id_key(_id_key(owner_id, id_key), project.id, write, Conflict)


def check_alive(project_id: str, write: Transaction) -> None:
    write.check(ProjectRow, keys.project(project_id), ALIVE, NotFound)


def get_project(project_id: str) -> Project:
    row = item.get(ProjectRow, keys.project(project_id))
    return label.whole(shape(row), row)


def find_even_hidden(project_id: str) -> Project | None:
    """The project, also one in the trash or being deleted."""
    row = item.find(ProjectRow, keys.project(project_id))
    return None if row is None else shape(row)


def list_all_projects(limit: int, cursor: str | None, name: str | None) -> Page[Project]:
    condition = None if name is None else ProjectListingRow.name == name
    listing = item.page(ProjectListingRow, keys.PROJECTS, keys.PROJECT, limit=limit, cursor=cursor, condition=condition)
    return Page(get_projects([row.project_id for row in listing.data]), listing.next_cursor)


def get_projects(project_ids: list[str]) -> list[Project]:
    """The projects that exist, in the order given."""
    found = item.get_many(keys.project(each) for each in project_ids)
    rows = [row for row in map(found.get, map(keys.project, project_ids)) if isinstance(row, ProjectRow)]
    return label.whole_each([shape(row) for row in rows], rows)


def update_project(before: Project, after: Project) -> Project:
    """Write the differences, and return the project as stored. Overtaken if it or its labels are not as `before`."""
    row, write = _row(after), Transaction()
    actions = [*item.changes(row, before, after, ("name", "description")), *label.changes(row, before, after)]
    if not actions:
        return after
    write.update(row, actions, label.unchanged(row, before, after, ALIVE), Overtaken)
    label.move(before, after, write)
    if after.name != before.name:
        listing = ProjectListingRow(*keys.project_listing(after.id))
        write.update(listing, [ProjectListingRow.name.set(after.name)], ProjectListingRow.pk.exists(), Overtaken)
    write.commit()
    return get_project(after.id)


def hide_project(project_id: str, write: Transaction) -> None:
    write.update(ProjectRow(*keys.project(project_id)), [ProjectRow.deleting.set(True)], ALIVE, NotFound)
    write.delete(ProjectListingRow(*keys.project_listing(project_id)), None, NotFound)


def restore_project(project_id: str, name: str | None, write: Transaction) -> None:
    """Show a hidden project again, in a transaction, under this name if one is given. NotFound without it.

    It keeps its creation key unless another project has it now.
    """
    row = _get_hidden(project_id)
    actions: list[Action] = [ProjectRow.deleting.remove()]
    actions += [] if name is None else [ProjectRow.name.set(name)]
    if row.owner_id and row.id_key and not idkey.reclaim_id_key(_id_key(row.owner_id, row.id_key), project_id, write):
        actions.append(ProjectRow.id_key.remove())
    write.replace(ProjectListingRow(*keys.project_listing(project_id), project_id=project_id, name=name or row.name))
    write.update(ProjectRow(*row.key), actions, HIDDEN & (ProjectRow.name == row.name), Overtaken)


def _get_hidden(project_id: str) -> ProjectRow:
    row = item.find(ProjectRow, keys.project(project_id))
    if row is None or not row.deleting:
        raise NotFound
    return row


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
    """The shape, without long labels."""
    return shape_of(row, Project, created_by=row.owner_id, labels=row.labels or {})


def _row(project: Project, **given: str | None) -> ProjectRow:
    return row_of(ProjectRow, keys.project(project.id), project, **given, **label.attributes(project.labels))
