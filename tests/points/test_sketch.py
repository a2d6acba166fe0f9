"""Rollups that grow: parts of a curve, in whatever order they are added, give the rollup of the whole curve."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.columns import Columns
from chalicelib.services.points import curves, rollups
from chalicelib.services.points.forms import ByRank, OnGrid
from chalicelib.services.points.sketch import Part
from chalicelib.storage.points.codec import Batch, Slice
from chalicelib.storage.points.rollup import Rollup

ORIGIN = 7
STEPS = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 40)
POINTS = st.lists(st.tuples(STEPS, st.integers(0, 30), st.floats()), min_size=1, max_size=6)


@pytest.fixture(scope="module", autouse=True)
def few_buckets() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rollups, "MOST", 8)
        yield


def _part(number: int, points: list[tuple[int, int, float]]) -> Part:
    steps, times, values = zip(*points, strict=True)
    columns = Columns(array("q", steps), array("q", times), array("d", values))
    return (Batch(f"{9 - number}", number),), Slice(columns, range(len(points)), bytes(len(points)))


def _whole(parts: list[Part], *, by_time: bool) -> Rollup:
    """The rollup of all points, which are in the order of the axis."""
    columns = curves.in_order(parts)
    if not by_time:
        return rollups.of_grid(columns.steps, columns.values)
    columns = columns.take(sorted(range(len(columns)), key=columns.times.__getitem__))
    return rollups.of_grid(array("q", (time - ORIGIN for time in columns.times)), columns.values)


def _text(rollup: Rollup) -> str:
    """NaN is not equal to itself, and either zero may be the least number."""
    return repr(rollup).replace("-0.0", "0.0")


@settings(max_examples=150, deadline=None)
@given(st.lists(POINTS, min_size=2, max_size=6), st.booleans(), st.randoms())
def test_a_rollup_on_a_grid_grows_in_any_order(
    batches: list[list[tuple[int, int, float]]], by_time: bool, dice: Random
) -> None:
    parts = [_part(number, points) for number, points in enumerate(batches)]
    form = OnGrid(by_time=by_time, origin=ORIGIN if by_time else 0)
    shuffled = dice.sample(parts, len(parts))
    made = form.of_parts(shuffled[:1])
    for part in shuffled[1:]:
        made = form.with_parts(made, [part])
    assert _text(form.at_rest(made)) == _text(_whole(parts, by_time=by_time))
    assert form.number_of_points(made) == sum(map(len, batches))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.floats(), min_size=2, max_size=60), st.lists(st.integers(1, 59), max_size=5))
def test_a_rollup_of_points_grows_at_its_end(values: list[float], cuts: list[int]) -> None:
    points = [(step, step // 2, value) for step, value in enumerate(values)]
    edges = sorted({0, len(points), *(cut for cut in cuts if cut < len(points))})
    parts = [_part(number, points[edges[number] : edges[number + 1]]) for number in range(len(edges) - 1)]
    form = ByRank()
    made: Rollup | None = form.of_parts(parts[:1])
    for part in parts[1:]:
        assert made
        made = form.with_parts(made, [part])
    assert made
    assert form.number_of_points(made) == len(points)
    whole = form.of_parts(parts)
    for most in range(1, 9):
        assert repr(rollups.points_of(made, most)) == repr(rollups.points_of(whole, most))


def test_a_rollup_of_points_does_not_grow_by_a_late_point() -> None:
    made = ByRank().of_parts([_part(0, [(1, 1, 0.5), (2, 2, 0.5)])])
    assert ByRank().with_parts(made, [_part(1, [(2, 1, 0.5)])]) is None
    assert ByRank().with_parts(made, [_part(1, [(2, 3, 0.5)])])
