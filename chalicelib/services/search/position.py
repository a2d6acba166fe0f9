"""Positions in the changes of an experiment: a time, and a hash of each state that the client has."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from chalicelib import ids
from chalicelib.errors import InvalidPayload
from chalicelib.storage.points.summary import Summary

_CHECK_BYTES, _TIME_BYTES, _HASH_BYTES = 6, 8, 5


class Position(NamedTuple):
    """`time_us`: the time of the answer that issued it, in microseconds since 1970."""

    time_us: int
    seen: frozenset[bytes] = frozenset()


class State(NamedTuple):
    """The state of an iteration: the stamps of its recent edits, and its packed summaries, None once it is removed.

    Of a wide iteration `summaries` only names its summaries, and `read` has them if it may have news.
    """

    id: str
    edits: Sequence[str]
    summaries: bytes | None
    read: Mapping[str, Summary] | None = None

    def hash_of_summaries(self) -> bytes:
        return _hash(b"summaries", self.id.encode(), self.summaries or b"")

    def hash_of_edits(self, after_us: int) -> bytes | None:
        """Of the edits after a time; None without any."""
        after = ids.stamp(after_us)
        edits = [each.encode() for each in self.edits if each > after]
        return _hash(b"edits", self.id.encode(), *edits) if edits else None

    def is_younger(self, than_us: int) -> bool:
        """True if its last edit is younger."""
        return bool(self.edits) and self.edits[-1] > ids.stamp(than_us)


def young(edits: bytes) -> bytes:
    """The hash for edits that the client has, but that come once more."""
    return _hash(b"young", edits)


def encode(experiment_id: str, position: Position) -> str:
    body = position.time_us.to_bytes(_TIME_BYTES, "big") + b"".join(sorted(position.seen))
    return base64.urlsafe_b64encode(_check(experiment_id, body) + body).decode().rstrip("=")


def decode(experiment_id: str, since: str) -> Position:
    """InvalidPayload unless it is a position in the changes of this experiment."""
    try:
        data = base64.b64decode(since + "=" * (-len(since) % 4), altchars="-_", validate=True)
    except (binascii.Error, ValueError):
        data = b""
    check, body = data[:_CHECK_BYTES], data[_CHECK_BYTES:]
    if len(body) < _TIME_BYTES or check != _check(experiment_id, body):
        raise InvalidPayload("since is the next_since of an earlier answer for this experiment", field="since")
    hashes = body[_TIME_BYTES:]
    seen = frozenset(hashes[start : start + _HASH_BYTES] for start in range(0, len(hashes), _HASH_BYTES))
    return Position(int.from_bytes(body[:_TIME_BYTES], "big"), seen)


def _hash(*parts: bytes) -> bytes:
    return hashlib.sha256(b"\0".join(parts)).digest()[:_HASH_BYTES]


def _check(experiment_id: str, body: bytes) -> bytes:
    return hashlib.sha256(experiment_id.encode() + body).digest()[:_CHECK_BYTES]
