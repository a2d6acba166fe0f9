"""Parallel calls of AWS for one request."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

THREADS = 8


def in_threads(work: Callable[[A], B], items: Iterable[A]) -> list[B]:
    """Call `work` for each item in parallel; return the results in order. Used units count for this request."""
    given = list(items)
    if len(given) < 2:
        return [work(each) for each in given]
    with ThreadPoolExecutor(min(THREADS, len(given))) as pool:
        # Only one thread at a time can enter a context: copy it for each call.
        return list(pool.map(lambda each: each[0].run(work, each[1]), [(copy_context(), each) for each in given]))
