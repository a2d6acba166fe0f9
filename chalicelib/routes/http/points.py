"""Points on the wire: a list, or columns, which are several times smaller."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, TypeVar

from msgspec import Meta

from chalicelib import clock
from chalicelib.errors import InvalidPayload
from chalicelib.routes.http.parse import Body, Key, Time
from chalicelib.routes.http.problem import rule
from chalicelib.services.points.batch import Sent
from deardiary.wire import limits
from deardiary.wire.form import decode_float

# JSON has no number for these three.
Number = float | Annotated[str, rule("^(NaN|Infinity|-Infinity)$", "a number, or one of NaN, Infinity and -Infinity")]
Step = Annotated[int, Meta(ge=limits.MIN_STEP, le=limits.MAX_STEP)]
BatchId = Annotated[str, Meta(min_length=1, max_length=limits.MAX_ID_CHARACTERS)]

T = TypeVar("T")
R = TypeVar("R")


class NewMetric(Body):
    key: Key
    value: Number
    step: Step | None = None
    recorded_at: Time | None = None


class MetricColumns(Body):
    value: list[Number]
    step: list[Step | None] | None = None
    recorded_at: list[Time | None] | None = None


class MetricBatch(Body):
    batch_id: BatchId
    metrics: list[NewMetric]


def from_list(metrics: Sequence[NewMetric], field: str) -> dict[str, Sent]:
    """Convert a list of points. InvalidPayload names the point, as in `metrics[3].value`."""
    _check_number(len(metrics), field)
    points: dict[str, Sent] = {}
    for index, each in enumerate(metrics):
        prefix = f"{field}[{index}]." if field else ""
        value, time = number(each.value, f"{prefix}value"), milliseconds(each.recorded_at, f"{prefix}recorded_at")
        sent = points.get(each.key) or points.setdefault(each.key, Sent(array("d"), [], []))
        sent.values.append(value)
        sent.steps.append(each.step)
        sent.times.append(time)
    return points


def from_columns(columns: dict[Key, MetricColumns], field: str) -> dict[str, Sent]:
    """Convert columns. InvalidPayload names the column and the index, as in `metrics.loss.value[3]`."""
    _check_number(sum(len(each.value) for each in columns.values()), field)
    sent = {key: _sent(each, f"{field}.{key}.") for key, each in columns.items()}
    return {key: each for key, each in sent.items() if len(each.values)}


def _sent(columns: MetricColumns, prefix: str) -> Sent:
    length = len(columns.value)
    steps = _column(columns.step, length, f"{prefix}step")
    times = _column(columns.recorded_at, length, f"{prefix}recorded_at")
    return Sent(
        array("d", _each(number, columns.value, f"{prefix}value")),
        steps,
        _each(milliseconds, times, f"{prefix}recorded_at"),
    )


def _each(convert: Callable[[T, str], R], column: Sequence[T], field: str) -> list[R]:
    """Convert a column; an error names the index of the value."""
    try:
        return [convert(each, field) for each in column]
    except InvalidPayload:
        return [convert(each, f"{field}[{index}]") for index, each in enumerate(column)]


def _column(column: list[T | None] | None, length: int, field: str) -> list[T | None]:
    if column is not None and len(column) != length:
        raise InvalidPayload(
            f"All columns of a key must have the same length: {len(column)} is not {length}", field=field
        )
    return [None] * length if column is None else column


def _check_number(points: int, field: str) -> None:
    most = limits.MAX_BATCH_POINTS
    if points > most:
        raise InvalidPayload(f"A batch has at most {most} points, this one has {points}", field=field)


def number(value: float | str, field: str) -> float:
    """Convert a number of the wire. InvalidPayload for a text that is no number."""
    try:
        return value if isinstance(value, float) else decode_float(value)
    except ValueError as error:
        raise InvalidPayload(str(error), field=field) from None


def milliseconds(time: datetime | None, field: str) -> int | None:
    """Whole milliseconds since 1970; InvalidPayload outside of the years 1 to 9999 in UTC."""
    try:
        return None if time is None else clock.to_milliseconds(time)
    except ValueError:
        raise InvalidPayload("A time in UTC must be between the years 1 and 9999", field=field) from None
