"""Chunks: one row per batch of points. Its key is derived from batch_id, so a retry always finds the first attempt.

Compaction moves the points of small chunks into packed rows, one metric key in each. The chunk stays without points and
names the generation of packed rows that has them. Points in a packed row are visible only if their chunk names that
row's generation; one conditional write of the chunk commits the move.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import accumulate
from typing import NamedTuple

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib import ids
from chalicelib.columns import Columns
from chalicelib.errors import Conflict, InvalidPayload
from chalicelib.storage.points import codec, recent
from chalicelib.storage.points.codec import Batch, Content, Slice
from chalicelib.storage.table import conditional, item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.transaction import Transaction

# DynamoDB limits an item to 400 KB; the rest is for the keys and the other attributes.
MAX_BYTES = 390_000


class PointsRow(Item):
    """Attributes of chunks and packed rows: points, their lowest and highest step, the number of edits."""

    points = BinaryAttribute(legacy_encoding=False, null=True)
    low = NumberAttribute(null=True)
    high = NumberAttribute(null=True)
    edition = NumberAttribute(null=True)


class ChunkRow(PointsRow, discriminator="chunk"):
    accepted_us = NumberAttribute(attr_name="at")
    # Generation of the packed rows that have the points.
    home = UnicodeAttribute(null=True)
    # Answer to the batch, kept since the first change of its points.
    receipt = BinaryAttribute(legacy_encoding=False, null=True)
    # The number of printed lines in the batch.
    line_count = NumberAttribute(attr_name="lines", null=True)
    # True: the announcement of this time was dropped; no chunk may be put under it.
    dropped = BooleanAttribute(null=True)
    # The batches announced around this one: see `recent.py`.
    recent = BinaryAttribute(legacy_encoding=False, null=True)


class PackedRow(PointsRow, discriminator="packed"):
    """Points of one key from many batches."""


class Receipt(NamedTuple):
    """The number of points of a batch, and the highest step of each key."""

    accepted: int
    last_step: Mapping[str, int]


class Chunk(NamedTuple):
    """A stored batch. With `home` and no content, its points are in that generation of packed rows."""

    batch: Batch
    content: Content | None
    home: str | None
    receipt: Receipt | None
    line_count: int | None = None


def put_chunk(
    iteration_id: str, batch: Batch, series: dict[str, Columns], line_count: int | None = None, others: bytes = b""
) -> Chunk:
    """Store a batch. Conflict if it is stored or dropped already; InvalidPayload if it does not fit into an item."""
    row = row_of_batch(iteration_id, batch, series, line_count, others)
    with conditional.otherwise(Conflict):
        row.save(_is_free(batch.accepted_us))
    return as_sent(batch, series, line_count)


def add_chunk(row: ChunkRow, write: Transaction) -> None:
    """Store a batch in a transaction. Conflict like `put_chunk`."""
    write.put(row, Conflict, _is_free(int(row.accepted_us)))


def row_of_batch(
    iteration_id: str, batch: Batch, series: dict[str, Columns], line_count: int | None = None, others: bytes = b""
) -> ChunkRow:
    """Pack a batch. InvalidPayload if it does not fit into an item. `others`: the batches announced around it."""
    points = codec.pack_batch(series)
    if len(points) > MAX_BYTES:
        raise InvalidPayload(
            f"The batch takes {len(points)} bytes packed, at most {MAX_BYTES} fit; send it in two", field="metrics"
        )
    row = ChunkRow(*keys.chunk(iteration_id, batch.hash), accepted_us=batch.accepted_us, points=points)
    row.low, row.high = bounds(series.values())
    row.line_count = line_count
    row.recent = recent.if_free(others, len(points))
    return row


def as_sent(batch: Batch, series: dict[str, Columns], line_count: int | None = None) -> Chunk:
    """The chunk of a batch that this process has just packed: decoding it again would cost more."""
    starts = accumulate((len(each) for each in series.values()), initial=0)
    pieces = {
        key: Slice(each, range(start, start + len(each)), bytes(len(each)))
        for (key, each), start in zip(series.items(), starts, strict=False)
    }
    return Chunk(batch, Content((batch,), pieces), None, None, line_count)


def drop_batch(iteration_id: str, batch: Batch) -> None:
    """Block this announcement for later chunks. Conflict if its chunk is stored, or if it is dropped already."""
    row = ChunkRow(*keys.chunk(iteration_id, batch.hash), accepted_us=batch.accepted_us, dropped=True)
    with conditional.otherwise(Conflict):
        row.save(_is_free(batch.accepted_us))


def find_chunk(iteration_id: str, batch_hash: str) -> Chunk | None:
    return open_chunk(item.find(ChunkRow, keys.chunk(iteration_id, batch_hash)))


def find_stored(iteration_id: str, batches: Iterable[Batch]) -> set[Batch]:
    """Those of these batches that have a chunk."""
    wanted = {keys.chunk(iteration_id, each.hash): each for each in batches}
    found = item.raw_many(wanted, ["at", "dropped"])
    is_stored = {key: "dropped" not in row and int(row["at"]["N"]) for key, row in found.items()}
    return {each for key, each in wanted.items() if is_stored.get(key) == each.accepted_us}


def open_chunk(row: ChunkRow | None) -> Chunk | None:
    """Decode a chunk; None for a dropped batch. DamagedData, naming the chunk, if its bytes were altered."""
    return None if row is None or row.dropped else _open(row)


def _open(row: ChunkRow) -> Chunk:
    batch = Batch(keys.batch_of_chunk(row.sk), int(row.accepted_us))
    content = None if row.points is None else open_points(row.key, row.points, batch)
    receipt = None if row.receipt is None else _read_receipt(row.receipt)
    return Chunk(batch, content, row.home, receipt, None if row.line_count is None else int(row.line_count))


def open_points(key: Key, points: bytes, batch: Batch, only: Iterable[str] | None = None) -> Content:
    """Decode the points of a row, or of the keys in `only`. DamagedData names the row."""
    try:
        return codec.unpack(points, batch, None if only is None else frozenset(only))
    except codec.DamagedData as error:
        raise codec.DamagedData(f"{key.pk} {key.sk}: {error}") from None


def open_one_point_each(key: Key, points: bytes) -> list[tuple[str, int, int, float]] | None:
    """Decode a batch with one point of each key, None of other points. DamagedData names the row."""
    try:
        return codec.one_point_each(points)
    except codec.DamagedData as error:
        raise codec.DamagedData(f"{key.pk} {key.sk}: {error}") from None


def put_packed(iteration_id: str, key: str, generation: str, part: int, content: Content) -> Key:
    row_key = keys.packed(iteration_id, ids.hash_text(key), generation, part)
    row = PackedRow(*row_key, points=codec.pack(content))
    row.low, row.high = bounds(piece.columns for piece in content.series.values())
    # One process writes a generation, so an existing row is an earlier attempt of this put whose answer was lost. A
    # point in it may have been edited since then: keep it.
    with suppress(Conflict), conditional.otherwise(Conflict):
        row.save(PackedRow.pk.does_not_exist())
    return row_key


def move_chunk(key: Key, edition: int | None, generation: str) -> None:
    """Remove the points from a chunk and name the generation of packed rows that has them.

    Conflict if another process moved or changed the chunk since it was read.
    """
    row = ChunkRow(*key)
    leave: list[Action] = [each.remove() for each in (ChunkRow.points, ChunkRow.low, ChunkRow.high, ChunkRow.edition)]
    try:
        with conditional.otherwise(Conflict):
            row.update([ChunkRow.home.set(generation), *leave], ChunkRow.points.exists() & _same_edition(edition))
    except Conflict:
        # The condition also fails if the first attempt succeeded, its answer was lost and the SDK repeated it.
        stored = item.find(ChunkRow, key)
        if stored is None or stored.home != generation:
            raise


def replace_points(key: Key, edition: int | None, content: Content, write: Transaction) -> None:
    """Overwrite the points of a row in a transaction. Conflict if another request changed them since they were read."""
    row = ChunkRow(*key) if key.sk.startswith(keys.CHUNK) else PackedRow(*key)
    low, high = bounds(piece.columns for piece in content.series.values())
    row.points = codec.pack(content)
    if len(row.points) > MAX_BYTES:
        raise InvalidPayload("With this change the chunk of the point takes more than fits into an item", field="value")
    actions: list[Action] = [
        PointsRow.points.set(row.points),
        PointsRow.edition.set((edition or 0) + 1),
        PointsRow.low.remove() if low is None else PointsRow.low.set(low),
        PointsRow.high.remove() if high is None else PointsRow.high.set(high),
    ]
    write.update(row, actions, PointsRow.points.exists() & _same_edition(edition), Conflict)


def keep_receipt(iteration_id: str, batch_hash: str, receipt: Receipt) -> None:
    """Keep the first answer to a batch, so that a retry gets the same one after its points change."""
    row = ChunkRow(*keys.chunk(iteration_id, batch_hash))
    packed = zlib.compress(json.dumps([receipt.accepted, dict(receipt.last_step)]).encode())
    with conditional.otherwise(Conflict):
        row.update([ChunkRow.receipt.set(ChunkRow.receipt | packed)], ChunkRow.pk.exists())


def bounds(columns: Iterable[Columns]) -> tuple[int | None, int | None]:
    """The lowest and the highest step, None for both without points."""
    found = [(min(each.steps), max(each.steps)) for each in columns if len(each)]
    if not found:
        return None, None
    return min(low for low, _ in found), max(high for _, high in found)


def _is_free(accepted_us: int) -> Condition:
    """Condition: no row exists, or only the mark of a dropped announcement from before this time."""
    dropped_before = (ChunkRow.dropped == True) & (ChunkRow.accepted_us < accepted_us)  # noqa: E712
    free: Condition = ChunkRow.pk.does_not_exist() | dropped_before
    return free


def _same_edition(edition: int | None) -> Condition:
    same: Condition = PointsRow.edition.does_not_exist() if edition is None else PointsRow.edition == edition
    return same


def _read_receipt(packed: bytes) -> Receipt:
    return Receipt(*json.loads(codec.inflate(packed)))
