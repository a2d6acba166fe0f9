"""The app behind a local HTTP server: Chalice's development server, adapted for real traffic."""

from __future__ import annotations

import contextlib
import errno
import functools
import http
import json
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any

from chalice.config import Config
from chalice.local import ChaliceRequestHandler, LocalChalice, LocalGatewayException, ThreadedHTTPServer

from infra.failure import InfraError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalice.app import Chalice

HOST = "127.0.0.1"
FIRST_PORT, PORTS_TRIED = 9000, 50
MAX_BODY_BYTES = 10 * 1024 * 1024  # the limit of API Gateway
IDLE_SECONDS = 75
MOST_OF_LINE = 65536
NO_SUCH_ROUTE = '{"code": "NOT_FOUND", "message": "There is no such route", "details": {"kind": "route"}}'
DRAIN_BYTES, DRAIN_SECONDS = 128 * 1024 * 1024, 2.0
# The app sends larger files of MLflow's clients on to the store. It needs only the headers.
REDIRECTED = "/mlflow-artifacts/artifacts/"


class QuietHandler(ChaliceRequestHandler):
    """Chalice's handler, which sends an answer in one piece and refuses bodies that it cannot read.

    Chalice sends headers and body separately with Nagle's algorithm on, which costs 40 ms per answer on loopback.
    """

    disable_nagle_algorithm = True
    wbufsize = -1  # buffered; the standard library flushes after each request
    timeout = IDLE_SECONDS
    # The standard library's answer to an invalid HTTP request or an unknown method.
    error_content_type = "application/json"
    error_message_format = '{"code": "INVALID_PAYLOAD", "message": "%(code)d: not a request that this server knows"}'

    def parse_request(self) -> bool:
        """False, after sending the refusal, if the request line, the headers or the declared body are invalid."""
        if not super().parse_request():
            return False
        # Chalice would take what follows a semicolon for parameters, and leave it out.
        path, mark, query = str(self.path).partition("?")
        self.path: str = path.replace(";", "%3B") + mark + query
        refusal = self._refusal()
        if refusal is None and self._is_chunked():
            refusal = self._read_chunks()
        if refusal is None:
            return True
        self._refuse(*refusal)
        return False

    def handle_expect_100(self) -> bool:
        """Answer at once: the client waits for this line before it sends the body."""
        going_on: bool = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def _parse_payload(self) -> tuple[Any, bytes | None]:
        """The headers and the body; no body in place of one that is too large."""
        length = int(self.headers.get("content-length", "0"))
        if self._is_chunked():
            body = self._chunks
        elif length > MAX_BODY_BYTES:
            self._skip(length)
            body = b""
        else:
            body = self.rfile.read(length)
        return dict(self.headers), body or None

    def _is_chunked(self) -> bool:
        return "transfer-encoding" in self.headers

    def _read_chunks(self) -> tuple[int, str, str] | None:
        """Read a chunked body (RFC 9112, section 7.1), or return why it is refused."""
        body = bytearray()
        try:
            while size := int(self.rfile.readline(MOST_OF_LINE).split(b";")[0], 16):
                if len(body) + size > MAX_BODY_BYTES:
                    return 413, "PAYLOAD_TOO_LARGE", f"The body is larger than {MAX_BODY_BYTES} bytes"
                body += self.rfile.read(size)
                self.rfile.readline(MOST_OF_LINE)
        except ValueError:
            return 400, "INVALID_PAYLOAD", "The chunks of the body are not readable"
        while self.rfile.readline(MOST_OF_LINE).strip():
            """Skip the trailers."""
        self._chunks = bytes(body)
        return None

    def _skip(self, length: int) -> None:
        while length > 0 and (block := self.rfile.read(min(length, 65536))):
            length -= len(block)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the standard library's
        """Write no access log: a training run sends a request every few seconds."""

    def _refusal(self) -> tuple[int, str, str] | None:
        """Status, code and message for a body of unknown, invalid or excessive size."""
        if self.headers.get("transfer-encoding", "chunked").lower() != "chunked":
            return 411, "LENGTH_REQUIRED", "Send the body with a Content-Length, or chunked"
        if self._is_chunked() and "content-length" in self.headers:
            return 400, "INVALID_PAYLOAD", "Content-Length and chunks contradict each other"
        lengths = self.headers.get_all("content-length", ["0"])
        if len(lengths) != 1 or not (lengths[0].isascii() and lengths[0].isdigit()):
            return 400, "INVALID_PAYLOAD", "Content-Length is not a number of bytes"
        if int(lengths[0][:20]) > MAX_BODY_BYTES and not (self.command == "PUT" and REDIRECTED in self.path):
            return 413, "PAYLOAD_TOO_LARGE", f"The body is larger than {MAX_BODY_BYTES} bytes"
        return None

    def _send_error_response(self, error: LocalGatewayException) -> None:  # noqa: ARG002 - Chalice's signature
        """For a path without a route: in the cloud API Gateway answers this, and echoes the token of the request."""
        self._send_http_response(404, {}, NO_SUCH_ROUTE)

    def _send_http_response(self, code: int, headers: Any, body: Any) -> None:
        """Answer a method that the path lacks like an unknown path."""
        missing = code == http.HTTPStatus.METHOD_NOT_ALLOWED
        super()._send_http_response(404 if missing else code, headers, NO_SUCH_ROUTE if missing else body)

    def _refuse(self, status: int, code: str, message: str) -> None:
        """Answer and close the connection: the rest of its data is an unread body."""
        self.close_connection = True
        body = json.dumps({"code": code, "message": message})
        self._send_http_response(status, {"Connection": "close"}, body)
        self.wfile.flush()
        self._read_away()

    def _read_away(self) -> None:
        """Read the remaining data: closing a socket with unread bytes can discard our answer."""
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(DRAIN_SECONDS)
        left = DRAIN_BYTES
        with contextlib.suppress(OSError):
            while left > 0 and (got := self.rfile.read1(65536)):
                left -= len(got)


class LocalServer(ThreadedHTTPServer):
    """Uses daemon threads, and prints no traceback if the peer disconnects."""

    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print an unexpected error to stderr, but not a disconnected peer."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextlib.contextmanager
def serving(app: Chalice, first_port: int = FIRST_PORT) -> Iterator[str]:
    """Serve the app on loopback until the block ends; yield its URL. InfraError without a free port near it."""
    # Each request has its own thread, so `current_request` must exist once per thread. Chalice's own local server
    # changes the app's class in the same way.
    if not isinstance(app, LocalChalice):
        app.__class__ = type("LocalApp", (LocalChalice, type(app)), {})
    server = _bind(functools.partial(QuietHandler, app_object=app, config=Config()), first_port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _bind(handler: Any, first_port: int) -> LocalServer:
    ports = range(first_port, first_port + PORTS_TRIED)
    for server in (_bind_one(handler, port) for port in ports):
        if server is not None:
            return server
    raise InfraError(f"No free port on {HOST} from {ports[0]} to {ports[-1]}")


def _bind_one(handler: Any, port: int) -> LocalServer | None:
    try:
        return LocalServer((HOST, port), handler)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return None
