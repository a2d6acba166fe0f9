"""Rollups: a long curve in at most a thousand buckets or points, so that a chart need not read all its points.

A rollup names the state of the points from which it was made, and counts only while they are in this state. The table
works without any: readers make them, and whole items replace each other.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from chalicelib import ids
from chalicelib.aws.threads import in_threads
from chalicelib.storage import series
from chalicelib.storage.points import rollup_codec
from chalicelib.storage.points.codec import DamagedData
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Iteration

_NAMES = ["state", "level", "low", "high", "columns"]
# A rollup has up to 18 KB, and an answer of BatchGetItem at most 16 MB.
_PER_CALL = 100
# A transaction has at most 100 writes, and one is the check.
MOST_WRITTEN = 99


class RollupRow(Item, discriminator="rollup"):
    state = UnicodeAttribute()
    level = NumberAttribute()
    low = NumberAttribute()
    high = NumberAttribute()
    columns = BinaryAttribute(legacy_encoding=False)


class RollupKey(NamedTuple):
    """`axis`: what the buckets divide."""

    iteration_id: str
    axis: str
    key: str

    def in_table(self) -> Key:
        return keys.rollup(self.iteration_id, self.axis, ids.hash_text(self.key))


class Rollup(NamedTuple):
    """Columns of one length, and the grid to which they belong: the width of its buckets is 2^level."""

    level: int
    low: int
    high: int
    integers: list[array[int]]
    values: list[array[float]]


def read_rollups(states: Mapping[RollupKey, str]) -> dict[RollupKey, Rollup]:
    """The rollups that were made from points in these states."""
    return {key: made for key, (state, made) in read_stored(states).items() if state == states[key]}


def read_stored(wanted: Iterable[RollupKey]) -> dict[RollupKey, tuple[str, Rollup]]:
    """The rollups with these keys, and the states of the points from which they were made.

    Reads at half the units, which may miss the newest writes: a rollup of another state does not count anyway.
    """
    names = {each.in_table(): each for each in wanted}
    calls = [list(names)[start : start + _PER_CALL] for start in range(0, len(names), _PER_CALL)]
    found = in_threads(lambda call: item.raw_many(call, _NAMES, consistent=False), calls)
    opened = {names[key]: (row["state"]["S"], _open(row)) for part in found for key, row in part.items()}
    return {key: (state, made) for key, (state, made) in opened.items() if made is not None}


def put_rollups(iteration: Iteration, rollups: Mapping[RollupKey, tuple[str, Rollup]]) -> None:
    """Store rollups with the states of their points, and leave those over MOST_WRITTEN to later readers.

    NotFound if the iteration is being removed.
    """
    write = Transaction()
    series.check_not_closed(iteration.experiment_id, iteration.id, write)
    for key, (state, made) in islice(rollups.items(), MOST_WRITTEN):
        columns = rollup_codec.pack_columns(made.integers, made.values)
        row_key = key.in_table()
        write.replace(RollupRow(*row_key, state=state, level=made.level, low=made.low, high=made.high, columns=columns))
    write.commit()


def _open(row: Mapping[str, Any]) -> Rollup | None:
    """Decode a rollup. None for bytes that this version of the server cannot read: a reader makes a new one."""
    try:
        integers, values = rollup_codec.unpack_columns(row["columns"]["B"])
    except DamagedData:
        return None
    return Rollup(int(row["level"]["N"]), int(row["low"]["N"]), int(row["high"]["N"]), integers, values)
