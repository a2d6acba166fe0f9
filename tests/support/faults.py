"""Faults between botocore and AWS: a request is refused, delayed or delivered twice, or its answer is lost.

`inject` works with every endpoint: moto, an emulator, a second implementation. The SDK's own retries stay, without
their pauses. Example::

    with inject(lost_500, {"PutItem"}, when=lambda sent: sent.touches("SERIES#")) as hit:
        server.call("POST", path, body)
    assert hit == ["PutItem"]
"""

from __future__ import annotations

import copy
import json
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders
from botocore.exceptions import ConnectionClosedError

# Any: its type stubs omit private names.
Endpoint: Any = botocore.endpoint.Endpoint
# The result of `Endpoint._do_get_response`: the answer, raw and parsed, or the exception.
Answer = tuple[tuple[Any, dict[str, Any]] | None, Exception | None]
# Its arguments: the endpoint, the prepared request, the model of the operation, the context of the call.
Send = Callable[..., Answer]
WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"})
SINGLE_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
S3_WRITES = frozenset(
    {"PutObject", "DeleteObject", "CreateMultipartUpload", "CompleteMultipartUpload", "AbortMultipartUpload"}
)


@dataclass(frozen=True)
class Sent:
    """One attempt at one call of a service, before it is delivered."""

    service: str
    operation: str
    # From 1; the SDK's own retries count on.
    attempt: int
    url: str
    body: Any

    def touches(self, prefix: str) -> bool:
        """True if the request names an item whose sort key starts with this text."""
        return any(sort_key.startswith(prefix) for sort_key in self.sort_keys)

    @property
    def sort_keys(self) -> list[str]:
        """The sort keys of all items that a call of DynamoDB names, in their order."""
        return list(_sort_keys(self.body))


class Delivery:
    """A request before its delivery: a fault delivers it any number of times, and chooses the answer."""

    def __init__(self, send: Send, endpoint: Any, given: tuple[Any, ...], tokens: dict[str, Answer]) -> None:
        self.sent = _sent(*given)
        self._send, self._endpoint, self._given, self._tokens = send, endpoint, given, tokens

    def deliver(self) -> Answer:
        """Deliver the request. A repeated transaction gets the first answer: DynamoDB keeps its ClientRequestToken.

        No emulator does that.
        """
        token = self.sent.body.get("ClientRequestToken") if self.sent.operation == "TransactWriteItems" else None
        if token in self._tokens:
            return self._tokens[token]
        # The previous delivery has read the body to its end.
        self._given[0].reset_stream()
        answer = self._send(self._endpoint, *self._given)
        if token is not None and answer[0] is not None and answer[0][0].status_code == 200:
            self._tokens[token] = answer
        return answer

    def answer(self, status: int, code: str) -> Answer:
        """Answer with an error of the service."""
        text = f"<Error><Code>{code}</Code></Error>" if self.sent.service == "s3" else json.dumps({"__type": code})
        response = AWSResponse(self.sent.url, status, HTTPHeaders(), _Raw(text.encode()))
        twin = copy.copy(self._endpoint)
        # Without moto's handler, which would answer instead.
        twin._event_emitter = SimpleNamespace(emit=lambda *_, **__: [])
        twin._send = lambda _request: response
        return _do_get_response(twin, *self._given)

    def drop(self) -> Answer:
        """Drop the connection without an answer."""
        return None, ConnectionClosedError(endpoint_url=self.sent.url)


Fault = Callable[[Delivery], Answer]


def first_attempt(sent: Sent) -> bool:
    """Match the first attempt of every call; for `when`."""
    return sent.attempt == 1


def lost_500(delivery: Delivery) -> Answer:
    """Execute the request, and answer 500."""
    delivery.deliver()
    return delivery.answer(500, "InternalServerError")


def lost_connection(delivery: Delivery) -> Answer:
    """Execute the request, and drop the connection before the answer."""
    delivery.deliver()
    return delivery.drop()


def failed_500(delivery: Delivery) -> Answer:
    """Answer 500 without executing the request."""
    return delivery.answer(500, "InternalServerError")


def conflict(delivery: Delivery) -> Answer:
    """Answer that a transaction holds the item."""
    return delivery.answer(400, "TransactionConflictException")


def in_progress(delivery: Delivery) -> Answer:
    """Execute a transaction, and answer that it is still in progress."""
    delivery.deliver()
    return delivery.answer(400, "TransactionInProgressException")


def throttled(delivery: Delivery) -> Answer:
    if delivery.sent.service == "s3":
        return delivery.answer(503, "SlowDown")
    return delivery.answer(400, "ProvisionedThroughputExceededException")


def duplicated(delivery: Delivery) -> Answer:
    """Deliver the request twice, the second time after its answer."""
    answer = delivery.deliver()
    delivery.deliver()
    return answer


def slow(seconds: float) -> Fault:
    """Deliver the request late."""

    def deliver_late(delivery: Delivery) -> Answer:
        time.sleep(seconds)
        return delivery.deliver()

    return deliver_late


class _Injection:
    """A fault, the attempts that it affects, and those that it has affected."""

    def __init__(self, fault: Fault, operations: Collection[str], when: Callable[[Sent], bool], first: int | None):
        self.hit: list[str] = []
        self._fault, self._operations, self._when, self._left = fault, operations, when, first
        self._lock = threading.Lock()
        self._tokens: dict[str, Answer] = {}
        self._send: Send = Endpoint._do_get_response

    def send(self, endpoint: Any, *given: Any) -> Answer:
        delivery = Delivery(self._send, endpoint, given, self._tokens)
        return self._fault(delivery) if self._takes(delivery.sent) else delivery.deliver()

    def _takes(self, sent: Sent) -> bool:
        with self._lock:
            if self._left == 0 or sent.operation not in self._operations or not self._when(sent):
                return False
            self._left = None if self._left is None else self._left - 1
            self.hit.append(sent.operation)
            return True


@contextmanager
def inject(
    fault: Fault,
    operations: Collection[str],
    *,
    when: Callable[[Sent], bool] = lambda _: True,
    first: int | None = 1,
) -> Iterator[list[str]]:
    """Inject the fault into the first attempts (None: all) at these operations. Yield the list of affected operations.

    `when` selects among the attempts. The SDK does not pause before a retry.
    """
    injection = _Injection(fault, operations, when, first)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Endpoint, "_do_get_response", lambda *given: injection.send(*given))
        patch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _seconds: None))
        yield injection.hit


_do_get_response: Send = Endpoint._do_get_response


class _Raw:
    """A body in the form of urllib3."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: object) -> Iterator[bytes]:
        yield self._body


def _sent(request: Any, model: Any, context: Any) -> Sent:
    service = model.service_model.service_name
    body = json.loads(request.body) if model.service_model.protocol == "json" and request.body else {}
    attempt = context.get("retries", {}).get("attempt", 1)
    return Sent(service, model.name, attempt, request.url, body)


def _sort_keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("SK"), dict) and "S" in value["SK"]:
            yield value["SK"]["S"]
        for each in value.values():
            yield from _sort_keys(each)
    elif isinstance(value, list):
        for each in value:
            yield from _sort_keys(each)
