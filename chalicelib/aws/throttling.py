"""Throttling: DynamoDB refuses calls of a partition, or of the table, that gets more than it can take.

A request of a client fails fast: it tries once more, then answers 503 with a Retry-After. Retries that wait inside a
function would keep all functions of the account busy, until other requests find none. The clients wait instead, each
for another time. Work without a client, such as the upkeep, waits as long as the SDK does.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn

from chalicelib.errors import Unavailable

CODES = {
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottledException",
    "Throttling",
    "ThrottlingError",
    "ThrottlingException",
}
# In seconds: the pause before the second attempt, and the Retry-After.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.02, 0.15
SHORTEST_WAIT, LONGEST_WAIT = 2, 10
# Of a client's request, and of other work.
ATTEMPTS, PATIENT_ATTEMPTS = 2, 50

_is_hasty: ContextVar[bool] = ContextVar("hasty", default=False)
_last = float("-inf")


@contextmanager
def failing_fast() -> Iterator[None]:
    """Inside, a throttled call fails after its second attempt."""
    token = _is_hasty.set(True)
    try:
        yield
    finally:
        _is_hasty.reset(token)


def is_recent(seconds: float) -> bool:
    """True if DynamoDB has throttled a call of this process in the last `seconds`."""
    return time.monotonic() - _last < seconds


def note() -> None:
    global _last
    _last = time.monotonic()


def refuse() -> NoReturn:
    """Tell the client to come back, each client at another time."""
    note()
    raise Unavailable(retry_after=random.randint(SHORTEST_WAIT, LONGEST_WAIT))  # noqa: S311


def pause_or_refuse(attempt: int) -> None:
    """Pause after a throttled attempt (from 1), or refuse the request if it has had its attempts."""
    note()
    if attempt >= (ATTEMPTS if _is_hasty.get() else PATIENT_ATTEMPTS):
        refuse()
    time.sleep(random.uniform(SHORTEST_PAUSE, LONGEST_PAUSE))  # noqa: S311


def handle(**event: Any) -> float | None:
    """Handle `needs-retry` of botocore: the seconds to wait before another attempt, None to leave it to the SDK."""
    code = event["response"][1].get("Error", {}).get("Code") if event["response"] else None
    if code not in CODES:
        return None
    note()
    if not _is_hasty.get():
        return None
    pause_or_refuse(event["attempts"])
    return 0.0
