"""Curves as pure functions: order the points, cut out a range of steps, downsample."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from chalicelib.columns import Columns
from chalicelib.storage.points.codec import Batch, Slice

Part = tuple[Sequence[Batch], Slice]


def in_order(parts: Sequence[Part]) -> Columns:
    """The points of one key in the order of step, then time, then arrival.

    Batches mostly arrive in that order. Otherwise four stable sorts take less memory than one sort of tuples.
    """
    whole = Columns.empty()
    filled = [part for part in parts if len(part[1].columns)]
    filled.sort(key=lambda part: part[1].columns.steps[0])
    for _, piece in filled:
        whole.extend(piece.columns)
    if whole.is_ascending():
        return whole
    ordinals = array("q", (ordinal for _, piece in filled for ordinal in piece.ordinals))
    arrivals = array("q", (batches[number].accepted_us for batches, piece in filled for number in piece.batches))
    order = sorted(range(len(whole)), key=ordinals.__getitem__)
    for column in (arrivals, whole.times, whole.steps):
        order.sort(key=column.__getitem__)
    return whole.take(order)


def between(columns: Columns, min_step: int | None, max_step: int | None) -> Columns:
    """Points from `min_step` to `max_step`, both included, of columns in order."""
    start = 0 if min_step is None else bisect_left(columns.steps, min_step)
    stop = len(columns) if max_step is None else bisect_right(columns.steps, max_step)
    return columns if (start, stop) == (0, len(columns)) else columns.take(slice(start, stop))


def downsample(columns: Columns, max_points: int) -> Columns:
    """At most `max_points` points, in their order: the first, the last, and the minimum and maximum of each bucket.

    Buckets have equally many points. If the series has NaN, each bucket also keeps its first NaN. (Min-max decimation;
    M4 of Jugel et al., VLDB 2014, also keeps the first and last point of every bucket.)
    """
    count = len(columns)
    if count <= max_points:
        return columns
    if max_points < 2:
        return columns.take([count - 1] * max_points)
    has_nan = any(map(math.isnan, columns.values))
    kept = {0, count - 1}
    for start, stop in _buckets(1, count - 1, (max_points - 2) // (3 if has_nan else 2)):
        kept.update(_with_nan(columns.values, start, stop) if has_nan else _extremes(columns.values, start, stop))
    return columns.take(sorted(kept))


def _buckets(start: int, stop: int, number: int) -> Iterator[tuple[int, int]]:
    edges = [start + (stop - start) * index // number for index in range(number + 1)] if number else []
    yield from pairwise(edges)


def _extremes(values: array[float], start: int, stop: int) -> Iterator[int]:
    """Indexes of the minimum and the maximum of a bucket without NaN."""
    bucket = values[start:stop]
    yield start + bucket.index(min(bucket))
    yield start + bucket.index(max(bucket))


def _with_nan(values: array[float], start: int, stop: int) -> Iterator[int]:
    """Indexes of the minimum, the maximum and the first NaN of a bucket, as far as they exist."""
    numbers = [index for index in range(start, stop) if not math.isnan(values[index])]
    if numbers:
        yield min(numbers, key=values.__getitem__)
        yield max(numbers, key=values.__getitem__)
    if len(numbers) < stop - start:
        yield next(index for index in range(start, stop) if math.isnan(values[index]))
