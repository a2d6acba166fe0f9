"""Ids: opaque, URL-safe, and in the order of creation.

A simple id is 24 characters of base32hex in lower case: 7 bytes of microseconds since 1970, 8 random bytes. The
alphabet is in ASCII order, so that texts sort like their bytes. Rows that storage finds by content (a parameter by its
key, a tag by its value, a point by its batch) have a compound id, `owner.stamp.hash[.ordinal]`; it yields their key.
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
    """A new id, which sorts after all earlier ids of this process."""
    return _base32(_tick().to_bytes(7, "big") + os.urandom(8))


def stamp(microseconds: int | None = None) -> str:
    """The part of a compound id that sorts it by creation: of the given time, by default of now."""
    return _base32((microseconds or _tick()).to_bytes(7, "big") + b"\0\0\0")[:12]


def created_us(simple_id: str) -> int:
    """The time of a simple id, in microseconds since 1970."""
    return int.from_bytes(base64.b32hexdecode(simple_id.upper())[:7], "big")


def stamped_us(stamp_text: str) -> int:
    """The time of a `stamp`, in microseconds since 1970."""
    return created_us(stamp_text + "0000")


def split_id(compound: str) -> list[str]:
    """Split a compound id into the id of its owner and the parts after that; a simple id has no such parts."""
    return compound.split(".")


def hash_text(text: str) -> str:
    """Hash a text of any length for use in a storage key: 24 characters, 120 bits of SHA-256."""
    return _base32(hashlib.sha256(text.encode()).digest()[:15])


def hash_texts(*parts: str) -> str:
    """Hash several texts in order. JSON quotes each text, so that different lists have different hashes."""
    return hash_text(json.dumps(parts))


def fold_case(name: str) -> str:
    """The same for usernames that differ in case only. Usernames are ASCII; `lower` makes `k` of the Kelvin sign."""
    return name.lower() if name.isascii() else name


def nonce() -> str:
    """Eight random characters that identify one write."""
    return _base32(os.urandom(5))


def _tick() -> int:
    global _last
    with _lock:
        _last = max(time.time_ns() // 1000, _last + 1)
        return _last


def _base32(data: bytes) -> str:
    return base64.b32hexencode(data).decode().lower()
