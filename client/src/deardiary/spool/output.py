"""Conversion of printed lines to lines of a spool, and of these to the lines of a request."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from deardiary.spool import lines as spooled
from deardiary.wire import limits
from deardiary.wire.times import format_many

# Of text in one line of the spool.
_PER_LINE_BYTES = 48 * 1024


_FIRST_MS, _LAST_MS = 0, 253_402_300_799_999  # the years 1970 to 9999


class Line(NamedTuple):
    """A printed line; the time is in milliseconds since 1970."""

    stream: str
    text: str
    recorded_ms: int

    @property
    def size_bytes(self) -> int:
        return len(self.text) if self.text.isascii() else len(self.text.encode("utf-8", "replace"))


def bodies(lines: Sequence[Line]) -> Iterator[str]:
    """The JSON of each line of the spool: ``{"output":[["stdout","epoch 1",1700000000000]]}``."""
    for piece in pieces(lines, _PER_LINE_BYTES):
        yield spooled.dump({"output": piece})


def printed(entry: Mapping[str, Any]) -> Iterator[Line]:
    """The printed lines of a record. TypeError or ValueError for a damaged one."""
    for stream, text, recorded_ms in entry.get("output", ()):
        if not _FIRST_MS <= recorded_ms <= _LAST_MS:
            raise ValueError(f"{recorded_ms} is no time")
        yield Line(stream, text if text.isascii() else text.encode("utf-8", "replace").decode(), recorded_ms)


def pieces(lines: Sequence[Line], most_bytes: int = limits.MAX_FLUSH_OUTPUT_BYTES) -> Iterator[Sequence[Line]]:
    first = size = 0
    for index, line in enumerate(lines):
        size += line.size_bytes
        if index > first and (size > most_bytes or index - first == limits.MAX_FLUSH_LINES):
            yield lines[first:index]
            first, size = index, line.size_bytes
    if first < len(lines):
        yield lines[first:]


def to_wire(lines: Sequence[Line]) -> list[dict[str, str]]:
    times = format_many(line.recorded_ms for line in lines)
    return [
        {"stream": line.stream, "text": line.text, "recorded_at": time} for line, time in zip(lines, times, strict=True)
    ]
