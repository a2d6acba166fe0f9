"""Wide iterations: those with so many metrics that writing all summaries costs much more than writing a point of each.

Their summaries are in a row of their own, SUMMARIES, and SERIES only announces batches. Many batches are merged at
once, in one transaction of both rows. Until then a reader adds the points of the announced batches, from their chunks.
docs/decisions/0019-wide-iterations.md has the reasons.
"""

from __future__ import annotations

from collections.abc import Collection, ItemsView, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

from pynamodb.attributes import BinaryAttribute, NumberAttribute

from chalicelib import ids
from chalicelib.storage.points import chunk, rows, summary
from chalicelib.storage.points.codec import Batch
from chalicelib.storage.points.summary import PackedSummaries, Summary
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.chunks import in_order

_NAMES = ["version", "digests", "at", "points", "home"]
_HASH_CHARACTERS = 10
# Of those that are remembered. One more set only makes the estimate of the size too high.
_MOST_KEY_SETS = 8
# In place of SUMMARIES while nothing is merged.
_NO_ROW: Mapping[str, Any] = {"version": {"N": "0"}}


class SummariesRow(Item, discriminator="summaries"):
    """`version`: that of SERIES with which this row was written."""

    version = NumberAttribute()
    summaries = BinaryAttribute(attr_name="digests", legacy_encoding=False)


class Wide(NamedTuple):
    """What SERIES knows of the summaries that it does not hold.

    `summaries_version`: that of SUMMARIES, 0 without the row. `merged_us`: no merged batch is later. `size_bytes`: at
    least the size of the summaries with those of the announced batches. `key_sets`: hashes of sets of keys in it.
    """

    summaries_version: int = 0
    merged_us: int = 0
    size_bytes: int = 0
    key_sets: tuple[str, ...] = ()

    @classmethod
    def of(cls, stored: Sequence[Any]) -> Wide:
        version, merged_us, size_bytes, key_sets = stored
        return cls(version, merged_us, size_bytes, tuple(key_sets))

    def with_keys(self, names: Collection[str]) -> Wide:
        """Count these keys, unless a batch with the same ones is counted."""
        own = ids.hash_texts(*sorted(names))[:_HASH_CHARACTERS]
        if own in self.key_sets:
            return self
        size_bytes = self.size_bytes + summary.size_of_summaries(names)
        return self._replace(size_bytes=size_bytes, key_sets=(*self.key_sets, own)[-_MOST_KEY_SETS:])


class Unread(Mapping[str, Summary]):
    """In place of summaries that were not read: to use them is an error of the program."""

    def __getitem__(self, key: str) -> Summary:
        raise RuntimeError("The summaries of this wide iteration were not read")

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("The summaries of this wide iteration were not read")

    def __len__(self) -> int:
        raise RuntimeError("The summaries of this wide iteration were not read")


UNREAD = Unread()


class Current(Mapping[str, Summary]):
    """The summaries of all stored points: `merged`, and those of the announced batches that have a chunk.

    The chunks are decoded when a summary is first needed. `counted`: the hashes of batches that `merged` has, although
    they may be announced.
    """

    def __init__(
        self,
        merged: Mapping[str, Summary],
        chunks: Mapping[Batch, bytes],
        iteration_id: str,
        counted: Collection[str] = (),
    ) -> None:
        self.merged, self._chunks, self._iteration_id, self.counted = merged, chunks, iteration_id, counted

    def has(self, batch: Batch) -> bool:
        """True if the points of this announced batch are in the summaries."""
        return batch in self._chunks or batch.hash in self.counted

    @cached_property
    def parts(self) -> dict[Batch, dict[str, Summary]]:
        """The summaries of each of these batches, in the order of arrival."""
        return {batch: self._part(batch) for batch in sorted(self._chunks, key=lambda each: each.accepted_us)}

    def _part(self, batch: Batch) -> dict[str, Summary]:
        row_key, points = keys.chunk(self._iteration_id, batch.hash), self._chunks[batch]
        single = chunk.open_one_point_each(row_key, points)
        if single is not None:
            return {key: Summary(*(value,) * 4, 1, step, time, step, time) for key, step, time, value in single}
        content = chunk.open_points(row_key, points, batch)
        return {key: Summary.of(piece.columns) for key, piece in content.series.items() if len(piece.columns)}

    @cached_property
    def _whole(self) -> dict[str, Summary]:
        whole = dict(self.merged.items())
        for part in self.parts.values():
            whole |= summary.merged(whole, part)
        return whole

    def __getitem__(self, key: str) -> Summary:
        return self._whole[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole)

    def __len__(self) -> int:
        return len(self._whole)

    def items(self) -> ItemsView[str, Summary]:
        return self._whole.items()


class Apart(NamedTuple):
    """Where the summaries of a wide iteration are, as SERIES says."""

    summaries_version: int
    announced: Collection[Batch]


def read(wanted: Mapping[str, Apart], *, consistent: bool = True) -> dict[str, Current | None]:
    """The summaries by iteration. None if the rows do not fit SERIES: it was written since it was read."""
    row_keys = {each: keys.summaries(each) for each, of in wanted.items() if of.summaries_version}
    chunk_keys = {each: [keys.chunk(each, batch.hash) for batch in of.announced] for each, of in wanted.items()}
    found = item.raw_many([*row_keys.values(), *chain(*chunk_keys.values())], _NAMES, consistent=consistent)
    return {
        each: _current(each, of, found.get(row_keys[each]) if each in row_keys else _NO_ROW, found)
        for each, of in wanted.items()
    }


def _current(
    iteration_id: str, wanted: Apart, row: Mapping[str, Any] | None, found: Mapping[Key, Mapping[str, Any]]
) -> Current | None:
    if row is None or int(row["version"]["N"]) != wanted.summaries_version:
        return None
    rows_of = {batch: found.get(keys.chunk(iteration_id, batch.hash), {}) for batch in wanted.announced}
    # A chunk of another time was merged under an earlier announcement.
    own = {batch: of for batch, of in rows_of.items() if "at" in of and int(of["at"]["N"]) == batch.accepted_us}
    if any("home" in of for of in own.values()):
        # Only merged batches are moved into packed rows.
        return None
    chunks = {batch: of["points"]["B"] for batch, of in own.items() if "points" in of}
    merged = PackedSummaries(row["digests"]["B"]) if "digests" in row else {}
    return Current(merged, chunks, iteration_id)


def count(iteration_id: str) -> Current:
    """The summaries of all stored points, as if all their batches were merged."""
    found = rows.read_rows(iteration_id)
    columns = {key: in_order(parts) for key, parts in rows.open_slices(found.stored).items()}
    counted = {key: Summary.of(each) for key, each in columns.items() if len(each)}
    return Current(counted, {}, iteration_id, {*found.homes, *(row.batch.hash for row in found.stored if row.batch)})


def put(iteration_id: str, version: int, summaries: Mapping[str, Summary], write: Transaction) -> bytes:
    """Write SUMMARIES, in the transaction that writes SERIES. Return the summaries as they are stored."""
    packed = summary.pack_summaries(summaries)
    write.replace(SummariesRow(*keys.summaries(iteration_id), version=version, summaries=packed))
    return packed
