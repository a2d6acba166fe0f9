"""Limits on password guesses: the server counts each attempt before its work, and takes back the correct ones.

Three counters, each over five minutes: an account from one address, an address over all accounts, an account over all
addresses. With the last one, a stranger with many addresses could lock a user out. It therefore does not count
addresses from which the user signed in during the last 90 days.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import NamedTuple

from chalicelib import clock, ids
from chalicelib.errors import TooManyRequests
from chalicelib.storage import sign_in_attempt as storage
from chalicelib.storage.sign_in_attempt import Subject

WINDOW_SECONDS = 300
PER_ACCOUNT_AND_SOURCE = 10
PER_SOURCE = 100
PER_ACCOUNT = 50
REMEMBERED_SECONDS = 90 * 24 * 3600


class Attempt(NamedTuple):
    """A counted attempt: its subjects, its window, and the end of that window (seconds since 1970)."""

    subjects: tuple[Subject, ...]
    window: int
    end: int


def count(username: str, source: str, user_id: str | None) -> Attempt:
    """TooManyRequests, with the seconds to wait, when there were too many. Without a user it takes the same calls."""
    # A name has one counter, in whatever case it is typed: each spelling would have attempts of its own.
    username, network, now = ids.fold_case(username), _network(source), int(clock.now().timestamp())
    limits: dict[Subject, int] = {
        ("account and source", username, network): PER_ACCOUNT_AND_SOURCE,
        ("source", network): PER_SOURCE,
    }
    if not storage.is_known_source(user_id or "nobody", network, now):
        limits["account", username] = PER_ACCOUNT
    return _count(limits, now)


def count_opening(source: str) -> Attempt:
    """Count an attempt to open a share from an address. TooManyRequests if there were too many."""
    return _count({("share", _network(source)): PER_SOURCE}, int(clock.now().timestamp()))


def _count(limits: Mapping[Subject, int], now: int) -> Attempt:
    window = now // WINDOW_SECONDS
    end = (window + 1) * WINDOW_SECONDS
    for subject, limit in limits.items():
        if storage.count_attempt(subject, window, end) > limit:
            raise TooManyRequests(retry_after=max(1, end - now))
    return Attempt(tuple(limits), window, end)


def forgive(attempt: Attempt, source: str, user_id: str) -> None:
    """Take back the attempt of a correct password, and remember its address."""
    take_back(attempt)
    storage.remember_source(user_id, _network(source), int(clock.now().timestamp()) + REMEMBERED_SECONDS)


def take_back(attempt: Attempt) -> None:
    """Take back an attempt that was right."""
    for subject in attempt.subjects:
        storage.forgive_attempt(subject, attempt.window, attempt.end)


def _network(source: str) -> str:
    """The IPv4 address, or the /64 network of an IPv6 address: one subscriber owns all of it."""
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return source
    if isinstance(address, ipaddress.IPv6Address):
        # Mapped IPv4 addresses share one /64 network.
        return str(address.ipv4_mapped or ipaddress.ip_network(f"{address}/64", strict=False))
    return str(address)
