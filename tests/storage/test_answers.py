"""Our parser of DynamoDB's answers agrees with botocore's own."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from botocore.parsers import JSONParser
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.aws.clients import QuickParser, session

binary = st.binary(max_size=12).map(lambda raw: base64.b64encode(raw).decode())
number = st.integers().map(str) | st.floats(allow_nan=False, allow_infinity=False).map(repr)
scalar = (
    st.fixed_dictionaries({"S": st.text(max_size=8)})
    | st.fixed_dictionaries({"N": number})
    | st.fixed_dictionaries({"B": binary})
    | st.fixed_dictionaries({"BOOL": st.booleans()})
    | st.just({"NULL": True})
    | st.fixed_dictionaries({"SS": st.lists(st.text(max_size=4), min_size=1, max_size=3)})
    | st.fixed_dictionaries({"NS": st.lists(number, min_size=1, max_size=3)})
    | st.fixed_dictionaries({"BS": st.lists(binary, min_size=1, max_size=3)})
)
attribute = st.recursive(
    scalar,
    lambda inner: (
        st.fixed_dictionaries({"L": st.lists(inner, max_size=3)})
        | st.fixed_dictionaries({"M": st.dictionaries(st.text(max_size=4), inner, max_size=3)})
    ),
    max_leaves=6,
)
item = st.dictionaries(st.text(min_size=1, max_size=6), attribute, max_size=4)

ANSWERS: dict[str, Callable[[Any], Any]] = {
    "Query": lambda each: {"Items": [each, each], "Count": 2, "LastEvaluatedKey": each, "ScannedCount": 3},
    "GetItem": lambda each: {"Item": each, "ConsumedCapacity": {"TableName": "t", "CapacityUnits": 0.5}},
    "BatchGetItem": lambda each: {
        "Responses": {"t": [each]},
        "UnprocessedKeys": {"t": {"Keys": [each], "ConsistentRead": True}},
    },
    "UpdateItem": lambda each: {"Attributes": each},
    "TransactGetItems": lambda each: {"Responses": [{"Item": each}, {}]},
}


def ours() -> Any:
    make: Callable[[], Any] = QuickParser
    return make()


def theirs() -> Any:
    make: Callable[[], Any] = JSONParser
    return make()


def shape_of(operation: str, of: str = "dynamodb") -> Any:
    made: Any = botocore.session.get_session()
    return made.get_service_model(of).operation_model(operation).output_shape


def read(parser: Any, body: bytes, shape: Any, status: int = 200) -> Any:
    return parser.parse({"body": body, "headers": {"x-amzn-requestid": "r"}, "status_code": status}, shape)


@pytest.mark.parametrize("operation", ANSWERS)
@given(each=item)
def test_every_answer_is_read_alike(operation: str, each: dict[str, Any]) -> None:
    body, shape = json.dumps(ANSWERS[operation](each)).encode(), shape_of(operation)
    assert read(ours(), body, shape) == read(theirs(), body, shape)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"not JSON",
        b'{"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "slow"}',
        b'{"__type": "TransactionCanceledException", "Message": "m", "CancellationReasons": [{"Code": "None"}]}',
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_every_error_is_read_alike(body: bytes, status: int) -> None:
    shape = shape_of("TransactWriteItems")
    assert read(ours(), body, shape, status) == read(theirs(), body, shape, status)


def test_other_services_are_read_alike() -> None:
    body = b'{"Parameter": {"Name": "n", "Value": "v", "Version": 3, "LastModifiedDate": 1.7e9}}'
    shape = shape_of("GetParameter", "ssm")
    assert read(ours(), body, shape) == read(theirs(), body, shape)


def test_it_is_the_one_in_use() -> None:
    factory = session().get_component("response_parser_factory")
    assert isinstance(factory.create_parser("json"), QuickParser)
    assert not isinstance(factory.create_parser("rest-xml"), QuickParser)
