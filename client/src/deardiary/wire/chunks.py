"""Decoding of stored points, by the server and by the client: docs/metric-format.md describes the form byte by byte.

A row has the points of one batch, or points of many batches. Points that a compaction moved into a packed row are
visible only if their batch names the generation of that row.
"""

from __future__ import annotations

import base64
import struct
import zlib
from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import NamedTuple

from deardiary.wire.column_codec import WORD, decode_integers, decode_values
from deardiary.wire.columns import Columns

MAGIC = b"DDC"
ONE_BATCH, MANY_BATCHES = 1, 2
_COLUMNS = {ONE_BATCH: 3, MANY_BATCHES: 5}
# A packed item has at most 400 KB. 10,000 keys of 1,000 bytes with a point each take 10 MB unpacked.
MAX_INFLATED = 32 * 2**20
_HEAD = len(MAGIC) + 1 + 4
COUNT = struct.Struct(">I")
KEY = struct.Struct(">HI")
BATCH = struct.Struct(">15sQ")


class DamagedData(Exception):
    """The stored bytes differ from those that were written."""


class Batch(NamedTuple):
    """The hash of a batch's id, and when the server accepted it: µs since 1970, unique within an iteration."""

    hash: str
    accepted_us: int


@dataclass(slots=True)
class Slice:
    """Points of one key, each with the number of its batch and its index among all points of that batch."""

    columns: Columns
    ordinals: Sequence[int]
    batches: Sequence[int]


class Content(NamedTuple):
    """The decoded points of a row: slices by key; the batch numbers in them are indices into `batches`."""

    batches: Sequence[Batch]
    series: dict[str, Slice]

    def visible(self, generation: str, homes: Mapping[str, str]) -> Content:
        """The points of a packed row whose batch names its generation in `homes`."""
        counts = [homes.get(batch.hash) == generation for batch in self.batches]
        return self if all(counts) else Content(self.batches, dict(self._only(counts)))

    def _only(self, counts: Sequence[bool]) -> Iterator[tuple[str, Slice]]:
        for key, piece in self.series.items():
            indices = list(compress(range(len(piece.columns)), map(counts.__getitem__, piece.batches)))
            if indices:
                ordinals = [piece.ordinals[index] for index in indices]
                yield key, Slice(piece.columns.take(indices), ordinals, [piece.batches[index] for index in indices])


Part = tuple["Sequence[Batch]", Slice]


def in_order(parts: Sequence[Part]) -> Columns:
    """The points of one key in the order of step, then time, then arrival.

    Batches mostly arrive in that order. Otherwise four stable sorts take less memory than one sort of tuples.
    """
    whole = Columns.empty()
    filled = [part for part in parts if len(part[1].columns)]
    filled.sort(key=lambda part: part[1].columns.steps[0])
    for _, piece in filled:
        whole.extend(piece.columns)
    if whole.is_ascending():
        return whole
    ordinals = array("q", (ordinal for _, piece in filled for ordinal in piece.ordinals))
    arrivals = array("q", (batches[number].accepted_us for batches, piece in filled for number in piece.batches))
    order = sorted(range(len(whole)), key=ordinals.__getitem__)
    for column in (arrivals, whole.times, whole.steps):
        order.sort(key=column.__getitem__)
    return whole.take(order)


def unpack(data: bytes, batch: Batch, only: Collection[str] | None = None) -> Content:
    """Decode points, or those of the keys in `only`. `batch` applies to version 1, which does not store it.

    DamagedData if the bytes differ from those that were packed.
    """
    version, body = open_frame(data)
    try:
        counts, start = read_keys(body)
        batches: Sequence[Batch] = (batch,)
        if version == MANY_BATCHES:
            batches, start = _read_batches(body, start)
    except (struct.error, UnicodeDecodeError) as error:
        raise DamagedData(f"its head is not well-formed: {error}") from None
    total = sum(counts.values())
    if len(body) != start + _COLUMNS[version] * WORD * total:
        raise DamagedData("its columns do not have the length that its head says")
    columns = [body[start + index * WORD * total :][: WORD * total] for index in range(_COLUMNS[version])]
    return Content(batches, dict(_slices(counts, columns, only)))


def _slices(counts: dict[str, int], columns: list[bytes], only: Collection[str] | None) -> Iterator[tuple[str, Slice]]:
    start = 0
    for key, count in counts.items():
        stop = start + count
        if only is None or key in only:
            points = Columns(
                decode_integers(columns[0], start, stop),
                decode_integers(columns[1], start, stop),
                decode_values(columns[2], start, stop),
            )
            if len(columns) == _COLUMNS[ONE_BATCH]:
                yield key, Slice(points, range(start, stop), bytes(count))
            else:
                yield key, Slice(points, *(decode_integers(column, start, stop) for column in columns[3:]))
        start = stop


def inflate(packed: bytes) -> bytes:
    """Decompress with zlib. DamagedData for damage, and for more bytes than the server ever packs."""
    stream = zlib.decompressobj()
    try:
        body = stream.decompress(packed, MAX_INFLATED)
    except zlib.error as error:
        raise DamagedData(f"cannot be unpacked: {error}") from error
    if not stream.eof:
        raise DamagedData(f"ends too early, or has more than {MAX_INFLATED} bytes unpacked")
    return body


def open_frame(data: bytes) -> tuple[int, bytes]:
    version = data[3] if len(data) >= _HEAD and data[:3] == MAGIC else None
    if version not in _COLUMNS:
        raise DamagedData("not a chunk of a version known here")
    packed = data[_HEAD:]
    if COUNT.unpack(data[4:_HEAD])[0] != checksum(version, packed):
        raise DamagedData("checksum does not match")
    return version, inflate(packed)


def checksum(version: int, packed: bytes) -> int:
    """Seed the checksum with the version (version 1: with 0), so that one cannot be read as the other."""
    return zlib.crc32(packed, 0 if version == ONE_BATCH else version)


def read_keys(body: bytes) -> tuple[dict[str, int], int]:
    (number,) = COUNT.unpack_from(body, 0)
    counts, offset = {}, COUNT.size
    for _ in range(number):
        length, points = KEY.unpack_from(body, offset)
        offset += KEY.size
        counts[body[offset : offset + length].decode()] = points
        offset += length
    return counts, offset


def _read_batches(body: bytes, start: int) -> tuple[list[Batch], int]:
    (number,) = COUNT.unpack_from(body, start)
    start += COUNT.size
    offsets = range(start, start + number * BATCH.size, BATCH.size)
    batches = [BATCH.unpack_from(body, offset) for offset in offsets]
    return [Batch(_to_text(hashed), accepted_us) for hashed, accepted_us in batches], start + number * BATCH.size


def _to_text(hashed: bytes) -> str:
    return base64.b32hexencode(hashed).decode().lower()
