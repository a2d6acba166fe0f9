"""The captured output of iterations."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from chalicelib import limits
from chalicelib.errors import InvalidPayload
from chalicelib.routes.http.answer import Answer
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Query
from chalicelib.services import output as service
from chalicelib.services.output import OutputPart
from deardiary.wire.shapes import OutputPage
from deardiary.wire.times import format_many

routes = Routes(__name__)

Count = Annotated[int, Meta(ge=1, le=limits.MAX_OUTPUT_LINES)]


class OutputQuery(Query):
    after: Annotated[str, Meta(description="The cursor of a line or of an answer: the lines after it")] | None = None
    stream: Literal["stdout", "stderr"] | None = None
    limit: Count = limits.MAX_OUTPUT_LINES
    tail: Annotated[Count, Meta(description="Only the newest lines, this many")] | None = None


@routes.get("/iterations/{iteration_id}/output", query=OutputQuery)
def list_output(call: Call[None, OutputQuery], iteration_id: str) -> Answer[OutputPage]:
    query = call.query
    if query.tail is None:
        part = service.read_output(call.actor, iteration_id, query.after, query.stream, query.limit)
        return _answer(part, query.after)
    if query.after is not None:
        raise InvalidPayload("Give tail or after, not both", field="tail")
    return _answer(service.read_newest(call.actor, iteration_id, query.stream, query.tail), None)


def _answer(part: OutputPart, after: str | None) -> Answer[OutputPage]:
    """Answer with the JSON form directly, like curves."""
    cursor = str(part.position) if part.position != service.START else after
    raw: dict[str, Any] = {
        "data": _lines(part),
        "next_cursor": cursor if part.more else None,
        "cursor": cursor,
        "gap": None if part.gap is None else {"lines": part.gap.gap_lines, "bytes": part.gap.gap_bytes},
    }
    return Answer(200, raw=raw)


def _lines(part: OutputPart) -> list[dict[str, Any]]:
    times = format_many([line.recorded_ms or 0 for _, line in part.lines])
    return [
        {"stream": line.stream, "text": line.text, "recorded_at": time, "cursor": str(position)}
        for (position, line), time in zip(part.lines, times, strict=True)
    ]
