"""HTTP to DynamoDB over connections that stay open, in place of botocore's session over urllib3.

urllib3 and `http.client` take more CPU for a request than the server itself: they parse the headers of an answer as
those of an e-mail. `benchmarks.ingest_speed` measures it; docs/decisions/0022-own-calls-of-the-table.md has the reason.
"""

from __future__ import annotations

import io
import select
import socket
import ssl
import weakref
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from functools import cache
from http.client import HTTPConnection, HTTPSConnection
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.httpsession import create_urllib3_context, get_cert_path

MAX_IDLE = 64
MAX_LINE_BYTES = 32_000


class Session(Protocol):
    """The part of botocore's HTTP session that an endpoint uses."""

    def send(self, request: AWSPreparedRequest) -> AWSResponse: ...

    def close(self) -> None: ...


class Timeouts(NamedTuple):
    """Seconds to connect, and to wait for a part of an answer."""

    connect: float
    read: float


class KeptConnections:
    """A session that sends a request over an idle connection to its host, or over a new one."""

    def __init__(self, timeouts: Timeouts, verify: bool | str) -> None:
        self._timeouts, self._verify = timeouts, verify
        self._idle: defaultdict[str, deque[_Connection]] = defaultdict(deque)
        weakref.finalize(self, _close_all, self._idle)

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """Raise botocore's error for a connection that fails, and for an answer that does not arrive."""
        idle = self._idle[_origin(request.url)]
        connection = _first_open(idle) or self._open(request.url)
        try:
            status, headers, body = connection.exchange(_bytes_of(request))
        except TimeoutError as error:
            _close_failed(connection, idle)
            raise ReadTimeoutError(endpoint_url=request.url, error=error) from error
        except (OSError, ValueError) as error:
            _close_failed(connection, idle)
            raise ConnectionClosedError(error=error, request=request, endpoint_url=request.url) from error
        if connection.is_open and len(idle) < MAX_IDLE:
            idle.append(connection)
        else:
            connection.close()
        named: Any = headers
        return AWSResponse(request.url, status, named, _Whole(body))

    def close(self) -> None:
        _close_all(self._idle)

    def _open(self, url: str) -> _Connection:
        parts = urlsplit(url)
        host, seconds = str(parts.hostname), self._timeouts.connect
        connection = HTTPConnection(host, parts.port, timeout=seconds)
        if parts.scheme == "https":
            context = _tls(self._verify)
            connection = HTTPSConnection(host, parts.port, timeout=seconds, context=context)
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise _unconnected(url, error) from error
        connection.sock.settimeout(self._timeouts.read)
        return _Connection(connection.sock)


class _Connection:
    """One connection of HTTP/1.1."""

    def __init__(self, to: socket.socket) -> None:
        self._socket = to
        self._answers = to.makefile("rb")
        self._poll = select.poll()
        self._poll.register(to, select.POLLIN)
        self.is_open = True

    def exchange(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send a request. Return status, headers by their names in lower case, and body of the answer."""
        self._socket.sendall(request)
        status = 100
        while status < 200:  # an interim answer precedes the real one
            version, _, rest = self._line().partition(" ")
            if not version.startswith("HTTP/1."):
                raise ValueError("This is not an answer of HTTP/1")
            status, headers = int(rest[:3]), dict(self._headers())
        self.is_open = version != "HTTP/1.0" and headers.get("connection", "").lower() != "close"
        return status, headers, self._body(headers)

    @property
    def is_stale(self) -> bool:
        """True if the host has closed the idle connection, or has sent what no request asked for."""
        return bool(self._poll.poll(0))

    def close(self) -> None:
        self._answers.close()
        self._socket.close()

    def _line(self) -> str:
        line = self._answers.readline(MAX_LINE_BYTES)
        if not line.endswith(b"\n"):
            raise ConnectionResetError("The connection ended before the answer did")
        return line.decode("latin-1").rstrip("\r\n")

    def _headers(self) -> Iterator[tuple[str, str]]:
        while line := self._line():
            name, _, value = line.partition(":")
            yield name.lower(), value.strip()

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return b"".join(self._chunks())
        if "content-length" in headers:
            return self._read(int(headers["content-length"]))
        self.is_open = False
        return self._answers.read()

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._line().partition(";")[0], 16):
            yield self._read(size)
            self._line()
        while self._line():
            """Skip the trailers."""

    def _read(self, size: int) -> bytes:
        body = self._answers.read(size)
        if len(body) < size:
            raise ConnectionResetError("The connection ended before the answer did")
        return body


class _Whole(io.BytesIO):
    """A body in the form of urllib3."""

    def stream(self) -> Iterator[bytes]:
        yield self.getvalue()


def _unconnected(url: str, error: OSError) -> Exception:
    if isinstance(error, TimeoutError):
        return ConnectTimeoutError(endpoint_url=url, error=error)
    kind = SSLError if isinstance(error, ssl.SSLError) else EndpointConnectionError
    return kind(endpoint_url=url, error=error)


def _close_failed(connection: _Connection, idle: deque[_Connection]) -> None:
    """Close it and the idle ones: a freeze of the process can break all, and each would use up an attempt."""
    connection.close()
    _close_idle(idle)


def _close_all(kept: Mapping[str, deque[_Connection]]) -> None:
    for idle in kept.values():
        _close_idle(idle)


def _close_idle(idle: deque[_Connection]) -> None:
    while True:
        try:
            idle.pop().close()
        except IndexError:
            return


def _first_open(idle: deque[_Connection]) -> _Connection | None:
    """The connection that was used last and is open; other threads take theirs at the same time."""
    while True:
        try:
            connection = idle.pop()
        except IndexError:
            return None
        if not connection.is_stale:
            return connection
        connection.close()


def _bytes_of(request: AWSPreparedRequest) -> bytes:
    parts = urlsplit(request.url)
    lines = [f"{request.method} {parts.path or '/'} HTTP/1.1"]
    if "host" not in request.headers:
        lines.append(f"Host: {parts.netloc}")
    lines += [f"{name}: {_text(value)}" for name, value in request.headers.items()]
    body: Any = request.body or b""
    return "\r\n".join([*lines, "\r\n"]).encode("latin-1") + bytes(body)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


@cache
def _origin(url: str) -> str:
    return urlsplit(url).netloc


@cache
def _tls(verify: Any) -> Any:
    """A context like that of botocore's session. `verify`: a bool, or the path of certificates."""
    context = create_urllib3_context()
    context.check_hostname = bool(verify)
    context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
    if verify:
        context.load_verify_locations(get_cert_path(verify))
    return context
