"""The trash: deleted objects that can be restored until their purge date.

A deleted object keeps its row and everything below it; its row is only marked `deleting`, which hides it. Two equal
rows record it: one beside the project's other rows (for a project in the list of projects), and one in a common
partition in the order of the purge dates. A restoration and a purge both delete these rows in their transactions, so
only one of them succeeds. An entry is created only while the objects above are visible.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from pynamodb.attributes import UnicodeAttribute, UTCDateTimeAttribute

from chalicelib import clock
from chalicelib.errors import Overtaken
from chalicelib.paging import Page
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.mapping import row_of, shape_of
from chalicelib.storage.table.transaction import Transaction


class TrashRow(Item, discriminator="trash"):
    target_kind = UnicodeAttribute()
    target_id = UnicodeAttribute()
    project_id = UnicodeAttribute()
    experiment_id = UnicodeAttribute(null=True)
    iteration_id = UnicodeAttribute(null=True)
    name = UnicodeAttribute()
    deleted_by = UnicodeAttribute(null=True)
    deleted_date = UTCDateTimeAttribute()
    purge_date = UTCDateTimeAttribute()


class Entry(NamedTuple):
    """An object in the trash: a project, experiment, iteration, resource, model or logged model.

    `experiment_id` and `iteration_id` are those above it, None if there are none.
    """

    target_kind: str
    target_id: str
    project_id: str
    experiment_id: str | None
    iteration_id: str | None
    name: str
    deleted_by: str | None
    deleted_date: datetime
    purge_date: datetime


def put_entry(entry: Entry, write: Transaction) -> None:
    for key in _keys(entry):
        write.replace(row_of(TrashRow, key, entry))


def take_entry(entry: Entry, write: Transaction) -> None:
    """Delete an entry in a transaction. Overtaken if another request has restored or purged the object."""
    own, due = _keys(entry)
    write.delete(TrashRow(*own), TrashRow.purge_date == entry.purge_date, Overtaken)
    write.delete(TrashRow(*due), None, Overtaken)


def find_entry(kind: str, object_id: str, project_id: str, experiment_id: str | None) -> Entry | None:
    row = item.find(TrashRow, _key(kind, object_id, project_id, experiment_id))
    return None if row is None else _entry(row)


def find_entry_of_experiment(project_id: str, experiment_id: str) -> Entry | None:
    return find_entry("experiment", experiment_id, project_id, None)


def list_entries_of_project(project_id: str, limit: int, cursor: str | None) -> Page[Entry]:
    """The objects of a project in the trash, without those below another object in the trash. A page may be short."""
    rows = item.page(TrashRow, keys.project_partition(project_id), keys.TRASH, limit=limit, cursor=cursor)
    entries = [_entry(row) for row in rows.data]
    above = {each: _keys_above(each) for each in entries}
    visible = item.get_many(key for found in above.values() for key in found)
    return Page([each for each in entries if visible.keys() >= above[each]], rows.next_cursor)


def list_projects(limit: int, cursor: str | None) -> Page[Entry]:
    """All projects in the trash."""
    rows = item.page(TrashRow, keys.PROJECTS, keys.TRASH, limit=limit, cursor=cursor)
    return Page([_entry(row) for row in rows.data], rows.next_cursor)


def each_project_id() -> Iterator[str]:
    """The ids of all projects in the trash."""
    return item.each_id(keys.PROJECTS, keys.TRASH)


def find_projects(project_ids: Iterable[str]) -> list[Entry]:
    """Those of these projects that are in the trash, in the order given."""
    wanted = [keys.project_in_trash(each) for each in project_ids]
    found = item.get_many(wanted)
    rows = [found.get(key) for key in wanted]
    return [_entry(row) for row in rows if isinstance(row, TrashRow)]


def deleted_iteration_ids(project_id: str, experiment_id: str) -> frozenset[str]:
    """The ids of the experiment's iterations in the trash."""
    prefix, own = keys.trash_prefix(experiment_id), TrashRow.target_kind == "iteration"
    rows = item.query(TrashRow, keys.project_partition(project_id), prefix, condition=own)
    return frozenset(row.target_id for row in rows)


def each_due(now: datetime) -> Iterator[Entry]:
    """The objects whose purge date is over, the oldest first."""
    span = keys.trash_due_until(clock.to_milliseconds(now))
    item.connection()
    for row in TrashRow.query(span.pk, TrashRow.sk.between(span.first, span.last), consistent_read=True):
        yield _entry(row)


def remove_if_stale(entry: Entry) -> None:
    """Remove the row in the order of purge dates if its other row is gone."""
    own, due = _keys(entry)
    row = item.find(TrashRow, own)
    if row is None or row.purge_date != entry.purge_date:
        item.delete_items([due])


def remove_entries_of_project(project_id: str) -> Iterator[None]:
    """Remove the entries of all objects in a project that is being deleted. Yield before each call."""
    return _remove_entries(project_id, keys.TRASH)


def remove_entries_of_experiment(project_id: str, experiment_id: str) -> Iterator[None]:
    return _remove_entries(project_id, keys.trash_prefix(experiment_id))


def _remove_entries(project_id: str, prefix: str) -> Iterator[None]:
    rows = item.query(TrashRow, keys.project_partition(project_id), prefix)
    # The second row of an entry first: a removal that was interrupted finds the entry again.
    return item.remove_items(key for row in rows for key in reversed(_keys(_entry(row))))


def _keys(entry: Entry) -> tuple[Key, Key]:
    """The keys of both rows."""
    own = _key(entry.target_kind, entry.target_id, entry.project_id, entry.experiment_id)
    return own, keys.trash_due(clock.to_milliseconds(entry.purge_date), entry.target_id)


def _key(kind: str, object_id: str, project_id: str, experiment_id: str | None) -> Key:
    if kind == "project":
        return keys.project_in_trash(object_id)
    return keys.trash(project_id, experiment_id or object_id, object_id)


def _keys_above(entry: Entry) -> set[Key]:
    """The keys of the objects between the project and this one."""
    if entry.experiment_id is None:
        return set()
    above = {keys.experiment(entry.project_id, entry.experiment_id)}
    return above | ({keys.iteration(entry.experiment_id, entry.iteration_id)} if entry.iteration_id else set())


def _entry(row: TrashRow) -> Entry:
    return shape_of(row, Entry)
