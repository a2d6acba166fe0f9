"""The deadline of a request, or of a step of the upkeep: past it, nothing is written any more.

A process can be suspended between its decision and its write: a laptop sleeps, a virtual machine is paused. Other
processes take over unfinished work after 60 seconds (`batch.STALE_AFTER`, `blob.CLAIM_MS`), so a late write would undo
what they did. `chalicelib/aws/clients.py` checks the deadline before each attempt of each write.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from chalicelib.errors import Unavailable

# Longer than a Lambda function may serve a request (29 s), which therefore never gets here. The rest of the 60 s, 25 s,
# is for a write to arrive that passed the check: connecting times out after 2 s, an answer after 5 s (S3: 22 s).
SECONDS = 35.0
_started: ContextVar[tuple[float, ...] | None] = ContextVar("started", default=None)


class DeadlinePassed(Unavailable):
    """The request was suspended or too slow; nothing of it is written from now on."""

    message = "The server was suspended, or too slow, during this request; send it again"


@contextmanager
def begun() -> Iterator[None]:
    """A new deadline for the block, in place of an outer one. Decisions to write must be taken inside the block."""
    token = _started.set(_clocks())
    try:
        yield
    finally:
        _started.reset(token)


def check() -> None:
    """DeadlinePassed when the time is over. Outside a `begun` block there is no deadline."""
    started = _started.get()
    if started is not None and _elapsed(started) > SECONDS:
        raise DeadlinePassed(retry_after=1)


def _elapsed(started: tuple[float, ...]) -> float:
    """By the clock that went on furthest: no clock alone sees every kind of suspension."""
    return max(now - then for now, then in zip(_clocks(), started, strict=True))


def _sleep_proof_clock() -> int | None:
    """The clock that goes on while the machine sleeps: on macOS it has the name of the other one."""
    for name in ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC"):
        with suppress(AttributeError, OSError):
            number: int = getattr(time, name)
            time.clock_gettime(number)
            return number
    return None


_SLEEP_PROOF = _sleep_proof_clock()


def _clocks() -> tuple[float, ...]:
    """Seconds, by three clocks.

    - `monotonic` sees a stopped process (SIGSTOP, a debugger) and a slow request.
    - The sleep-proof clock also sees the sleep of the machine, where the system has one.
    - The wall clock sees the pause of a virtual machine, once the guest has corrected it. A correction of more than the
      deadline during a request costs a needless 503.
    """
    asleep = 0.0 if _SLEEP_PROOF is None else time.clock_gettime(_SLEEP_PROOF)
    return time.monotonic(), asleep, time.time()
