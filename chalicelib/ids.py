"""Ids: opaque, URL-safe, and in the order of creation.

An id of its own is 24 characters of base32hex in lower case: 7 bytes of microseconds since 1970, 8 random bytes. The
alphabet is in ASCII order, so that the text sorts as the bytes do. Things that live inside an iteration and are found
by their content (a parameter by its key, a tag by its value, a point by its batch) have a compound id,
`owner.stamp.digest[.ordinal]`, from which their storage key can be derived.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import threading
import time

_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """A fresh id, after every other one that this process made."""
    return _base32(_tick().to_bytes(7, "big") + os.urandom(8))


def stamp(microseconds: int | None = None) -> str:
    """The part of a compound id that makes it sort by creation; now, unless a time is given."""
    return _base32((microseconds or _tick()).to_bytes(7, "big") + b"\0\0\0")[:12]


def digest(text: str) -> str:
    """24 characters (120 bits of SHA-256) that stand for a text of any length in a storage key."""
    return _base32(hashlib.sha256(text.encode()).digest()[:15])


def digest_of(*parts: str) -> str:
    """The digest of several texts in their order. JSON quotes each one, so no text can pass for two."""
    return digest(json.dumps(parts))


def nonce() -> str:
    """Eight random characters that tell a write of this process from any other."""
    return _base32(os.urandom(5))


def _tick() -> int:
    global _last
    with _lock:
        _last = max(time.time_ns() // 1000, _last + 1)
        return _last


def _base32(data: bytes) -> str:
    return base64.b32hexencode(data).decode().lower()
