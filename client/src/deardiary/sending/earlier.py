"""When to send what earlier processes of an iteration left: first, and again after a failure."""

import logging
import math
import time
from collections.abc import Callable, Sequence

from deardiary.errors import ClientError
from deardiary.http.backoff import wait_seconds

FIRST_BACKOFF, LONGEST_BACKOFF = 0.5, 60.0
HURRIED_BACKOFF = 1.0  # while a caller of `Sender.wait` waits
REFUSED_SECONDS = 60.0  # between two tries while the server refuses this user
MOST_WAITED = 8  # failures for which a caller waits: one bad record of an earlier process must not stop this one

_log = logging.getLogger(__name__)


class Earlier:
    """The spools of earlier processes, which ``send`` sends. It returns the errors that stopped it.

    ``is_settled``: a caller need not wait, because all are sent, or because they cannot be sent soon.
    """

    def __init__(self, send: Callable[[], Sequence[Exception]]) -> None:
        self._send = send
        self.is_sent = self.is_settled = False
        self._failures = 0
        self._not_before = self._not_before_hurried = -math.inf

    def due_in(self, *, hurried: bool) -> float:
        """The seconds until the next try; infinite when everything is sent."""
        if self.is_sent:
            return math.inf
        return (self._not_before_hurried if hurried else self._not_before) - time.monotonic()

    def send_if_due(self, *, hurried: bool) -> None:
        if self.due_in(hurried=hurried) > 0:
            return
        errors = self._try()
        passing = [error for error in errors if isinstance(error, ClientError) and error.is_passing]
        self._failures += 1
        self.is_sent, self.is_settled = not errors, not passing or self._failures >= MOST_WAITED
        self._put_off(max((error.retry_after for error in passing), default=None))

    def _put_off(self, asked: float | None) -> None:
        """Set the time of the next try. ``asked``: the Retry-After in seconds, 0 without one; None if refused."""
        now = time.monotonic()
        if asked is None:
            self._not_before = self._not_before_hurried = now + REFUSED_SECONDS
            return
        backoff = wait_seconds(self._failures - 1, first=FIRST_BACKOFF, longest=LONGEST_BACKOFF, least_share=0.5)
        self._not_before = now + max(backoff, asked)
        self._not_before_hurried = now + max(min(backoff, HURRIED_BACKOFF), asked)

    def _try(self) -> Sequence[Exception]:
        try:
            return self._send()
        except Exception as error:  # noqa: BLE001 - earlier spools must not block this process's records
            level = logging.DEBUG if self._failures else logging.ERROR
            _log.log(level, "What earlier processes have left cannot be sent, and should not fail so", exc_info=True)
            return [error]
