"""Retries, as a layer over any transport.

`Request.may_repeat` decides which requests may be sent twice. The sender of a spool has its own, unlimited retries.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable

from deardiary.errors import NOT_SENT, ClientError
from deardiary.http.backoff import wait_seconds
from deardiary.http.transport import Request, Response, Transport

FIRST_WAIT = 0.2
LONGEST_WAIT = 5.0
LONGEST_RETRY_AFTER = 30.0


class RetryingTransport:
    """Retry a request after no answer, 429, 5xx or a page of a proxy, if the request `may_repeat`.

    Before retry n it waits a random part of ``0.2 * 2**n`` seconds, at most 5 ("full jitter":
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), and at least a Retry-After in seconds.
    An answer with a Retry-After of more than 30 seconds is returned to the caller. No attempt begins later than
    ``within`` seconds after the first.
    """

    def __init__(
        self,
        inner: Transport,
        *,
        attempts: int = 5,
        within: float = math.inf,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.inner = inner
        self._attempts = attempts
        self._within = within
        self._sleep = sleep
        self._jitter = jitter

    def with_deadline(self, within: float) -> RetryingTransport:
        """A copy over the same connections, without retries after ``within`` seconds."""
        return RetryingTransport(
            self.inner, attempts=self._attempts, within=within, sleep=self._sleep, jitter=self._jitter
        )

    def send(self, request: Request) -> Response:
        last = time.monotonic() + self._within
        for attempt in range(self._attempts - 1 if request.may_repeat else 0):
            try:
                response = self.inner.send(request)
            except ClientError as error:
                if error.status or error.code in NOT_SENT or time.monotonic() > last:
                    raise
                wait = self._backoff(attempt)
            else:
                asked = _retry_after(response)
                if not _may_pass(response) or asked > LONGEST_RETRY_AFTER or time.monotonic() + asked > last:
                    return response
                response.close()
                wait = max(asked, self._backoff(attempt))
            self._sleep(wait)
        return self.inner.send(request)

    def close(self) -> None:
        self.inner.close()

    def _backoff(self, attempt: int) -> float:
        return wait_seconds(attempt, first=FIRST_WAIT, longest=LONGEST_WAIT, jitter=self._jitter)


def _may_pass(response: Response) -> bool:
    """True for 429, 5xx and HTML errors: the API and S3 answer no HTML, so a page is a proxy's and may be passing."""
    is_page = response.headers.get("content-type", "").startswith("text/html")
    return response.status == 429 or response.status >= 500 or (is_page and response.status >= 300)


def _retry_after(response: Response) -> float:
    """The Retry-After in seconds; 0 if it is missing or a date, which neither the API nor S3 sends."""
    text = response.headers.get("retry-after", "")
    return float(text[:9]) if text.isdecimal() else 0.0
