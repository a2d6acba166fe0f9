"""Points, parameters and tags of one iteration, on their way to the server."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from deardiary.wire import limits
from deardiary.wire.form import to_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

MAX_POINTS = limits.MAX_BATCH_POINTS
MAX_BYTES = limits.MAX_BODY_BYTES - 1024  # the rest is for the frame of the body


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    """One value of a metric. The server assigns a missing step, and its own time for a missing ``recorded_at``."""

    key: str
    value: float
    step: int | None = None
    recorded_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        fields = {"key": self.key, "value": float(self.value), "step": self.step, "recorded_at": self.recorded_at}
        return {name: to_json(value) for name, value in fields.items() if value is not None}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Parameters, points and tags of one iteration."""

    iteration_id: str
    parameters: Mapping[str, str] = dataclasses.field(default_factory=dict)
    points: tuple[Point, ...] = ()
    tags: tuple[str, ...] = ()


_Item = tuple[str, str] | Point | str


def split(record: Record, *, max_items: int = MAX_POINTS, max_bytes: int = MAX_BYTES) -> Iterator[Record]:
    """Split a record into as few requests as the limits allow, in order; none for an empty record."""
    items: list[_Item] = [*record.parameters.items(), *record.points, *record.tags]
    for piece in _pieces(items, max_items, max_bytes):
        yield Record(
            iteration_id=record.iteration_id,
            parameters=dict(item for item in piece if isinstance(item, tuple)),
            points=tuple(item for item in piece if isinstance(item, Point)),
            tags=tuple(item for item in piece if isinstance(item, str)),
        )


def _pieces(items: list[_Item], max_items: int, max_bytes: int) -> Iterator[list[_Item]]:
    piece: list[_Item] = []
    room = max_bytes
    for item in items:
        size = _size(item)
        if piece and (size > room or len(piece) == max_items):
            yield piece
            piece, room = [], max_bytes
        piece.append(item)
        room -= size
    if piece:
        yield piece


def _size(item: _Item) -> int:
    """Return the bytes of an item in a JSON body, its comma included."""
    form = item.to_json() if isinstance(item, Point) else item
    return len(json.dumps(form, ensure_ascii=False).encode("utf-8", "replace")) + 1
