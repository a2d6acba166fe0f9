"""A curve on a grid, as pure functions, so that two parts of it can be merged in any order.

Beside the numbers of `Bucketed`, a bucket keeps which of its points is the last one: by step, time and arrival, or by
time first on an axis of times. So late points, and those of several writers, give the same curve as all at once.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice
from operator import le
from typing import NamedTuple

from chalicelib.services.points import rollups
from chalicelib.services.points.grid import BIAS, Grid
from chalicelib.storage.points.codec import Batch, Slice
from chalicelib.storage.points.rollup import Rollup

# The integer columns of a rollup without the orders.
INTEGERS = 3
_NO_POINT = (0, 0, 0, 0)
Part = tuple[Sequence[Batch], Slice]


class Bucket(NamedTuple):
    """`order`: of the last number: its step and time, or its time and step; then its arrival, and number in the batch.

    Without a number, the last three are 0.
    """

    # Hides the method `count` of tuples, which no caller uses here.
    count: int  # type: ignore[assignment]
    nan: int
    order: tuple[int, int, int, int]
    last: float
    min: float
    max: float


class Sketch(NamedTuple):
    """Buckets of 2^level positions by number, counted from the lowest int64, and the first and last position."""

    level: int
    low: int
    high: int
    buckets: dict[int, Bucket]

    def merged(self, other: Sketch) -> Sketch:
        low, high = min(self.low, other.low), max(self.high, other.high)
        level = max(self.level, other.level, Grid.over(low, high, rollups.MOST).level)
        buckets = self._at(level)
        for index, bucket in other.buckets.items():
            _put(buckets, index >> level - other.level, bucket)
        return Sketch(level, low, high, buckets)

    def _at(self, level: int) -> dict[int, Bucket]:
        if level == self.level:
            return dict(self.buckets)
        buckets: dict[int, Bucket] = {}
        for index, bucket in self.buckets.items():
            _put(buckets, index >> level - self.level, bucket)
        return buckets


def of_parts(parts: Sequence[Part], *, by_time: bool, origin: int) -> Sketch:
    """The sketch of the points of one key. There is at least one."""
    filled = [part for part in parts if len(part[1].columns)]
    positions = [part[1].columns.times if by_time else part[1].columns.steps for part in filled]
    low, high = min(map(min, positions)) - origin, max(map(max, positions)) - origin
    level = Grid.over(low, high, rollups.MOST).level
    buckets: dict[int, Bucket] = {}
    for (batches, piece), xs in zip(filled, positions, strict=True):
        for index, bucket in _buckets_of(batches, piece, xs, level, origin, by_time):
            _put(buckets, index, bucket)
    return Sketch(level, low, high, buckets)


def to_rollup(sketch: Sketch) -> Rollup:
    """All of it, for `of_rollup`."""
    made = as_rollup(sketch)
    orders = [sketch.buckets[index].order for index in sorted(sketch.buckets)]
    return made._replace(integers=[*made.integers, *(array("q", column) for column in zip(*orders, strict=True))])


def of_rollup(rollup: Rollup) -> Sketch:
    indexes, counts, nans, *orders = rollup.integers
    first = Grid(rollup.low, rollup.high, rollup.level).first
    buckets = map(Bucket, counts, nans, zip(*orders, strict=True), *rollup.values)
    numbered = {first + index: bucket for index, bucket in zip(indexes, buckets, strict=True)}
    return Sketch(rollup.level, rollup.low, rollup.high, numbered)


def as_rollup(sketch: Sketch) -> Rollup:
    """The rollup that `rollups.of_grid` makes of the same points."""
    ordered = sorted(sketch.buckets.items())
    first = Grid(sketch.low, sketch.high, sketch.level).first
    buckets = [bucket for _, bucket in ordered]
    integers = [
        array("q", (index - first for index, _ in ordered)),
        array("q", (each.count for each in buckets)),
        array("q", (each.nan for each in buckets)),
    ]
    values = [
        array("d", (each.last for each in buckets)),
        array("d", (each.min for each in buckets)),
        array("d", (each.max for each in buckets)),
    ]
    return Rollup(sketch.level, sketch.low, sketch.high, integers, values)


def _buckets_of(
    batches: Sequence[Batch], piece: Slice, xs: Sequence[int], level: int, origin: int, by_time: bool
) -> Iterator[tuple[int, Bucket]]:
    """The buckets of a part, which mostly ascends."""
    columns = piece.columns

    def order_of(index: int) -> tuple[int, int, int, int]:
        step, time = columns.steps[index], columns.times[index]
        arrival = batches[piece.batches[index]].accepted_us, piece.ordinals[index]
        return (time - origin, step, *arrival) if by_time else (step, time, *arrival)

    is_ordered = columns.is_ascending() and (not by_time or all(map(le, xs, islice(xs, 1, None))))
    order = range(len(xs)) if is_ordered else sorted(range(len(xs)), key=order_of)
    values = columns.values if is_ordered else array("d", map(columns.values.__getitem__, order))
    positions = xs if is_ordered else [xs[index] for index in order]
    start = 0
    while start < len(values):
        number = positions[start] - origin + BIAS >> level
        stop = bisect_left(positions, (number + 1 << level) - BIAS + origin, start)
        numbers = [value for value in values[start:stop] if value == value]
        bucket = Bucket(stop - start, stop - start, _NO_POINT, 0.0, 0.0, 0.0)
        if numbers:
            last = stop - 1
            while values[last] != values[last]:
                last -= 1
            nan = stop - start - len(numbers)
            bucket = Bucket(stop - start, nan, order_of(order[last]), values[last], min(numbers), max(numbers))
        yield number, bucket
        start = stop


def _put(buckets: dict[int, Bucket], index: int, bucket: Bucket) -> None:
    before = buckets.get(index)
    buckets[index] = bucket if before is None else _both(before, bucket)


def _both(one: Bucket, other: Bucket) -> Bucket:
    count, nan = one.count + other.count, one.nan + other.nan
    if one.count == one.nan or other.count == other.nan:
        with_numbers = other if one.count == one.nan else one
        return with_numbers._replace(count=count, nan=nan)
    last = max(one, other, key=lambda each: each.order)
    return Bucket(count, nan, last.order, last.last, min(one.min, other.min), max(one.max, other.max))
