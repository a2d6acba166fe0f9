"""Curves as pure functions: order the points (`in_order`), downsample."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from itertools import pairwise

from chalicelib.columns import Columns
from deardiary.wire.chunks import in_order as in_order


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
