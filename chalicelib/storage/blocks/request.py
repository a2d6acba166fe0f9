"""Requests to pack an experiment: a reader found many iterations outside of its blocks. The upkeep serves them."""

from __future__ import annotations

import time
from collections.abc import Iterator

from pynamodb.attributes import UnicodeAttribute

from chalicelib import ids
from chalicelib.errors import Overtaken
from chalicelib.storage.table import conditional, item, keys
from chalicelib.storage.table.item import Item

# So many rows outside of blocks are worth a request.
ENOUGH_ROWS = 256
# Seconds in which a process does not repeat a request.
_REPEATED_AFTER = 300.0
_requested: dict[str, float] = {}


class PackingRow(Item, discriminator="packing"):
    stamp = UnicodeAttribute()


def request(experiment_id: str) -> None:
    """Ask the upkeep to pack the experiment, if the table allows it now."""
    now = time.monotonic()
    for each in [each for each, since in _requested.items() if now - since > _REPEATED_AFTER]:
        _requested.pop(each, None)
    if experiment_id in _requested:
        return
    _requested[experiment_id] = now
    item.connection()
    with conditional.best_effort():
        PackingRow(*keys.packing(experiment_id), stamp=ids.stamp()).save()


def each_request() -> Iterator[tuple[str, str]]:
    """The experiment and the stamp of each request."""
    for row in item.query(PackingRow, keys.PACKING):
        yield keys.experiment_of_packing(row.sk), row.stamp


def remove(experiment_id: str, stamp: str) -> None:
    """Remove the request unless it was repeated since."""
    item.connection()
    try:
        with conditional.otherwise(Overtaken):
            PackingRow(*keys.packing(experiment_id)).delete(PackingRow.stamp == stamp)
    except Overtaken:
        return


def forget() -> None:
    """Repeat requests of this process."""
    _requested.clear()
