"""Rollups of the curves of ended iterations: made by the first reader of a long curve, used by the later ones.

The state of a curve is the number of its points, and the time of the last edit in its iteration. Each batch adds
points, and each edit marks the iteration before it changes any. So in one state are always the same points, and a
rollup answers exactly like them. While a change is under way, the curve has no state.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from itertools import accumulate
from typing import Any, Literal, NamedTuple

from chalicelib.columns import Columns
from chalicelib.services.points.curves import representatives
from chalicelib.services.points.grid import Bucketed, Grid, bucketed, coarsened
from chalicelib.storage.points import rollup as storage
from chalicelib.storage.points.rollup import Rollup, RollupKey
from chalicelib.storage.points.wide import UNREAD
from chalicelib.storage.series import Series
from chalicelib.storage.table import conditional
from deardiary.wire.shapes import Iteration

# "chunk": not a curve, but the chunks of an iteration (`directory.py`).
Axis = Literal["step", "relative", "time", "rank", "chunk"]

MOST = 1000
# The points of an iteration from which reading a rollup costs much less than reading them: 18 read units.
WORTH_POINTS = 9000
# With more curves, the points are worth it in proportion: a rollup costs at least half a unit, and 250 points do.
_CURVES = 36


class Wanted(NamedTuple):
    """An iteration, and the curves of it that a reader wants. `origin`: what was subtracted from each position."""

    iteration: Iteration
    series: Series
    keys: tuple[str, ...]
    axis: Axis
    origin: int = 0

    def states(self) -> dict[RollupKey, str]:
        """The states of the curves that may have a rollup."""
        return {name: self._state(name.key) for name in self.names()} if self.has_states() else {}

    def names(self) -> list[RollupKey]:
        """The rollups of those curves that no edit is changing, in an iteration of many points."""
        if not self.has_many_points():
            return []
        series = self.series
        settled = [key for key in self.keys if key in series.summaries and key not in series.recompute]
        return [RollupKey(self.iteration.id, self.axis, key) for key in settled]

    def has_states(self) -> bool:
        """True for an ended iteration of many points to which no batch is being added."""
        return is_at_rest(self.iteration) and not self.series.announced and self.has_many_points()

    def points_read(self, left: Collection[str]) -> int:
        """The number of points in the rows that a reader of these keys reads: before they are packed, of all keys."""
        summaries = self.series.summaries
        read = {key: summaries[key] for key in left if key in summaries} if self.series.moved or not left else summaries
        return sum(each.count for each in read.values())

    def has_many_points(self) -> bool:
        """True if rollups are worth their price. Without the summaries of a wide iteration, it is assumed."""
        if self.series.summaries is UNREAD:
            return True
        points = sum(each.count for each in self.series.summaries.values())
        return points >= WORTH_POINTS * max(1, len(self.keys) / _CURVES)

    def _state(self, key: str) -> str:
        return f"{self.series.summaries[key].count}.{self.series.edited_us}.{self.origin}"


def number_within(points: Iterable[int], most: int) -> int:
    """How many of these have at most so many points together: at least one."""
    left = list(points)
    sums = list(accumulate(left))
    return len(left) if not left else max(1, bisect_right(sums, most))


def is_at_rest(iteration: Iteration) -> bool:
    """True if batches are rare: before its end, each flush would make the rollups worthless."""
    return iteration.end_date is not None


def is_worth(wanted: Wanted, key: str, columns: Columns) -> bool:
    """True for all points of a curve, unless a batch came while they were read, in an iteration with many points."""
    summary = wanted.series.summaries.get(key)
    return summary is not None and len(columns) == summary.count and bool(wanted.states())


def keep_rollups(wanted: Wanted, made: Mapping[str, Rollup]) -> None:
    """Store rollups of whole curves, by key. A conflict or an overload leaves it to a later reader."""
    states = wanted.states()
    keyed = {RollupKey(wanted.iteration.id, wanted.axis, key): each for key, each in made.items()}
    kept = {key: (states[key], each) for key, each in keyed.items() if key in states}
    if kept:
        with conditional.best_effort():
            storage.put_rollups(wanted.iteration, kept)


def of_grid(xs: array[int], values: array[float]) -> Rollup:
    """The rollup of a curve that has points. `xs` ascend."""
    grid = Grid.over(xs[0], xs[-1], MOST)
    fine = bucketed(xs, values, grid)
    filled = [index for index, count in enumerate(fine.count) if count]
    integers = [array("q", filled), *(array("q", map(each.__getitem__, filled)) for each in (fine.count, fine.nan))]
    numbers = [
        array("d", (0.0 if (value := each[index]) is None else value for index in filled))
        for each in (fine.last, fine.min, fine.max)
    ]
    return Rollup(grid.level, grid.low, grid.high, integers, numbers)


def on_grid(rollup: Rollup, grid: Grid) -> Bucketed | None:
    """The curve on this grid. None if the rollup is too coarse for it."""
    fine_grid = Grid(rollup.low, rollup.high, rollup.level)
    if rollup.level > grid.level:
        return None
    return coarsened(_opened(rollup, fine_grid.buckets), fine_grid, grid)


def _opened(rollup: Rollup, buckets: int) -> Bucketed:
    indexes, counts, nans = rollup.integers
    columns: list[list[Any]] = [*map(list, rollup.values), list(counts), list(nans)]
    only_nan = [at for at, (count, nan) in enumerate(zip(counts, nans, strict=True)) if count == nan]
    for number in columns[:3]:
        for at in only_nan:
            number[at] = None
    if len(indexes) == buckets:
        return Bucketed._make(columns)
    opened = Bucketed.empty(buckets)
    for to, column in zip(list[Any](opened), columns, strict=True):
        for index, value in zip(indexes, column, strict=True):
            to[index] = value
    return opened


def of_points(columns: Columns) -> Rollup:
    """The points that represent a curve, with their ranks."""
    ranks = array("q", representatives(columns.values, range(len(columns)), MOST))
    kept = columns.take(ranks)
    return Rollup(0, 0, len(columns) - 1, [ranks, kept.steps, kept.times], [kept.values])


def points_of(rollup: Rollup, max_points: int) -> Columns:
    """At most this many points, as `curves.downsample` chooses them from the whole curve."""
    ranks, steps, times = rollup.integers
    (values,) = rollup.values
    return Columns(steps, times, values).take(representatives(values, ranks, max_points))
