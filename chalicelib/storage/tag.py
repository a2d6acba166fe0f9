"""Tags: rows in the partition of their owner's row, by the owner's id and the tag's value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from chalicelib import ids
from chalicelib.errors import Conflict, NotFound
from chalicelib.paging import Page, page_by_id
from chalicelib.storage.label import owner_key
from chalicelib.storage.table import item, keys, nearby
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.mapping import shape_of
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Experiment, Iteration, Project, Tag

Owner = Project | Experiment | Iteration


class TagRow(Item, discriminator="tag"):
    id = UnicodeAttribute()
    value = UnicodeAttribute()


def add_tags(owner: Owner, values: list[str], write: Transaction) -> None:
    """Add these tags to a transaction, which fails with Conflict if the owner has one of them."""
    for value in values:
        write.put(TagRow(*_key(owner, ids.hash_text(value)), id=_new_tag_id(owner.id, value), value=value), Conflict)


def find_tags(owner: Owner, values: list[str]) -> dict[str, Tag]:
    """The tags of the owner with these values, by value."""
    found = item.get_many(_key(owner, ids.hash_text(value)) for value in values)
    return {row.value: _shape(row) for row in found.values() if isinstance(row, TagRow)}


def list_tags(owner: Owner, limit: int, cursor: str | None) -> Page[Tag]:
    """List in the order of creation."""
    prefix = keys.tags_prefix(owner.id)
    return page_by_id([_shape(row) for row in item.query(TagRow, owner_key(owner).pk, prefix)], prefix, limit, cursor)


def read_tags_of_project(project_id: str) -> dict[str, list[str]]:
    """The tags of the project itself and of its experiments, by the owner's id."""
    found: dict[str, list[str]] = {}
    for row in item.query(TagRow, keys.project_partition(project_id), keys.TAG):
        found.setdefault(ids.split_id(row.id)[0], []).append(row.value)
    return found


def read_tags_of_span(
    experiment_id: str, first_id: str, last_id: str, *, consistent: bool = True
) -> dict[str, list[str]]:
    """The tags of the iterations from one id to another, by iteration, in the order of creation."""
    span = keys.iteration_tags_span(experiment_id, first_id, last_id)
    return _by_iteration(item.raw_rows(span, ["id", "value"], consistent=consistent))


def read_tags_of_iterations(
    experiment_id: str, iteration_ids: Sequence[str], *, consistent: bool = True
) -> dict[str, list[str]]:
    """Like `read_tags_of_span` for iterations that may be far apart: those between them are not read."""
    partition, prefixes = keys.experiment_partition(experiment_id), [keys.tags_prefix(each) for each in iteration_ids]
    return _by_iteration(nearby.read_below(partition, prefixes, ["id", "value"], consistent=consistent))


def _by_iteration(rows: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for tag_id, value in sorted((row["id"]["S"], row["value"]["S"]) for row in rows):
        found.setdefault(ids.split_id(tag_id)[0], []).append(value)
    return found


def remove_tag(owner: Owner, tag_id: str, write: Transaction) -> None:
    row = TagRow(*_key(owner, ids.split_id(tag_id)[-1]))
    write.delete(row, TagRow.id == tag_id, NotFound)


def drop_tags(owner: Owner, values: list[str], write: Transaction) -> None:
    """Remove the tags with these values in a transaction; an absent one is no error."""
    for value in values:
        write.delete(TagRow(*_key(owner, ids.hash_text(value))), None, NotFound)


def _new_tag_id(owner_id: str, value: str) -> str:
    return f"{owner_id}.{ids.stamp()}.{ids.hash_text(value)}"


def _key(owner: Owner, value_hash: str) -> Key:
    return keys.tag(owner_key(owner), owner.id, value_hash)


def _shape(row: TagRow) -> Tag:
    return shape_of(row, Tag)
