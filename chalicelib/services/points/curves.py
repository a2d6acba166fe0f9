"""Curves as pure functions: order the points (`in_order`), downsample."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise

from chalicelib.columns import Columns
from deardiary.wire.chunks import in_order as in_order


def downsample(columns: Columns, max_points: int) -> Columns:
    """At most `max_points` points, in their order: the first, the last, and the minimum and maximum of each bucket.

    If the series has NaN, each bucket also keeps its first NaN. (Min-max decimation; M4 of Jugel et al., VLDB 2014,
    also keeps the first and last point of every bucket.)
    """
    kept = representatives(columns.values, range(len(columns)), max_points)
    return columns if len(kept) == len(columns) else columns.take(kept)


def representatives(values: array[float], ranks: Sequence[int], most: int) -> Sequence[int]:
    """The indexes of at most this many points that represent a curve.

    `ranks`: the positions of the points on the whole curve, in order, up to that of its last point. A bucket has 2^n
    ranks. So of the points that represent a curve, the same ones are chosen as of all its points.
    """
    count = ranks[-1] + 1 if ranks else 0
    if count <= most:
        return range(len(ranks))
    if most < 2:
        return [len(ranks) - 1] * most
    has_nan = any(map(math.isnan, values))
    kept = {0, len(ranks) - 1}
    for start, stop in _buckets(ranks, count, (most - 2) // (3 if has_nan else 2)):
        kept.update(_with_nan(values, start, stop) if has_nan else _extremes(values, start, stop))
    return sorted(kept)


def _buckets(ranks: Sequence[int], count: int, most: int) -> Iterator[tuple[int, int]]:
    """The begin and end of each bucket that has points; the buckets have equally many ranks each."""
    if not most:
        return
    level = next(level for level in range(64) if (count - 1 >> level) < most)
    edges = [bisect_left(ranks, bucket << level) for bucket in range((count - 1 >> level) + 2)]
    yield from ((start, stop) for start, stop in pairwise(edges) if start < stop)


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
