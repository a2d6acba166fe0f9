"""Points on their way to a server: in batches, and only those that the server does not have."""

from __future__ import annotations

import hashlib
import math
from array import array
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy

from deardiary.wire import limits
from deardiary.wire.form import encode_float
from deardiary.wire.times import format_many
from deardiary_exchange.on_disk import PointsOnDisk, windows
from deardiary_exchange.runs import Points, points_of_arrays

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow
    from numpy.typing import NDArray

    from deardiary_exchange.on_disk import Rows

# Upper bounds of a point, and of a key with its escapes, in the JSON of a batch.
_POINT_BYTES, _KEY_BYTES = 90, 60
_BATCH_POINTS, _BODY_BYTES = limits.MAX_BATCH_POINTS, limits.MAX_BODY_BYTES - 4096


def batches(points: Iterable[Points]) -> Iterator[list[Points]]:
    """Cut points into batches that the server accepts, in their order."""
    batch: list[Points] = []
    room, space = _BATCH_POINTS, _BODY_BYTES
    for key, columns in points:
        start, key_bytes = 0, 6 * len(key) + _KEY_BYTES
        while start < len(columns):
            if not room or space < key_bytes + _POINT_BYTES:
                yield batch
                batch, room, space = [], _BATCH_POINTS, _BODY_BYTES
            stop = min(len(columns), start + room, start + (space - key_bytes) // _POINT_BYTES)
            batch.append(Points(key, columns.take(slice(start, stop))))
            room -= stop - start
            space -= key_bytes + _POINT_BYTES * (stop - start)
            start = stop
    if batch:
        yield batch


def batch_id_of(batch: Sequence[Points], number: int) -> str:
    """A name that follows from the content of a batch and its number: the server takes it once."""
    found = hashlib.sha256(str(number).encode())
    for key, columns in batch:
        found.update(f"\n{len(columns)} {key}\n".encode())
        for column in (columns.steps, columns.times, columns.values):
            found.update(column)
    return f"exchange:{found.hexdigest()}"


def wire_of(batch: Sequence[Points]) -> dict[str, dict[str, list[Any]]]:
    """The JSON form of a batch, by key."""
    wire: dict[str, dict[str, list[Any]]] = {}
    for key, columns in batch:
        of = wire.setdefault(key, {"step": [], "value": [], "recorded_at": []})
        of["step"] += columns.steps.tolist()
        of["value"] += _values(columns.values.tolist())
        of["recorded_at"] += format_many(columns.times)
    return wire


def _values(values: list[float]) -> Sequence[Any]:
    return values if all(map(math.isfinite, values)) else [encode_float(value) for value in values]


def missing(wanted: Iterable[Points], present: PointsOnDisk) -> Iterator[Points]:
    """The wanted points without those that are present, each as often as it is there; metric by metric.

    Both are compared in windows of steps, so that the length of a metric costs disk and no memory.
    """
    with PointsOnDisk(3) as stored:
        for key, columns in wanted:
            stored.add(key, columns.steps, columns.times, array("q", columns.values.tobytes()))
        for key in stored.names():
            for low, high in windows(key, stored, present):
                rows = _with_one_nan(stored.rows(key, low, high))
                left = rows[:, _not_in(rows, _with_one_nan(present.rows(key, low, high)[:3]))]
                if left.shape[1]:
                    yield points_of_arrays(key, left[0], left[1], left[2].view("f8"))


def columns_by_key(
    table: pyarrow.Table,
) -> Iterator[tuple[str, NDArray[numpy.int64], NDArray[numpy.int64], NDArray[numpy.float64]]]:
    """Key, steps, times in milliseconds and values of each metric of a table of `client.metrics.to_dataframe`."""
    if not table.num_rows:
        return
    table = table.combine_chunks()
    keys = table["key"].chunk(0)
    codes = keys.indices.to_numpy()
    steps, times, values = (
        table[name].chunk(0).view(kind).to_numpy()
        for name, kind in (("step", "int64"), ("recorded_at", "int64"), ("value", "float64"))
    )
    starts = [0, *(numpy.flatnonzero(numpy.diff(codes)) + 1), len(codes)]
    for start, stop in pairwise(starts):
        part = slice(start, stop)
        yield keys.dictionary[int(codes[start])].as_py(), steps[part], times[part], values[part]


def _with_one_nan(rows: Rows) -> Rows:
    """Steps, times and the bits of values, in which each NaN has the same bits: the server has only one NaN."""
    numbers = rows[2].view("f8")
    return numpy.stack([rows[0], rows[1], numpy.where(numpy.isnan(numbers), numpy.nan, numbers).view("i8")])


def _not_in(wanted: NDArray[numpy.int64], present: NDArray[numpy.int64]) -> NDArray[numpy.intp]:
    """The positions of the wanted points that are left when each present one has removed one equal to it."""
    count = present.shape[1]
    if not count or not wanted.shape[1]:
        return numpy.arange(wanted.shape[1])
    both = numpy.concatenate([present, wanted], axis=1)
    # Equal points are neighbours, in the order of `both`: first the present ones.
    order = numpy.lexsort(both[::-1])
    ordered = both[:, order]
    is_first = numpy.ones(len(order), dtype=bool)
    is_first[1:] = (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)
    group = numpy.cumsum(is_first) - 1
    rank = numpy.arange(len(order)) - numpy.flatnonzero(is_first)[group]
    of_present = numpy.bincount(group, weights=order < count, minlength=int(group[-1]) + 1).astype("i8")
    left = order[(order >= count) & (rank >= 2 * of_present[group])]
    found: NDArray[numpy.intp] = numpy.sort(left) - count
    return found
