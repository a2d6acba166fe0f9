"""The fault layer itself: each fault has its described effect, as often as requested, on moto and on the emulator."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from chalicelib import config, retry
from chalicelib.artifacts import Location, s3
from chalicelib.errors import Conflict, Unavailable
from chalicelib.storage.table import item
from chalicelib.storage.table.transaction import Transaction
from chalicelib.storage.user import UsernameRow
from tests.support.emulator import Emulator
from tests.support.faults import (
    Fault,
    conflict,
    duplicated,
    failed_500,
    inject,
    lost_500,
    lost_connection,
    slow,
    throttled,
)
from tests.support.server import server_on_emulator, server_on_moto

Key = dict[str, dict[str, str]]


@pytest.fixture(scope="module", params=["moto", "emulator"])
def _server(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.param == "moto":
        with server_on_moto():
            yield
    else:
        emulator: Emulator = request.getfixturevalue("emulator")
        with server_on_emulator(emulator.environment()):
            yield


@pytest.fixture
def key(_server: None, request: pytest.FixtureRequest) -> Key:
    return {"PK": {"S": request.node.name}, "SK": {"S": "COUNTER#1"}}


def client() -> Any:
    return item.connection().connection.client


def add_one(key: Key) -> int:
    """Return the number of attempts."""
    answer = client().update_item(
        TableName=config.settings().table,
        Key=key,
        UpdateExpression="ADD n :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
    return 1 + int(answer["ResponseMetadata"]["RetryAttempts"])


def count(key: Key) -> int:
    found = client().get_item(TableName=config.settings().table, Key=key, ConsistentRead=True)
    return int(found["Item"]["n"]["N"]) if "Item" in found else 0


@pytest.mark.parametrize(
    ("fault", "attempts", "carried_out"),
    [
        (lost_500, 2, 2),
        (lost_connection, 2, 2),
        (failed_500, 2, 1),
        (throttled, 2, 1),
        (duplicated, 1, 2),
        (slow(0.0), 1, 1),
    ],
)
def test_a_fault_hits_the_first_attempt_only(key: Key, fault: Fault, attempts: int, carried_out: int) -> None:
    with inject(fault, {"UpdateItem"}) as hit:
        assert add_one(key) == attempts
        assert count(key) == carried_out
        assert add_one(key) == 1
    assert hit == ["UpdateItem"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (throttled, "ProvisionedThroughputExceededException"),
        (failed_500, "InternalServerError"),
    ],
)
def test_a_fault_without_end_reaches_the_caller(key: Key, fault: Fault, code: str) -> None:
    with inject(fault, {"PutItem"}, first=None), pytest.raises(ClientError) as caught:
        client().put_item(TableName=config.settings().table, Item=key)
    assert caught.value.response["Error"]["Code"] == code
    assert count(key) == 0


def test_a_conflict_without_end_is_waited_for_in_vain(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "SECONDS", 0.02)
    with inject(conflict, {"PutItem"}, first=None) as hit, pytest.raises(Unavailable):
        client().put_item(TableName=config.settings().table, Item=key)
    assert len(hit) > 1
    assert count(key) == 0


def test_a_connection_that_always_drops(key: Key) -> None:
    with inject(lost_connection, {"UpdateItem"}, first=None) as hit, pytest.raises(ConnectionClosedError):
        add_one(key)
    assert count(key) == len(hit) == 4


def test_a_slow_answer_comes_late(key: Key) -> None:
    began = time.monotonic()
    with inject(slow(0.05), {"UpdateItem"}):
        add_one(key)
    assert time.monotonic() - began >= 0.05


def test_a_predicate_picks_the_requests(key: Key) -> None:
    other = key | {"SK": {"S": "OTHER#1"}}
    with inject(lost_500, {"UpdateItem"}, when=lambda sent: sent.touches("OTHER#")) as hit:
        add_one(key)
        add_one(other)
    assert (count(key), count(other), hit) == (1, 2, ["UpdateItem"])


def test_faults_stack(key: Key) -> None:
    with inject(lost_500, {"UpdateItem"}), inject(duplicated, {"UpdateItem"}):
        add_one(key)
    # The outer fault hits one of the two deliveries of the inner one; the SDK then sends the first once more.
    assert count(key) == 3


def test_a_transaction_that_is_repeated_is_carried_out_once(key: Key) -> None:
    """As in DynamoDB, because all attempts at one call have one token."""
    row = UsernameRow(key["PK"]["S"], "ONCE", user_id="u")
    write = Transaction()
    write.put(row, Conflict)
    with inject(lost_500, {"TransactWriteItems"}) as hit:
        write.commit()
    assert hit == ["TransactWriteItems"]
    again = Transaction()
    again.put(row, Conflict)
    with pytest.raises(Conflict):
        again.commit()


def test_it_reaches_s3(key: Key) -> None:
    store, location = s3.S3Store(), Location("project", "0" * 64)
    with inject(throttled, {"DeleteObject"}) as hit:
        store.delete(location)
    assert hit == ["DeleteObject"]
    with inject(throttled, {"HeadObject"}, first=None), pytest.raises(ClientError):
        store.size_of(location)
