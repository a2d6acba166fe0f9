"""Times on the wire, which has milliseconds: as RFC 3339 text in UTC, and as whole milliseconds since 1970.

A `datetime` without an offset counts as UTC.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from functools import cache

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)
_FIRST_MS = (datetime.min.replace(tzinfo=timezone.utc) - EPOCH) // _MILLISECOND
# As a float of seconds, a time before this one (the year 2100) differs from it by less than half a microsecond.
_EXACT_MS = 4_102_444_800_000
_LAST_MS = (datetime.max.replace(tzinfo=timezone.utc) - EPOCH) // _MILLISECOND


def to_milliseconds(value: datetime) -> int:
    """Milliseconds since 1970, rounded down. ValueError outside the years 1 to 9999 of UTC."""
    found = (_aware(value) - EPOCH) // _MILLISECOND
    if not _FIRST_MS <= found <= _LAST_MS:
        raise ValueError(f"{value} is not within the years 1 to 9999 of UTC")
    return found


def from_milliseconds(since_epoch_ms: int) -> datetime:
    """The time of milliseconds since 1970, clamped to the years 1 to 9999: a clock may have been wrong."""
    return EPOCH + max(_FIRST_MS, min(_LAST_MS, since_epoch_ms)) * _MILLISECOND


def format_time(value: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return _aware(value).astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """The time of an RFC 3339 text. ValueError for any other text."""
    # datetime.fromisoformat of Python 3.10 rejects "Z".
    return _aware(datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text))


class _Minutes(dict[int, str]):
    def __missing__(self, minute: int) -> str:
        text = self[minute] = (EPOCH + timedelta(minutes=minute)).isoformat()[:17]
        return text


@cache
def _endings() -> tuple[list[str], list[str]]:
    return [f"{second:02}" for second in range(60)], [f".{millisecond:03}Z" for millisecond in range(1000)]


def format_many(times_ms: Iterable[int]) -> list[str]:
    """Format milliseconds since 1970 as `format_time` does; fast if many times share a minute."""
    minutes, (seconds, milliseconds) = _Minutes(), _endings()
    return [f"{minutes[time // 60_000]}{seconds[time // 1000 % 60]}{milliseconds[time % 1000]}" for time in times_ms]


def from_many_milliseconds(times_ms: Sequence[int]) -> list[datetime]:
    """Convert as `from_milliseconds` does; twice as fast if all times are between 1970 and 2100."""
    if times_ms and not 0 <= min(times_ms) <= max(times_ms) < _EXACT_MS:
        return list(map(from_milliseconds, times_ms))
    convert, utc = datetime.fromtimestamp, timezone.utc
    return [convert(time_ms / 1000, utc) for time_ms in times_ms]


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=timezone.utc)
