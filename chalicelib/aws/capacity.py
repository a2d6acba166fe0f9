"""Consumed capacity: the units that a request has used, as DynamoDB reports them."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import Any

READS = {"GetItem", "BatchGetItem", "Query", "TransactGetItems"}


class ConsumedCapacity:
    """The read and write units that one request has used so far."""

    def __init__(self) -> None:
        self.reads = 0.0
        self.writes = 0.0
        self._lock = threading.Lock()

    def add(self, *, reads: float = 0.0, writes: float = 0.0) -> None:
        with self._lock:
            self.reads += reads
            self.writes += writes


_current: ContextVar[ConsumedCapacity | None] = ContextVar("consumed", default=None)


def start() -> ConsumedCapacity:
    """Start a count for this request, at zero: for calls of this thread, and of threads with a copy of its context."""
    consumed = ConsumedCapacity()
    _current.set(consumed)
    return consumed


def follow(session: Any) -> None:
    """Count the units of all DynamoDB clients that this botocore session creates from now on."""
    session.register("after-call.dynamodb", _note, unique_id="deardiary-capacity")


def _note(parsed: dict[str, Any], model: Any, **_: Any) -> None:
    consumed, reported = _current.get(), parsed.get("ConsumedCapacity")
    if consumed is None or not reported:
        return
    # Calls that may involve several tables report a list, with an entry a table.
    used = sum(each.get("CapacityUnits", 0) for each in (reported if isinstance(reported, list) else [reported]))
    if model.name in READS:
        consumed.add(reads=used)
    else:
        consumed.add(writes=used)
