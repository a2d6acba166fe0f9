"""Creation keys: a sentinel beside the created thing, so that the same key again finds it instead of making another."""

from __future__ import annotations

from datetime import datetime, timedelta

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from chalicelib import clock
from chalicelib.errors import Conflict, NotFound
from chalicelib.storage.table import item
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.transaction import Otherwise, Transaction

# For so long it is known that what was created under a key has been deleted.
_REMEMBERED = timedelta(days=90)


class KeyTaken(Conflict):
    """Something has been created under this key since it was looked for."""


class IdKeyRow(Item, discriminator="id-key"):
    target_id = UnicodeAttribute()
    # When that was deleted, in milliseconds since 1970.
    retired_at = NumberAttribute(null=True)
    # DynamoDB's TTL, in seconds since 1970.
    expires_at = NumberAttribute(null=True)


def find_id_key(place: Key) -> str | None:
    """The id of what was created under this key, if that is there."""
    row = item.find(IdKeyRow, place)
    return row.target_id if row and row.retired_at is None else None


def is_retired(place: Key) -> bool:
    """Whether what was created under this key has been deleted, and nothing else been created since."""
    row = item.find(IdKeyRow, place)
    return row is not None and row.retired_at is not None


def claim_id_key(
    place: Key, target_id: str, write: Transaction, otherwise: Otherwise, *, began: datetime | None = None
) -> None:
    """A retired key is free, but not for what `began` before that: it is what was deleted, and does not come back."""
    row = IdKeyRow(*place, target_id=target_id)
    retired_at = IdKeyRow.retired_at
    retired = retired_at.exists() if began is None else retired_at < clock.to_milliseconds(began)
    write.put(row, otherwise, IdKeyRow.pk.does_not_exist() | retired)


def retire_id_key(place: Key, write: Transaction) -> None:
    """What was created under it goes: it stays known that there was such a thing, and when it went."""
    now = clock.now()
    actions: list[Action] = [
        IdKeyRow.retired_at.set(clock.to_milliseconds(now)),
        IdKeyRow.expires_at.set(int((now + _REMEMBERED).timestamp())),
    ]
    write.update(IdKeyRow(*place), actions, IdKeyRow.pk.exists(), NotFound)


def release_id_key(place: Key, write: Transaction) -> None:
    write.delete(IdKeyRow(*place), None, NotFound)
