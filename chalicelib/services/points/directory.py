"""The directory of an ended iteration: which steps each of its chunks has, so that a window reads only its own chunks.

The key of a chunk is a hash, and tells nothing about its steps. The first reader of a window reads all chunks, and
stores the directory as a rollup. Its state names the chunks and their edits. A compaction that begins later is noticed:
a chunk of the window has no points any more, and the server reads all rows.
"""

from __future__ import annotations

import base64
import struct
from array import array
from collections.abc import Collection, Sequence

from chalicelib.services.points.rollups import Wanted
from chalicelib.storage.points import rollup as storage
from chalicelib.storage.points import rows
from chalicelib.storage.points.codec import Batch, Slice
from chalicelib.storage.points.rollup import Rollup, RollupKey
from chalicelib.storage.points.rows import Stored
from chalicelib.storage.table import conditional

# An item holds at most 400 KB; a row of the directory takes up to 32 bytes.
MOST_CHUNKS = 12_000
# A read by its key is rounded up for each chunk: with more than this part of all, reading all costs less.
_WORTH_A_PART = 2
_HASH = struct.Struct(">qq")


def read_slices(
    wanted: Wanted, keys: Collection[str], low: int | None, high: int | None
) -> dict[str, list[tuple[Sequence[Batch], Slice]]]:
    """Read the slices of these keys that may have points between two steps, None for no limit."""
    iteration_id, state = wanted.iteration.id, _state(wanted)
    if state is None or (low is None and high is None):
        return rows.read_slices(iteration_id, keys, moved=wanted.series.moved > 0, low=low, high=high)
    name = RollupKey(iteration_id, "chunk", "")
    directory = storage.read_rollups({name: state}).get(name)
    chosen = None if directory is None else _read_chosen(iteration_id, directory, low, high)
    if chosen is None:
        chosen = list(rows.read_rows(iteration_id).stored)
        if directory is None and _is_complete(chosen, wanted):
            with conditional.best_effort():
                storage.put_rollups(wanted.iteration, {name: (state, _directory(chosen))})
    return rows.open_slices(chosen, keys, low=low, high=high)


def _state(wanted: Wanted) -> str | None:
    """Names the chunks and their edits. None while they may be changing, or if some were moved into packed rows."""
    series = wanted.series
    if not wanted.has_states() or series.moved or series.compacting is not None or series.recompute:
        return None
    return f"{series.batches}.{series.edited_us}"


def _is_complete(stored: Sequence[Stored], wanted: Wanted) -> bool:
    """True for exactly the chunks of the state: none was added or moved meanwhile."""
    return len(stored) == wanted.series.batches <= MOST_CHUNKS and all(row.batch is not None for row in stored)


def _directory(stored: Sequence[Stored]) -> Rollup:
    ordered = sorted(stored, key=lambda row: (row.low, row.high))
    hashes = [_HASH.unpack(_to_bytes(row.batch.hash) + b"\0") for row in ordered if row.batch]
    columns = [[row.low for row in ordered], [row.high for row in ordered], *map(list, zip(*hashes, strict=True))]
    return Rollup(0, 0, 0, [array("q", column) for column in columns], [])


def _read_chosen(iteration_id: str, directory: Rollup, low: int | None, high: int | None) -> list[Stored] | None:
    chosen = [
        _to_text(_HASH.pack(*parts)[:-1])
        for first, last, *parts in zip(*directory.integers, strict=True)
        if (low is None or last >= low) and (high is None or first <= high)
    ]
    if len(chosen) * _WORTH_A_PART > len(directory.integers[0]):
        return None
    return rows.read_chunks(iteration_id, chosen)


def _to_bytes(batch_hash: str) -> bytes:
    return base64.b32hexdecode(batch_hash.upper())


def _to_text(hashed: bytes) -> str:
    return base64.b32hexencode(hashed).decode().lower()
