"""Iteration rows that this process has read for the changes feed, while the CHANGE rows prove that they are unchanged.

A row of a time lacks no change but those whose CHANGE rows are younger than WINDOW before that time. A later poll reads
all of these. If none names the iteration, the row is still right, now of the time of that poll. Each process decides by
the CHANGE rows alone, so it does not matter which process has written them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple

from deardiary.wire.shapes import Iteration

# A poll reads the CHANGE rows since the time of the oldest row that it may use, so rows are not used for longer.
REACH_US = 120_000_000
MOST_EXPERIMENTS = 8
MOST_ROWS = 1000
_MOST_CHARACTERS = 4000


class Kept(NamedTuple):
    row: Iteration
    time_us: int


_lock = threading.Lock()
_kept: OrderedDict[str, dict[str, Kept]] = OrderedDict()


def find(experiment_id: str, now_us: int) -> dict[str, Kept]:
    """The rows of the last two minutes, by id. The caller has to compare them with the CHANGE rows."""
    with _lock:
        rows = _kept.get(experiment_id, {})
        return {each: kept for each, kept in rows.items() if now_us - REACH_US <= kept.time_us <= now_us}


def keep(experiment_id: str, rows: Iterable[Iteration], now_us: int) -> None:
    """Keep the rows, unless they are long, as those of this time."""
    new = {each.id: Kept(each, now_us) for each in rows if _size(each) <= _MOST_CHARACTERS}
    recent = find(experiment_id, now_us)
    with _lock:
        _kept.pop(experiment_id, None)
        _kept[experiment_id] = dict(list((recent | new).items())[-MOST_ROWS:])
        while len(_kept) > MOST_EXPERIMENTS:
            _kept.popitem(last=False)


def _size(row: Iteration) -> int:
    texts = [row.notes, row.error_message, row.entrypoint, *row.labels, *row.labels.values()]
    return sum(map(len, texts))


def forget() -> None:
    with _lock:
        _kept.clear()
