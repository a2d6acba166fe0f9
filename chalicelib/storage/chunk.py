"""Chunks: one row per batch of points, written once. Its key is derived from batch_id, so a retry finds itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.errors import Conflict, InvalidPayload
from chalicelib.storage import codec, conditional, item, keys
from chalicelib.storage.codec import Columns, DamagedData
from chalicelib.storage.item import Item

# DynamoDB takes 400 KB an item; the rest is for the keys and the other attributes.
MAX_BYTES = 390_000


class ChunkRow(Item, discriminator="chunk"):
    batch_id = UnicodeAttribute()
    at = NumberAttribute()
    points = BinaryAttribute(legacy_encoding=False)


@dataclass(frozen=True, slots=True)
class Chunk:
    """The points of one batch, by key, and when the server took it (ms since 1970)."""

    batch_id: str
    at: int
    series: dict[str, Columns]


def put_chunk(iteration_id: str, batch_digest: str, chunk: Chunk) -> None:
    """Conflict when the batch is there already, InvalidPayload when it does not fit into an item."""
    points = codec.pack(chunk.series)
    if len(points) > MAX_BYTES:
        raise InvalidPayload(
            f"The batch takes {len(points)} bytes packed, at most {MAX_BYTES} fit; send it in two", field="metrics"
        )
    row = ChunkRow(*keys.chunk(iteration_id, batch_digest), batch_id=chunk.batch_id, at=chunk.at, points=points)
    with conditional.otherwise(Conflict):
        row.save(ChunkRow.pk.does_not_exist())


def find_chunk(iteration_id: str, batch_digest: str) -> Chunk | None:
    row = item.find(ChunkRow, keys.chunk(iteration_id, batch_digest))
    return None if row is None else open_chunk(row)


def each_chunk(iteration_id: str) -> Iterator[tuple[str, Chunk]]:
    """All chunks of an iteration with the digests of their batches."""
    for row in item.query(ChunkRow, keys.iteration_partition(iteration_id), keys.CHUNK):
        yield row.sk.removeprefix(keys.CHUNK), open_chunk(row)


def open_chunk(row: ChunkRow) -> Chunk:
    """DamagedData, naming the chunk, when its bytes are not what was written."""
    try:
        return Chunk(batch_id=row.batch_id, at=int(row.at), series=codec.unpack(row.points))
    except DamagedData as error:
        raise DamagedData(f"chunk {row.pk} {row.sk}: {error}") from None
