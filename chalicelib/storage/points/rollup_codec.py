"""The binary form of a rollup: docs/metric-format.md describes it byte by byte."""

from __future__ import annotations

import struct
import zlib
from array import array
from collections.abc import Sequence

from chalicelib.columns import encode_integers, encode_values
from chalicelib.storage.points.codec import DamagedData, inflate
from deardiary.wire.column_codec import WORD, decode_integers, decode_values

_MAGIC = b"DDR\x01"
_CHECKSUM = struct.Struct(">I")
_HEAD = len(_MAGIC) + _CHECKSUM.size
_SIZES = struct.Struct(">IBB")


def pack_columns(integers: Sequence[Sequence[int]], values: Sequence[array[float]]) -> bytes:
    """Encode columns of one length."""
    head = _SIZES.pack(len(integers[0]), len(integers), len(values))
    columns = [*(encode_integers([each]) for each in integers), *(encode_values([each]) for each in values)]
    packed = zlib.compress(b"".join([head, *columns]))
    return _MAGIC + _CHECKSUM.pack(zlib.crc32(packed)) + packed


def unpack_columns(data: bytes) -> tuple[list[array[int]], list[array[float]]]:
    """Decode the result of `pack_columns`. DamagedData for other bytes, and for those of a version unknown here."""
    packed = data[_HEAD:]
    if data[:_HEAD] != _MAGIC + _CHECKSUM.pack(zlib.crc32(packed)):
        raise DamagedData("not a rollup of a version known here, or altered")
    body = inflate(packed)
    count, integers, values = _SIZES.unpack_from(body)
    size = WORD * count
    columns = [body[_SIZES.size + number * size :][:size] for number in range(integers + values)]
    return (
        [decode_integers(column, 0, count) for column in columns[:integers]],
        [decode_values(column, 0, count) for column in columns[integers:]],
    )
