"""The fast paths of the local emulator have the results of MiniStack's own code."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ministack.services import dynamodb

from infra.emulator import guard, items, speedups

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
    assert speedups.length_of(value) == dynamodb._attribute_value_size(value) == len(content)


@given(st.text(max_size=20))
def test_the_length_of_a_string(content: str) -> None:
    assert speedups.length_of({"S": content}) == dynamodb._attribute_value_size({"S": content})


@pytest.mark.parametrize("value", [{"S": 1}, {"N": "12"}, {"B": b"abcd"}, {"B": "abc"}, {"BS": ["abcd"]}, {}])
def test_the_length_of_anything_else_is_left_to_ministack(value: dict[str, Any]) -> None:
    assert speedups.length_of(value) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT | st.binary(max_size=4),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(TEXT, children, max_size=3),
)


@given(JSON)
def test_a_copy_shares_nothing_that_can_change(value: Any) -> None:
    given = {"outer": [value, {1, 2}]}
    copy = items.copied(given)
    assert copy == given
    assert copy["outer"] is not given["outer"]
    assert copy["outer"][1] is not given["outer"][1]
    assert value is copy["outer"][0] or value == copy["outer"][0]
    assert isinstance(value, (dict, list)) <= (value is not copy["outer"][0])


def test_a_copy_of_a_stored_item_is_a_plain_dict() -> None:
    stored = items.StoredItem({"a": {"L": [{"S": "b"}]}}, 3)
    copy = items.copied(stored)
    assert (type(copy), copy) == (dict, stored)
    assert copy["a"]["L"] is not stored["a"]["L"]


PRESIGNED = {"X-Amz-Credential": ["local/20260101/us-east-1/s3/aws4_request"]}


@pytest.mark.parametrize("path", ["/bucket/key", "/bucket/projects/p/0af", "/functions/key"])
def test_a_url_that_is_presigned_for_s3(path: str) -> None:
    detect = speedups.presigned(lambda *_: "other")
    assert detect("PUT", path, {"host": "127.0.0.1:1"}, PRESIGNED) == "s3"


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"authorization": "AWS4-HMAC-SHA256"}, PRESIGNED),
        ({"x-amz-target": "DynamoDB_20120810.GetItem"}, PRESIGNED),
        ({}, {"X-Amz-Credential": ["local/20260101/us-east-1/sts/aws4_request"]}),
        ({}, {"X-Amz-Credential": []}),
        ({}, {}),
    ],
)
def test_any_other_request_is_left_to_ministack(headers: dict[str, str], query: dict[str, list[str]]) -> None:
    assert speedups.presigned(lambda *_: "other")("PUT", "/bucket/key", headers, query) == "other"


@pytest.mark.parametrize(
    ("method", "path", "target", "may_change"),
    [
        ("PUT", "/bucket", b"", True),
        ("PUT", "/bucket/", b"", True),
        ("POST", "/", b"AmazonSSM.PutParameter", True),
        ("PUT", "/v20180820/configuration/publicAccessBlock", b"", True),
        ("PUT", "/bucket/key", b"", False),
        ("POST", "/bucket/a/b", b"", False),
        ("GET", "/bucket", b"", False),
        ("POST", "/", b"DynamoDB_20120810.PutItem", False),
    ],
)
def test_only_requests_that_may_change_settings_save_them(
    method: str, path: str, target: bytes, may_change: bool
) -> None:
    scope = {"method": method, "path": path, "headers": [(b"x-amz-target", target)] if target else []}
    assert guard._may_change_settings(scope) is may_change
