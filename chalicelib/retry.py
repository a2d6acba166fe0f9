"""Retries of a request that loses races against other requests.

The limit is a time, not a count: a request that loses forty races in a second is not stuck. It leaves room within the
29 seconds of a request, also for nested retry loops.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from chalicelib import deadline
from chalicelib.errors import Overtaken, Unavailable

SECONDS = 6.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.2

T = TypeVar("T")


class Retry:
    """The attempts of one operation: `for _ in Retry(): ...`, left by `break` or `return` after a success.

    The time starts when the object is created. The loop never ends by itself: it raises Unavailable.
    """

    def __init__(self) -> None:
        self._end = time.monotonic() + SECONDS
        self._pause = _FIRST_PAUSE
        self._attempt = 0

    def __iter__(self) -> Retry:
        return self

    def __next__(self) -> int:
        """Return the number of the attempt, from 1; pause before each but the first."""
        if self._attempt:
            self._wait()
        self._attempt += 1
        return self._attempt

    def _wait(self) -> None:
        """Pause before the next attempt; Unavailable when the time is over.

        The longest pause doubles each time. The length is random, or the same requests would collide again.
        """
        # After the deadline no attempt can succeed.
        deadline.check()
        if time.monotonic() > self._end:
            raise Unavailable(retry_after=1)
        time.sleep(random.uniform(0, self._pause))  # noqa: S311
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)


def until_not_overtaken(act: Callable[[], T]) -> T:
    """Call `act`, and again as long as it is Overtaken by another request; return its result."""
    for _ in Retry():
        try:
            result = act()
        except Overtaken:
            continue
        break
    return result
