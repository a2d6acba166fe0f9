"""Cache of search results for a few seconds: all pages of one result need one reading, not one each.

A client usually requests the next page at once and, in the cloud, mostly reaches the same process. A process without
the reading reads again and returns the same rows. `benchmarks.read_speed` measures it.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from chalicelib.services.search.facts import Known
from chalicelib.services.search.order import SortKey

SECONDS = 15.0
MOST_ROWS = 20_000
MOST_READINGS = 4


@dataclass(frozen=True, slots=True)
class Reading:
    """Sort keys and ids of all rows found, in their order, and the owned things that were read for them."""

    rows: list[tuple[SortKey, str]]
    known: Known
    read_s: float = field(default_factory=time.monotonic)


_lock = threading.Lock()
_kept: OrderedDict[str, Reading] = OrderedDict()


def keep(scope: str, reading: Reading) -> None:
    """Keep the reading in place of an older one of the same scope. Do not keep one of more than MOST_ROWS rows."""
    with _lock:
        _kept.pop(scope, None)
        if len(reading.rows) <= MOST_ROWS:
            _kept[scope] = reading
        while len(_kept) > MOST_READINGS:
            _kept.popitem(last=False)


def find(scope: str) -> Reading | None:
    with _lock:
        reading = _kept.get(scope)
        return reading if reading and time.monotonic() - reading.read_s < SECONDS else None


def forget() -> None:
    with _lock:
        _kept.clear()
