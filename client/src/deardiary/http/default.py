"""The default transport: HTTP/1.1 by the standard library, over pooled keep-alive connections."""

from __future__ import annotations

import contextlib
import io
import socket
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from deardiary import settings
from deardiary.errors import NOT_OURS, ClientError, connection_failed, without_query
from deardiary.http import address_guard
from deardiary.http.address_guard import Zone
from deardiary.http.pool import Pool
from deardiary.http.proxy import Route, find_route
from deardiary.http.transport import Request, Response

if TYPE_CHECKING:
    import ssl

_BLOCK = 256 * 1024
_LONGEST = 256 * 1024 * 1024  # bytes of an answer that is not streamed; in AWS the API's have at most 6 MB


class HttpTransport:
    """Keep-alive connections per host, with the certificate authorities and the proxies of the machine.

    Timeouts are in seconds and per network operation, not per request; API Gateway's own timeout is 29 s. ``proxies``
    is passed to `proxy.find_route`.
    """

    def __init__(
        self,
        *,
        connect_timeout: float = 10.0,
        read_timeout: float = 35.0,
        proxies: Mapping[str, str] | None = None,
    ) -> None:
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._proxies = proxies
        self._pool = Pool()
        self._zones: dict[str, Zone] = {}  # of API servers, by host

    def send(self, request: Request) -> Response:
        try:
            return self._send(request, urlsplit(request.url))
        except (OSError, HTTPException) as error:
            raise connection_failed(request.url, error) from error
        except ValueError:
            # Drop the reason: it may quote a header, and with it the token.
            message = (
                f"The request to {without_query(request.url)} cannot be sent: its URL or its token cannot be right"
            )
            raise ClientError(0, "REQUEST_INVALID", message) from None

    def close(self) -> None:
        self._pool.close()

    def _send(self, request: Request, url: SplitResult) -> Response:
        route = self._route(request, url)
        kept = self._pool.take(route)
        if kept is not None:
            try:
                return self._exchange(kept, route, request, url)
            except ConnectionError:  # the server has closed the idle connection without an answer
                if not request.may_repeat:
                    raise
        return self._exchange(self._connect(route), route, request, url)

    def _route(self, request: Request, url: SplitResult) -> Route:
        route = find_route(url, self._proxies)
        if request.named_by is None:
            return route
        host = urlsplit(request.named_by).hostname or ""
        return replace(route, opened=self._zones.get(host, address_guard.zone_of_api(host)))

    def _exchange(self, connection: HTTPConnection, route: Route, request: Request, url: SplitResult) -> Response:
        try:
            raw = _converse(connection, request, route, url)
            stream = _Stream(raw, connection, route, self._pool)
            headers = {name.lower(): value for name, value in raw.getheaders()}
            if request.streamed:
                return Response(raw.status, headers, stream)
            return Response(raw.status, headers, io.BytesIO(_whole(stream, request.url)))
        except BaseException:
            connection.close()
            raise

    def _connect(self, route: Route) -> HTTPConnection:
        host, port = (route.proxy.host, route.proxy.port) if route.proxy else (route.host, route.port)
        connection = (
            HTTPSConnection(host, port, timeout=self._connect_timeout, blocksize=_BLOCK, context=self._tls)
            if route.scheme == "https"
            else HTTPConnection(host, port, timeout=self._connect_timeout, blocksize=_BLOCK)
        )
        if route.proxy and route.scheme == "https":
            connection.set_tunnel(route.host, route.port, dict(route.proxy.headers))
        if route.opened is None:
            connection.connect()  # also sets TCP_NODELAY
            self._remember(route, connection)
        else:
            self._connect_to_store(route, route.opened, connection)
        connection.sock.settimeout(self._read_timeout)
        return connection

    def _remember(self, route: Route, connection: HTTPConnection) -> None:
        """Note the zone of a server. A server seen in several zones counts as public, which opens no zone to stores."""
        zone = Zone.PUBLIC
        if route.proxy is None:
            zone = address_guard.settled(address_guard.zone_of(connection.sock.getpeername()[0]))
        self._zones[route.host] = zone if self._zones.get(route.host, zone) is zone else Zone.PUBLIC

    def _connect_to_store(self, route: Route, opened: Zone, connection: HTTPConnection) -> None:
        """Connect to an address that `address_guard` allows. A proxy resolves names itself: check only the name."""
        if route.proxy is None:
            plain = _open_allowed(route, opened, self._connect_timeout)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            is_tls = route.scheme == "https"
            connection.sock = self._tls.wrap_socket(plain, server_hostname=route.host) if is_tls else plain
            connection.auto_open = 0  # a reconnection would resolve the name again, unchecked
            return
        address = address_guard.literal_of(route.host)
        if address is not None:
            _check(route.host, address, opened)
        connection.connect()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        import ssl

        return ssl.create_default_context()


