"""The fast path through moto answers exactly like moto itself."""

from __future__ import annotations

from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from tests.support import fast_expressions, fast_moto

KEYS = [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}]
ATTRIBUTES = [{"AttributeName": "PK", "AttributeType": "S"}, {"AttributeName": "SK", "AttributeType": "S"}]


def key(number: int, partition: str = "a") -> dict[str, Any]:
    return {"PK": {"S": partition}, "SK": {"S": f"{number:03}"}}


EVERY_TYPE = {
    "B": {"B": b"\x00\xff"},
    "binaries": {"BS": [b"a", b"b"]},
    "number": {"N": "1.50"},
    "numbers": {"NS": ["1", "2"]},
    "texts": {"SS": ["x"]},
    "nothing": {"NULL": True},
    "truth": {"BOOL": False},
    "list": {"L": [{"N": "1"}, {"M": {"B": {"B": b"in a map"}, "S": {"S": "é"}}}]},
    "map": {"M": {"empty": {"S": ""}, "list": {"L": []}}},
}
_VALUES = {":v": {"N": "7"}}
_NEW = "attribute_not_exists(PK)"
CALLS: list[tuple[str, dict[str, Any]]] = [
    *(("put_item", {"Item": {**key(number, pk), "n": {"N": str(number)}}}) for number in range(5) for pk in "ba"),
    ("put_item", {"Item": {**key(9), **EVERY_TYPE}, "ReturnValues": "ALL_OLD"}),
    ("put_item", {"Item": key(9), "ConditionExpression": _NEW}),
    ("get_item", {"Key": key(9), "ConsistentRead": True, "ReturnConsumedCapacity": "TOTAL"}),
    (
        "get_item",
        {
            "Key": key(9),
            "ProjectionExpression": "#b, #m.#l",
            "ExpressionAttributeNames": {"#b": "B", "#m": "map", "#l": "list"},
        },
    ),
    ("get_item", {"Key": key(404)}),
    (
        "update_item",
        {
            "Key": key(1),
            "UpdateExpression": "SET n = n + :v, m = :v",
            "ExpressionAttributeValues": _VALUES,
            "ReturnValues": "ALL_NEW",
        },
    ),
    (
        "update_item",
        {
            "Key": key(2),
            "UpdateExpression": "REMOVE n",
            "ConditionExpression": "n = :v",
            "ExpressionAttributeValues": _VALUES,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        },
    ),
    ("update_item", {"Key": key(2), "UpdateExpression": "nonsense"}),
    ("delete_item", {"Key": key(3), "ReturnValues": "ALL_OLD"}),
    (
        "query",
        {
            "KeyConditionExpression": "PK = :p AND SK >= :s",
            "ExpressionAttributeValues": {":p": {"S": "a"}, ":s": {"S": "001"}},
            "Limit": 2,
        },
    ),
    (
        "query",
        {
            "KeyConditionExpression": "PK = :p",
            "ExpressionAttributeValues": {":p": {"S": "a"}},
            "ScanIndexForward": False,
            "ExclusiveStartKey": key(4),
        },
    ),
    (
        "query",
        {"KeyConditionExpression": "PK = :p", "ExpressionAttributeValues": {":p": {"S": "none"}}, "Select": "COUNT"},
    ),
    ("scan", {"Limit": 3}),
    ("scan", {}),
]
TABLE_BY_TABLE: list[tuple[str, dict[str, Any]]] = [
    ("batch_get_item", {"RequestItems": {"t": {"Keys": [key(1), key(9), key(404)]}}}),
    (
        "batch_write_item",
        {"RequestItems": {"t": [{"PutRequest": {"Item": key(20)}}, {"DeleteRequest": {"Key": key(4)}}]}},
    ),
    (
        "transact_write_items",
        {
            "TransactItems": [
                {"Put": {"TableName": "t", "Item": {**key(30, "c"), "data": {"B": b"1"}}, "ConditionExpression": _NEW}},
                {
                    "Update": {
                        "TableName": "t",
                        "Key": key(1),
                        "UpdateExpression": "SET n = :v",
                        "ExpressionAttributeValues": _VALUES,
                    }
                },
                {"Delete": {"TableName": "t", "Key": key(0)}},
                {"ConditionCheck": {"TableName": "t", "Key": key(9), "ConditionExpression": "attribute_exists(PK)"}},
            ]
        },
    ),
    (
        "transact_write_items",
        {
            "TransactItems": [
                {"Update": {"TableName": "t", "Key": key(1), "UpdateExpression": "REMOVE n"}},
                {"Delete": {"TableName": "t", "Key": key(2)}},
                {"Put": {"TableName": "t", "Item": key(31, "d")}},
                {"ConditionCheck": {"TableName": "t", "Key": key(9), "ConditionExpression": _NEW}},
            ]
        },
    ),
    (
        "transact_get_items",
        {"TransactItems": [{"Get": {"TableName": "t", "Key": key(9)}}, {"Get": {"TableName": "t", "Key": key(404)}}]},
    ),
    ("scan", {"TableName": "t"}),
]


def answers() -> list[Any]:
    """The answers to one call after the other, to a table of its own."""
    client: Any = boto3.client("dynamodb", region_name="us-east-1")
    client.create_table(TableName="t", KeySchema=KEYS, AttributeDefinitions=ATTRIBUTES, BillingMode="PAY_PER_REQUEST")
    calls = [(name, {"TableName": "t", **given}) for name, given in CALLS] + TABLE_BY_TABLE
    return [_answer(getattr(client, name), given) for name, given in calls]


def _answer(call: Any, given: dict[str, Any]) -> Any:
    try:
        answer = call(**given)
    except ClientError as error:
        answer = error.response
    status = answer.pop("ResponseMetadata")["HTTPStatusCode"]
    return status, answer


def test_every_operation_on_items_answers_as_moto_does(monkeypatch: pytest.MonkeyPatch) -> None:
    with mock_aws():
        quick = answers()
    monkeypatch.setattr(BotocoreStubber, "process_request", fast_moto._process_request)
    monkeypatch.setattr(DynamoDBBackend, "transact_write_items", fast_moto._transact)
    monkeypatch.setattr(Table, "query", fast_moto._query)
    monkeypatch.setattr(DynamoType, "cast_value", fast_moto._cast_value)
    for owner, name, original in fast_expressions.ORIGINALS:
        monkeypatch.setattr(owner, name, original)
    with mock_aws():
        assert quick == answers()


def test_one_request_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of moto are dicts, which must not change while a request in another thread iterates over them."""
    with mock_aws():
        client: Any = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName="t", KeySchema=KEYS, AttributeDefinitions=ATTRIBUTES, BillingMode="PAY_PER_REQUEST"
        )
        other = Thread(target=lambda: client.put_item(TableName="t", Item=key(1)))
        scan, waited = DynamoHandler.scan, []

        def scan_while_another_writes(handler: Any) -> Any:
            other.start()
            other.join(0.2)
            waited.append(other.is_alive())
            return scan(handler)

        monkeypatch.setattr(DynamoHandler, "scan", scan_while_another_writes)
        assert client.scan(TableName="t")["Items"] == []
        other.join()
        assert waited == [True]
        assert client.get_item(TableName="t", Key=key(1))["Item"] == key(1)
