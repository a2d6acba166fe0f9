"""What a search found, kept for a few seconds: the pages of one table are one reading, not one for each.

Whoever leafs through a table asks for the next page at once and, in the cloud, mostly of the same process. A process
that does not have the reading reads again and gives the same rows.
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
    """Sort keys and ids of all rows that were found, in their order, and what was read on the way."""

    rows: list[tuple[SortKey, str]]
    known: Known
    at: float = field(default_factory=time.monotonic)


_lock = threading.Lock()
_kept: OrderedDict[str, Reading] = OrderedDict()


def keep(scope: str, reading: Reading) -> None:
    """In the place of an older one of the same question; large ones are not kept."""
    with _lock:
        _kept.pop(scope, None)
        if len(reading.rows) <= MOST_ROWS:
            _kept[scope] = reading
        while len(_kept) > MOST_READINGS:
            _kept.popitem(last=False)


def find(scope: str) -> Reading | None:
    with _lock:
        reading = _kept.get(scope)
        return reading if reading and time.monotonic() - reading.at < SECONDS else None


def forget() -> None:
    with _lock:
        _kept.clear()
