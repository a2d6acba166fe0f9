"""The directory of an ended iteration: which steps each row of its points has, so that a window reads only its own.

The key of a row is a hash, and tells nothing about its steps. The first reader of a window reads all rows, and stores
the directory as a rollup. Its state names the rows and their edits. A compaction that begins later is noticed: a chunk
of the window has no points any more, and the server reads all rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import count

from chalicelib.services.points.rollups import Wanted
from chalicelib.storage.points import listing, rows
from chalicelib.storage.points import rollup as storage
from chalicelib.storage.points.codec import Batch, Slice
from chalicelib.storage.points.listing import Listed
from chalicelib.storage.points.rollup import RollupKey
from chalicelib.storage.points.rows import Rows, Stored
from chalicelib.storage.table import conditional

# An item holds at most 400 KB; a row of the directory takes up to 32 bytes.
MOST_ROWS = 12_000
# A read by its key is rounded up for each row: with more than this part of all, reading all costs less.
_WORTH_A_PART = 2
# The rows that a page of points reads first; then twice as many, and so on.
_FIRST_ROWS, _MOST_AT_ONCE = 4, 64


class RowMovedError(Exception):
    """A listed row has no points any more."""


class Directory:
    """The listed rows that may have points of some metrics, by default of all."""

    def __init__(self, wanted: Wanted, keys: Collection[str] | None) -> None:
        self._wanted = wanted
        self._iteration_id = wanted.iteration.id
        self._name = RollupKey(self._iteration_id, "chunk", _scope(wanted, keys))
        self._only = keys if wanted.series.moved else None
        self._state = None if wanted.series.moved and keys is not None and len(keys) > 1 else _state(wanted)

    def find(self) -> list[Listed] | None:
        """The rows in the order of their lowest steps. None without a directory of the present points."""
        if self._state is None:
            return None
        found = storage.read_rollups({self._name: self._state}).get(self._name)
        return None if found is None else listing.unpack(self._iteration_id, found)

    def read_all(self, *, keep: bool) -> Sequence[Stored]:
        """Read the rows without the directory. With `keep`, store one."""
        read = rows.read_rows(self._iteration_id, self._only)
        if keep and self._state is not None and self._is_complete(read):
            with conditional.best_effort():
                storage.put_rollups(self._wanted.iteration, {self._name: (self._state, listing.pack(read.stored))})
        return read.stored

    def _is_complete(self, read: Rows) -> bool:
        """True for exactly the rows of the state: no batch was added or moved meanwhile.

        All points of each packed row have to be visible, so that a later reader need not know which are.
        """
        series, moved = self._wanted.series, len(read.homes)
        chunks = sum(row.batch is not None for row in read.stored)
        is_whole = (chunks + moved, moved) == (series.batches, series.moved)
        return is_whole and 0 < len(read.stored) <= MOST_ROWS and all(map(_is_visible, read.stored))


def read_slices(
    wanted: Wanted, keys: Collection[str], low: int | None, high: int | None
) -> dict[str, list[tuple[Sequence[Batch], Slice]]]:
    """Read the slices of these keys that may have points between two steps, None for no limit."""
    if low is None and high is None:
        return rows.read_slices(wanted.iteration.id, keys, moved=wanted.series.moved > 0)
    directory = Directory(wanted, keys)
    listed = directory.find()
    chosen: Sequence[Stored] | None = None if listed is None else _read_chosen(listed, low, high)
    if chosen is None:
        chosen = directory.read_all(keep=listed is None)
    return rows.open_slices(chosen, keys, low=low, high=high)


def read_in_order(listed: Sequence[Listed]) -> Iterator[Stored]:
    """Read these rows when they are needed. RowMovedError if one was moved."""
    begin = 0
    for power in count():
        group = listed[begin : begin + min(_FIRST_ROWS << power, _MOST_AT_ONCE)]
        if not group:
            return
        read = rows.read_visible([each.key for each in group])
        if read is None:
            raise RowMovedError
        yield from read
        begin += len(group)


def _scope(wanted: Wanted, keys: Collection[str] | None) -> str:
    """The metric of a directory, for a packed row has one metric only. Empty for all: each chunk has all metrics."""
    return next(iter(keys)) if wanted.series.moved and keys is not None and len(keys) == 1 else ""


def _state(wanted: Wanted) -> str | None:
    """Names the rows and their edits. None while they may be changing."""
    series = wanted.series
    if not wanted.has_states() or series.compacting is not None or series.recompute:
        return None
    return f"rows.{series.batches}.{series.moved}.{series.edited_us}"


def _is_visible(row: Stored) -> bool:
    return row.generation is None or all(row.homes.get(batch.hash) == row.generation for batch in row.packed_batches())


def _read_chosen(listed: Sequence[Listed], low: int | None, high: int | None) -> list[Stored] | None:
    """The rows with steps in the window. None if one was moved, or if reading all costs less."""
    chosen = [each.key for each in listed if (low is None or each.high >= low) and (high is None or each.low <= high)]
    return None if len(chosen) * _WORTH_A_PART > len(listed) else rows.read_visible(chosen)
