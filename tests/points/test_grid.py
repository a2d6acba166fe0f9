"""Curves on a shared grid as a pure function: each point is in one bucket, and rollups are exact."""

from __future__ import annotations

import math
from array import array
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.columns import Columns
from chalicelib.services.points import curves, rollups
from chalicelib.services.points.grid import Grid, bucketed
from chalicelib.storage.points.rollup_codec import pack_columns, unpack_columns
from chalicelib.storage.points.rows import INT64_MAX, INT64_MIN

numbers = st.integers(-30, 30) | st.integers(INT64_MIN, INT64_MAX)
values = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, -1.5, 2.0])
points = st.lists(st.tuples(numbers, values), max_size=40)


@given(numbers, numbers, st.integers(1, 1000))
def test_the_buckets_part_the_range(one: int, other: int, most: int) -> None:
    low, high = min(one, other), max(one, other)
    grid = Grid.over(low, high, most)
    starts, width = grid.starts(), 1 << grid.level
    assert len(starts) == grid.buckets <= most
    # With half the width there would be too many.
    assert grid.level == 0 or Grid(low, high, grid.level - 1).buckets > most
    assert starts[0] == low
    assert {after - before for before, after in pairwise(starts[1:])} <= {width}
    assert all(1 <= after - before <= width for before, after in pairwise([*starts, high + 1]))
    for index, start in enumerate(starts):
        assert grid.bucket_of(start) == index
        assert grid.bucket_of(start - 1) == max(index - 1, 0)
    assert grid.bucket_of(high) == grid.bucket_of(high + 1) == grid.buckets - 1


@given(points, numbers, numbers, st.integers(1, 20), st.integers(1, 20))
def test_a_rollup_answers_like_the_points(
    rows: list[tuple[int, float]], one: int, other: int, most: int, most_stored: int
) -> None:
    """On each grid that is not finer, also where points are outside of it."""
    rows = sorted(rows, key=lambda row: row[0]) or [(0, 0.0)]
    xs, column = array("q", (x for x, _ in rows)), array("d", (value for _, value in rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rollups, "MOST", most_stored)
        rollup = rollups.of_grid(xs, column)
    integers, stored = unpack_columns(pack_columns(rollup.integers, rollup.values))
    rollup = rollup._replace(integers=integers, values=stored)
    grid = Grid.over(min(one, other), max(one, other), most)
    if rollup.level > grid.level:
        assert rollups.on_grid(rollup, grid) is None
        grid = Grid(grid.low, grid.high, rollup.level)
    assert repr(rollups.on_grid(rollup, grid)) == repr(bucketed(xs, column, grid))


@given(st.lists(values, max_size=80), st.integers(1, 30), st.integers(1, 30))
def test_points_of_a_rollup_are_those_of_the_curve(column: list[float], one: int, other: int) -> None:
    count = len(column)
    whole = Columns(array("q", range(count)), array("q", range(0, -count, -1)), array("d", column))
    fewer, more = min(one, other), max(one, other)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rollups, "MOST", more)
        rollup = rollups.of_points(whole)
    assert repr(rollups.points_of(rollup, fewer)) == repr(curves.downsample(whole, fewer))


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
