"""Work that is done in steps, each of which can be the last: there is only so much time, and a step may fail."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from chalicelib import deadline
from chalicelib.aws.overload import is_overload

T = TypeVar("T")


class OutOfTime(Exception):
    """The step is over; what is left is found again by the next one."""


class Budget:
    """Time for one step."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def is_spent(self) -> bool:
        return time.monotonic() > self._end

    def check(self) -> None:
        if self.is_spent:
            raise OutOfTime


def all_done(steps: Iterable[Callable[[], bool]], budget: Budget) -> bool:
    """Whether every step was done to its end. Each has a deadline of its own.

    One that fails keeps no other from being done: the first error is raised when all have been tried.
    """
    finished, failures = True, []
    for step in steps:
        if budget.is_spent:
            finished = False
            break
        try:
            with deadline.begun():
                finished = step() and finished
        except (OutOfTime, deadline.DeadlinePassed):
            finished = False
        except Exception as error:  # noqa: BLE001 - it is raised, when the others have had their turn
            failures.append(error)
    if failures:
        raise failures[0]
    return finished


def unless_overloaded(work: Callable[[], T], otherwise: T) -> T:
    """What the work gives, or `otherwise` when something below is overloaded or away: for work that is done again."""
    try:
        return work()
    except Exception as error:
        if not is_overload(error):
            raise
        return otherwise
