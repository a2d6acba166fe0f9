"""Compaction: the points of many small chunks move into few packed rows, one key in each.

Exactly the same points are there before, meanwhile and after (see `storage/points/chunk.py`): first the packed rows are
written, which count for nothing yet; then each chunk, in one conditional write, gives up its points and names them.
A compaction that dies in between leaves packed rows that nothing names; a later one removes them.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace

from chalicelib import ids
from chalicelib.aws.threads import in_threads
from chalicelib.columns import Columns
from chalicelib.errors import Conflict, NotFound, Unavailable
from chalicelib.services.points.batch import STALE_AFTER, now_us
from chalicelib.storage import deletion
from chalicelib.storage import series as storage
from chalicelib.storage.points import chunk
from chalicelib.storage.points import rows as points
from chalicelib.storage.points.codec import Batch, Content, Stretch
from chalicelib.storage.points.rows import Rows, Stored
from chalicelib.storage.series import Overtaken, Series
from deardiary.wire.shapes import Iteration

# Moving a chunk costs what it weighs: a heavy one would cost more than it ever gives back.
SMALL_BYTES = 2048
ENOUGH_AT_END = 64
ENOUGH_WHEN_READ = 256
MOST_AT_ONCE = 1000
# Incompressible points take 24 bytes; an item takes 400 KB.
POINTS_PER_ROW = 15_000


def compact_if_many(where: Iteration, enough: int, series: Series | None = None) -> None:
    """Move small chunks if at least so many may be there. Whatever comes between only puts it off."""
    try:
        if _may_have(series or storage.read_series(where.experiment_id, where.id), enough):
            compact(where, enough)
    except (NotFound, Overtaken, Unavailable):
        return


def compact(where: Iteration, enough: int) -> int:
    """How many chunks were moved. Overtaken when somebody else is at it, NotFound when the iteration is gone."""
    lease, bare = _take_lease(where)
    moved = 0
    try:
        rows = points.read_rows(where.id)
        bare = len(rows.homes)
        # Read after the rows: a batch whose chunk is among them and that is not announced here has been folded.
        small = _small(rows, storage.read_series(where.experiment_id, where.id))
        moved = _move(where, small) if len(small) >= enough else 0
        _remove_left_behind(where.id, rows)
    finally:
        _release_lease(where, lease, bare + moved)
    return moved


def _take_lease(where: Iteration) -> tuple[int, int]:
    """The lease, and how many chunks were bare when it was taken. Overtaken while another process has it.

    The lease keeps two processes from the same work, and lets a deletion wait for what is being written here.
    """
    # The clock counts milliseconds: the rest tells leases of the same moment apart.
    lease = now_us() + secrets.randbelow(1000)

    def take(series: Series) -> Series | None:
        if series.compacting == lease:
            # An earlier attempt stored it, and its answer was lost.
            return None
        if series.compacting is not None and lease - series.compacting <= STALE_AFTER:
            raise Overtaken
        return replace(series, compacting=lease)

    return lease, storage.change_series(where.experiment_id, where.id, take).moved


def _release_lease(where: Iteration, lease: int, bare: int) -> None:
    """Store how many chunks are bare: a total, which stays the same when this is done twice."""

    def release(series: Series) -> Series:
        return replace(series, compacting=None if series.compacting == lease else series.compacting, moved=bare)

    storage.change_series(where.experiment_id, where.id, release)


def _may_have(series: Series, enough: int) -> bool:
    """By what the row knows: how many chunks are not moved yet, and how many points a batch has on average."""
    if series.batches - series.moved < enough:
        return False
    count = sum(digest.count for digest in series.digests.values())
    return count / series.batches * 8 < SMALL_BYTES


def _small(rows: Rows, series: Series) -> list[Stored]:
    """The oldest small chunks, but for those that are not in the digests yet."""
    small = [
        row
        for row in rows.stored
        if row.batch is not None and row.batch not in series.unfolded and len(row.points) <= SMALL_BYTES
    ]
    return sorted(small, key=_arrival)[:MOST_AT_ONCE]


def _move(where: Iteration, small: Sequence[Stored]) -> int:
    generation = ids.new_id()
    for key, contents in _by_key(small).items():
        for part, content in enumerate(contents):
            chunk.put_packed(where.id, key, generation, part, content)
    return sum(in_threads(lambda row: _give_up(row, generation), small))


def _give_up(row: Stored, generation: str) -> bool:
    """False when another process changed or moved the chunk, which then stays as it is."""
    try:
        chunk.move_chunk(row.place, row.edition, generation)
    except Conflict:
        return False
    return True


def _by_key(small: Sequence[Stored]) -> dict[str, list[Content]]:
    """What goes into packed rows, key by key, in the order of arrival."""
    gathered: dict[str, _Gathering] = {}
    for row in small:
        content = row.open()
        for key, stretch in content.series.items():
            gathered.setdefault(key, _Gathering()).add(content.batches, stretch)
    return {key: list(each.contents(key)) for key, each in gathered.items()}


class _Gathering:
    """The points of one key, as they are gathered."""

    def __init__(self) -> None:
        self._numbers: dict[Batch, int] = {}
        self._columns = Columns.empty()
        self._ordinals: list[int] = []
        self._batches: list[int] = []

    def add(self, batches: Sequence[Batch], stretch: Stretch) -> None:
        self._columns.extend(stretch.columns)
        self._ordinals.extend(stretch.ordinals)
        numbers = [self._numbers.setdefault(batch, len(self._numbers)) for batch in batches]
        self._batches.extend(numbers[number] for number in stretch.batches)

    def contents(self, key: str) -> Iterator[Content]:
        table = list(self._numbers)
        for start in range(0, len(self._columns), POINTS_PER_ROW):
            here = slice(start, start + POINTS_PER_ROW)
            stretch = Stretch(self._columns.take(here), self._ordinals[here], self._batches[here])
            yield Content(table, {key: stretch})


def _remove_left_behind(iteration_id: str, before: Rows) -> None:
    """Remove packed rows that no chunk names, and that none can name later, however long their writer is suspended."""
    if _unnamed(before):
        deletion.delete_items([row.place for row in _unnamed(points.read_rows(iteration_id)) if _is_superseded(row)])


def _unnamed(rows: Rows) -> list[Stored]:
    named = set(rows.homes.values())
    return [row for row in rows.stored if row.generation is not None and row.generation not in named]


def _is_superseded(row: Stored) -> bool:
    """Whether each chunk packed into this row names other rows by now: a chunk names packed rows once, for good."""
    return all(batch.digest in row.homes for batch in row.packed_batches())


def _arrival(row: Stored) -> int:
    return row.batch.at if row.batch else 0
