"""Compaction: move the points of many small chunks into few packed rows, one key in each.

Readers see exactly the same points before, during and after it (see `storage/points/chunk.py`). Write the packed rows
first; they are invisible until named. Then each chunk, in one conditional write, drops its points and names those rows.
A compaction that dies in between leaves unnamed packed rows; a later compaction removes them.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace

from chalicelib import ids
from chalicelib.aws.threads import in_threads
from chalicelib.columns import Columns
from chalicelib.errors import Conflict, NotFound, Overtaken, Unavailable
from chalicelib.services.points.merging import STALE_AFTER, now_us
from chalicelib.storage import series as storage
from chalicelib.storage.points import chunk
from chalicelib.storage.points import rows as points
from chalicelib.storage.points.codec import Batch, Content, Slice
from chalicelib.storage.points.rows import Rows, Stored
from chalicelib.storage.points.wide import UNREAD
from chalicelib.storage.reads.summaries import read_current
from chalicelib.storage.series import Series
from deardiary.wire.shapes import Iteration

# The price of a move grows with the size of the chunk: a large chunk costs more to move than its readers save.
SMALL_BYTES = 2048
ENOUGH_AT_END = 64
ENOUGH_WHEN_READ = 256
MOST_AT_ONCE = 1000
# An incompressible point has 24 bytes; an item holds at most 400 KB.
POINTS_PER_ROW = 15_000


def compact_if_many(iteration: Iteration, enough: int, series: Series | None = None) -> None:
    """Compact if at least `enough` small chunks may exist. A conflict or an overload only postpones the work."""
    try:
        if _may_have(iteration, series or storage.read_series(iteration.experiment_id, iteration.id), enough):
            compact(iteration, enough)
    except (NotFound, Overtaken, Unavailable):
        return


def compact(iteration: Iteration, enough: int) -> int:
    """Return the number of chunks moved. Overtaken if another process has the lease, NotFound without the iteration."""
    lease, bare = _acquire_lease(iteration)
    moved = 0
    try:
        rows = points.read_rows(iteration.id)
        bare = len(rows.homes)
        # Read the series after the rows: a batch with a chunk but no announcement is then merged.
        small = _small(rows, storage.read_series(iteration.experiment_id, iteration.id))
        moved = _move(iteration, small) if len(small) >= enough else 0
        _remove_left_behind(iteration.id, rows)
    finally:
        _release_lease(iteration, lease, bare + moved)
    return moved


def _acquire_lease(iteration: Iteration) -> tuple[int, int]:
    """The lease, and the number of bare chunks when it was acquired. Overtaken while another process holds it.

    The lease prevents duplicate work, and lets a deletion wait for the writes of a compaction.
    """
    # The clock counts milliseconds: random microseconds distinguish leases of the same millisecond.
    lease = now_us() + secrets.randbelow(1000)

    def acquire(series: Series) -> Series | None:
        if series.compacting == lease:
            # An earlier attempt stored the lease, and its answer was lost.
            return None
        if series.compacting is not None and lease - series.compacting <= STALE_AFTER:
            raise Overtaken
        return replace(series, compacting=lease)

    return lease, storage.change_series(iteration.experiment_id, iteration.id, acquire).moved


def _release_lease(iteration: Iteration, lease: int, bare: int) -> None:
    """Release the lease and store the number of bare chunks: a total, so that a repeated write changes nothing."""

    def release(series: Series) -> Series:
        return replace(series, compacting=None if series.compacting == lease else series.compacting, moved=bare)

    storage.change_series(iteration.experiment_id, iteration.id, release)


def _may_have(iteration: Iteration, series: Series, enough: int) -> bool:
    """Estimate from the SERIES row: chunks that are not moved yet, and the average number of points in a batch."""
    if series.batches - series.moved < enough:
        return False
    if series.summaries is UNREAD:
        series = read_current(iteration.experiment_id, iteration.id)
    count = sum(each.count for each in series.summaries.values())
    return count / series.batches * 8 < SMALL_BYTES


def _small(rows: Rows, series: Series) -> list[Stored]:
    """The oldest small chunks that are merged into the summaries."""
    small = [
        row
        for row in rows.stored
        if row.batch is not None and row.batch not in series.unmerged and len(row.points) <= SMALL_BYTES
    ]
    return sorted(small, key=_arrival)[:MOST_AT_ONCE]


def _move(iteration: Iteration, small: Sequence[Stored]) -> int:
    generation = ids.new_id()
    for key, contents in _by_key(small).items():
        for part, content in enumerate(contents):
            chunk.put_packed(iteration.id, key, generation, part, content)
    return sum(in_threads(lambda row: _move_one(row, generation), small))


def _move_one(row: Stored, generation: str) -> bool:
    """Move one chunk. False if another process changed or moved it first."""
    try:
        chunk.move_chunk(row.key, row.edition, generation)
    except Conflict:
        return False
    return True


def _by_key(small: Sequence[Stored]) -> dict[str, list[Content]]:
    """The contents of the packed rows by key, in the order of arrival."""
    gathered: dict[str, _Gathering] = {}
    for row in small:
        content = row.open()
        for key, piece in content.series.items():
            gathered.setdefault(key, _Gathering()).add(content.batches, piece)
    return {key: list(each.contents(key)) for key, each in gathered.items()}


class _Gathering:
    """The points of one key, collected from many chunks."""

    def __init__(self) -> None:
        self._numbers: dict[Batch, int] = {}
        self._columns = Columns.empty()
        self._ordinals: list[int] = []
        self._batches: list[int] = []

    def add(self, batches: Sequence[Batch], piece: Slice) -> None:
        self._columns.extend(piece.columns)
        self._ordinals.extend(piece.ordinals)
        numbers = [self._numbers.setdefault(batch, len(self._numbers)) for batch in batches]
        self._batches.extend(numbers[number] for number in piece.batches)

    def contents(self, key: str) -> Iterator[Content]:
        table = list(self._numbers)
        for start in range(0, len(self._columns), POINTS_PER_ROW):
            part = slice(start, start + POINTS_PER_ROW)
            piece = Slice(self._columns.take(part), self._ordinals[part], self._batches[part])
            yield Content(table, {key: piece})


def _remove_left_behind(iteration_id: str, before: Rows) -> None:
    """Remove packed rows that no chunk names or can name later, even if their suspended writer resumes."""
    if _unnamed(before):
        points.remove_rows(row for row in _unnamed(points.read_rows(iteration_id)) if _is_superseded(row))


def _unnamed(rows: Rows) -> list[Stored]:
    named = set(rows.homes.values())
    return [row for row in rows.stored if row.generation is not None and row.generation not in named]


def _is_superseded(row: Stored) -> bool:
    """True if each packed chunk names other rows, else False. A chunk names its packed rows once, for good."""
    return all(batch.hash in row.homes for batch in row.packed_batches())


def _arrival(row: Stored) -> int:
    return row.batch.accepted_us if row.batch else 0
