"""A transport that reads only, so that a tool with a fault cannot change anything either."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from deardiary.errors import ClientError

if TYPE_CHECKING:
    from deardiary.http.transport import Request, Response, Transport

_READING = ("GET", "HEAD")


class ReadOnly:
    """Refuses each request that could change something, except a sign-in."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    def send(self, request: Request) -> Response:
        if request.method not in _READING and "/auth/" not in urlsplit(request.url).path:
            raise ClientError(0, "READ_ONLY", f"{request.method} was not sent: this program may only read")
        return self._inner.send(request)

    def close(self) -> None:
        self._inner.close()
