"""Points, and parameters, tags and labels of one iteration, on their way to the server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from deardiary.wire import limits
from deardiary.wire.form import to_json

MAX_ITEMS = min(limits.MAX_FLUSH_PARAMETERS, limits.MAX_FLUSH_TAGS)
MAX_BYTES = limits.MAX_BODY_BYTES - 1024  # the rest is for the frame of the body


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a metric. The server assigns a missing step, and its own time for a missing ``recorded_at``."""

    key: str
    value: float
    step: int | None = None
    recorded_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        fields = {"key": self.key, "value": float(self.value), "step": self.step, "recorded_at": self.recorded_at}
        return {name: to_json(value) for name, value in fields.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """Parameters, tags and labels of one iteration; a label that is None is to be removed."""

    iteration_id: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    labels: Mapping[str, str | None] = field(default_factory=dict)


# The name of its field, its key or the tag itself, and its value.
_Item = tuple[str, str, "str | None"]


def split(fields: Fields, *, max_items: int = MAX_ITEMS, max_bytes: int = MAX_BYTES) -> Iterator[Fields]:
    """Split fields into as few requests as the limits allow, in order; none for empty fields."""
    items: list[_Item] = [("parameters", key, value) for key, value in fields.parameters.items()]
    items += [("tags", tag, None) for tag in fields.tags]
    items += [("labels", key, value) for key, value in fields.labels.items()]
    for piece in _pieces(items, max_items, max_bytes):
        yield Fields(
            iteration_id=fields.iteration_id,
            parameters={key: value or "" for name, key, value in piece if name == "parameters"},
            tags=tuple(tag for name, tag, _ in piece if name == "tags"),
            labels={key: value for name, key, value in piece if name == "labels"},
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
    return len(json.dumps(item[1:], ensure_ascii=False).encode("utf-8", "replace")) + 1
