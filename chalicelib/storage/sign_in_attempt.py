"""Sign-in attempts: counters that expire, and the addresses from which a user signed in before."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from chalicelib import ids
from chalicelib.errors import Conflict
from chalicelib.storage.table import conditional, item, keys
from chalicelib.storage.table.item import Item


class AttemptsRow(Item, discriminator="attempts"):
    number = NumberAttribute()
    # DynamoDB's TTL, which may be days late, so readers check the time themselves.
    expires_at = NumberAttribute()
    # Of the last change: if its answer is lost, the SDK repeats it, which must not count twice.
    nonce = UnicodeAttribute(null=True)


class KnownSourceRow(Item, discriminator="known-source"):
    expires_at = NumberAttribute()


# The subject of a counter, such as ("account", username).
Subject = tuple[str, ...]


def count_attempt(subject: Subject, window: int, expires_at: int) -> int:
    """Count one more attempt of this subject in this window, and return the count. Times in seconds since 1970."""
    return _add(1, subject, window, expires_at)


def forgive_attempt(subject: Subject, window: int, expires_at: int) -> None:
    """Subtract one attempt: its password was right."""
    _add(-1, subject, window, expires_at)


def remember_source(user_id: str, source: str, expires_at: int) -> None:
    KnownSourceRow(*keys.known_source(user_id, ids.hash_text(source)), expires_at=expires_at).save()


def is_known_source(user_id: str, source: str, now: int) -> bool:
    row = item.find(KnownSourceRow, keys.known_source(user_id, ids.hash_text(source)))
    return row is not None and row.expires_at > now


def _add(change: int, subject: Subject, window: int, expires_at: int) -> int:
    """Change the count and return it as stored."""
    item.connection()
    row, nonce = AttemptsRow(*keys.attempts(ids.hash_texts(*subject), window)), ids.nonce()
    actions: list[Action] = [
        AttemptsRow.kind.set(AttemptsRow),
        AttemptsRow.number.add(change),
        AttemptsRow.expires_at.set(expires_at),
        AttemptsRow.nonce.set(nonce),
    ]
    try:
        with conditional.otherwise(Conflict):
            row.update(actions, AttemptsRow.nonce.does_not_exist() | (AttemptsRow.nonce != nonce))
    except Conflict:
        # An earlier attempt of this write has changed the count.
        row = item.get(AttemptsRow, row.key)
    return int(row.number)
