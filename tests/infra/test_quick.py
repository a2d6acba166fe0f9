"""The fast paths of the local emulator have the results of MiniStack's own code."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ministack.services import dynamodb

from infra.emulator import speedups

TEXT = st.text(max_size=4)
KEYS = st.fixed_dictionaries({"PK": st.fixed_dictionaries({"S": TEXT}), "SK": st.fixed_dictionaries({"S": TEXT})})
NAMES = {"#0": "PK", "#1": "SK"}
CONDITIONS = ("#0 = :0", "(#0 = :0 AND begins_with (#1, :1))", "(#0 = :0 AND #1 BETWEEN :1 AND :2)")


@given(st.sampled_from(CONDITIONS), KEYS, st.lists(TEXT, min_size=3, max_size=3))
def test_a_condition_on_keys(text: str, item: dict[str, Any], given: list[str]) -> None:
    values = {f":{number}": {"S": value} for number, value in enumerate([item["PK"]["S"], *sorted(given[1:])])}
    condition = speedups.key_condition(text)
    assert condition is not None
    expected = dynamodb._evaluate_condition(text, item, values, NAMES, slot="KeyConditionExpression")
    assert condition.holds(item, values, NAMES) == expected


@pytest.mark.parametrize(
    "text", ["#0 > :0", "PK = :0", "(#0 = :0", "#0 = :0 OR #1 = :1", "#0 = :0 AND #1 < :1", "size(#0) = :0", ""]
)
def test_any_other_condition_is_left_to_ministack(text: str) -> None:
    assert speedups.key_condition(text) is None


@pytest.mark.parametrize(
    ("item", "values"),
    [
        ({"PK": {"S": "a"}}, {":0": {"S": "a"}, ":1": {"S": "b"}, ":2": {"S": "c"}}),  # no sort key
        ({"PK": {"S": "a"}, "SK": {"N": "1"}}, {":0": {"S": "a"}, ":1": {"S": "b"}, ":2": {"S": "c"}}),
        ({"PK": {"S": "a"}, "SK": {"S": "b"}}, {":0": {"S": "a"}, ":1": {"S": "c"}, ":2": {"S": "b"}}),  # wrong order
        ({"PK": {"S": "a"}, "SK": {"S": "b"}}, {":0": {"S": "a"}}),
    ],
)
def test_errors_in_values_come_from_ministack(item: dict[str, Any], values: dict[str, Any]) -> None:
    condition = speedups.key_condition(CONDITIONS[2])
    assert condition is not None
    assert condition.holds(item, values, NAMES) is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("#0", {"#0": "a"}),
        ("#0, #1,#2", {"#0": "a", "#1": "b", "#2": "absent"}),
        ("#1, #0", {"#0": "a", "#1": "b"}),
    ],
)
def test_a_projection_of_whole_attributes(text: str, names: dict[str, str]) -> None:
    item: speedups.Image = {"a": {"S": "x"}, "b": {"M": {"c": {"L": [{"N": "1"}]}}}, "d": {"NULL": True}}
    assert speedups.whole_attributes(item, text, names) == dynamodb._project_item(item, text, names)


@pytest.mark.parametrize(
    ("text", "names"), [("#0.#1", {"#0": "a", "#1": "b"}), ("#0, #1", {"#0": "a", "#1": "a"}), ("a", {}), ("#0", {})]
)
def test_any_other_projection_is_left_to_ministack(text: str, names: dict[str, str]) -> None:
    assert speedups.whole_attributes({"a": {"S": "x"}}, text, names) is None


@given(st.binary(max_size=20))
def test_the_length_of_a_binary(content: bytes) -> None:
    value = {"B": base64.b64encode(content).decode()}
    assert speedups.binary_length(value) == dynamodb._attribute_value_size(value) == len(content)


@pytest.mark.parametrize("value", [{"S": "abcd"}, {"B": b"abcd"}, {"B": "abc"}, {"BS": ["abcd"]}, {}])
def test_the_length_of_anything_else_is_left_to_ministack(value: dict[str, Any]) -> None:
    assert speedups.binary_length(value) is None
