"""A series in nine numbers, and the binary form of the digests of all series of an iteration."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from chalicelib.columns import Columns
from chalicelib.storage.codec import DamagedData
from deardiary.shapes import MetricSummary

VERSION = 1
_DIGEST = struct.Struct("<4dq4q")


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
        """Of at least one point. first and last are by step, then time, then arrival: the order of the columns."""
        first, last = 0, len(columns) - 1
        if not columns.is_ascending():
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

    def summary(self) -> MetricSummary:
        return MetricSummary(
            first=self.first,
            last=self.last,
            min=self.min,
            max=self.max,
            count=self.count,
            last_step=self.last_step,
        )


def pack_digests(digests: dict[str, Digest]) -> bytes:
    """A version byte, then per key: its length in bytes (u16), UTF-8, 72 bytes of numbers."""
    rows = [bytes([VERSION])]
    for key, one in digests.items():
        name = key.encode()
        numbers = (one.first, one.last, one.min, one.max, one.count)
        places = (one.first_step, one.first_time, one.last_step, one.last_time)
        rows.append(struct.pack(">H", len(name)) + name + _DIGEST.pack(*numbers, *places))
    return b"".join(rows)


def size_of_digests(names: Iterable[str]) -> int:
    """How many bytes `pack_digests` makes of series with these keys."""
    return 1 + sum(2 + len(name.encode()) + _DIGEST.size for name in names)


def unpack_digests(data: bytes) -> dict[str, Digest]:
    return dict(PackedDigests(data).items())


class PackedDigests(Mapping[str, Digest]):
    """What `pack_digests` made, each unpacked when it is asked for: of thousands of rows mostly one key is wanted."""

    def __init__(self, data: bytes) -> None:
        """DamagedData when it is of a version that is not known here."""
        if data[:1] != bytes([VERSION]):
            raise DamagedData("not a summary of a version known here")
        self._data = data

    def __getitem__(self, key: str) -> Digest:
        name = key.encode()
        for found, at in self._names():
            if found == name:
                return Digest(*_DIGEST.unpack_from(self._data, at))
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return (name.decode() for name, _ in self._names())

    def __len__(self) -> int:
        return sum(1 for _ in self._names())

    def items(self) -> ItemsView[str, Digest]:
        digests = {name.decode(): Digest(*_DIGEST.unpack_from(self._data, at)) for name, at in self._names()}
        return digests.items()

    def _names(self) -> Iterator[tuple[bytes, int]]:
        """Each key in UTF-8, and where its numbers are."""
        data, at = self._data, 1
        while at < len(data):
            end = at + 2 + int.from_bytes(data[at : at + 2], "big")
            yield data[at + 2 : end], end
            at = end + _DIGEST.size


def _extreme(pick: Callable[[float, float], float], one: float, other: float) -> float:
    if math.isnan(one):
        return other
    return one if math.isnan(other) else pick(one, other)
