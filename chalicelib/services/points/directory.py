"""The directory of an iteration: which steps each row of its points has, so that a window reads only its own.

The key of a row is a hash, and tells nothing about its steps. The first reader of a window reads all rows, and stores
the directory as a rollup. Its state names the rows and their edits. A compaction that begins later is noticed: a chunk
of the window has no points any more, and the server reads all rows. The directory of a running iteration grows by the
batches that came since (`newer.py`).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from itertools import count
from typing import NamedTuple

from chalicelib.services.points import memory
from chalicelib.services.points.memory import Kept
from chalicelib.services.points.newer import Covered, Newer, covered_by, read_newer
from chalicelib.services.points.rollups import Wanted
from chalicelib.storage.points import listing, rows
from chalicelib.storage.points import rollup as storage
from chalicelib.storage.points.codec import Batch, Slice
from chalicelib.storage.points.listing import Listed
from chalicelib.storage.points.rollup import RollupKey
from chalicelib.storage.points.rows import ByKey, Rows, Stored
from chalicelib.storage.points.wide import UNREAD
from chalicelib.storage.series import Series
from chalicelib.storage.table import conditional

# An item holds at most 400 KB; a row of the directory takes up to 32 bytes.
MOST_ROWS = 12_000
# A read by its key is rounded up for each row: with more than this part of all, reading all costs less.
_WORTH_A_PART = 2
# The rows that a page of points reads first, unless it knows better; then twice as many, and so on.
_FIRST_ROWS, _MOST_AT_ONCE = 4, 64
# Like `growing.WORTH_SAVING`, of a directory: a write unit for so many rows, at the price of 20 read units.
_WORTH_SAVING, _ROWS_A_UNIT = 20, 50


class RowMovedError(Exception):
    """A listed row has no points any more."""


class Found(NamedTuple):
    """The rows with points in the order of their lowest steps, and those of them that are read already."""

    listed: Sequence[Listed]
    read: ByKey


class Directory:
    """The listed rows that may have points of some metrics, by default of all."""

    def __init__(self, wanted: Wanted, keys: Collection[str] | None) -> None:
        series = wanted.series
        self._wanted = wanted
        self._iteration_id = wanted.iteration.id
        self._name = RollupKey(self._iteration_id, "chunk", _scope(wanted, keys))
        self._only = keys if series.moved else None
        # Rows that may be changing are not listed, nor those of several metrics in packed rows.
        is_one_list = not series.moved or keys is None or len(keys) == 1
        can_list = is_one_list and wanted.has_many_points() and series.compacting is None and not series.recompute
        self._state = _state(wanted) if can_list and wanted.has_states() else None
        self._grows = can_list and self._state is None

    def find(self) -> Found | None:
        """The rows. None without a directory that leads to the present points."""
        if self._grows:
            return self._find_grown()
        if self._state is None:
            return None
        found = storage.read_rollups({self._name: self._state}).get(self._name)
        return None if found is None else Found(listing.unpack(self._iteration_id, found), {})

    def _find_grown(self) -> Found | None:
        kept = memory.find(self._name)
        if kept is None or not self._is_current(kept):
            stored = storage.read_stored([self._name]).get(self._name)
            kept = None if stored is None else Kept.of_stored(*stored)
        if kept is None or not self._is_current(kept):
            return None
        newer = read_newer(self._iteration_id, self._wanted.series, kept.covered)
        return None if newer is None else self._extended(kept, newer)

    def _extended(self, kept: Kept, newer: Newer) -> Found | None:
        """The kept rows and the newer ones. Those of settled batches are kept too."""
        if len(kept.made.integers[0]) + len(newer.stored) > MOST_ROWS:
            return None
        settled = [row for row in newer.stored if _is_until(newer.covered, row)]
        if settled:
            kept = kept.grown(listing.merged(kept.made, settled), newer)
            memory.keep(self._name, kept)
            worth = _WORTH_SAVING * (1 + len(kept.made.integers[0]) // _ROWS_A_UNIT)
            if kept.unsaved_rows * kept.unsaved_units >= worth:
                self._save(kept)
        others = [row for row in newer.stored if not _is_until(newer.covered, row)]
        listed = listing.unpack(self._iteration_id, listing.merged(kept.made, others))
        return Found(listed, {row.key: row for row in newer.stored})

    def read_all(self, *, keep: bool) -> Sequence[Stored]:
        """Read the rows without the directory. With `keep`, store one."""
        read = rows.read_rows(self._iteration_id, self._only)
        if keep and self._grows:
            self._keep_new(read)
        elif keep and self._state is not None and self._is_complete(read):
            with conditional.best_effort():
                storage.put_rollups(self._wanted.iteration, {self._name: (self._state, listing.pack(read.stored))})
        return read.stored

    def _keep_new(self, read: Rows) -> None:
        series, covered = self._wanted.series, covered_by(self._wanted.series, read)
        if covered is None or len(read.homes) != series.moved or not all(map(_is_visible, read.stored)):
            return
        known = [row for row in read.stored if _is_until(covered, row)]
        if 0 < len(known) <= MOST_ROWS:
            self._save(Kept(listing.pack(known), covered, series.edited_us, series.moved))

    def _save(self, kept: Kept) -> None:
        with conditional.best_effort():
            storage.put_rollups(self._wanted.iteration, {self._name: (kept.state, kept.made)})
        memory.keep(self._name, kept.saved())

    def _is_current(self, kept: Kept) -> bool:
        """True if no row was edited or moved since."""
        return (kept.edited_us, kept.origin) == (self._wanted.series.edited_us, self._wanted.series.moved)

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
    found = directory.find()
    chosen: Sequence[Stored] | None = None if found is None else _read_chosen(found, low, high)
    if chosen is None:
        chosen = directory.read_all(keep=found is None)
    return rows.open_slices(chosen, keys, low=low, high=high)


def rows_of_page(series: Series, keys: Collection[str] | None, points: int) -> int:
    """The number of rows that a page of so many points of these keys, by default of all, probably needs."""
    if series.moved or series.summaries is UNREAD:
        return _FIRST_ROWS
    number = sum(each.count for key, each in series.summaries.items() if keys is None or key in keys)
    # One row more shows that no other begins before the last point.
    return min(_MOST_AT_ONCE, 1 + math.ceil(points * series.batches / max(1, number)))


def read_in_order(listed: Sequence[Listed], read: ByKey, first: int = _FIRST_ROWS) -> Iterator[Stored]:
    """Read these rows when they are needed, except those that are read already. RowMovedError if one was moved."""
    begin = 0
    for power in count():
        group = listed[begin : begin + min(first << power, _MOST_AT_ONCE)]
        if not group:
            return
        yield from _read(group, read)
        begin += len(group)


def _read(listed: Sequence[Listed], read: ByKey) -> Iterator[Stored]:
    """Read these rows, in their order."""
    left = [each.key for each in listed if each.key not in read]
    found = rows.read_visible(left)
    if found is None:
        raise RowMovedError
    both = {**dict(zip(left, found, strict=True)), **read}
    return (both[each.key] for each in listed)


def _scope(wanted: Wanted, keys: Collection[str] | None) -> str:
    """The metric of a directory, for a packed row has one metric only. Empty for all: each chunk has all metrics."""
    return next(iter(keys)) if wanted.series.moved and keys is not None and len(keys) == 1 else ""


def _state(wanted: Wanted) -> str:
    """Names the rows and their edits."""
    series = wanted.series
    return f"rows.{series.batches}.{series.moved}.{series.edited_us}"


def _is_until(covered: Covered, row: Stored) -> bool:
    return row.batch is None or row.batch.accepted_us <= covered.until_us


def _is_visible(row: Stored) -> bool:
    return row.generation is None or all(row.homes.get(batch.hash) == row.generation for batch in row.packed_batches())


def _read_chosen(found: Found, low: int | None, high: int | None) -> list[Stored] | None:
    """The rows with steps in the window. None if one was moved, or if reading all costs less."""
    chosen = [each for each in found.listed if (low is None or each.high >= low) and (high is None or each.low <= high)]
    if len(chosen) * _WORTH_A_PART > len(found.listed):
        return None
    try:
        return list(_read(chosen, found.read))
    except RowMovedError:
        return None
