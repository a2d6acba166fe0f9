"""A persistent connection to a server on this machine, and an error with the server's answer. Standard library only."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any, Protocol
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 300
# Servers close idle connections, uvicorn after five seconds: open a new one before that.
IDLE_SECONDS = 2
SHOWN = 500


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    connection = Connection(url)
    try:
        yield connection
    finally:
        connection.close()


class RequestFailed(Exception):
    """The status of an answer is not 2xx."""


class Connection:
    """JSON over HTTP/1.1 with keep-alive, closed at the end of a `with` block."""

    def __init__(self, url: str) -> None:
        self._http = HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT_SECONDS)
        self._used = time.monotonic()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The decoded answer. RequestFailed, with the beginning of the answer, for any status but 2xx."""
        return json.loads(self.send(method, path, None if body is None else json.dumps(body).encode()) or b"null")

    def send(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """The answer's bytes. RequestFailed, with the beginning of the answer, for any status but 2xx."""
        if time.monotonic() - self._used > IDLE_SECONDS:
            self._http.close()
        self._http.request(method, path, body, {"Content-Type": "application/json"})
        answer = self._http.getresponse()
        content = answer.read()
        self._used = time.monotonic()
        if not 200 <= answer.status < 300:
            raise RequestFailed(f"{method} {path} answered {answer.status}: {content[:SHOWN].decode(errors='replace')}")
        return content

    def close(self) -> None:
        self._http.close()


class Asking(Protocol):
    """An object that answers requests with decoded JSON."""

    def call(self, method: str, path: str, body: Any = None) -> Any: ...
