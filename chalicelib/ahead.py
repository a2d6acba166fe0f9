"""Rows that a request will need, read in the call that reads the account of its sender.

A route names them, the read of the account reads them with it, and the first read of them after the sign-in takes them.
Each request reads its account and its rows itself, so a revocation and a deletion count at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

# The keys of the rows, by the id of the user who sends the request.
KeysOf = Callable[[str], Collection[Any]]


class Expected:
    """The rows of one request: named, then read, then taken once."""

    def __init__(self, keys_of: KeysOf) -> None:
        self._keys_of: KeysOf | None = keys_of
        self._keys: Collection[Any] = ()
        self._rows: Mapping[Any, Any] | None = None

    def keys(self, user_id: str) -> Collection[Any]:
        """The keys to read with this user; none after the first time."""
        if self._keys_of is None:
            return ()
        keys_of, self._keys_of = self._keys_of, None
        self._keys = keys_of(user_id)
        return self._keys

    def keep(self, rows: Mapping[Any, Any]) -> None:
        self._rows = rows

    def take(self, keys: Collection[Any]) -> Mapping[Any, Any] | None:
        """The rows with these keys that exist; None if they were not read, or are taken already.

        From then on no read includes them.
        """
        rows, self._rows, self._keys_of = self._rows, None, None
        if rows is None or not set(keys) <= set(self._keys):
            return None
        return {key: rows[key] for key in keys if key in rows}


_current: ContextVar[Expected | None] = ContextVar("expected", default=None)


@contextmanager
def expecting(keys_of: KeysOf) -> Iterator[None]:
    token = _current.set(Expected(keys_of))
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Expected | None:
    return _current.get()
