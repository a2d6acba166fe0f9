"""The short way of the emulator for calls of DynamoDB answers like the long one, and leaves all else to it."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from infra.emulator.frontdoor import _call_headers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.emulator import Emulator

CREDENTIAL = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, Signature=0"
HEAD = {"Host": "127.0.0.1:1", "X-Amz-Target": "DynamoDB_20120810.GetItem", "Content-Length": "2"}


def head(changes: dict[str, str], line: str = "POST / HTTP/1.1") -> bytes:
    lines = [f"{name}: {value}" for name, value in {**HEAD, **changes}.items() if value]
    return "\r\n".join([line, *lines, "\r\n"]).encode()


def test_a_call_of_an_item_takes_the_short_way() -> None:
    found = _call_headers(head({}))
    assert found is not None
    assert found["x-amz-target"] == "DynamoDB_20120810.GetItem"


@pytest.mark.parametrize(
    "begin",
    [
        b"",
        b"POST / HTTP/1.1\r\n",
        head({}, "GET / HTTP/1.1"),
        head({}, "POST /other HTTP/1.1"),
        head({}, "POST / HTTP/1.0"),
        head({"X-Amz-Target": "DynamoDB_20120810.CreateTable"}),
        head({"X-Amz-Target": "AmazonSSM.GetParameter"}),
        head({"X-Amz-Target": "", "X-Other": "X-Amz-Target: DynamoDB_20120810.GetItem"}),
        head({"Content-Length": ""}),
        head({"Content-Length": "-1"}),
        head({"content-length": "3"}),
        head({"Transfer-Encoding": "chunked"}),
        head({"Content-Encoding": "gzip"}),
        head({"Expect": "100-continue"}),
        head({"Connection": "close"}),
        head({"Host": "evil.example"}),
        head({"Origin": "https://evil.example"}),
    ],
)
def test_any_other_request_does_not(begin: bytes) -> None:
    assert _call_headers(begin) is None


class Kept:
    """One connection, on which a test sends requests."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(str(urlsplit(url).netloc), timeout=60)

    def call(self, operation: str, body: Any, **others: str) -> tuple[int, dict[str, str], Any]:
        headers = {"X-Amz-Target": f"DynamoDB_20120810.{operation}", "Authorization": CREDENTIAL} | others
        self._connection.request("POST", "/", json.dumps(body), headers)
        answer = self._connection.getresponse()
        text = answer.read()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, json.loads(text or b"{}")

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def kept(emulator: Emulator) -> Iterator[Kept]:
    connection = Kept(emulator.endpoint_url)
    yield connection
    connection.close()


def test_both_ways_follow_each_other_on_one_connection(kept: Kept) -> None:
    key = {"PK": {"S": "p"}, "SK": {"S": "s"}}
    names = ("PK", "SK")
    table = {
        "TableName": "front",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in names],
        "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in (("PK", "HASH"), ("SK", "RANGE"))],
        "BillingMode": "PAY_PER_REQUEST",
    }
    assert kept.call("GetItem", {"TableName": "front", "Key": key})[2]["__type"].endswith("ResourceNotFoundException")
    assert kept.call("CreateTable", table)[0] == 200
    assert kept.call("PutItem", {"TableName": "front", "Item": {**key, "v": {"S": "ü" * 100_000}}})[0] == 200
    assert kept.call("GetItem", {"TableName": "front", "Key": key})[2]["Item"]["v"] == {"S": "ü" * 100_000}
    assert kept.call("DeleteTable", {"TableName": "front"})[0] == 200


def test_both_ways_have_the_same_answers(emulator: Emulator, kept: Kept) -> None:
    long = Kept(emulator.endpoint_url)
    for body in ({"TableName": "none", "Key": {"PK": {"S": "p"}}}, {}, {"TableName": 1}):
        status, headers, answer = kept.call("GetItem", body)
        expected = long.call("GetItem", body, Expect="")
        assert (status, answer) == (expected[0], expected[2])
        # The long way adds headers for browsers, of which none sends such a call, and of S3.
        same = ("content-type", "content-length", "x-amz-crc32", "x-amzn-errortype")
        assert [headers.get(name) for name in same] == [expected[1].get(name) for name in same]
        assert {"date", "x-amzn-requestid"} <= headers.keys()
    long.close()
