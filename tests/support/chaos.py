"""A proxy on loopback that disturbs a third of the requests."""

from __future__ import annotations

import collections
import http.client
import random
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

Answer = tuple[int, list[tuple[str, str]], bytes]

MISTREATMENTS = ("drop request", "drop answer", "delay", "truncate", "duplicate", "500 before", "500 after")


class Chaos:
    """``done`` counts the disturbances by kind."""

    def __init__(self, target: str, seed: int) -> None:
        self.target = target
        self.url = ""
        self.done: collections.Counter[str] = collections.Counter()
        self._random = random.Random(seed)  # noqa: S311
        self._lock = threading.Lock()

    def choose(self) -> str:
        with self._lock:
            choice = self._random.choice(MISTREATMENTS) if self._random.random() < 1 / 3 else "nothing"
            self.done[choice] += 1
            return choice


@contextmanager
def chaos(target: str, seed: int) -> Iterator[Chaos]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    proxy = Chaos(target, seed)
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    server.chaos = proxy  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 5

    def _pass_on(self) -> None:
        proxy: Chaos = self.server.chaos  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        choice = proxy.choose()
        answer = None if choice in ("drop request", "500 before") else self._forward(proxy, body)
        if choice == "duplicate":
            answer = self._forward(proxy, body)
        if choice == "delay":
            time.sleep(0.1)
        if choice in ("500 before", "500 after"):
            answer = 500, [], b"<html>something broke</html>"
        self.close_connection = choice != "nothing"
        if answer is not None and choice != "drop answer":
            self._answer(answer, cut=choice == "truncate")

    def _forward(self, proxy: Chaos, body: bytes) -> Answer | None:
        """Forward the request; None if the server does not run."""
        connection = http.client.HTTPConnection(urlsplit(proxy.target).netloc, timeout=60)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() == "content-type"]
            return answer.status, kept, answer.read()
        except (OSError, http.client.HTTPException):
            self.close_connection = True
            return None
        finally:
            connection.close()

    def _answer(self, answer: Answer, *, cut: bool) -> None:
        status, headers, body = answer
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass_on  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing."""
