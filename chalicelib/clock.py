"""The server's clock, with the precision of the wire; `deardiary.wire.times` converts its times."""

from __future__ import annotations

from datetime import datetime, timezone

from deardiary.wire.times import EPOCH as EPOCH
from deardiary.wire.times import format_many as format_many
from deardiary.wire.times import from_milliseconds as from_milliseconds
from deardiary.wire.times import to_milliseconds as to_milliseconds


def whole_milliseconds(value: datetime) -> datetime:
    """Convert to UTC and truncate to milliseconds. OverflowError outside the years 1 to 9999 of UTC."""
    utc = (value if value.tzinfo else value.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def past(given: datetime | None) -> datetime:
    """Return the given time, or the present time instead of None and of a future time."""
    present = now()
    return present if given is None else min(given, present)


def now() -> datetime:
    return whole_milliseconds(datetime.now(timezone.utc))
