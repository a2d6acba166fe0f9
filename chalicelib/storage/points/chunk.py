"""Chunks: one row per batch of points. Its key is derived from batch_id, so a retry finds itself, for ever.

The points of small chunks are moved into packed rows, one key in each, and only the bare chunk stays: it says in
which generation of packed rows its points are. What a packed row holds of a chunk that does not name its generation
counts for nothing, so that a move is done when its chunk says so, in that one write.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib import ids
from chalicelib.columns import Columns
from chalicelib.errors import Conflict, InvalidPayload
from chalicelib.storage.points import codec
from chalicelib.storage.points.codec import Batch, Content
from chalicelib.storage.table import conditional, item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.transaction import Transaction

# DynamoDB takes 400 KB an item; the rest is for the keys and the other attributes.
MAX_BYTES = 390_000


class PointsRow(Item):
    """What chunks and packed rows share: points, between which steps they lie, how often they were changed."""

    points = BinaryAttribute(legacy_encoding=False, null=True)
    low = NumberAttribute(null=True)
    high = NumberAttribute(null=True)
    edition = NumberAttribute(null=True)


class ChunkRow(PointsRow, discriminator="chunk"):
    at = NumberAttribute()
    # The generation of the packed rows to which the points were moved.
    home = UnicodeAttribute(null=True)
    # What the batch was answered, kept from the first change of its points on.
    receipt = BinaryAttribute(legacy_encoding=False, null=True)
    # There is no batch: its announcement of the time `at` was dropped, and no chunk may be put under it.
    dropped = BooleanAttribute(null=True)


class PackedRow(PointsRow, discriminator="packed"):
    """Points of one key from many batches."""


class Receipt(NamedTuple):
    """How many points a batch had, and the highest step of each key."""

    accepted: int
    last_step: Mapping[str, int]


class Chunk(NamedTuple):
    """A batch as it is stored. `home` and no content: its points are in that generation of packed rows."""

    batch: Batch
    content: Content | None
    home: str | None
    receipt: Receipt | None


def put_chunk(iteration_id: str, batch: Batch, series: dict[str, Columns]) -> Chunk:
    """Conflict when the batch is there already or was dropped; InvalidPayload when it does not fit into an item."""
    points = codec.pack_batch(series)
    if len(points) > MAX_BYTES:
        raise InvalidPayload(
            f"The batch takes {len(points)} bytes packed, at most {MAX_BYTES} fit; send it in two", field="metrics"
        )
    row = ChunkRow(*keys.chunk(iteration_id, batch.digest), at=batch.at, points=points)
    row.low, row.high = bounds(series.values())
    with conditional.otherwise(Conflict):
        row.save(_is_free(batch.at))
    return _open(row)


def drop_batch(iteration_id: str, batch: Batch) -> None:
    """From now on no chunk can be put under this announcement. Conflict when one was, or if it is dropped already."""
    row = ChunkRow(*keys.chunk(iteration_id, batch.digest), at=batch.at, dropped=True)
    with conditional.otherwise(Conflict):
        row.save(_is_free(batch.at))


def find_chunk(iteration_id: str, batch_digest: str) -> Chunk | None:
    return open_chunk(item.find(ChunkRow, keys.chunk(iteration_id, batch_digest)))


def open_chunk(row: ChunkRow | None) -> Chunk | None:
    """None for a dropped batch. DamagedData, naming the chunk, when its bytes are not what was written."""
    return None if row is None or row.dropped else _open(row)


def _open(row: ChunkRow) -> Chunk:
    batch = Batch(keys.batch_of_chunk(row.sk), int(row.at))
    content = None if row.points is None else open_points(row.key, row.points, batch)
    return Chunk(batch, content, row.home, None if row.receipt is None else _read_receipt(row.receipt))


def open_points(key: Key, points: bytes, batch: Batch, only: Iterable[str] | None = None) -> Content:
    """DamagedData, naming the row."""
    try:
        return codec.unpack(points, batch, None if only is None else frozenset(only))
    except codec.DamagedData as error:
        raise codec.DamagedData(f"{key.pk} {key.sk}: {error}") from None


def put_packed(iteration_id: str, key: str, generation: str, part: int, content: Content) -> Key:
    place = keys.packed(iteration_id, ids.digest(key), generation, part)
    row = PackedRow(*place, points=codec.pack(content))
    row.low, row.high = bounds(stretch.columns for stretch in content.series.values())
    # One process writes a generation: the row exists only if an earlier attempt of this put arrived, whose answer was
    # lost. A point in it may have been edited since then.
    with suppress(Conflict), conditional.otherwise(Conflict):
        row.save(PackedRow.pk.does_not_exist())
    return place


def move_chunk(place: Key, edition: int | None, generation: str) -> None:
    """Take the points out of a chunk and name the packed rows that have them.

    Conflict when another process moved or changed the chunk since it was read.
    """
    row = ChunkRow(*place)
    leave: list[Action] = [each.remove() for each in (ChunkRow.points, ChunkRow.low, ChunkRow.high, ChunkRow.edition)]
    try:
        with conditional.otherwise(Conflict):
            row.update([ChunkRow.home.set(generation), *leave], ChunkRow.points.exists() & _same_edition(edition))
    except Conflict:
        # The SDK hears this too when its first attempt succeeded and the answer was lost.
        stored = item.find(ChunkRow, place)
        if stored is None or stored.home != generation:
            raise


def replace_points(place: Key, edition: int | None, content: Content, write: Transaction) -> None:
    """Write changed points in the place of those that were read. Conflict when somebody else was faster."""
    row = ChunkRow(*place) if place.sk.startswith(keys.CHUNK) else PackedRow(*place)
    low, high = bounds(stretch.columns for stretch in content.series.values())
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


def keep_receipt(iteration_id: str, batch_digest: str, receipt: Receipt) -> None:
    """So that a retry is answered as before whatever becomes of the points; the first one kept stays."""
    row = ChunkRow(*keys.chunk(iteration_id, batch_digest))
    packed = zlib.compress(json.dumps([receipt.accepted, dict(receipt.last_step)]).encode())
    with conditional.otherwise(Conflict):
        row.update([ChunkRow.receipt.set(ChunkRow.receipt | packed)], ChunkRow.pk.exists())


def bounds(columns: Iterable[Columns]) -> tuple[int | None, int | None]:
    """The lowest and the highest step."""
    found = [(min(each.steps), max(each.steps)) for each in columns if len(each)]
    if not found:
        return None, None
    return min(low for low, _ in found), max(high for _, high in found)


def _is_free(at: int) -> Condition:
    """There is no chunk; or only the mark of a dropped announcement, which was made before the time `at`."""
    free: Condition = ChunkRow.pk.does_not_exist() | ((ChunkRow.dropped == True) & (ChunkRow.at < at))  # noqa: E712
    return free


def _same_edition(edition: int | None) -> Condition:
    same: Condition = PointsRow.edition.does_not_exist() if edition is None else PointsRow.edition == edition
    return same


def _read_receipt(packed: bytes) -> Receipt:
    return Receipt(*json.loads(codec.inflate(packed)))
