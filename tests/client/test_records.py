from __future__ import annotations

import json
import math

import pytest

from deardiary.api import encode
from deardiary.entities.records import MAX_BYTES, MAX_POINTS, Point, Record, split
from deardiary.wire.times import parse_time


def test_an_empty_record_is_nothing_to_send() -> None:
    assert list(split(Record(iteration_id="i"))) == []


def test_a_small_record_stays_whole() -> None:
    record = Record(iteration_id="i", parameters={"a": "1"}, points=(Point("loss", 0.5, 0),), tags=("t",))
    assert list(split(record)) == [record]


def test_pieces_hold_no_more_points_than_a_request_may() -> None:
    points = tuple(Point("loss", 0.5, step) for step in range(2 * MAX_POINTS + 1))

    pieces = list(split(Record(iteration_id="i", points=points)))

    assert [len(piece.points) for piece in pieces] == [MAX_POINTS, MAX_POINTS, 1]
    assert tuple(point for piece in pieces for point in piece.points) == points


def test_pieces_are_no_larger_than_a_request_may_be() -> None:
    parameters = {f"é{number}": "\N{GRINNING FACE}" * 6000 for number in range(300)}

    pieces = list(split(Record(iteration_id="i", parameters=parameters)))

    assert len(pieces) == 2
    assert all(len(encode({"parameters": piece.parameters})) <= MAX_BYTES for piece in pieces)
    assert {key: value for piece in pieces for key, value in piece.parameters.items()} == parameters


def test_one_item_that_is_too_large_is_left_to_the_server_to_refuse() -> None:
    record = Record(iteration_id="i", tags=("a", "b" * 100, "c"))
    assert [piece.tags for piece in split(record, max_bytes=50)] == [("a",), ("b" * 100,), ("c",)]


@pytest.mark.parametrize(("value", "form"), [(math.nan, "NaN"), (-math.inf, "-Infinity"), (0.1, 0.1), (1, 1.0)])
def test_a_point_in_json(value: float, form: object) -> None:
    at = parse_time("2026-01-02T03:04:05.678Z")
    sent = json.loads(encode({"metrics": [Point("k", value, 3, at).to_json()]}))
    assert sent == {"metrics": [{"key": "k", "value": form, "step": 3, "recorded_at": "2026-01-02T03:04:05.678Z"}]}
    assert Point("k", value).to_json() == {"key": "k", "value": form}


def test_text_that_is_not_unicode_can_be_sent() -> None:
    assert encode({"parameters": {"file": "caf\udce9"}}) == b'{"parameters":{"file":"caf?"}}'
