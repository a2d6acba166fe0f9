"""The wait between attempts: it doubles up to a maximum, and is random, so that clients do not retry in step.

https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ compares the kinds of jitter.
"""

import random
from collections.abc import Callable

_MAX_DOUBLINGS = 30  # a client that retries for days must not overflow the float


def wait_seconds(
    failures: int,
    *,
    first: float,
    longest: float,
    least_share: float = 0.0,
    jitter: Callable[[], float] = random.random,
) -> float:
    """The wait after so many earlier failures: a random share, at least ``least_share``, of ``first * 2**failures``."""
    share = least_share + (1 - least_share) * jitter()
    return share * min(longest, first * 2.0 ** min(failures, _MAX_DOUBLINGS))