def _open_allowed(route: Route, opened: Zone, timeout: float) -> socket.socket:
    """A connection to the first allowed address that answers; ClientError STORE_FORBIDDEN if none is allowed."""
    found = socket.getaddrinfo(route.host, route.port, type=socket.SOCK_STREAM)
    allowed = [each[4] for each in found if _is_allowed(route.host, str(each[4][0]), opened)]
    if not allowed:
        raise address_guard.forbidden(route.host, str(found[0][4][0]))
    for address in allowed[:-1]:
        with contextlib.suppress(OSError):
            return socket.create_connection((str(address[0]), route.port), timeout)
    return socket.create_connection((str(allowed[-1][0]), route.port), timeout)


def _check(host: str, address: str, opened: Zone) -> None:
    if not _is_allowed(host, address, opened):
        raise address_guard.forbidden(host, address)


def _is_allowed(host: str, address: str, opened: Zone) -> bool:
    return address_guard.allows(opened, address_guard.zone_of(address), host, settings.store_hosts())


def _whole(stream: _Stream, url: str) -> bytes:
    """The whole body, read in blocks: the announced length may be false."""
    blocks, size = [], 0
    while block := stream.read(_BLOCK):
        blocks.append(block)
        size += len(block)
        if size > _LONGEST:
            raise ClientError(0, NOT_OURS, f"The answer of {without_query(url)} does not end")
    return b"".join(blocks)


class _Stream:
    """The body of an answer. Its connection returns to the pool if the body is read to its end."""

    def __init__(self, raw: HTTPResponse, connection: HTTPConnection, route: Route, pool: Pool) -> None:
        self._raw = raw
        self._connection: HTTPConnection | None = connection
        self._route = route
        self._pool = pool
        self._reusable = not raw.will_close

    def read(self, size: int = -1, /) -> bytes:
        try:
            data = self._raw.read() if size < 0 else self._raw.read(size)
        except (OSError, HTTPException) as error:
            self._reusable = False
            self.close()
            raise self._failed(error) from error
        if size > 0 and not data and self._raw.length:  # `http.client` reports a short body only from `read()`
            self._reusable = False
            self.close()
            raise self._failed(IncompleteRead(b"", self._raw.length))
        if self._raw.isclosed():
            self.close()
        return data

    def _failed(self, error: Exception) -> ClientError:
        return connection_failed(f"{self._route.scheme}://{self._route.host}:{self._route.port}", error)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._reusable and self._raw.isclosed():
            self._pool.give(self._route, connection)
            return
        self._raw.close()
        connection.close()


def _converse(connection: HTTPConnection, request: Request, route: Route, url: SplitResult) -> HTTPResponse:
    target, headers = _target(route, url), _headers(route, request)
    with contextlib.closing(request.open_body()) as body:
        try:
            connection.request(request.method, target, body if request.size_bytes else None, headers)
        except (BrokenPipeError, ConnectionResetError):
            # A server that refuses a body may answer and close before it has read the body: read that answer.
            raw = connection.getresponse()
            raw.will_close = True
            return raw
    return connection.getresponse()


def _headers(route: Route, request: Request) -> dict[str, str]:
    """The request's headers with Content-Length: without it, `http.client` would send the body chunked."""
    headers = dict(request.headers)
    if request.size_bytes and "content-length" not in map(str.lower, headers):
        headers["Content-Length"] = str(request.size_bytes)
    if route.proxy and route.scheme == "http":
        headers.update(route.proxy.headers)
    return headers


def _target(route: Route, url: SplitResult) -> str:
    """The request target: the whole URL for a proxy that does not tunnel, else path and query."""
    origin = f"http://{url.netloc}" if route.proxy and route.scheme == "http" else ""
    return f"{origin}{url.path or '/'}" + (f"?{url.query}" if url.query else "")
