"""Consumed capacity: the units that a request has used, as DynamoDB reports them."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import Any

READS = {"GetItem", "BatchGetItem", "Query", "TransactGetItems"}


class Units:
    """The read and write units that one request has used so far."""

    def __init__(self) -> None:
        self.reads = 0.0
        self.writes = 0.0
        self._lock = threading.Lock()

    def add(self, *, reads: float = 0.0, writes: float = 0.0) -> None:
        with self._lock:
            self.reads += reads
            self.writes += writes


_current: ContextVar[Units | None] = ContextVar("units", default=None)


def start() -> Units:
    """Start a count for this request, at zero: for calls of this thread, and of threads with a copy of its context."""
    units = Units()
    _current.set(units)
    return units


def follow(session: Any) -> None:
    """Count the units of all DynamoDB clients that this botocore session creates from now on."""
    session.register("after-call.dynamodb", _note, unique_id="deardiary-meter")


def _note(parsed: dict[str, Any], model: Any, **_: Any) -> None:
    units, capacity = _current.get(), parsed.get("ConsumedCapacity")
    if units is None or not capacity:
        return
    # Calls that may involve several tables report a list, with an entry a table.
    used = sum(each.get("CapacityUnits", 0) for each in (capacity if isinstance(capacity, list) else [capacity]))
    if model.name in READS:
        units.add(reads=used)
    else:
        units.add(writes=used)
