"""Creation keys: a sentinel beside the created thing, so that the same key again finds it instead of making another."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute

from chalicelib.errors import NotFound
from chalicelib.storage import item, keys
from chalicelib.storage.item import Item
from chalicelib.storage.transaction import Otherwise, Transaction


class IdKeyRow(Item, discriminator="id-key"):
    target_id = UnicodeAttribute()


def find_id_key(scope_partition: str, text: str) -> str | None:
    """The id of what was created under this key, if anything."""
    row = item.find(IdKeyRow, keys.id_key(scope_partition, text))
    return row.target_id if row else None


def claim_id_key(scope_partition: str, text: str, target_id: str, write: Transaction, otherwise: Otherwise) -> None:
    write.put(IdKeyRow(*keys.id_key(scope_partition, text), target_id=target_id), otherwise)


def release_id_key(scope_partition: str, text: str, write: Transaction) -> None:
    row = IdKeyRow(*keys.id_key(scope_partition, text))
    write.delete(row, None, NotFound)
