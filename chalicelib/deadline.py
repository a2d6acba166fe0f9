"""The deadline of a request, or of a step of the upkeep: after it, the server writes nothing.

A process can be suspended between its decision and its write: a laptop sleeps, a virtual machine is paused. Other
processes take over unfinished work after 60 seconds (`batch.STALE_AFTER`, `blob.CLAIM_MS`), so a late write would undo
their work. `chalicelib/aws/clients.py` checks the deadline before each attempt of each write.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from chalicelib.errors import Unavailable

# Longer than the 29 s of a request in Lambda, which therefore never exceeds it. The other 25 of the 60 s are for a
# write that passed the check to arrive: connecting times out after 2 s, an answer after 5 s (S3: 22 s).
SECONDS = 35.0
_started: ContextVar[tuple[float, ...] | None] = ContextVar("started", default=None)


class DeadlinePassed(Unavailable):
    """The request was suspended or too slow; it writes nothing more."""

    message = "The server was suspended, or too slow, during this request; send it again"


@contextmanager
def begun() -> Iterator[None]:
    """Set a new deadline for the block, in place of an outer one. Decide inside the block on every write in it."""
    token = _started.set(_clocks())
    try:
        yield
    finally:
        _started.reset(token)


def check() -> None:
    """Raise DeadlinePassed after the deadline. Outside a `begun` block, no deadline applies."""
    started = _started.get()
    if started is not None and _elapsed(started) > SECONDS:
        raise DeadlinePassed(retry_after=1)


def _elapsed(started: tuple[float, ...]) -> float:
    """Return the largest difference of the three clocks: no single clock sees every kind of suspension."""
    return max(now - then for now, then in zip(_clocks(), started, strict=True))


def _sleep_proof_clock() -> int | None:
    """Find the clock that counts while the machine sleeps: on macOS that is CLOCK_MONOTONIC."""
    for name in ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC"):
        with suppress(AttributeError, OSError):
            number: int = getattr(time, name)
            time.clock_gettime(number)
            return number
    return None


_SLEEP_PROOF = _sleep_proof_clock()


def _clocks() -> tuple[float, ...]:
    """Read three clocks, in seconds.

    - `monotonic` sees a stopped process (SIGSTOP, a debugger) and a slow request.
    - The sleep-proof clock also sees the sleep of the machine, where the system has one.
    - The wall clock sees the pause of a virtual machine once the guest has corrected it. A correction longer than the
      deadline during a request causes a needless 503.
    """
    asleep = 0.0 if _SLEEP_PROOF is None else time.clock_gettime(_SLEEP_PROOF)
    return time.monotonic(), asleep, time.time()
