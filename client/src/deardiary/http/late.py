"""The default transport, imported when the first request is sent: `start` leaves that to a thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from deardiary.forks import no_fork

if TYPE_CHECKING:
    from deardiary.http.transport import Request, Response, Transport


class LateTransport:
    """An `HttpTransport` with these options."""

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._made: Transport | None = None
        self._making = threading.Lock()

    def send(self, request: Request) -> Response:
        return (self._made or self._make()).send(request)

    def close(self) -> None:
        if self._made is not None:
            self._made.close()

    def _make(self) -> Transport:
        with no_fork, self._making:
            from deardiary.http.default import HttpTransport

            self._made = self._made or HttpTransport(**self._options)
            return self._made
