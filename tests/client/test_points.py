from __future__ import annotations

import itertools
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deardiary.spool.points import PointEncoder, bodies, columns, rows
from deardiary.wire.form import decode_float
from deardiary.wire.times import from_milliseconds, to_milliseconds

KEYS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8)


@given(st.dictionaries(KEYS, st.floats(), min_size=1), st.data(), st.integers(-(2**40), 2**42))
def test_points_come_out_of_a_line_as_they_went_in(metrics: dict[str, float], data: st.DataObject, at: int) -> None:
    steps: list[int | None] = data.draw(
        st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=len(metrics), max_size=len(metrics))
    )
    encoder = PointEncoder()
    for _ in range(2):  # the second time from what is remembered
        ((body, count),) = bodies(encoder.values(metrics), steps, at)
        read = list(rows(json.loads(body)))
        assert count == len(metrics)
        assert [(key, step, when) for key, _, step, when in read] == [
            (key, step, at) for key, step in zip(metrics, steps, strict=True)
        ]
        values = [struct.pack("d", decode_float(value)) for _, value, _, _ in read]
        # JSON cannot express which NaN it is.
        assert values == [struct.pack("d", value if value == value else float("nan")) for value in metrics.values()]


def test_very_many_points_take_several_lines() -> None:
    metrics = {f"k{number}": float(number) for number in range(2500)}
    pieces = list(bodies(PointEncoder().values(metrics), list(range(2500)), 0))
    read = itertools.chain.from_iterable(rows(json.loads(body)) for body, _ in pieces)
    assert [count for _, count in pieces] == [1000, 1000, 500]
    assert [(key, value, step) for key, value, step, _ in read] == [
        (key, value, int(value)) for key, value in metrics.items()
    ]


def test_columns_keep_the_order_of_each_key() -> None:
    points: Any = [("a", 1.0, 0, 0), ("b", "NaN", None, 1), ("a", 2.0, 7, 1)]
    first, second = "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.001Z"
    assert columns(points) == {
        "a": {"step": [0, 7], "value": [1.0, 2.0], "recorded_at": [first, second]},
        "b": {"step": [None], "value": ["NaN"], "recorded_at": [second]},
    }


@given(st.datetimes())
def test_a_time_without_an_offset_is_utc(time: Any) -> None:
    again = from_milliseconds(to_milliseconds(time))
    assert again.replace(tzinfo=None) == time.replace(microsecond=time.microsecond // 1000 * 1000)


def test_more_keys_than_an_iteration_has_room_for_are_refused_at_once_and_take_none() -> None:
    encoder = PointEncoder()
    many = {f"layer{number}/{'x' * 200}": 1.0 for number in range(1200)}
    with pytest.raises(ValueError, match=r"no room for the key 'layer1[0-9]+/x+' beside the 1[0-9]+ of this iteration"):
        encoder.values(many)
    fits = dict(list(many.items())[:1000])
    assert len(encoder.values(fits)) == len(encoder.values(fits)) == 1000
    with pytest.raises(ValueError, match="no room"):
        encoder.values(many)
    assert encoder.values({"loss": 1.0}) == ['"loss":1.0']


@pytest.mark.parametrize("metrics", [[1], 1.0, "loss", None])
def test_values_without_keys_are_an_error_that_says_so(metrics: Any) -> None:
    with pytest.raises(TypeError, match="by key"):
        PointEncoder().values(metrics)


def test_half_a_surrogate_pair_is_no_key() -> None:
    with pytest.raises(ValueError, match="surrogate"):
        PointEncoder().values({"a\ud800": 1.0})
