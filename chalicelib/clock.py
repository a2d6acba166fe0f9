"""The server's clock, in the precision of the wire: UTC, milliseconds."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)


def now() -> datetime:
    return whole_milliseconds(datetime.now(timezone.utc))


def whole_milliseconds(value: datetime) -> datetime:
    """The time in UTC, cut to milliseconds; one without an offset is UTC. OverflowError at the ends of time."""
    aware = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
    utc = aware.astimezone(timezone.utc)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def to_milliseconds(value: datetime) -> int:
    """Milliseconds since 1970 (before it: negative)."""
    return (value - EPOCH) // _MILLISECOND


def from_milliseconds(value: int) -> datetime:
    return EPOCH + value * _MILLISECOND
