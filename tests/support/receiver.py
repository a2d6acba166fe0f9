"""A server on loopback in place of the webhook of a user."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

# More than any machine takes for a request on loopback.
SECONDS = 60


class Received(NamedTuple):
    path: str
    headers: dict[str, str]
    body: Any


class Receiver:
    """A server on loopback that keeps what is posted to it."""

    def __init__(self) -> None:
        self.inbox: queue.Queue[Received] = queue.Queue()
        inbox = self.inbox

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                inbox.put(Received(self.path, headers, json.loads(text)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"

    def take(self) -> Received:
        return self.inbox.get(timeout=SECONDS)

    def take_all(self) -> list[Received]:
        """Everything that has come so far."""
        return [self.inbox.get_nowait() for _ in range(self.inbox.qsize())]


@contextmanager
def receiving() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        thread.join()
        made.server.server_close()
