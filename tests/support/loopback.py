"""An HTTP server on a free loopback port, scripted by the test."""

from __future__ import annotations

import dataclasses
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclasses.dataclass
class Reply:
    """An answer. ``hang_up`` closes the connection afterwards without announcing it; ``status`` 0 sends no answer."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    hang_up: bool = False


@dataclasses.dataclass
class Seen:
    """A received request. ``connection`` identifies its connection."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: object


class Loopback:
    def __init__(self, url: str) -> None:
        self.url = url
        self.seen: list[Seen] = []
        self.replies: list[Reply] = []

    @property
    def connections(self) -> int:
        return len({seen.connection for seen in self.seen})


@contextmanager
def serve() -> Iterator[Loopback]:
    """Run a server during the block. It sends ``replies`` in turn, then an empty 200 to every further request."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    loopback = Loopback(f"http://127.0.0.1:{server.server_port}")
    server.loopback = loopback  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield loopback
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 5

    def _answer(self) -> None:
        loopback: Loopback = self.server.loopback  # type: ignore[attr-defined]
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        loopback.seen.append(Seen(self.command, self.path, headers, body, self.client_address))
        reply = loopback.replies.pop(0) if loopback.replies else Reply()
        self.close_connection = reply.hang_up
        if reply.status:
            self._write(reply)

    def _write(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_CONNECT = _answer  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing."""
