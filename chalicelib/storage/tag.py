"""Tags: rows beside their owner's own row, found by the owner's id and the tag's value."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute

from chalicelib import ids
from chalicelib.errors import Conflict, NotFound
from chalicelib.storage import item, keys
from chalicelib.storage.item import Item, Page
from chalicelib.storage.keys import Key
from chalicelib.storage.transaction import Transaction
from deardiary.shapes import Tag


class TagRow(Item, discriminator="tag"):
    id = UnicodeAttribute()
    value = UnicodeAttribute()


def add_tags(owner: Key, owner_id: str, tags: list[Tag], write: Transaction) -> None:
    for tag in tags:
        place = keys.tag(owner, owner_id, ids.digest(tag.value))
        write.put(TagRow(*place, id=tag.id, value=tag.value), Conflict)


def find_tags(owner: Key, owner_id: str, values: list[str]) -> dict[str, Tag]:
    """Those of these values that the owner has, by value."""
    found = item.get_many(keys.tag(owner, owner_id, ids.digest(value)) for value in values)
    return {row.value: _shape(row) for row in found.values() if isinstance(row, TagRow)}


def list_tags(owner: Key, owner_id: str, limit: int, cursor: str | None) -> Page[Tag]:
    """In the order of creation."""
    rows = item.query(TagRow, owner.pk, keys.tags_prefix(owner_id))
    return item.page_by_id([_shape(row) for row in rows], limit, cursor)


def remove_tag(owner: Key, owner_id: str, tag_id: str, write: Transaction) -> None:
    row = TagRow(*keys.tag(owner, owner_id, tag_id.rpartition(".")[2]))
    write.delete(row, TagRow.id == tag_id, NotFound)


def new_tag_id(owner_id: str, value: str) -> str:
    return f"{owner_id}.{ids.stamp()}.{ids.digest(value)}"


def _shape(row: TagRow) -> Tag:
    return Tag(id=row.id, value=row.value)
