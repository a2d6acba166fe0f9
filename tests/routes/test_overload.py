"""A table, bucket or parameter store that does not answer: some retries, then 503 with Retry-After."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders
from botocore.exceptions import ConnectTimeoutError

from chalicelib import retry
from chalicelib.artifacts import s3
from chalicelib.aws import clients, throttling
from chalicelib.errors import Overtaken
from chalicelib.services.lifecycle import pace
from chalicelib.storage import keyring, series
from chalicelib.storage.table import item
from tests.support.faults import Answer, Delivery, Fault, inject
from tests.support.server import Server, server_on_moto
from tests.support.world import World, make_world

ATTEMPTS = 4


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture(scope="module")
def world(server: Server) -> World:
    return make_world(server)


@pytest.fixture(autouse=True)
def _not_throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests that follow must not see a throttled table."""
    monkeypatch.setattr(throttling, "_last", float("-inf"))


class Failing:
    """Replaces a service: the same answer to every request, or none if the status is 0."""

    def __init__(self, status: int, body: str) -> None:
        self.asked = 0
        self._status, self._body = status, body.encode()

    def __call__(self, request: Any, **_: Any) -> AWSResponse:
        self.asked += 1
        return AWSResponse(request.url, self._status, HTTPHeaders(), Raw(self._body))

    def answer(self, *_: object) -> tuple[None, Exception]:
        """Raise a failed connection like `botocore.endpoint.Endpoint`."""
        self.asked += 1
        return None, ConnectTimeoutError(endpoint_url="https://away.example")


class Raw:
    """A body in the form of urllib3."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: object) -> Iterator[bytes]:
        yield self._body


ASKED = {
    "dynamodb": ("GET", "/projects/{project_id}"),
    "s3": ("POST", "/resources/{uploaded_id}/complete"),
    "ssm": ("GET", "/projects/{project_id}"),
}
THROTTLED = '{"__type": "ThrottlingException", "message": "slow down"}'
EXCEEDED = '{"__type": "ProvisionedThroughputExceededException", "message": ""}'
SLOW_DOWN = "<Error><Code>SlowDown</Code><Message>slow down</Message></Error>"


@pytest.mark.parametrize(
    ("service", "status", "body"),
    [
        ("dynamodb", 400, THROTTLED),
        ("dynamodb", 400, EXCEEDED),
        ("dynamodb", 500, '{"__type": "InternalServerError", "message": ""}'),
        ("dynamodb", 0, ""),
        ("s3", 503, SLOW_DOWN),
        ("s3", 500, ""),
        ("s3", 0, ""),
        ("ssm", 400, THROTTLED),
        ("ssm", 500, "{}"),
        ("ssm", 0, ""),
    ],
)
def test_it_is_tried_again_and_then_unavailable(
    server: Server, world: World, monkeypatch: pytest.MonkeyPatch, service: str, status: int, body: str
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    monkeypatch.setattr(keyring, "_kept", None if service == "ssm" else keyring._kept)
    failing, client = Failing(status, body), client_of(service)
    events = client.meta.events
    events.register_first("before-send", failing)
    if not status:
        monkeypatch.setattr(client._endpoint, "_do_get_response", failing.answer)
    try:
        method, path = ASKED[service]
        reply = server.call(method, path.format(uploaded_id=world.uploaded_id, **world.ids), token=world.token)
    finally:
        events.unregister("before-send", failing)
    assert reply.error == (503, "UNAVAILABLE")
    assert int(reply.headers["retry-after"]) >= 1
    assert failing.asked == (throttling.ATTEMPTS if service == "dynamodb" and status == 400 else ATTEMPTS)


def throttled(_: Delivery) -> Answer:
    return refused("ProvisionedThroughputExceededException"), None


def left_unprocessed(delivery: Delivery) -> Answer:
    """DynamoDB answers a throttled batch without any of its items."""
    answer = delivery.deliver()
    assert answer[0] is not None
    (table,) = answer[0][1]["Responses"]
    answer[0][1]["Responses"][table] = []
    answer[0][1]["UnprocessedKeys"] = {table: {"Keys": delivery.sent.body["RequestItems"][table]["Keys"]}}
    return answer


def cancelled(delivery: Delivery) -> Answer:
    """DynamoDB cancels a transaction of which one item is throttled."""
    reasons = [{"Code": "ThrottlingError", "Message": ""} for _ in delivery.sent.body["TransactItems"]]
    return refused("TransactionCanceledException", CancellationReasons=reasons), None


def recording(slept: list[float]) -> SimpleNamespace:
    """The module `time`, except that it records how long it should sleep, and does not sleep."""
    return SimpleNamespace(sleep=slept.append, monotonic=time.monotonic)


def refused(code: str, **more: Any) -> tuple[AWSResponse, dict[str, Any]]:
    raw = AWSResponse("", 400, HTTPHeaders(), Raw(b""))
    parsed = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 400}, **more}
    return raw, parsed


@pytest.mark.parametrize(
    ("fault", "operation"),
    [
        (throttled, "BatchGetItem"),
        (left_unprocessed, "BatchGetItem"),
        (throttled, "TransactWriteItems"),
        (cancelled, "TransactWriteItems"),
    ],
)
def test_a_throttled_flush_frees_its_function_and_loses_nothing(
    server: Server, world: World, monkeypatch: pytest.MonkeyPatch, fault: Fault, operation: str
) -> None:
    """It sleeps for less than 0.3 s in all, and sends its client away for a time that differs from flush to flush."""
    slept: list[float] = []
    monkeypatch.setattr("chalicelib.aws.throttling.time", recording(slept))
    path, waits = f"/iterations/{world.ids['iteration_id']}/log", set()
    for number in range(20):
        del slept[:]
        body = {"batch_id": f"{fault.__name__} {operation} {number}", "metrics": [{"key": "throttled", "value": 1.5}]}
        with inject(fault, {operation}, first=None), monkeypatch.context() as patch:
            patch.setattr("botocore.endpoint.time", recording(slept))
            reply = server.call("POST", path, body, token=world.token)
        assert reply.error == (503, "UNAVAILABLE")
        assert sum(slept) <= 0.3
        waits.add(int(reply.headers["retry-after"]))
        assert server.call("POST", path, body, token=world.token).status == 201
    assert len(waits) > 3
    assert min(waits) >= throttling.SHORTEST_WAIT


def test_a_flush_that_is_throttled_once_is_tried_again(
    server: Server, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.aws.throttling.time", recording([]))
    body = {"batch_id": "throttled once", "metrics": [{"key": "once", "value": 1.5}]}
    with inject(throttled, {"BatchGetItem"}, when=lambda sent: sent.attempt == 1) as hit:
        reply = server.call("POST", f"/iterations/{world.ids['iteration_id']}/log", body, token=world.token)
    assert hit == ["BatchGetItem"]
    assert reply.status == 201


def test_a_flush_asks_for_the_longest_pace_while_the_table_throttles(
    server: Server, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/iterations/{world.ids['iteration_id']}/log"

    def pace_of(batch_id: str) -> Any:
        return server.call("POST", path, {"batch_id": batch_id}, token=world.token).body["flush_after_seconds"]

    assert pace_of("before") < pace.LONGEST
    throttling.note()
    assert pace_of("then") == pace.LONGEST
    monkeypatch.setattr(throttling, "_last", time.monotonic() - 61)
    assert pace_of("after") < pace.LONGEST


def client_of(service: str) -> Any:
    """The server's own client."""
    if service == "dynamodb":
        return item.connection().connection.client
    return s3.client() if service == "s3" else clients.client("ssm")


