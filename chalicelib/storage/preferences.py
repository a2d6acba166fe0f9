"""Preferences: a row with the JSON that clients keep for a user, in the user's partition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pynamodb.attributes import JSONAttribute

from chalicelib.errors import NotFound
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.transaction import Transaction
from chalicelib.storage.user import UserRow


class PreferencesRow(Item, discriminator="preferences"):
    content = JSONAttribute()


def find_preferences(user_id: str) -> dict[str, Any] | None:
    row = item.find(PreferencesRow, keys.preferences(user_id))
    return None if row is None else dict(row.content)


def put_preferences(user_id: str, content: Mapping[str, Any]) -> None:
    """Replace the preferences. NotFound without the user, whose sweep would not see a later row."""
    write = Transaction()
    write.check(UserRow, keys.user(user_id), UserRow.pk.exists() & UserRow.deleting.does_not_exist(), NotFound)
    write.replace(PreferencesRow(*keys.preferences(user_id), content=dict(content)))
    write.commit()
