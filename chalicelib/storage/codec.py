"""The binary form of a chunk of points, and of a series' summary.

A chunk, version 1 (all integers big-endian in the head, little-endian in the columns):

    3 bytes   "DDC"
    1 byte    version
    4 bytes   CRC-32 of what follows
    rest      zlib of: number of keys (u32); per key its length in bytes (u16), UTF-8, number of points (u32);
              then three columns over all points, key after key: steps, times, values, each byte-shuffled.

Steps (int64) and times (int64 milliseconds since 1970) are differences to the point before, modulo 2^64; values are the
64 bits of the float. Byte-shuffling writes all first bytes, then all second bytes, and so on: neighbours in a series
share their high bytes, which zlib then finds (as in HDF5's shuffle filter).
"""

from __future__ import annotations

import math
import struct
import sys
import zlib
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import accumulate

MAGIC = b"DDC"
VERSION = 1
_MASK = (1 << 64) - 1
_SUMMARY = struct.Struct("<4dq4q")
_PREFIX = struct.Struct(">HI")


class DamagedData(Exception):
    """Stored bytes that are not what was written."""


@dataclass(slots=True)
class Columns:
    """The points of one key, in the order in which they arrived: steps, times in ms since 1970, values."""

    steps: array[int]
    times: array[int]
    values: array[float]

    @classmethod
    def empty(cls) -> Columns:
        return cls(array("q"), array("q"), array("d"))

    def append(self, step: int, time: int, value: float) -> None:
        self.steps.append(step)
        self.times.append(time)
        self.values.append(value)

    def __len__(self) -> int:
        return len(self.steps)


def pack(series: dict[str, Columns]) -> bytes:
    """The chunk that holds these series."""
    head = struct.pack(">I", len(series))
    for key, columns in series.items():
        name = key.encode()
        head += _PREFIX.pack(len(name), len(columns)) + name
    body = [head]
    body.append(_shuffle(_concatenate(_deltas(columns.steps) for columns in series.values())))
    body.append(_shuffle(_concatenate(_deltas(columns.times) for columns in series.values())))
    body.append(_shuffle(_concatenate(columns.values for columns in series.values())))
    packed = zlib.compress(b"".join(body), 6)
    return MAGIC + bytes([VERSION]) + struct.pack(">I", zlib.crc32(packed)) + packed


def unpack(data: bytes) -> dict[str, Columns]:
    """The series in a chunk, key by key. DamagedData when it is not exactly what `pack` wrote."""
    if data[:3] != MAGIC or data[3:4] != bytes([VERSION]):
        raise DamagedData("not a chunk of a version known here")
    packed = data[8:]
    if len(data) < 8 or struct.unpack(">I", data[4:8])[0] != zlib.crc32(packed):
        raise DamagedData("checksum does not match")
    body = zlib.decompress(packed)
    lengths, start = _read_keys(body)
    total = sum(lengths.values())
    size = 8 * total
    steps, times, values = (_unshuffle(body[start + at * size : start + (at + 1) * size]) for at in range(3))
    return dict(_split(lengths, _words("Q", steps), _words("Q", times), _words("d", values)))


@dataclass(frozen=True, slots=True)
class Digest:
    """One series in nine numbers; the extremes pass over NaN where there is anything else. Merging is exact."""

    first: float
    last: float
    min: float
    max: float
    count: int
    first_step: int
    first_time: int
    last_step: int
    last_time: int

    @classmethod
    def of(cls, columns: Columns) -> Digest:
        """Of at least one point. first and last are by step, then time, then arrival."""
        order = sorted(range(len(columns)), key=lambda at: (columns.steps[at], columns.times[at]))
        first, last = order[0], order[-1]
        numbers = [value for value in columns.values if not math.isnan(value)] or [columns.values[0]]
        return cls(
            first=columns.values[first],
            last=columns.values[last],
            min=min(numbers),
            max=max(numbers),
            count=len(columns),
            first_step=columns.steps[first],
            first_time=columns.times[first],
            last_step=columns.steps[last],
            last_time=columns.times[last],
        )

    def merge(self, later: Digest) -> Digest:
        """The digest of both, `later` having arrived after this one."""
        first = later if (later.first_step, later.first_time) < (self.first_step, self.first_time) else self
        last = self if (later.last_step, later.last_time) < (self.last_step, self.last_time) else later
        return replace(
            first,
            last=last.last,
            last_step=last.last_step,
            last_time=last.last_time,
            min=_extreme(min, self.min, later.min),
            max=_extreme(max, self.max, later.max),
            count=self.count + later.count,
        )


