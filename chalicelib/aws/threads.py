"""Several calls of AWS at the same time, for one request."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

THREADS = 8


def in_threads(work: Callable[[A], B], items: Iterable[A]) -> list[B]:
    """What the work gives for each, in their order; what it uses counts as this request's."""
    given = list(items)
    if len(given) < 2:
        return [work(each) for each in given]
    with ThreadPoolExecutor(min(THREADS, len(given))) as pool:
        # A context is entered by one thread at a time: each has a copy.
        return list(pool.map(lambda each: each[0].run(work, each[1]), [(copy_context(), each) for each in given]))