@pytest.mark.parametrize("status", [403, 404])
def test_an_object_that_is_not_there_is_a_fault_of_the_request(
    server: Server, world: World, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    failing = Failing(status, "")
    events = s3.client().meta.events
    events.register_first("before-send", failing)
    try:
        reply = server.call("POST", f"/resources/{world.announced_id}/complete", token=world.token)
    finally:
        events.unregister("before-send", failing)
    assert reply.error == (422, "INVALID_PAYLOAD")


@pytest.mark.parametrize(("times", "status"), [(100, 201), (-1, 503)])
def test_an_overtaken_request_retries_while_there_is_time(
    server: Server, world: World, monkeypatch: pytest.MonkeyPatch, times: int, status: int
) -> None:
    """A hundred overtaking requests in a moment are no reason to give up; an endless series is."""
    write, overtaken = series.write_series_and_chunk, iter(range(times) if times >= 0 else count())

    def write_unless_overtaken(*given: Any) -> Any:
        if next(overtaken, None) is not None:
            raise Overtaken
        return write(*given)

    monkeypatch.setattr(series, "write_series_and_chunk", write_unless_overtaken)
    monkeypatch.setattr(retry, "_LONGEST_PAUSE", 0.001)
    monkeypatch.setattr(retry, "SECONDS", 60 if status == 201 else 0.2)
    body = {"batch_id": f"overtaken {times} times", "metrics": [{"key": "loss", "value": 1.5}]}
    reply = server.call("POST", f"/iterations/{world.ids['iteration_id']}/metrics/batch", body, token=world.token)
    assert reply.status == status
    assert ("retry-after" in reply.headers) == (status == 503)
