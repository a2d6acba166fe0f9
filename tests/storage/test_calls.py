"""Our calls of DynamoDB: the signature is botocore's, and connections behave like those of its own session."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from http.client import HTTPConnection
from typing import Any

import botocore.auth
import botocore.session
import pytest
from botocore.awsrequest import AWSPreparedRequest, HeadersDict
from botocore.config import Config
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from botocore.httpsession import URLLib3Session

from chalicelib.aws import calls
from chalicelib.aws.calls import quicken
from chalicelib.aws.connections import KeptConnections, Timeouts

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
# Long enough for a machine under load.
PATIENT = Timeouts(30, 30)
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def client(token: str | None = None, url: str | None = None, *, quick: bool = True, **options: Any) -> Any:
    session = botocore.session.get_session()
    if quick:
        handle: Any = quicken
        session.register("creating-client-class.dynamodb", handle)
    session.set_credentials("AKIDEXAMPLE", "a secret / key", token)
    config = Config(parameter_validation=False, **options)
    return session.create_client("dynamodb", region_name="eu-west-1", endpoint_url=url, config=config)


def sent(by: Any, parameters: Any) -> AWSPreparedRequest:
    """The request of a call, which is not sent."""
    seen: list[AWSPreparedRequest] = []

    def stop(request: AWSPreparedRequest, **_: Any) -> None:
        seen.append(request)
        raise InterruptedError

    by.meta.events.register_first("before-send.dynamodb", stop)
    with pytest.raises(InterruptedError):
        by.get_item(**parameters)
    return seen[0]


@pytest.mark.parametrize("token", [None, "a  session token"])
@pytest.mark.parametrize(
    "url", [None, "http://127.0.0.1:4566", "http://localhost:80", "http://[::1]:4566", "https://other.example:8443/"]
)
@pytest.mark.parametrize("name", ["table", "ü " * 100])
def test_a_request_is_signed_as_by_botocore(
    monkeypatch: pytest.MonkeyPatch, token: str | None, url: str | None, name: str
) -> None:
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: NOW)
    monkeypatch.setattr(calls, "get_current_datetime", lambda: NOW)
    parameters = {"TableName": name, "Key": {"PK": {"S": "p"}, "SK": {"B": b"\xff"}}, "ConsistentRead": True}
    ours, theirs = sent(client(token, url), parameters), sent(client(token, url, quick=False), parameters)
    assert (ours.method, ours.url.rstrip("/"), ours.body) == (theirs.method, theirs.url.rstrip("/"), theirs.body)
    added = {"host", "amz-sdk-invocation-id", "amz-sdk-request"}
    expected = {header.lower(): _text(value) for header, value in theirs.headers.items()}
    found = {header.lower(): value for header, value in ours.headers.items()}
    assert found["authorization"] == expected["authorization"]
    assert found.keys() - added == expected.keys() - added
    assert all(found[each] == expected[each] for each in ("content-type", "content-length", "x-amz-target"))


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


@pytest.mark.parametrize("options", [{"proxies": {"https": "http://proxy.example:3128"}}, {"client_cert": "a.pem"}])
def test_a_proxy_and_a_certificate_of_the_client_are_left_to_botocore(options: Any) -> None:
    assert isinstance(client(**options)._endpoint.http_session, URLLib3Session)
    assert isinstance(client()._endpoint.http_session, KeptConnections)


def request_to(url: str, body: bytes = b"{}") -> AWSPreparedRequest:
    headers: Any = HeadersDict({"X-Amz-Target": "DynamoDB_20120810.GetItem", "Content-Length": str(len(body))})
    return AWSPreparedRequest("POST", url, headers, body, stream_output=False)


class Host:
    """A host that answers each request with the next text; it hangs up after an answer of None."""

    def __init__(self, answers: list[bytes | None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._answers = iter(answers)
        self.connections = 0
        self.requests: list[bytes] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        while received := connection.recv(65536):
            self.requests.append(received)
            answer = next(self._answers)
            if answer is None:
                return
            connection.sendall(answer)
            if b"until the end" in answer or b"partial" in answer:
                return

    def close(self) -> None:
        self._listener.close()


@contextmanager
def host(*answers: bytes | None) -> Iterator[Host]:
    made = Host(list(answers))
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-A: b\r\n\r\nabc", b"abc"),
        (EMPTY, b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n2\r\nde\r\n0\r\nT: t\r\n\r\n", b"abcde"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
        (b"HTTP/1.1 500 \r\ncontent-length: 2\r\n\r\n{}", b"{}"),
    ],
)
def test_an_answer_of_any_framing_is_read_and_the_next_one_too(answer: bytes, body: bytes) -> None:
    with host(answer, EMPTY) as at:
        session = KeptConnections(PATIENT, verify=False)
        found = session.send(request_to(at.url))
        assert (found.status_code, found.content) == (500 if b" 500 " in answer else 200, body)
        closes = any(sign in answer for sign in (b"until the end", b"HTTP/1.0", b"Connection: close"))
        assert session.send(request_to(at.url)).status_code == 200
        assert at.connections == (2 if closes else 1)
        session.close()


def test_a_connection_that_the_host_has_closed_is_replaced_before_a_request_is_sent() -> None:
    with host(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\npartial", EMPTY) as at:
        session = KeptConnections(PATIENT, verify=False)
        session.send(request_to(at.url))
        ((idle,),) = session._idle.values()
        assert idle._poll.poll(30_000)  # until the end of the connection arrives
        assert session.send(request_to(at.url)).status_code == 200
        assert (at.connections, len(at.requests)) == (2, 2)
        session.close()


@pytest.mark.parametrize(
    "answer",
    [None, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npartial", b"HTTP/1.1 200 OK\r\nX-partial", b"partial\n"],
)
def test_an_answer_that_ends_early_is_an_error_that_the_sdk_repeats(answer: bytes | None) -> None:
    with host(answer) as at, pytest.raises(ConnectionClosedError):
        KeptConnections(PATIENT, verify=False).send(request_to(at.url))


def test_a_host_that_does_not_answer_is_an_error_that_the_sdk_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    # The machine accepts the connection; no program reads it.
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(ReadTimeoutError):
            KeptConnections(Timeouts(30, 0.05), verify=False).send(request_to(url))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # it does not listen, so the machine refuses
        with pytest.raises(EndpointConnectionError):
            KeptConnections(PATIENT, verify=False).send(request_to(f"http://127.0.0.1:{silent.getsockname()[1]}"))

    def time_out(_: Any) -> None:
        raise TimeoutError

    monkeypatch.setattr(HTTPConnection, "connect", time_out)
    with pytest.raises(ConnectTimeoutError):
        KeptConnections(PATIENT, verify=False).send(request_to("http://127.0.0.1:1"))


def test_the_sdk_repeats_a_call_whose_connection_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    answer = b'{"Item":{"PK":{"S":"p"}}}'
    with host(None, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer)) as at:
        mine = client(url=at.url, retries={"total_max_attempts": 2, "mode": "standard"})
        assert mine.get_item(TableName="t", Key={"PK": {"S": "p"}})["Item"] == {"PK": {"S": "p"}}
        assert len(at.requests) == 2


def test_requests_of_threads_do_not_mix() -> None:
    bodies = [b"%d" % number * 100 for number in range(8)]
    found: dict[bytes, bytes] = {}
    with echo() as url:
        session = KeptConnections(PATIENT, verify=False)

        def ask(body: bytes) -> None:
            for _ in range(20):
                found[body] = session.send(request_to(url, body)).content
                assert found[body] == body

        threads = [threading.Thread(target=ask, args=(body,)) for body in bodies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        session.close()
    assert found == {body: body for body in bodies}


@contextmanager
def echo() -> Iterator[str]:
    """A host that answers each request with its body."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer(connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            while lines.readline():
                length = 0
                while (line := lines.readline()) != b"\r\n":
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length + lines.read(length))

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


def test_after_a_failure_no_idle_connection_is_used() -> None:
    """A freeze of minutes breaks all connections, and a firewall need not tell: each would cost one of few attempts."""
    accepted: list[socket.socket] = []
    both_are_used = threading.Barrier(2)

    def serve_once_or_as_the_third(connection: socket.socket, number: int) -> None:
        with connection:
            while connection.recv(65536) and (number == 2 or not both_are_used.broken):
                if number < 2:
                    both_are_used.wait(30)
                connection.sendall(EMPTY)

    def serve() -> None:
        for number in range(3):
            accepted.append(listener.accept()[0])
            threading.Thread(target=serve_once_or_as_the_third, args=(accepted[-1], number), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        session = KeptConnections(PATIENT, verify=True)
        senders = [threading.Thread(target=session.send, args=(request_to(url),)) for _ in range(2)]
        for each in senders:
            each.start()
        for each in senders:
            each.join(30)
        # From now on the first two hang up when they get a request.
        both_are_used.abort()
        with pytest.raises(ConnectionClosedError):
            session.send(request_to(url))
        assert session.send(request_to(url)).status_code == 200
        server.join(30)
        assert len(accepted) == 3
        session.close()
