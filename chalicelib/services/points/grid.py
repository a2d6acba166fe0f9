"""A grid that many curves share, as pure functions: equal buckets of steps or of times, and what falls into each."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple


class Grid(NamedTuple):
    """Buckets over the whole numbers from `low` to `high`, both included; none of them is empty of numbers."""

    low: int
    high: int
    buckets: int

    @classmethod
    def over(cls, low: int, high: int, most: int) -> Grid:
        """At most this many buckets. With as many as there are numbers, each number has its own."""
        return cls(low, high, min(most, high - low + 1))

    def start(self, index: int) -> int:
        """The first number of a bucket, rounded up from its exact edge."""
        return self.low - (-index * (self.high - self.low + 1) // self.buckets)

    def starts(self) -> list[int]:
        return [self.start(index) for index in range(self.buckets)]

    def bucket_of(self, x: int) -> int:
        """The bucket of a number; of one outside of the grid, the nearest."""
        exact = (x - self.low) * self.buckets // (self.high - self.low + 1)
        return max(0, min(self.buckets - 1, exact))


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


def bucketed(xs: Sequence[int], values: array[float], grid: Grid) -> Bucketed:
    """Put the points into the buckets. `xs` ascend; points outside of the grid count in the nearest bucket."""
    last, low, high = _nothing(grid), _nothing(grid), _nothing(grid)
    found = Bucketed(last, low, high, [0] * grid.buckets, [0] * grid.buckets)
    start = 0
    while start < len(xs):
        index = grid.bucket_of(xs[start])
        is_last = index == grid.buckets - 1
        stop = len(xs) if is_last else bisect_left(xs, grid.start(index + 1), start)
        _put(found, index, values[start:stop])
        start = stop
    return found


def _nothing(grid: Grid) -> list[float | None]:
    return [None] * grid.buckets


def _put(found: Bucketed, index: int, values: array[float]) -> None:
    numbers = [value for value in values if value == value]
    found.count[index] = len(values)
    found.nan[index] = len(values) - len(numbers)
    if numbers:
        found.last[index] = numbers[-1]
        found.min[index] = min(numbers)
        found.max[index] = max(numbers)
