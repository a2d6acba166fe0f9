"""The server's clock, with the precision of the wire; `deardiary.wire.times` converts its times."""

from __future__ import annotations

from datetime import datetime, timezone

from deardiary.wire.times import EPOCH as EPOCH
from deardiary.wire.times import format_many as format_many
from deardiary.wire.times import from_milliseconds as from_milliseconds
from deardiary.wire.times import to_milliseconds as to_milliseconds
from deardiary.wire.times import whole_milliseconds as whole_milliseconds


def past(given: datetime | None) -> datetime:
    """Return the given time, or the present time instead of None and of a future time."""
    present = now()
    return present if given is None else min(given, present)


def now() -> datetime:
    return whole_milliseconds(datetime.now(timezone.utc))
