"""The server's clock, with the precision of the wire: UTC, milliseconds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)
_FIRST = (datetime(1, 1, 1, tzinfo=timezone.utc) - EPOCH) // _MILLISECOND
_LAST = (datetime(9999, 12, 31, 23, 59, 59, 999_999, timezone.utc) - EPOCH) // _MILLISECOND


def now() -> datetime:
    return whole_milliseconds(datetime.now(timezone.utc))


def whole_milliseconds(value: datetime) -> datetime:
    """Convert to UTC and truncate to milliseconds; no offset means UTC. OverflowError outside the years 1 to 9999."""
    aware = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
    utc = aware.astimezone(timezone.utc)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def milliseconds_of(value: datetime) -> int:
    """Milliseconds since 1970, rounded down; no offset means UTC. OverflowError outside the years 1 to 9999."""
    aware = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
    found = (aware - EPOCH) // _MILLISECOND
    if not _FIRST <= found <= _LAST:
        raise OverflowError
    return found


def to_milliseconds(value: datetime) -> int:
    """Milliseconds since 1970, negative before it."""
    return (value - EPOCH) // _MILLISECOND


def format_many(times: Iterable[int]) -> list[str]:
    """Format milliseconds since 1970 as on the wire; fast if many times share a minute."""
    minutes: dict[int, str] = {}
    texts = []
    for time in times:
        minute, rest = divmod(time, 60_000)
        text = minutes.get(minute) or minutes.setdefault(minute, (EPOCH + timedelta(minutes=minute)).isoformat()[:17])
        texts.append(f"{text}{rest // 1000:02}.{rest % 1000:03}Z")
    return texts


def from_milliseconds(value: int) -> datetime:
    return EPOCH + value * _MILLISECOND
