"""Keys by which an object is found again at every load."""

from __future__ import annotations

import hashlib

from deardiary.wire import limits


def key_of(key: str) -> str:
    """An id_key that follows from this key: the key itself if the server accepts it."""
    return key if 0 < len(key) <= limits.MAX_ID_CHARACTERS and "\n" not in key else f"sha256:{hash_of(key)}"


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
