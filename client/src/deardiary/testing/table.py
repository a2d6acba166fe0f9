"""The rows and records of a server in memory."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from deardiary.entities.records import Point
from deardiary.wire.form import decode_float
from deardiary.wire.times import format_time, parse_time

Row = dict[str, Any]


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str, **details: str) -> None:
        self.status = status
        self.answer = {"code": code, "message": message, "details": details}


class Table:
    """The rows of all kinds ("projects", "experiments" …), in the order of their creation."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Row] = {}
        self._id_keys: dict[tuple[str, ...], Row] = {}

    def all(self, kind: str, **wanted: str) -> list[Row]:
        rows = (row for (its_kind, _), row in self._rows.items() if its_kind == kind)
        return [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]

    def get(self, kind: str, row_id: str) -> Row:
        """The row. Refused with 404 if there is none."""
        try:
            return self._rows[kind, row_id]
        except KeyError:
            raise Refused(404, "NOT_FOUND", f"{row_id} of {kind} not found", kind=kind, id=row_id) from None

    def create(self, kind: str, fields: Row, **defaults: Any) -> tuple[int, Row]:
        """201 and a new row; 200 and the earlier row if its owner has one with this ``id_key``."""
        given = dict(fields)
        owners = (str(given.get(name)) for name in ("project_id", "experiment_id", "model_id"))
        scope = (kind, *owners, str(given.get("id_key")))
        id_key = given.pop("id_key", None)
        if id_key is not None and scope in self._id_keys:
            return 200, self._id_keys[scope]
        row = {"id": f"{kind[:3]}{len(self._rows) + 1}", "created_date": now(), **defaults, **given}
        self._rows[kind, row["id"]] = row
        if id_key is not None:
            self._id_keys[scope] = row
        return 201, row


@dataclasses.dataclass(slots=True)
class Logged:
    """The records of one iteration."""

    parameters: dict[str, str] = dataclasses.field(default_factory=dict)
    points: dict[str, list[Point]] = dataclasses.field(default_factory=dict)
    tags: dict[str, None] = dataclasses.field(default_factory=dict)
    output: list[str] = dataclasses.field(default_factory=list)
    snapshot: Row = dataclasses.field(default_factory=dict)

    def take(self, parameters: Mapping[str, str], tags: list[str], points: list[Point]) -> dict[str, int]:
        """Add the records of one flush; return the last step of each key. 409 for a parameter with another value."""
        for key, value in parameters.items():
            if self.parameters.get(key, value) != value:
                message = f"The parameter {key!r} is {self.parameters[key]!r} already"
                raise Refused(409, "CONFLICT", message, field=f"parameters.{key}", key=key)
        self.parameters.update(parameters)
        self.tags.update(dict.fromkeys(tags))
        last_step: dict[str, int] = {}
        for point in points:
            known = self.points.setdefault(point.key, [])
            following = 1 + max((each.step for each in known if each.step is not None), default=-1)
            step = following if point.step is None else point.step
            known.append(dataclasses.replace(point, step=step))
            last_step[point.key] = max(step, last_step.get(point.key, step))
        return last_step


def merged(labels: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    """The labels after a merge, where None removes one."""
    return {key: value for key, value in {**labels, **changes}.items() if value is not None}


def points_in(metrics: Any) -> Iterator[Point]:
    """The points of a flush, whose metrics are a list of points or columns by key."""
    if isinstance(metrics, list):
        yield from (_point(**each) for each in metrics)
        return
    for key, columns in metrics.items():
        nothing = [None] * len(columns["value"])
        steps, times = columns.get("step") or nothing, columns.get("recorded_at") or nothing
        yield from map(_point, itertools.repeat(key), columns["value"], steps, times)


def _point(key: str, value: float | str, step: int | None = None, recorded_at: str | None = None) -> Point:
    return Point(key, decode_float(value), step, parse_time(recorded_at or now()))


def now() -> str:
    return format_time(datetime.now(timezone.utc))
