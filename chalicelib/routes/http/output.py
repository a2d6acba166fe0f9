"""Printed lines on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta

from chalicelib.errors import InvalidPayload
from chalicelib.routes.http.parse import Body, Time
from chalicelib.routes.http.points import milliseconds
from chalicelib.services.log import SentLine
from deardiary.wire import limits


class NewLine(Body):
    stream: Literal["stdout", "stderr"]
    text: Annotated[str, Meta(max_length=limits.MAX_FLUSH_OUTPUT_BYTES)]
    recorded_at: Time | None = None

    def __post_init__(self) -> None:
        """The bytes of all lines together have a limit."""


NewOutput = Annotated[list[NewLine], Meta(max_length=limits.MAX_FLUSH_LINES)]


def from_output(given: Sequence[NewLine]) -> list[SentLine]:
    """Convert lines. InvalidPayload names the line, as in `output[3].recorded_at`."""
    most = limits.MAX_FLUSH_OUTPUT_BYTES
    if sum(len(each.text.encode()) for each in given) > most:
        raise InvalidPayload(f"The output of a flush has at most {most} bytes in UTF-8", field="output")
    times = [milliseconds(each.recorded_at, f"output[{index}].recorded_at") for index, each in enumerate(given)]
    return [(each.stream, each.text, time_ms) for each, time_ms in zip(given, times, strict=True)]
