"""A process that is suspended before one of its writes, while other processes run and the clocks advance.

Example::

    with suspended(3, work_of_another_process, clocks) as suspension:
        server.call("PATCH", path, body)
    assert suspension.happened
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta

import pytest

from chalicelib import clock, deadline

# Longer than any other process waits before it takes over unfinished work.
SECONDS = 70.0
_is_sleeper: ContextVar[bool] = ContextVar("is_sleeper", default=False)


class Clocks:
    """All clocks of this machine, which a test can advance."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.ahead = 0.0
        now, clocks = clock.now, deadline._clocks
        patch.setattr(clock, "now", lambda: now() + timedelta(seconds=self.ahead))
        patch.setattr(deadline, "_clocks", lambda: tuple(each + self.ahead for each in clocks()))


class Suspension:
    """Counts the writes of the suspended process, and suspends it before one of them."""

    def __init__(self, before_write: int, meanwhile: Callable[[], object], clocks: Clocks, *, in_window: bool) -> None:
        self.happened = False
        self._left, self._meanwhile, self._clocks, self._in_window = before_write, meanwhile, clocks, in_window
        self._check = deadline.check
        # While a process is suspended, none of its threads runs.
        self._lock = threading.Lock()

    def check(self) -> None:
        if not _is_sleeper.get():
            return self._check()
        with self._lock:
            if self._in_window:
                self._check()
            self._left -= 1
            if self._left == 0:
                self.happened = True
                self._sleep()
            if not self._in_window:
                self._check()
        return None

    def _sleep(self) -> None:
        self._clocks.ahead += SECONDS
        # A thread begins in an empty context: it has no deadline, and is no sleeper.
        with ThreadPoolExecutor(1) as other:
            other.submit(self._meanwhile).result()


@contextmanager
def suspended(
    before_write: int, meanwhile: Callable[[], object], clocks: Clocks, *, in_window: bool = False
) -> Iterator[Suspension]:
    """Suspend the block before its n-th write, counted from 1: run `meanwhile`, and advance the clocks by a minute.

    `in_window`: suspend after the check of the deadline, directly before the write.
    """
    suspension = Suspension(before_write, meanwhile, clocks, in_window=in_window)
    token = _is_sleeper.set(True)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(deadline, "check", suspension.check)
            yield suspension
    finally:
        _is_sleeper.reset(token)


def each_suspension(run: Callable[[int], bool]) -> int:
    """Suspend before the first write, then the second, and so on, until there is no such write; return their number."""
    return next(number for number in itertools.count(1) if not run(number)) - 1
