"""Retries of a request that loses races against other requests.

The limit is a time, not a count: a request that loses forty races in a second is not stuck. It leaves room within the
29 seconds of a request, also for nested retry loops.
"""

from __future__ import annotations

import random
import time

from chalicelib import deadline
from chalicelib.errors import Unavailable

SECONDS = 6.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.2


class Patience:
    """The time for the retries of one operation; it starts when the object is created."""

    def __init__(self) -> None:
        self._end = time.monotonic() + SECONDS
        self._pause = _FIRST_PAUSE

    def wait(self) -> None:
        """Pause before the next attempt; Unavailable when the time is over.

        The longest pause doubles each time. The length is random, or the same requests would collide again.
        """
        # After the deadline no attempt can succeed.
        deadline.check()
        if time.monotonic() > self._end:
            raise Unavailable(retry_after=1)
        time.sleep(random.uniform(0, self._pause))  # noqa: S311
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
