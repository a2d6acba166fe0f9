"""How many units of the table a request has used, as DynamoDB itself counts them."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import Any

READS = {"GetItem", "BatchGetItem", "Query", "TransactGetItems"}


class Units:
    """Read and write units of one request so far."""

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
    """The count of this request, from nothing: of what this thread asks of the table, and others do for it."""
    units = Units()
    _current.set(units)
    return units


def follow(session: Any) -> None:
    """Count what the DynamoDB clients use that this botocore session makes from now on."""
    session.register("after-call.dynamodb", _note, unique_id="deardiary-meter")


def _note(parsed: dict[str, Any], model: Any, **_: Any) -> None:
    units, capacity = _current.get(), parsed.get("ConsumedCapacity")
    if units is None or not capacity:
        return
    # One table each in calls that may go to several.
    used = sum(each.get("CapacityUnits", 0) for each in (capacity if isinstance(capacity, list) else [capacity]))
    if model.name in READS:
        units.add(reads=used)
    else:
        units.add(writes=used)
