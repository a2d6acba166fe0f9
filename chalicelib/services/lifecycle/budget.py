"""Interruptible work, done in steps: time is limited, and any step may fail or be the last."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from chalicelib import deadline
from chalicelib.aws.overload import is_overload

T = TypeVar("T")


class OutOfTime(Exception):
    """The time of the step is over. The next step finds the remaining work again."""


class Budget:
    """Time limit of one step."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def is_spent(self) -> bool:
        return time.monotonic() > self._end

    def check(self) -> None:
        if self.is_spent:
            raise OutOfTime


def all_done(steps: Iterable[Callable[[], bool]], budget: Budget) -> bool:
    """Run the steps, each with its own deadline. True if all of them finished, else False.

    A failed step does not prevent the others: raise the first error after all of them.
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
        except Exception as error:  # noqa: BLE001 - raised below, after the other steps
            failures.append(error)
    if failures:
        raise failures[0]
    return finished


def unless_overloaded(work: Callable[[], T], otherwise: T) -> T:
    """Return the result of repeatable work, or `otherwise` if a service below is overloaded or unreachable."""
    try:
        return work()
    except Exception as error:
        if not is_overload(error):
            raise
        return otherwise
