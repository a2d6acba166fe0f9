"""The events that a request has committed, and has to send before its answer.

Every request needs this list; few need the rows and the client of `storage/event.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

# None outside of a request: the upkeep sends events from the outbox.
_committed: ContextVar[list[Any] | None] = ContextVar("committed", default=None)


@contextmanager
def collecting() -> Iterator[list[Any]]:
    """Yield the list to which each commit inside adds its events. The caller has to send them."""
    found: list[Any] = []
    token = _committed.set(found)
    try:
        yield found
    finally:
        _committed.reset(token)


def current() -> list[Any] | None:
    return _committed.get()
