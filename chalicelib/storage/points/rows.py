"""All points of an iteration, from the chunks of their batches and from packed rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, dropwhile
from typing import Any, NamedTuple

from chalicelib import ids
from chalicelib.paging import bad_cursor
from chalicelib.storage.points import chunk, recent
from chalicelib.storage.points.codec import Batch, Content, Slice
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.keys import Key, Span
from deardiary.wire import limits
from deardiary.wire.points_page import MOVED_BYTES, ROW_BYTES

# Up to this many keys, one Query a key reads less than one Query over all rows.
MOST_SPANS = 4
_NAMES = ["PK", "SK", "at", "points", "low", "high", "edition", "home"]
INT64_MIN, INT64_MAX = limits.MIN_STEP, limits.MAX_STEP
# DynamoDB ends the answer of a Query after 1 MB. A page reads at most this many, however few of their rows it keeps.
_ANSWER_BYTES, _MOST_ANSWERS = 2**20, 16
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
        return content if self.generation is None else content.visible(self.generation, self.homes)

    def open_whole(self, only: Collection[str] | None = None) -> Content:
        """Like `open`, with the points that are not visible: their chunk does not name this generation, or not yet."""
        return chunk.open_points(self.key, self.points, self.batch or _NO_BATCH, only)

    def packed_batches(self) -> Sequence[Batch]:
        """The batches of all points in this row, visible or not."""
        return self.open_whole(()).batches


ByKey = Mapping[Key, Stored]


class Rows(NamedTuple):
    """The result of one pass over an iteration: rows with points, and the generation of each moved batch.

    `moved_us`: when the moved batches were accepted.
    """

    stored: Sequence[Stored]
    homes: Mapping[str, str]
    moved_us: Sequence[int] = ()


class RowsPage(NamedTuple):
    """Part of the rows of an iteration, and the sort key after which the next part begins, None at the end."""

    stored: Sequence[Stored]
    homes: Mapping[str, str]
    last_sk: str | None


def read_rows(iteration_id: str, only: Collection[str] | None = None) -> Rows:
    """Read every row with points. With `only`, packed rows of other keys may be missing.

    Chunks are read before packed rows, and a move writes packed rows before it changes the chunk. So a batch that moves
    during the read is seen once: in its chunk, or in the packed rows that the chunk names.
    """
    homes: dict[str, str] = {}
    moved_us: list[int] = []
    stored: list[Stored] = []
    for row in chain.from_iterable(item.raw_rows(span, _NAMES) for span in _spans(iteration_id, only)):
        found = _take(row, homes)
        if found:
            stored.append(found)
        elif "home" in row:
            moved_us.append(int(row["at"]["N"]))
    return Rows(stored, homes, moved_us)


def read_rows_page(
    iteration_id: str,
    only: Collection[str] | None,
    after: str | None,
    most_bytes: int,
    wanted: Callable[[Stored], bool] = lambda _: True,
) -> RowsPage:
    """Read the rows in the order of `read_rows`, from a sort key on, and keep those that are wanted.

    All pages together show each batch once, like one call of `read_rows`, if their `homes` are merged. A page ends with
    the answer of a Query, so that no row is read twice, unless one answer alone has more than `most_bytes`.
    """
    homes: dict[str, str] = {}
    stored: list[Stored] = []
    size, last_sk = 0, after
    for number, (answer, has_more) in enumerate(_answers(iteration_id, only, after), 1):
        for row in answer:
            found = _take(row, homes)
            if found and wanted(found):
                size += len(found.points) + ROW_BYTES
                if size > most_bytes and stored:
                    return RowsPage(stored, homes, last_sk)
                stored.append(found)
            last_sk = row["SK"]["S"]
        is_full = size + MOVED_BYTES * len(homes) + _ANSWER_BYTES > most_bytes or number >= _MOST_ANSWERS
        # After the last row of a span the next page has to reach the next span: this cursor would stay the same.
        if has_more and is_full and last_sk != after:
            return RowsPage(stored, homes, last_sk)
    return RowsPage(stored, homes, None)


def rows_of_batch(iteration_id: str, batch_hash: str) -> list[Stored]:
    """Find the rows that may have points of this batch: its chunk, or all packed rows of the generation it names."""
    chunk_key = keys.chunk(iteration_id, batch_hash)
    for row in item.raw_rows(Span(chunk_key.pk, chunk_key.sk, chunk_key.sk), _NAMES):
        if "home" in row:
            return [each for each in read_rows(iteration_id).stored if each.generation == row["home"]["S"]]
        if "points" in row:
            return [_stored(row, {})]
    return []


class Arrived(NamedTuple):
    """The chunk of a batch: when it was accepted, and the batches announced around it.

    `stored`: None if a compaction moved its points.
    """

    accepted_us: int
    stored: Stored | None
    others: Sequence[str]


def find_arrived(iteration_id: str, batch_hashes: Collection[str], *, edited: bool) -> dict[str, Arrived]:
    """The chunks of these batches, as far as they have any.

    Unless they may be `edited`, reads at half the units, and again what that missed: only an edit changes the points.
    """
    found = _arrived(iteration_id, batch_hashes, consistent=edited)
    missed = [each for each in batch_hashes if each not in found]
    return found | (_arrived(iteration_id, missed, consistent=True) if missed and not edited else {})


def _arrived(iteration_id: str, batch_hashes: Collection[str], *, consistent: bool) -> dict[str, Arrived]:
    wanted = {keys.chunk(iteration_id, each): each for each in batch_hashes}
    rows = item.raw_many(wanted, [*_NAMES[2:], "dropped", "recent"], consistent=consistent)
    return {
        wanted[key]: Arrived(
            int(row["at"]["N"]),
            _stored(row, {}) if "points" in row else None,
            recent.hashes(row["recent"]["B"]) if "recent" in row else (),
        )
        for key, row in rows.items()
        if "dropped" not in row
    }


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
    return open_slices(
        read_rows(iteration_id, only if moved else None).stored, only, without=without, low=low, high=high
    )


def read_visible(wanted: Sequence[Key]) -> list[Stored] | None:
    """These rows, of which all points are visible. None if one of them has no points: it was moved."""
    found = item.raw_many(wanted, _NAMES[2:])
    if not all("points" in found.get(key, {}) for key in wanted):
        return None
    return [_stored(found[key], {})._replace(generation=None) for key in wanted]


def open_slices(
    stored: Iterable[Stored],
    only: Collection[str] | None = None,
    *,
    without: Collection[Batch] = (),
    low: int | None = None,
    high: int | None = None,
) -> dict[str, list[tuple[Sequence[Batch], Slice]]]:
    """Like `read_slices`, of rows that are read already."""
    found: dict[str, list[tuple[Sequence[Batch], Slice]]] = {}
    for row in stored:
        inside = (low is None or row.high >= low) and (high is None or row.low <= high)
        if inside and (row.batch is None or row.batch not in without):
            content = row.open(only)
            for key, piece in content.series.items():
                found.setdefault(key, []).append((content.batches, piece))
    return found


def _answers(
    iteration_id: str, only: Collection[str] | None, after: str | None
) -> Iterator[tuple[list[dict[str, Any]], bool]]:
    """The rows of each Query, from a sort key on, and True if there are more. InvalidPayload for a foreign sort key."""
    spans = _spans(iteration_id, only)
    start = None
    if after is not None:
        spans = list(dropwhile(lambda span: not span.first <= after <= span.last, spans))
        if not spans:
            raise bad_cursor()
        start = {"PK": {"S": spans[0].pk}, "SK": {"S": after}}
    for number, span in enumerate(spans, 1):
        for rows, following in item.raw_answers(span, _NAMES, start=start):
            yield rows, bool(following) or number < len(spans)
        start = None


def _spans(iteration_id: str, only: Collection[str] | None) -> list[Span]:
    if only is None or len(only) > MOST_SPANS:
        return [keys.points_span(iteration_id)]
    packed = [keys.packed_span(iteration_id, ids.hash_text(key)) for key in sorted(only)]
    return [keys.chunks_span(iteration_id), *packed]


def _take(row: Mapping[str, Any], homes: dict[str, str]) -> Stored | None:
    """The row if it has points. The generation that a moved chunk names is added to `homes`."""
    if "home" in row:
        homes[keys.batch_of_chunk(row["SK"]["S"])] = row["home"]["S"]
        return None
    return _stored(row, homes) if "points" in row else None


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
