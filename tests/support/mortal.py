"""A client whose process dies at one request."""

from __future__ import annotations

import threading

import deardiary
from deardiary.http.transport import Request, Response, Transport
from tests.support.server import URL, Server


class Killed(BaseException):
    """The process ends here."""


class Mortal:
    """A transport that dies at one request, before it is sent or with its answer lost; and at all that follow."""

    def __init__(self, inner: Transport, last: int = 0, *, is_sent: bool = False) -> None:
        self._inner, self._last, self._is_sent = inner, last, is_sent
        self._lock = threading.Lock()
        self.requests = 0

    def send(self, request: Request) -> Response:
        with self._lock:
            self.requests += 1
            number = self.requests
        if not self._last or number < self._last:
            return self._inner.send(request)
        if self._is_sent and number == self._last:
            self._inner.send(request)
        raise Killed

    def close(self) -> None:
        self._inner.close()


def mortal(server: Server, last: int = 0, *, is_sent: bool = False) -> tuple[deardiary.Client, Mortal]:
    transport = Mortal(server.transport, last, is_sent=is_sent)
    return deardiary.connect(URL, token=server.token(), transport=transport), transport
