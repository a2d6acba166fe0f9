"""All points of an iteration, wherever they lie: in the chunks of their batches, or moved into packed rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import compress
from typing import Any, NamedTuple

from chalicelib import ids
from chalicelib.storage.points import chunk
from chalicelib.storage.points.codec import Batch, Content, Stretch
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.keys import Key, Span

# Up to here a Query for each key reads less than one over everything.
MOST_SPANS = 4
_NAMES = ["PK", "SK", "at", "points", "low", "high", "edition", "home"]
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
_NO_BATCH = Batch("", 0)


class Stored(NamedTuple):
    """A row with points, closed: where it is, between which steps its points lie, its bytes.

    `batch`: of a chunk. `generation`: of a packed row. `homes`: where the points of moved chunks are.
    """

    place: Key
    low: int
    high: int
    edition: int | None
    points: bytes
    batch: Batch | None
    generation: str | None
    homes: Mapping[str, str]

    def open(self, only: Collection[str] | None = None) -> Content:
        """The points that count, or those of some keys. DamagedData, naming the row."""
        content = self.open_whole(only)
        if self.generation is None:
            return content
        counts = [self.homes.get(batch.digest) == self.generation for batch in content.batches]
        return content if all(counts) else Content(content.batches, dict(_only(content, counts)))

    def open_whole(self, only: Collection[str] | None = None) -> Content:
        """Like `open`, with the points that do not count (yet): their chunk does not name this packed row."""
        return chunk.open_points(self.place, self.points, self.batch or _NO_BATCH, only)

    def packed_batches(self) -> Sequence[Batch]:
        """The batches from which points were packed into this row, whether they count here or not."""
        return self.open_whole(()).batches


class Rows(NamedTuple):
    """What one pass over an iteration found: rows with points, and where the points of moved chunks are."""

    stored: Sequence[Stored]
    homes: Mapping[str, str]


def read_rows(iteration_id: str, only: Collection[str] | None = None) -> Rows:
    """Every row with points. With `only`, packed rows of other keys may be missing.

    Chunks are read before packed rows: what is moved in between is seen once, as a chunk or, if that was seen bare, in
    the packed row that had been written before.
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


def rows_of_batch(iteration_id: str, batch_digest: str) -> list[Stored]:
    """The rows in which points of this batch are: its chunk, or the packed rows to which they were moved."""
    chunk_key = keys.chunk(iteration_id, batch_digest)
    for row in item.raw_rows(Span(chunk_key.pk, chunk_key.sk, chunk_key.sk), _NAMES):
        if "home" in row:
            return [each for each in read_rows(iteration_id).stored if each.generation == row["home"]["S"]]
        if "points" in row:
            return [_stored(row, {})]
    return []


def read_stretches(
    iteration_id: str,
    only: Collection[str] | None = None,
    *,
    moved: bool = True,
    without: Collection[Batch] = (),
    low: int | None = None,
    high: int | None = None,
) -> dict[str, list[tuple[Sequence[Batch], Stretch]]]:
    """By key, all stretches of an iteration, but for the chunks of the batches in `without`.

    `moved`: whether there are packed rows, among which those of some keys can be picked. Rows that lie altogether
    below `low` or above `high` stay closed.
    """
    found: dict[str, list[tuple[Sequence[Batch], Stretch]]] = {}
    for row in read_rows(iteration_id, only if moved else None).stored:
        inside = (low is None or row.high >= low) and (high is None or row.low <= high)
        if inside and (row.batch is None or row.batch not in without):
            content = row.open(only)
            for key, stretch in content.series.items():
                found.setdefault(key, []).append((content.batches, stretch))
    return found


def _spans(iteration_id: str, only: Collection[str] | None) -> list[Span]:
    if only is None or len(only) > MOST_SPANS:
        return [keys.points_span(iteration_id)]
    packed = [keys.packed_span(iteration_id, ids.digest(key)) for key in sorted(only)]
    return [keys.chunks_span(iteration_id), *packed]


def _stored(row: Mapping[str, Any], homes: Mapping[str, str]) -> Stored:
    place = Key(row["PK"]["S"], row["SK"]["S"])
    is_chunk = place.sk.startswith(keys.CHUNK)
    return Stored(
        place=place,
        low=int(row["low"]["N"]) if "low" in row else INT64_MIN,
        high=int(row["high"]["N"]) if "high" in row else INT64_MAX,
        edition=int(row["edition"]["N"]) if "edition" in row else None,
        points=row["points"]["B"],
        batch=Batch(keys.batch_of_chunk(place.sk), int(row["at"]["N"])) if is_chunk else None,
        generation=None if is_chunk else keys.generation_of_packed(place.sk),
        homes=homes,
    )


def _only(content: Content, counts: Sequence[bool]) -> Iterator[tuple[str, Stretch]]:
    for key, stretch in content.series.items():
        places = list(compress(range(len(stretch.columns)), map(counts.__getitem__, stretch.batches)))
        if places:
            ordinals = [stretch.ordinals[at] for at in places]
            yield key, Stretch(stretch.columns.take(places), ordinals, [stretch.batches[at] for at in places])
