"""A table, bucket or parameter store that does not answer: some retries, then 503 with Retry-After."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders
from botocore.exceptions import ConnectTimeoutError

from chalicelib import retry
from chalicelib.artifacts import s3
from chalicelib.aws import clients
from chalicelib.errors import Overtaken
from chalicelib.storage import keyring, series
from chalicelib.storage.table import item
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
SLOW_DOWN = "<Error><Code>SlowDown</Code><Message>slow down</Message></Error>"


@pytest.mark.parametrize(
    ("service", "status", "body"),
    [
        ("dynamodb", 400, THROTTLED),
        ("dynamodb", 400, '{"__type": "ProvisionedThroughputExceededException", "message": ""}'),
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
    assert failing.asked == ATTEMPTS


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
    write, overtaken = series.write_series, iter(range(times) if times >= 0 else count())

    def write_unless_overtaken(*given: Any) -> Any:
        if next(overtaken, None) is not None:
            raise Overtaken
        return write(*given)

    monkeypatch.setattr(series, "write_series", write_unless_overtaken)
    monkeypatch.setattr(retry, "_LONGEST_PAUSE", 0.001)
    monkeypatch.setattr(retry, "SECONDS", 60 if status == 201 else 0.2)
    body = {"batch_id": f"overtaken {times} times", "metrics": [{"key": "loss", "value": 1.5}]}
    reply = server.call("POST", f"/iterations/{world.ids['iteration_id']}/metrics/batch", body, token=world.token)
    assert reply.status == status
    assert ("retry-after" in reply.headers) == (status == 503)
