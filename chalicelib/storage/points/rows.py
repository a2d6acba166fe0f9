"""All points of an iteration, from the chunks of their batches and from packed rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import compress
from typing import Any, NamedTuple

from chalicelib import ids
from chalicelib.storage.points import chunk
from chalicelib.storage.points.codec import Batch, Content, Slice
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.keys import Key, Span
from deardiary.wire import limits

# Up to this many keys, one Query a key reads less than one Query over all rows.
MOST_SPANS = 4
_NAMES = ["PK", "SK", "at", "points", "low", "high", "edition", "home"]
INT64_MIN, INT64_MAX = limits.MIN_STEP, limits.MAX_STEP
_NO_BATCH = Batch("", 0)


class Stored(NamedTuple):
    """A row whose points are not decoded yet: its key, the lowest and highest step, its bytes.

    Only chunks have a `batch`, only packed rows a `generation`. `homes`: the generation of each moved batch.
    """

    key: Key
    low: int
    high: int
    edition: int | None
    points: bytes
    batch: Batch | None
    generation: str | None
    homes: Mapping[str, str]

    def open(self, only: Collection[str] | None = None) -> Content:
        """Decode the visible points, or those of some keys. DamagedData names the row."""
        content = self.open_whole(only)
        if self.generation is None:
            return content
        counts = [self.homes.get(batch.hash) == self.generation for batch in content.batches]
        return content if all(counts) else Content(content.batches, dict(_only(content, counts)))

    def open_whole(self, only: Collection[str] | None = None) -> Content:
        """Like `open`, with the points that are not visible: their chunk does not name this generation, or not yet."""
        return chunk.open_points(self.key, self.points, self.batch or _NO_BATCH, only)

    def packed_batches(self) -> Sequence[Batch]:
        """The batches of all points in this row, visible or not."""
        return self.open_whole(()).batches


class Rows(NamedTuple):
    """The result of one pass over an iteration: rows with points, and the generation of each moved batch."""

    stored: Sequence[Stored]
    homes: Mapping[str, str]


def read_rows(iteration_id: str, only: Collection[str] | None = None) -> Rows:
    """Read every row with points. With `only`, packed rows of other keys may be missing.

    Chunks are read before packed rows, and a move writes packed rows before it changes the chunk. So a batch that moves
    during the read is seen once: in its chunk, or in the packed rows that the chunk names.
    """
    homes: dict[str, str] = {}
    stored = []
    for span in _spans(iteration_id, only):
        for row in item.raw_rows(span, _NAMES):
            if "home" in row:
                homes[keys.batch_of_chunk(row["SK"]["S"])] = row["home"]["S"]
            elif "points" in row:
                stored.append(_stored(row, homes))
    return Rows(stored, homes)


def rows_of_batch(iteration_id: str, batch_hash: str) -> list[Stored]:
    """Find the rows that may have points of this batch: its chunk, or all packed rows of the generation it names."""
    chunk_key = keys.chunk(iteration_id, batch_hash)
    for row in item.raw_rows(Span(chunk_key.pk, chunk_key.sk, chunk_key.sk), _NAMES):
        if "home" in row:
            return [each for each in read_rows(iteration_id).stored if each.generation == row["home"]["S"]]
        if "points" in row:
            return [_stored(row, {})]
    return []


def remove_rows(rows: Iterable[Stored]) -> None:
    item.delete_items(row.key for row in rows)


def read_slices(
    iteration_id: str,
    only: Collection[str] | None = None,
    *,
    moved: bool = True,
    without: Collection[Batch] = (),
    low: int | None = None,
    high: int | None = None,
) -> dict[str, list[tuple[Sequence[Batch], Slice]]]:
    """Read all slices of an iteration by key, except the chunks of the batches in `without`.

    `moved`: True if the iteration has packed rows; then `only` selects among them. Rows with all steps below `low` or
    above `high` are not decoded.
    """
    found: dict[str, list[tuple[Sequence[Batch], Slice]]] = {}
    for row in read_rows(iteration_id, only if moved else None).stored:
        inside = (low is None or row.high >= low) and (high is None or row.low <= high)
        if inside and (row.batch is None or row.batch not in without):
            content = row.open(only)
            for key, piece in content.series.items():
                found.setdefault(key, []).append((content.batches, piece))
    return found


def _spans(iteration_id: str, only: Collection[str] | None) -> list[Span]:
    if only is None or len(only) > MOST_SPANS:
        return [keys.points_span(iteration_id)]
    packed = [keys.packed_span(iteration_id, ids.hash_text(key)) for key in sorted(only)]
    return [keys.chunks_span(iteration_id), *packed]


def _stored(row: Mapping[str, Any], homes: Mapping[str, str]) -> Stored:
    key = Key(row["PK"]["S"], row["SK"]["S"])
    is_chunk = key.sk.startswith(keys.CHUNK)
    return Stored(
        key=key,
        low=int(row["low"]["N"]) if "low" in row else INT64_MIN,
        high=int(row["high"]["N"]) if "high" in row else INT64_MAX,
        edition=int(row["edition"]["N"]) if "edition" in row else None,
        points=row["points"]["B"],
        batch=Batch(keys.batch_of_chunk(key.sk), int(row["at"]["N"])) if is_chunk else None,
        generation=None if is_chunk else keys.generation_of_packed(key.sk),
        homes=homes,
    )


def _only(content: Content, counts: Sequence[bool]) -> Iterator[tuple[str, Slice]]:
    for key, piece in content.series.items():
        indices = list(compress(range(len(piece.columns)), map(counts.__getitem__, piece.batches)))
        if indices:
            ordinals = [piece.ordinals[index] for index in indices]
            yield key, Slice(piece.columns.take(indices), ordinals, [piece.batches[index] for index in indices])
