"""Curves drawn with characters.

A single curve is drawn in braille, whose cells have two by four dots (Unicode block U+2800); several curves with a mark
each, so that they can be told apart without colours.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

Series = tuple[Sequence[int], Sequence[float]]

MARKS = "*+xo#@%&"
_BRAILLE = 0x2800
# The bits of a braille cell, by row and column.
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_LABEL = 10


def draw(title: str, curves: Mapping[str, Series], width: int, height: int) -> Iterator[str]:
    """Lines of at most ``width`` characters. Values that are not finite are left out, and counted below."""
    points = {name: _finite(*series) for name, series in curves.items()}
    every = [point for each in points.values() for point in each]
    yield title
    if every:
        low_x, high_x = min(x for x, _ in every), max(x for x, _ in every)
        low_y, high_y = min(y for _, y in every), max(y for _, y in every)
        columns = max(width - _LABEL - 2, 10)
        canvas = _braille if len(points) == 1 else _marked
        scaled = {
            name: [(_share(x, low_x, high_x), _share(y, low_y, high_y)) for x, y in each]
            for name, each in points.items()
        }
        for index, line in enumerate(canvas(scaled, columns, height)):
            value = high_y - (high_y - low_y) * index / (height - 1)
            label = f"{value:.4g}" if index % (height // 2) == 0 else ""
            yield f"{label:>{_LABEL}} │{line}".rstrip()
        first, last = str(low_x), str(high_x)
        yield f"{'step':>{_LABEL}} └{first}{last:>{max(columns - len(first), len(last) + 1)}}"
    if len(points) > 1:
        yield from (f"{MARKS[index % len(MARKS)]} {name}" for index, name in enumerate(points))
    left_out = sum(len(values) for _, values in curves.values()) - len(every)
    if left_out:
        yield f"Not drawn: {left_out} values that are NaN or infinite"


def _finite(steps: Sequence[int], values: Sequence[float]) -> list[tuple[int, float]]:
    return [(step, value) for step, value in zip(steps, values, strict=True) if math.isfinite(value)]


def _share(value: float, low: float, high: float) -> float:
    """The value's position between low and high, 0 to 1; halved first, as the difference may overflow."""
    span = high / 2 - low / 2
    return (value / 2 - low / 2) / span if span else 0.5


def _braille(curves: Mapping[str, Sequence[tuple[float, float]]], columns: int, lines: int) -> list[str]:
    cells = [[0] * columns for _ in range(lines)]
    dots = [
        (round(across * (columns * 2 - 1)), round((1 - up) * (lines * 4 - 1)))
        for across, up in next(iter(curves.values()))
    ]
    for x, y in _joined(dots):
        cells[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
    return ["".join(chr(_BRAILLE + cell) if cell else " " for cell in line) for line in cells]


def _joined(dots: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for (x, y), (next_x, next_y) in pairwise(dots):
        length = max(abs(next_x - x), abs(next_y - y), 1)
        for index in range(length):
            yield x + round((next_x - x) * index / length), y + round((next_y - y) * index / length)
    yield from dots[-1:]


def _marked(curves: Mapping[str, Sequence[tuple[float, float]]], columns: int, lines: int) -> list[str]:
    cells = [[" "] * columns for _ in range(lines)]
    for index, points in enumerate(curves.values()):
        for across, up in points:
            cells[round((1 - up) * (lines - 1))][round(across * (columns - 1))] = MARKS[index % len(MARKS)]
    return ["".join(line) for line in cells]
