"""The summary of a series in nine numbers, and the binary form of all summaries of an iteration."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping
from functools import lru_cache, partial
from typing import NamedTuple

from chalicelib.columns import Columns
from chalicelib.storage.points.codec import DamagedData, inflate
from deardiary.wire.shapes import MetricSummary

INTERLEAVED, PLAIN, VERSION = 1, 2, 3
_NUMBERS = struct.Struct("<4dq4q")
_HEAD, _NAME = struct.Struct(">I"), struct.Struct(">H")
_REMEMBERED_BYTES = 4096


class Summary(NamedTuple):
    """Summary of one series. min and max ignore NaN unless every value is NaN. Merging is exact.

    The fields are in the order of `_NUMBERS`.
    """

    first: float
    last: float
    min: float
    max: float
    # Hides the method `count` of tuples, which no caller uses here.
    count: int  # type: ignore[assignment]
    first_step: int
    first_time: int
    last_step: int
    last_time: int

    @classmethod
    def of(cls, columns: Columns) -> Summary:
        """Summarise at least one point. first and last are by step, then time, then arrival (order of the columns)."""
        first, last = 0, len(columns) - 1
        if not columns.is_ascending():
            order = sorted(range(len(columns)), key=lambda index: (columns.steps[index], columns.times[index]))
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

    def merge(self, later: Summary) -> Summary:
        """Merge the summaries of two batches; `later` arrived after this one."""
        first = later if (later.first_step, later.first_time) < (self.first_step, self.first_time) else self
        last = self if (later.last_step, later.last_time) < (self.last_step, self.last_time) else later
        return first._replace(
            last=last.last,
            last_step=last.last_step,
            last_time=last.last_time,
            min=_extreme(min, self.min, later.min),
            max=_extreme(max, self.max, later.max),
            count=self.count + later.count,
        )

    def meets(self, other: Summary) -> bool:
        """True if both start, or both end, at the same step and time, so that order of arrival decides the value."""
        return (self.first_step, self.first_time) == (other.first_step, other.first_time) or (
            (self.last_step, self.last_time) == (other.last_step, other.last_time)
        )

    def to_wire(self) -> MetricSummary:
        return MetricSummary(
            first=self.first,
            last=self.last,
            min=self.min,
            max=self.max,
            count=self.count,
            last_step=self.last_step,
        )


def merged(summaries: Mapping[str, Summary], later: Mapping[str, Summary]) -> dict[str, Summary]:
    """Those of `later`, each merged with that of its key in `summaries`."""
    return {key: summaries[key].merge(each) if key in summaries else each for key, each in later.items()}


# `Summary._make` in a third of its time (`benchmarks.read_speed`: 20 summaries of a thousand iterations).
_summary = partial(tuple.__new__, Summary)


def pack_summaries(summaries: Mapping[str, Summary]) -> bytes:
    """Encode a version byte, then by zlib: the length of all names in bytes (u32), the names, and 72 bytes a name.

    A name is its length in bytes (u16) and UTF-8. zlib more than halves a row that each batch writes twice: the keys of
    an iteration share steps and times, and a falling curve has its extremes at its ends.
    """
    return bytes([VERSION]) + zlib.compress(_body(summaries))


def size_of_summaries(names: Iterable[str]) -> int:
    """The most bytes that `pack_summaries` returns for these keys, without zlib's overhead on incompressible data."""
    return 1 + _HEAD.size + sum(_NAME.size + len(name.encode()) + _NUMBERS.size for name in names)


def unpack_summaries(data: bytes) -> dict[str, Summary]:
    return dict(PackedSummaries(data).items())


class PackedSummaries(Mapping[str, Summary]):
    """The result of `pack_summaries`, decoded a key at a time: readers of thousands of rows mostly need one key."""

    def __init__(self, data: bytes) -> None:
        """DamagedData if `pack_summaries` did not write these bytes, or in an unknown version."""
        self._data = body = _open(data)
        if len(body) < _HEAD.size:
            raise DamagedData("a summary without a head")
        self._start = _HEAD.size + _HEAD.unpack_from(body)[0]
        self._positions = _positions(body[_HEAD.size : self._start])
        if len(body) != self._start + len(self._positions) * _NUMBERS.size:
            raise DamagedData("a summary that does not have the length that its head says")

    def __getitem__(self, key: str) -> Summary:
        offset = self._start + self._positions[key] * _NUMBERS.size
        return Summary._make(_NUMBERS.unpack_from(self._data, offset))

    def __iter__(self) -> Iterator[str]:
        return iter(self._positions)

    def __len__(self) -> int:
        return len(self._positions)

    def items(self) -> ItemsView[str, Summary]:
        numbers = _NUMBERS.iter_unpack(memoryview(self._data)[self._start :])
        return dict(zip(self._positions, map(_summary, numbers), strict=True)).items()


def _body(summaries: Mapping[str, Summary]) -> bytes:
    names = b"".join(_NAME.pack(len(name)) + name for name in map(str.encode, summaries))
    return _HEAD.pack(len(names)) + names + b"".join(_NUMBERS.pack(*one) for one in summaries.values())


def _open(data: bytes) -> bytes:
    version, rest = data[0] if data else None, data[1:]
    if version == VERSION:
        return inflate(rest)
    if version == PLAIN:
        return rest
    if version == INTERLEAVED:
        return _columns_of(data)
    raise DamagedData("not a summary of a version known here")


def _positions(names: bytes) -> Mapping[str, int]:
    """Decode a block of names: each key with its position. Cached: iterations of an experiment mostly share theirs."""
    return _remembered(names) if len(names) <= _REMEMBERED_BYTES else _read_names(names)


def _read_names(names: bytes) -> dict[str, int]:
    found: dict[str, int] = {}
    offset = 0
    while offset < len(names):
        start = offset + _NAME.size
        offset = start + int.from_bytes(names[offset:start], "big")
        found[names[start:offset].decode()] = len(found)
    return found


_remembered = lru_cache(256)(_read_names)


def _columns_of(data: bytes) -> bytes:
    """Convert the body of version 1, in which each name precedes its own numbers."""
    summaries: dict[str, Summary] = {}
    offset = 1
    while offset < len(data):
        end = offset + _NAME.size + int.from_bytes(data[offset : offset + _NAME.size], "big")
        summaries[data[offset + _NAME.size : end].decode()] = Summary._make(_NUMBERS.unpack_from(data, end))
        offset = end + _NUMBERS.size
    return _body(summaries)


def _extreme(pick: Callable[[float, float], float], one: float, other: float) -> float:
    if math.isnan(one):
        return other
    return one if math.isnan(other) else pick(one, other)
