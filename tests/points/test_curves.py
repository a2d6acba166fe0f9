"""Curves as pure functions: the order of points, and downsampling."""

from __future__ import annotations

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.columns import Columns
from chalicelib.services.points import curves
from chalicelib.storage.points.codec import Batch, Slice

# Few different ones, so that many are equal.
small = st.integers(-3, 3)
values = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1.5, 2.0, 3.25])
points = st.tuples(small, small, values)
arrivals = st.lists(st.lists(points, max_size=6), max_size=5)


def columns(rows: list[tuple[int, int, float]]) -> Columns:
    made = Columns.empty()
    for row in rows:
        made.append(*row)
    return made


def rows_of(given_columns: Columns) -> list[tuple[int, int, str]]:
    """With values as text, in which NaN is equal to itself."""
    found = zip(given_columns.steps, given_columns.times, given_columns.values, strict=True)
    return [(step, time, repr(value)) for step, time, value in found]


@given(arrivals, st.randoms())
def test_points_are_in_the_order_of_step_then_time_then_arrival(
    batches: list[list[tuple[int, int, float]]], dice: object
) -> None:
    parts = [
        ((Batch(f"{at:024}", at),), Slice(columns(rows), range(len(rows)), bytes(len(rows))))
        for at, rows in enumerate(batches)
    ]
    everything = [row for rows in batches for row in rows]
    wanted = sorted(
        everything, key=lambda row: row[:2]
    )  # stable: points of equal step and time stay in the order of arrival
    getattr(dice, "shuffle")(parts)  # noqa: B009 - whatever the order in which the rows are found
    assert rows_of(curves.in_order(parts)) == rows_of(columns(wanted))


@given(st.lists(points, max_size=30), st.none() | small, st.none() | small)
def test_between_is_a_filter(rows: list[tuple[int, int, float]], low: int | None, high: int | None) -> None:
    rows = sorted(rows, key=lambda row: row[:2])
    kept = [row for row in rows if (low is None or row[0] >= low) and (high is None or row[0] <= high)]
    assert rows_of(columns(rows).between(low, high)) == rows_of(columns(kept))


@given(st.lists(values, max_size=60), st.integers(1, 70))
def test_few_points_keep_ends_extremes_and_holes(series: list[float], most: int) -> None:
    whole = columns([(step, 0, value) for step, value in enumerate(series)])
    few = curves.downsample(whole, most)
    steps = list(few.steps)
    assert len(few) <= most
    assert steps == sorted(set(steps))
    assert [repr(value) for value in few.values] == [repr(series[step]) for step in steps]
    if len(series) <= most:
        assert steps == list(range(len(series)))
    elif most >= 2:
        assert steps[0] == 0
        assert steps[-1] == len(series) - 1
    numbers = [value for value in series if not math.isnan(value)]
    if most >= 5 and numbers:
        assert min(numbers) in few.values
        assert max(numbers) in few.values
    if most >= 5 and len(numbers) < len(series):
        assert any(map(math.isnan, few.values))


@pytest.mark.parametrize("spike", [1, 1234, 99_998])
def test_one_spike_in_a_hundred_thousand_points_stays(spike: int) -> None:
    flat = Columns(array("q", range(100_000)), array("q", bytes(800_000)), array("d", bytes(800_000)))
    flat.values[spike] = 1.0
    assert spike in curves.downsample(flat, 100).steps
