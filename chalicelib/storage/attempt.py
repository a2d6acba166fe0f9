"""Sign-in attempts: counters that end by themselves, and the addresses from which an account was entered before."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute
from pynamodb.expressions.update import Action

from chalicelib import ids
from chalicelib.storage import item, keys
from chalicelib.storage.item import Item


class AttemptsRow(Item, discriminator="attempts"):
    number = NumberAttribute()
    # DynamoDB's TTL; it may come days late, so readers look at the time themselves.
    expires_at = NumberAttribute()


class KnownSourceRow(Item, discriminator="known-source"):
    expires_at = NumberAttribute()


# The texts that a counter stands for, such as ("account", username).
Subject = tuple[str, ...]


def count_attempt(subject: Subject, window: int, expires_at: int) -> int:
    """Count one more attempt of this subject in this window, and return the count. Times in seconds since 1970."""
    item.connection()
    row = AttemptsRow(*keys.attempts(ids.digest_of(*subject), window))
    row.update(_actions(1, expires_at))
    return int(row.number)


def forgive_attempt(subject: Subject, window: int, expires_at: int) -> None:
    """Take one attempt back: its password was right."""
    AttemptsRow(*keys.attempts(ids.digest_of(*subject), window)).update(_actions(-1, expires_at))


def remember_source(user_id: str, source: str, expires_at: int) -> None:
    KnownSourceRow(*keys.known_source(user_id, ids.digest(source)), expires_at=expires_at).save()


def is_known_source(user_id: str, source: str, now: int) -> bool:
    row = item.find(KnownSourceRow, keys.known_source(user_id, ids.digest(source)))
    return row is not None and row.expires_at > now


def _actions(change: int, expires_at: int) -> list[Action]:
    return [
        AttemptsRow.kind.set(AttemptsRow),
        AttemptsRow.number.add(change),
        AttemptsRow.expires_at.set(expires_at),
    ]
