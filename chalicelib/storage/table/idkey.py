"""Creation keys: a sentinel beside the created entity, so that a repeated key finds it and creates no other."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from chalicelib import clock
from chalicelib.errors import NotFound, Overtaken
from chalicelib.storage.table import item
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.transaction import Otherwise, Transaction

# Retention of a retired key, which says that its entity has been deleted.
_REMEMBERED = timedelta(days=90)


class IdKeyRow(Item, discriminator="id-key"):
    target_id = UnicodeAttribute()
    # Deletion of the target, in milliseconds since 1970.
    retired_at = NumberAttribute(null=True)
    # DynamoDB's TTL, in seconds since 1970.
    expires_at = NumberAttribute(null=True)


def find_id_key(key: Key) -> str | None:
    """The id of the entity that was created under this key; None if there is none, or it was deleted."""
    row = item.find(IdKeyRow, key)
    return row.target_id if row and row.retired_at is None else None


def find_id_keys(keys: Iterable[Key]) -> dict[Key, str]:
    """The id of the entity that was created under each of these keys, without those that have none."""
    rows = {key: row for key, row in item.get_many(keys).items() if isinstance(row, IdKeyRow)}
    return {key: row.target_id for key, row in rows.items() if row.retired_at is None}


def find_retired(key: Key) -> str | None:
    """The id of the deleted entity of this key; None if the key is free or was used again."""
    row = item.find(IdKeyRow, key)
    return row.target_id if row and row.retired_at is not None else None


def claim_id_key(
    key: Key, target_id: str, write: Transaction, otherwise: Otherwise, *, began: datetime | None = None
) -> None:
    """Claim a key in a transaction. A retired key is free, unless the entity `began` before the deletion.

    Such a creation repeats the one that was deleted, and must not restore it.
    """
    row = IdKeyRow(*key, target_id=target_id)
    retired_at = IdKeyRow.retired_at
    retired = retired_at.exists() if began is None else retired_at < clock.to_milliseconds(began)
    write.put(row, otherwise, IdKeyRow.pk.does_not_exist() | retired)


def retire_id_key(key: Key, write: Transaction) -> None:
    """Mark a key in a transaction as that of a deleted entity, with the time of the deletion."""
    now = clock.now()
    actions: list[Action] = [
        IdKeyRow.retired_at.set(clock.to_milliseconds(now)),
        IdKeyRow.expires_at.set(int((now + _REMEMBERED).timestamp())),
    ]
    write.update(IdKeyRow(*key), actions, IdKeyRow.pk.exists(), NotFound)


def reclaim_id_key(key: Key, target_id: str, write: Transaction) -> bool:
    """Claim a key again for a restored entity. False, without a write, if it belongs to another entity now.

    The transaction is Overtaken if another entity claims the key concurrently.
    """
    holder = item.find(IdKeyRow, key)
    if holder is not None and holder.target_id != target_id:
        return False
    own = IdKeyRow.pk.does_not_exist() | (IdKeyRow.target_id == target_id)
    write.put(IdKeyRow(*key, target_id=target_id), Overtaken, own)
    return True


def release_id_key(key: Key, write: Transaction) -> None:
    write.delete(IdKeyRow(*key), None, NotFound)
