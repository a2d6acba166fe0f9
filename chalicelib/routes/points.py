"""Points on the wire: one by one as a list, or as columns, which are several times smaller."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, TypeVar

from msgspec import Meta

from chalicelib.errors import InvalidPayload
from chalicelib.routes import parse
from chalicelib.routes.parse import Body, Key, Time
from chalicelib.services.metric import Point
from deardiary.wire import decode_float

MAX_POINTS = 10_000

# JSON has no number for these three.
Number = float | Annotated[str, Meta(pattern="^(NaN|Infinity|-Infinity)$")]
Step = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
BatchId = Annotated[str, Meta(min_length=1, max_length=128)]

T = TypeVar("T")


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


def from_list(metrics: Sequence[NewMetric], field: str) -> list[Point]:
    """InvalidPayload naming the point, as in `metrics[3].value`."""
    _check_number(len(metrics), field)
    return [
        _point(each.key, each.value, each.step, each.recorded_at, f"{field}[{at}]." if field else "", "")
        for at, each in enumerate(metrics)
    ]


def from_columns(columns: dict[Key, MetricColumns], field: str) -> list[Point]:
    """InvalidPayload naming the column and the place in it, as in `metrics.loss.value[3]`."""
    _check_number(sum(len(each.value) for each in columns.values()), field)
    return [point for key, each in columns.items() for point in _from_columns(key, each, f"{field}.{key}.")]


def _from_columns(key: str, columns: MetricColumns, prefix: str) -> Iterator[Point]:
    length = len(columns.value)
    steps = _column(columns.step, length, f"{prefix}step")
    times = _column(columns.recorded_at, length, f"{prefix}recorded_at")
    for at, (value, step, time) in enumerate(zip(columns.value, steps, times, strict=True)):
        yield _point(key, value, step, time, prefix, f"[{at}]")


def _column(column: list[T | None] | None, length: int, field: str) -> Sequence[T | None]:
    if column is not None and len(column) != length:
        raise InvalidPayload(f"The columns of a key are of one length: {len(column)} is not {length}", field=field)
    return [None] * length if column is None else column


def _point(key: str, value: float | str, step: int | None, time: datetime | None, prefix: str, suffix: str) -> Point:
    try:
        number = value if isinstance(value, float) else decode_float(value)
    except ValueError as error:
        raise InvalidPayload(str(error), field=f"{prefix}value{suffix}") from None
    recorded_at = None if time is None else parse.time(f"{prefix}recorded_at{suffix}", time)
    return Point(key, number, step, recorded_at)


def _check_number(points: int, field: str) -> None:
    if points > MAX_POINTS:
        raise InvalidPayload(f"A batch has at most {MAX_POINTS} points, this one has {points}", field=field)