def pack_digests(digests: dict[str, Digest]) -> bytes:
    """A version byte, then per key: its length in bytes (u16), UTF-8, 72 bytes of numbers."""
    rows = [bytes([VERSION])]
    for key, one in digests.items():
        name = key.encode()
        numbers = (one.first, one.last, one.min, one.max, one.count)
        places = (one.first_step, one.first_time, one.last_step, one.last_time)
        rows.append(struct.pack(">H", len(name)) + name + _SUMMARY.pack(*numbers, *places))
    return b"".join(rows)


def size_of_digests(names: Iterable[str]) -> int:
    """How many bytes `pack_digests` makes of series with these keys."""
    return 1 + sum(2 + len(name.encode()) + _SUMMARY.size for name in names)


def unpack_digests(data: bytes) -> dict[str, Digest]:
    if data[:1] != bytes([VERSION]):
        raise DamagedData("not a summary of a version known here")
    digests, at = {}, 1
    while at < len(data):
        (length,) = struct.unpack_from(">H", data, at)
        key = data[at + 2 : at + 2 + length].decode()
        digests[key] = Digest(*_SUMMARY.unpack_from(data, at + 2 + length))
        at += 2 + length + _SUMMARY.size
    return digests


def _extreme(pick: Callable[[float, float], float], one: float, other: float) -> float:
    if math.isnan(one):
        return other
    return one if math.isnan(other) else pick(one, other)


def _deltas(column: array[int]) -> array[int]:
    before = 0
    deltas = array("Q")
    for value in column:
        deltas.append((value - before) & _MASK)
        before = value
    return deltas


def _undo_deltas(deltas: array[int]) -> array[int]:
    sums = array("Q", (total & _MASK for total in accumulate(deltas)))
    return array("q", sums.tobytes())


def _concatenate(columns: Iterable[array[int] | array[float]]) -> bytes:
    return b"".join(_little_endian(column).tobytes() for column in columns)


def _little_endian(column: array[int] | array[float]) -> array[int] | array[float]:
    if sys.byteorder == "little":
        return column
    column = column[:]
    column.byteswap()
    return column


def _shuffle(data: bytes) -> bytes:
    return b"".join(data[byte::8] for byte in range(8))


def _unshuffle(data: bytes) -> bytes:
    count = len(data) // 8
    whole = bytearray(len(data))
    for byte in range(8):
        whole[byte::8] = data[byte * count : (byte + 1) * count]
    return bytes(whole)


def _words(code: str, data: bytes) -> array[int]:
    words: array[int] = array(code, data)
    if sys.byteorder != "little":
        words.byteswap()
    return words


def _read_keys(body: bytes) -> tuple[dict[str, int], int]:
    (number,) = struct.unpack_from(">I", body, 0)
    lengths, at = {}, 4
    for _ in range(number):
        length, points = _PREFIX.unpack_from(body, at)
        at += _PREFIX.size
        lengths[body[at : at + length].decode()] = points
        at += length
    return lengths, at


def _split(
    lengths: dict[str, int], steps: array[int], times: array[int], values: array[int]
) -> Iterable[tuple[str, Columns]]:
    at = 0
    for key, points in lengths.items():
        here = slice(at, at + points)
        yield key, Columns(_undo_deltas(steps[here]), _undo_deltas(times[here]), array("d", values[here]))
        at += points
