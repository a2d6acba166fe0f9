"""Unfinished deletions: a row for each, so that the sweep can finish it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pynamodb.attributes import UnicodeAttribute

from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.transaction import Otherwise, Transaction


class DeletionRow(Item, discriminator="deletion"):
    target_kind = UnicodeAttribute()
    target_id = UnicodeAttribute()
    project_id = UnicodeAttribute(null=True)
    experiment_id = UnicodeAttribute(null=True)


class Deletion(NamedTuple):
    """The object to remove, such as a project, experiment, iteration, model, user or blob, and its ancestors."""

    kind: str
    id: str
    project_id: str | None = None
    experiment_id: str | None = None


def record_deletion(deletion: Deletion, write: Transaction, otherwise: Otherwise) -> None:
    row = DeletionRow(
        *record(deletion),
        target_kind=deletion.kind,
        target_id=deletion.id,
        project_id=deletion.project_id,
        experiment_id=deletion.experiment_id,
    )
    write.put(row, otherwise)


def each_deletion() -> Iterator[Deletion]:
    for row in item.query(DeletionRow, keys.DELETIONS):
        yield Deletion(
            kind=row.target_kind, id=row.target_id, project_id=row.project_id, experiment_id=row.experiment_id
        )


def remove_record(deletion: Deletion) -> None:
    """Record that the object is removed completely."""
    item.delete_items([record(deletion)])


def record(deletion: Deletion) -> Key:
    return keys.deletion(deletion.id)
