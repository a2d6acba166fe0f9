"""The printed lines of an iteration: a page after a cursor, also live, or the newest lines.

A page ends at a batch in writing: its lines come before those of later batches. So a reader that resumes from the
cursor of a page reads every line once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from chalicelib.errors import InvalidPayload
from chalicelib.retry import Retry
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.lifecycle import pace
from chalicelib.services.points.merging import STALE_AFTER, now_us
from chalicelib.storage import output as storage
from chalicelib.storage import series as series_storage
from chalicelib.storage.output import Line, OutputState, StoredOutput
from chalicelib.storage.points import chunk as chunks
from chalicelib.storage.series import Series
from deardiary.wire import limits
from deardiary.wire.shapes import Iteration

# Of JSON in an answer, and of compressed lines that are read for it, which a filter may all leave out.
PAGE_BYTES = limits.MIB
READ_BYTES = limits.MIB
_LINE_BYTES = 90  # of a line without its text
_CURSOR = re.compile(r"([0-9a-f]{1,14})\.([0-9a-f]{1,6})")
_LAST_INDEX = 0xFFFFFF


class Position(NamedTuple):
    """A line in an output: the time of its batch, and its index in it."""

    accepted_us: int
    number: int

    @classmethod
    def parse(cls, cursor: str) -> Position:
        found = _CURSOR.fullmatch(cursor)
        if found is None:
            raise InvalidPayload("This cursor is damaged or belongs to another list", field="after")
        return cls(int(found[1], 16), int(found[2], 16))

    def __str__(self) -> str:
        return f"{self.accepted_us:x}.{self.number:x}"


Placed = tuple[Position, Line]
START = Position(0, 0)


@dataclass(slots=True)
class OutputPart:
    """Lines in order. `more`: there are further lines now; `position`: the end of what was read."""

    position: Position
    lines: list[Placed] = field(default_factory=list)
    more: bool = False
    gap: OutputState | None = None


@dataclass(frozen=True, slots=True)
class _Final:
    """The batches whose lines are final: those before a time, without the dropped and the dead ones."""

    last_us: int
    hidden: frozenset[int]

    def of(self, found: Iterable[StoredOutput]) -> Iterator[StoredOutput]:
        return (stored for stored in found if stored.accepted_us not in self.hidden)


def read_output(actor: Actor, iteration_id: str, after: str | None, stream: str | None, limit: int) -> OutputPart:
    """The lines after a position, or from the beginning."""
    iteration = _watched(actor, iteration_id)
    start = START if after is None else Position.parse(after)
    for _ in Retry():
        series = series_storage.read_series(iteration.experiment_id, iteration.id)
        part = _read(iteration, series, start, stream, limit)
        if not _has_lost_lines(iteration, series.output, start):
            break
    return part


def _read(iteration: Iteration, series: Series, start: Position, stream: str | None, limit: int) -> OutputPart:
    final, state = _final(iteration, series), series.output
    if state.gap_us and start.accepted_us <= state.first_us:
        part = _page(iteration, start, min(final.last_us, state.first_us), final, stream, limit)
        if part.lines or part.more:
            # The gap comes next: it stands before the first line of a page.
            part.more = True
            return part
    passes_gap = start.accepted_us <= state.gap_us and start < Position(state.gap_us, _LAST_INDEX)
    start = max(start, Position(state.gap_us, _LAST_INDEX)) if state.gap_us else start
    part = _page(iteration, start, final.last_us, final, stream, limit)
    part.gap = state if state.gap_us and passes_gap else None
    return part


def _has_lost_lines(iteration: Iteration, state: OutputState, start: Position) -> bool:
    """True if another request has removed lines behind `start` since SERIES was read: the gap must be said."""
    if state.size_bytes < limits.MAX_OUTPUT_BYTES // 2:
        return False
    now = series_storage.read_series(iteration.experiment_id, iteration.id).output
    return now.gap_us != state.gap_us and start.accepted_us <= now.gap_us


def read_newest(actor: Actor, iteration_id: str, stream: str | None, count: int) -> OutputPart:
    """The newest lines, as many as `count` and as fit into an answer."""
    iteration = _watched(actor, iteration_id)
    series = series_storage.read_series(iteration.experiment_id, iteration.id)
    final = _final(iteration, series)
    first_us = series.output.gap_us + 1
    found = final.of(storage.each_output(iteration.id, first_us, final.last_us, newest_first=True))
    newest: list[Placed] = []
    end, size, read = None, 0, 0
    for stored in found:
        placed = list(_placed(stored))
        end = end or (placed[-1][0] if placed else None)
        for each in reversed(placed):
            if stream in (None, each[1].stream):
                size += _json_bytes(each[1])
                if len(newest) == count or (newest and size > PAGE_BYTES):
                    return OutputPart(end or START, newest[::-1])
                newest.append(each)
        read += len(stored.content or b"")
        if read > READ_BYTES:
            break
    return OutputPart(end or START, newest[::-1])


def _watched(actor: Actor, iteration_id: str) -> Iteration:
    line = access.iteration(actor, iteration_id, Need.READ)
    pace.watch_iteration(line)
    return line.iteration


def _page(
    iteration: Iteration, start: Position, last_us: int, final: _Final, stream: str | None, limit: int
) -> OutputPart:
    part = OutputPart(start)
    size = read = 0
    for stored in final.of(storage.each_output(iteration.id, start.accepted_us, last_us)):
        if read > READ_BYTES and part.position > start:
            part.more = True
            break
        for position, line in _placed(stored):
            if position <= start:
                continue
            if stream in (None, line.stream):
                size += _json_bytes(line)
                if len(part.lines) == limit or (part.lines and size > PAGE_BYTES):
                    part.more = True
                    return part
                part.lines.append((position, line))
            part.position = position
        read += len(stored.content or b"")
    return part


def _placed(stored: StoredOutput) -> Iterator[Placed]:
    return ((Position(stored.accepted_us, index), line) for index, line in enumerate(stored.open()))


def _json_bytes(line: Line) -> int:
    return len(json.dumps(line.text, ensure_ascii=False).encode()) + _LINE_BYTES


def _final(iteration: Iteration, series: Series) -> _Final:
    """Decide on the batches in writing. One with a chunk is final; the writer of another may be dead."""
    last_us = series.heartbeat_us
    hidden = set()
    now = now_us()
    with_lines = {each for each in series.unmerged if series.announced[each.hash].output_bytes}
    for one in with_lines - chunks.find_stored(iteration.id, with_lines):
        hidden.add(one.accepted_us)
        if now - one.accepted_us <= STALE_AFTER:
            last_us = min(last_us, one.accepted_us - 1)
    return _Final(last_us, frozenset(hidden))
