"""Concurrent requests whose AWS calls happen in an order that a test chooses.

An actor stops before each of its calls and continues when the test tells it to. Only one runs at a time, so an order
always has the same result. Example::

    with stage() as actors:
        writer, editor = actors.add(write), actors.add(edit)
        writer.step(3)
        editor.finish()
        writer.die()
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import botocore.endpoint
import pytest

from chalicelib import retry
from chalicelib.aws import threads

_current: ContextVar[Actor | None] = ContextVar("current", default=None)
_SECONDS = 60


class _DeathError(BaseException):
    """The actor's process has died."""


class Actor:
    """One request in a simulated process."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.done = False
        self.result: Any = None
        self._dead = False
        self._go, self._stopped = threading.Semaphore(0), threading.Semaphore(0)
        # A thread begins in an empty context.
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()
        self._wait()

    def step(self, calls: int = 1) -> None:
        """Let it make this many calls, each with its work up to the next one."""
        for _ in range(calls):
            if not self.done:
                self._go.release()
                self._wait()

    def finish(self) -> Any:
        """Let it run to its end; return its result."""
        while not self.done:
            self.step()
        return self.result

    def die(self) -> None:
        """Kill it: it makes no further call."""
        self._dead = True
        self.finish()

    def before_call(self) -> None:
        self._stopped.release()
        self._go.acquire()
        if self._dead:
            raise _DeathError

    def _run(self, work: Callable[[], Any]) -> None:
        _current.set(self)
        try:
            self.result = work()
        except _DeathError:
            pass
        finally:
            self.done = True
            self._stopped.release()

    def _wait(self) -> None:
        assert self._stopped.acquire(timeout=_SECONDS), "An actor neither made a call nor came to its end"


class Actors:
    def __init__(self) -> None:
        self.all: list[Actor] = []

    def add(self, work: Callable[[], Any]) -> Actor:
        """Add an actor, stopped before its first call."""
        self.all.append(Actor(work))
        return self.all[-1]


@contextmanager
def stage() -> Iterator[Actors]:
    """Yield the actors; kill those that still run at the end of the block."""
    endpoint: Any = botocore.endpoint.Endpoint
    send = endpoint._do_get_response

    def send_when_told(*given: Any) -> Any:
        actor = _current.get()
        if actor is not None:
            actor.before_call()
        return send(*given)

    actors = Actors()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(endpoint, "_do_get_response", send_when_told)
        patch.setattr(threads, "THREADS", 1)
        patch.setattr(retry, "_LONGEST_PAUSE", 0.0)
        patch.setattr(retry, "_FIRST_PAUSE", 0.0)
        try:
            yield actors
        finally:
            for actor in actors.all:
                actor.die()
