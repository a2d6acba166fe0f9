"""A grid that many curves share, as pure functions: equal buckets of steps or of times, and what falls into each.

The width of a bucket is a power of two, and its edges are multiples of it. So each bucket of a coarse grid consists of
whole buckets of a finer one, and a curve that is stored on a fine grid answers exactly for every coarser grid.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from itertools import chain
from operator import add
from typing import NamedTuple

# Added to each position before the shift: with it, the highest level has one bucket for all int64.
BIAS = 1 << 63


class Grid(NamedTuple):
    """Buckets of 2^level numbers over the whole numbers from `low` to `high`, both included."""

    low: int
    high: int
    level: int

    @classmethod
    def over(cls, low: int, high: int, most: int) -> Grid:
        """At most this many buckets, and more than half as many unless each number has its own."""
        level = max(0, (high - low).bit_length() - most.bit_length())
        while (high + BIAS >> level) - (low + BIAS >> level) >= most:
            level += 1
        return cls(low, high, level)

    @property
    def first(self) -> int:
        """The bucket of `low`, counted from the lowest int64."""
        return self.low + BIAS >> self.level

    @property
    def buckets(self) -> int:
        return (self.high + BIAS >> self.level) - self.first + 1

    def start(self, index: int) -> int:
        """The first number of a bucket; of the first bucket, `low`."""
        return max(self.low, (self.first + index << self.level) - BIAS)

    def starts(self) -> list[int]:
        return [self.start(index) for index in range(self.buckets)]

    def bucket_of(self, x: int) -> int:
        """The bucket of a number; of one outside of the grid, the nearest."""
        return max(0, min(self.buckets - 1, (x + BIAS >> self.level) - self.first))


class Bucketed(NamedTuple):
    """A curve on a grid. In each bucket: its last number, least, greatest; the number of points, and of NaN in them.

    None: the bucket has no point, or only NaN.
    """

    last: list[float | None]
    min: list[float | None]
    max: list[float | None]
    # Hides the method `count` of tuples, which no caller uses here.
    count: list[int]  # type: ignore[assignment]
    nan: list[int]

    @classmethod
    def empty(cls, buckets: int) -> Bucketed:
        return cls([None] * buckets, [None] * buckets, [None] * buckets, [0] * buckets, [0] * buckets)


def bucketed(xs: Sequence[int], values: array[float], grid: Grid) -> Bucketed:
    """Put the points into the buckets. `xs` ascend; points outside of the grid count in the nearest bucket."""
    found, last_index = Bucketed.empty(grid.buckets), grid.buckets - 1
    start = 0
    while start < len(xs):
        index = grid.bucket_of(xs[start])
        stop = len(xs) if index == last_index else bisect_left(xs, grid.start(index + 1), start)
        _put(found, index, values[start:stop])
        start = stop
    return found


def coarsened(fine: Bucketed, fine_grid: Grid, grid: Grid) -> Bucketed:
    """The curve on a grid of the same or a higher level, as `bucketed` makes it from the points."""
    first = fine_grid.first
    for _ in range(grid.level - fine_grid.level):
        fine, first = _halved(fine, is_odd=first % 2 == 1), first // 2
    return _placed(fine, first - grid.first, grid.buckets)


def _halved(fine: Bucketed, *, is_odd: bool) -> Bucketed:
    """Merge each two buckets. `is_odd`: the first bucket is the second one of its pair."""
    before = Bucketed.empty(int(is_odd))
    even = _joined(before, fine, Bucketed.empty((len(fine.count) + is_odd) % 2))
    last, least, most = (list(zip(each[::2], each[1::2], strict=True)) for each in even[:3])
    return Bucketed(
        [one if other is None else other for one, other in last],
        [other if one is None or (other is not None and other < one) else one for one, other in least],
        [other if one is None or (other is not None and other > one) else one for one, other in most],
        list(map(add, even.count[::2], even.count[1::2])),
        list(map(add, even.nan[::2], even.nan[1::2])),
    )


def _placed(curve: Bucketed, begin: int, buckets: int) -> Bucketed:
    """The curve with its first bucket at `begin` of so many; buckets outside are merged into the nearest."""
    count = len(curve.count)
    front = count if buckets == 1 else max(0, min(count, 1 - begin))
    back = max(front, min(count, buckets - 1 - begin))
    before = 0 if front else min(begin, buckets - 1)
    parts = [_merged(curve, 0, front), _part(curve, front, back), _merged(curve, back, count)]
    after = buckets - before - sum(len(part.count) for part in parts)
    return _joined(Bucketed.empty(before), *parts, Bucketed.empty(after))


def _merged(curve: Bucketed, begin: int, end: int) -> Bucketed:
    """One bucket of all these, or none of none."""
    part = _part(curve, begin, end)
    while len(part.count) > 1:
        part = _halved(part, is_odd=False)
    return part


def _part(curve: Bucketed, begin: int, end: int) -> Bucketed:
    return Bucketed._make(each[begin:end] for each in curve)


def _joined(*parts: Bucketed) -> Bucketed:
    return Bucketed._make(list(chain.from_iterable(columns)) for columns in zip(*parts, strict=True))


def _put(found: Bucketed, index: int, values: array[float]) -> None:
    numbers = [value for value in values if value == value]
    found.count[index] = len(values)
    found.nan[index] = len(values) - len(numbers)
    if numbers:
        found.last[index] = numbers[-1]
        found.min[index] = min(numbers)
        found.max[index] = max(numbers)
