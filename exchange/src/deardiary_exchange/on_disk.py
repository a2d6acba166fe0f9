"""Points of one iteration in a temporary file, which are read again in windows of steps.

So the memory of a command does not depend on how many points a metric has. A few points stay in memory.
"""

from __future__ import annotations

import tempfile
from array import array
from typing import TYPE_CHECKING, NamedTuple

import numpy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    Rows = NDArray[numpy.int64]

# Points in memory before they are written, and of one window. The points of one step are always together.
HELD_POINTS, WINDOW_POINTS = 200_000, 200_000
_BUCKETS, _WORD = 1024, 8


class _Piece(NamedTuple):
    """Points that were written together, and the range of their steps."""

    offset: int
    points: int
    low: int
    high: int


class PointsOnDisk:
    """Points by key, as columns of int64. The first column is the step."""

    def __init__(self, columns: int) -> None:
        self._width = columns
        self._file = tempfile.TemporaryFile(prefix="deardiary-points-")  # noqa: SIM115 - __exit__ closes it
        self._size = 0
        self._pieces: dict[str, list[_Piece]] = {}
        self._held: dict[str, list[array[int]]] = {}
        self._held_points = 0
        self.count = 0

    def __enter__(self) -> PointsOnDisk:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, key: str, *columns: Sequence[int]) -> None:
        if not len(columns[0]):
            return
        held = self._held.setdefault(key, [array("q") for _ in range(self._width)])
        for column, more in zip(held, columns, strict=True):
            column.extend(more)
        self.count += len(columns[0])
        self._held_points += len(columns[0])
        if self._held_points >= HELD_POINTS:
            self.flush()

    def flush(self) -> None:
        """Write the points that are in memory."""
        for key, columns in self._held.items():
            steps = numpy.frombuffer(columns[0], dtype="i8")
            piece = _Piece(self._size, len(steps), int(steps.min()), int(steps.max()))
            for column in columns:
                self._size += self._file.write(column)
            self._pieces.setdefault(key, []).append(piece)
        self._held, self._held_points = {}, 0

    def names(self) -> list[str]:
        """The keys, in the order in which they were added."""
        return [*dict.fromkeys([*self._pieces, *self._held])]

    def parts(self, key: str, low: int, high: int) -> Iterator[Rows]:
        """The points of a key between two steps, both included, in the order in which they were added."""
        for piece in self._pieces.get(key, ()):
            if piece.low <= high and piece.high >= low:
                yield _between(self._read(piece), low, high)
        if key in self._held:
            yield _between(numpy.array(self._held[key], dtype="i8"), low, high)

    def rows(self, key: str, low: int, high: int) -> Rows:
        """These points as one array."""
        found = [*self.parts(key, low, high), numpy.empty((self._width, 0), dtype="i8")]
        return numpy.concatenate(found, axis=1)

    def range(self, key: str) -> tuple[int, int] | None:
        """The lowest and the highest step of a key."""
        ranges = [(each.low, each.high) for each in self._pieces.get(key, ())]
        held = self._held.get(key)
        ranges += [(min(held[0]), max(held[0]))] if held else []
        return (min(low for low, _ in ranges), max(high for _, high in ranges)) if ranges else None

    def _read(self, piece: _Piece) -> Rows:
        self._file.seek(piece.offset)
        content = self._file.read(piece.points * self._width * _WORD)
        return numpy.frombuffer(content, dtype="i8").reshape(self._width, piece.points)


def windows(key: str, *stores: PointsOnDisk) -> Iterator[tuple[int, int]]:
    """Ranges of steps, in order, in which the stores together have few points of this key."""
    ranges = [found for each in stores if (found := each.range(key)) is not None]
    if ranges:
        low, high = min(low for low, _ in ranges), max(high for _, high in ranges)

        def steps_of(low: int, high: int) -> Iterator[Rows]:
            return (part[0] for each in stores for part in each.parts(key, low, high))

        yield from _split(steps_of, low, high)


def _split(steps_of: Callable[[int, int], Iterator[Rows]], low: int, high: int) -> Iterator[tuple[int, int]]:
    """Count the points in buckets of equal width, join neighbours, and split a bucket of too many again."""
    width = (high - low) // _BUCKETS + 1
    counts = numpy.zeros(_BUCKETS, dtype="i8")
    for steps in steps_of(low, high):
        # A difference of two int64 is a uint64, modulo 2^64.
        buckets = (steps - numpy.int64(low)).view("u8") // numpy.uint64(width)
        counts += numpy.bincount(buckets.astype("i8"), minlength=_BUCKETS)
    start, joined = low, 0
    for number, count in enumerate(counts.tolist()):
        begin = low + number * width
        if joined and joined + count > WINDOW_POINTS:
            yield start, begin - 1
            start, joined = begin, 0
        if count > WINDOW_POINTS and width > 1:
            yield from _split(steps_of, begin, min(high, begin + width - 1))
            start = begin + width
        else:
            joined += count
    if joined:
        yield start, high


def _between(rows: Rows, low: int, high: int) -> Rows:
    found: Rows = rows[:, (rows[0] >= low) & (rows[0] <= high)]
    return found
