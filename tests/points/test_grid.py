"""Curves on a shared grid as a pure function: every point is in exactly one bucket, and the buckets are equal."""

from __future__ import annotations

import math
from array import array

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.services.points.grid import Grid, bucketed
from chalicelib.storage.points.rows import INT64_MAX, INT64_MIN

numbers = st.integers(-30, 30) | st.integers(INT64_MIN, INT64_MAX)
values = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1.5, 2.0])
points = st.lists(st.tuples(numbers, values), max_size=40)


@given(numbers, numbers, st.integers(1, 1000))
def test_the_buckets_part_the_range(one: int, other: int, most: int) -> None:
    low, high = min(one, other), max(one, other)
    grid = Grid.over(low, high, most)
    starts = grid.starts()
    assert len(starts) == grid.buckets == min(most, high - low + 1)
    assert starts[0] == low
    widths = {after - before for before, after in zip(starts, [*starts[1:], high + 1], strict=True)}
    assert min(widths) >= 1
    assert max(widths) - min(widths) <= 1
    for index, start in enumerate(starts):
        assert grid.bucket_of(start) == index
        assert grid.bucket_of(start - 1) == max(index - 1, 0)
    assert grid.bucket_of(high) == grid.bucket_of(high + 1) == grid.buckets - 1


@given(points, numbers, numbers, st.integers(1, 50))
def test_a_bucket_is_what_its_points_are(rows: list[tuple[int, float]], one: int, other: int, most: int) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    grid = Grid.over(min(one, other), max(one, other), most)
    found = bucketed(array("q", (x for x, _ in rows)), array("d", (value for _, value in rows)), grid)
    for index in range(grid.buckets):
        here = [value for x, value in rows if grid.bucket_of(x) == index]
        finite = [value for value in here if not math.isnan(value)]
        assert (found.count[index], found.nan[index]) == (len(here), len(here) - len(finite))
        wanted = (finite[-1], min(finite), max(finite)) if finite else (None, None, None)
        assert (found.last[index], found.min[index], found.max[index]) == wanted
    assert sum(found.count) == len(rows)
