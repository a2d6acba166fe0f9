from __future__ import annotations

import json
import math

import pytest

from deardiary.api import encode
from deardiary.entities.records import MAX_BYTES, MAX_ITEMS, Fields, Point, split
from deardiary.wire.times import parse_time


def test_no_fields_are_nothing_to_send() -> None:
    assert list(split(Fields(iteration_id="i"))) == []


def test_few_fields_stay_whole() -> None:
    fields = Fields(iteration_id="i", parameters={"a": "1"}, tags=("t",))
    assert list(split(fields)) == [fields]


def test_pieces_hold_no_more_items_than_a_request_may() -> None:
    tags = tuple(map(str, range(2 * MAX_ITEMS + 1)))
    pieces = list(split(Fields(iteration_id="i", tags=tags)))
    assert [len(piece.tags) for piece in pieces] == [MAX_ITEMS, MAX_ITEMS, 1]
    assert tuple(tag for piece in pieces for tag in piece.tags) == tags


def test_pieces_are_no_larger_than_a_request_may_be() -> None:
    parameters = {f"é{number}": "\N{GRINNING FACE}" * 6000 for number in range(300)}

    pieces = list(split(Fields(iteration_id="i", parameters=parameters)))

    assert len(pieces) == 2
    assert all(len(encode({"parameters": piece.parameters})) <= MAX_BYTES for piece in pieces)
    assert {key: value for piece in pieces for key, value in piece.parameters.items()} == parameters


def test_one_item_that_is_too_large_is_left_to_the_server_to_refuse() -> None:
    fields = Fields(iteration_id="i", tags=("a", "b" * 100, "c"))
    assert [piece.tags for piece in split(fields, max_bytes=50)] == [("a",), ("b" * 100,), ("c",)]


@pytest.mark.parametrize(("value", "form"), [(math.nan, "NaN"), (-math.inf, "-Infinity"), (0.1, 0.1), (1, 1.0)])
def test_a_point_in_json(value: float, form: object) -> None:
    at = parse_time("2026-01-02T03:04:05.678Z")
    sent = json.loads(encode({"metrics": [Point("k", value, 3, at).to_json()]}))
    assert sent == {"metrics": [{"key": "k", "value": form, "step": 3, "recorded_at": "2026-01-02T03:04:05.678Z"}]}
    assert Point("k", value).to_json() == {"key": "k", "value": form}


def test_text_that_is_not_unicode_can_be_sent() -> None:
    assert encode({"parameters": {"file": "caf\udce9"}}) == b'{"parameters":{"file":"caf?"}}'


def test_labels_are_split_like_the_others_and_a_removal_stays_one() -> None:
    labels = {"kept": "1", "removed": None, "empty": ""}
    pieces = list(split(Fields(iteration_id="i", parameters={"p": ""}, tags=("t",), labels=labels), max_items=2))
    assert [(dict(piece.parameters), piece.tags, dict(piece.labels)) for piece in pieces] == [
        ({"p": ""}, ("t",), {}),
        ({}, (), {"kept": "1", "removed": None}),
        ({}, (), {"empty": ""}),
    ]
