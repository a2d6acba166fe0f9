"""A page of stored points as bytes, which docs/metric-format.md describes: the server encodes, the client decodes."""

import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from deardiary.wire.chunks import Batch, DamagedData

MAGIC = b"DDP\x01"
LENGTH = struct.Struct(">I")
_START = len(MAGIC) + LENGTH.size
# Upper bounds of what a row, and a moved batch, add to the head.
ROW_BYTES, MOVED_BYTES, HEAD_BYTES = 64, 64, 1024


class StoredRow(NamedTuple):
    """A row as it is stored: either the batch of a chunk, or the generation of a packed row."""

    points: bytes
    batch: Batch | None
    generation: str | None


class PointsPage(NamedTuple):
    """Stored rows, the generation that each moved batch names, and the cursor of the next page, None at the end."""

    rows: Sequence[StoredRow]
    homes: Mapping[str, str]
    next_cursor: str | None


def decode_page(data: bytes) -> PointsPage:
    """Decode a page; the rows stay encoded. DamagedData if it is not a page of a known version, or incomplete."""
    if data[: len(MAGIC)] != MAGIC:
        raise DamagedData("not a page of stored points of a version known here")
    try:
        end = _START + LENGTH.unpack_from(data, len(MAGIC))[0]
        head = json.loads(data[_START:end])
        homes = {batch_hash: generation for generation, hashes in head["moved"].items() for batch_hash in hashes}
        rows = list(_rows(head["rows"], memoryview(data)[end:]))
        return PointsPage(rows, homes, head["next_cursor"])
    except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedData(f"the page of stored points is not well-formed: {error}") from None


def _rows(described: Iterable[Sequence[int | str]], rest: memoryview) -> Iterable[StoredRow]:
    start = 0
    for size_bytes, *of in described:
        stop = start + int(size_bytes)
        batch = Batch(str(of[0]), int(of[1])) if len(of) > 1 else None
        yield StoredRow(bytes(rest[start:stop]), batch, None if batch else str(of[0]))
        start = stop
    if start != len(rest):
        raise ValueError(f"{len(rest)} bytes of rows in place of {start}")
