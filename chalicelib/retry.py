"""How long a request tries again what others were faster at.

By time and not by count: who is overtaken forty times within a second by many others is not stuck. A Lambda may take 29
seconds, and a loop of tries may stand inside another.
"""

from __future__ import annotations

import random
import time

from chalicelib import deadline
from chalicelib.errors import Unavailable

SECONDS = 6.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.2


class Patience:
    """Begins to run out when it is made."""

    def __init__(self) -> None:
        self._end = time.monotonic() + SECONDS
        self._pause = _FIRST_PAUSE

    def wait(self) -> None:
        """A pause before the next try, at most twice as long each time; Unavailable when there should be none.

        Of random length, because those that clash would otherwise clash again.
        """
        # No try can succeed any more.
        deadline.check()
        if time.monotonic() > self._end:
            raise Unavailable(retry_after=1)
        time.sleep(random.uniform(0, self._pause))  # noqa: S311
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
