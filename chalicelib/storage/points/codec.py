"""The binary form of points: docs/metric-format.md describes it byte by byte.

Version 1 is one unchanged batch. Version 2 adds the batch of each point and its index in that batch: for points of many
batches, or edited points.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from chalicelib.columns import Columns
from chalicelib.storage.points.column_codec import WORD, decode_integers, decode_values, encode_integers, encode_values

MAGIC = b"DDC"
ONE_BATCH, MANY_BATCHES = 1, 2
_COLUMNS = {ONE_BATCH: 3, MANY_BATCHES: 5}
_LEVEL = 6
# A packed item has at most 400 KB. 10,000 keys of 1,000 bytes with a point each take 10 MB unpacked.
MAX_INFLATED = 32 * 2**20
_HEAD = len(MAGIC) + 1 + 4
_COUNT = struct.Struct(">I")
_KEY = struct.Struct(">HI")
_BATCH = struct.Struct(">15sQ")


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


def pack_batch(series: dict[str, Columns]) -> bytes:
    """Encode one batch in version 1. The order of the keys here fixes the index of each point."""
    columns = list(series.values())
    body = _keys({key: len(each) for key, each in series.items()})
    return _frame(ONE_BATCH, body + _points(columns))


def pack(content: Content) -> bytes:
    """Encode points of any batches in version 2."""
    slices = list(content.series.values())
    body = _keys({key: len(each.columns) for key, each in content.series.items()})
    body += _COUNT.pack(len(content.batches))
    body += b"".join(_BATCH.pack(_to_bytes(batch.hash), batch.accepted_us) for batch in content.batches)
    body += _points([each.columns for each in slices])
    body += encode_integers([each.ordinals for each in slices]) + encode_integers([each.batches for each in slices])
    return _frame(MANY_BATCHES, body)


def unpack(data: bytes, batch: Batch, only: Collection[str] | None = None) -> Content:
    """Decode points, or those of the keys in `only`. `batch` applies to version 1, which does not store it.

    DamagedData if the bytes differ from those that were packed.
    """
    version, body = _open(data)
    try:
        counts, start = _read_keys(body)
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


def _frame(version: int, body: bytes) -> bytes:
    packed = zlib.compress(body, _LEVEL)
    return MAGIC + bytes([version]) + _COUNT.pack(_checksum(version, packed)) + packed


def _open(data: bytes) -> tuple[int, bytes]:
    version = data[3] if len(data) >= _HEAD and data[:3] == MAGIC else None
    if version not in _COLUMNS:
        raise DamagedData("not a chunk of a version known here")
    packed = data[_HEAD:]
    if _COUNT.unpack(data[4:_HEAD])[0] != _checksum(version, packed):
        raise DamagedData("checksum does not match")
    return version, inflate(packed)


def _checksum(version: int, packed: bytes) -> int:
    """Seed the checksum with the version (version 1: with 0), so that one cannot be read as the other."""
    return zlib.crc32(packed, 0 if version == ONE_BATCH else version)


def _keys(counts: dict[str, int]) -> bytes:
    rows = [_COUNT.pack(len(counts))]
    for key, count in counts.items():
        name = key.encode()
        rows.append(_KEY.pack(len(name), count) + name)
    return b"".join(rows)


def _points(columns: Sequence[Columns]) -> bytes:
    integers = encode_integers([each.steps for each in columns]) + encode_integers([each.times for each in columns])
    return integers + encode_values([each.values for each in columns])


def _read_keys(body: bytes) -> tuple[dict[str, int], int]:
    (number,) = _COUNT.unpack_from(body, 0)
    counts, offset = {}, _COUNT.size
    for _ in range(number):
        length, points = _KEY.unpack_from(body, offset)
        offset += _KEY.size
        counts[body[offset : offset + length].decode()] = points
        offset += length
    return counts, offset


def _read_batches(body: bytes, start: int) -> tuple[list[Batch], int]:
    (number,) = _COUNT.unpack_from(body, start)
    start += _COUNT.size
    offsets = range(start, start + number * _BATCH.size, _BATCH.size)
    batches = [_BATCH.unpack_from(body, offset) for offset in offsets]
    return [Batch(_to_text(hashed), accepted_us) for hashed, accepted_us in batches], start + number * _BATCH.size


def _to_bytes(hashed: str) -> bytes:
    return base64.b32hexdecode(hashed.upper())


def _to_text(hashed: bytes) -> str:
    return base64.b32hexencode(hashed).decode().lower()
