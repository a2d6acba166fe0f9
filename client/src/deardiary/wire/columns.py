"""Points of one key as columns: the form in which server and client compute."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from operator import lt


@dataclass(slots=True)
class Columns:
    """The points of one key: steps, times in ms since 1970, values."""

    steps: array[int]
    times: array[int]
    values: array[float]

    @classmethod
    def empty(cls) -> Columns:
        return cls(array("q"), array("q"), array("d"))

    def append(self, step: int, time: int, value: float) -> None:
        self.steps.append(step)
        self.times.append(time)
        self.values.append(value)

    def extend(self, more: Columns) -> None:
        self.steps.extend(more.steps)
        self.times.extend(more.times)
        self.values.extend(more.values)

    def take(self, positions: Sequence[int] | slice) -> Columns:
        """The points at these positions, in the order of `positions`."""
        if isinstance(positions, slice):
            return Columns(self.steps[positions], self.times[positions], self.values[positions])
        return Columns(
            array("q", map(self.steps.__getitem__, positions)),
            array("q", map(self.times.__getitem__, positions)),
            array("d", map(self.values.__getitem__, positions)),
        )

    def between(self, min_step: int | None, max_step: int | None) -> Columns:
        """The points from `min_step` to `max_step`, both included, of columns in the order of their steps."""
        start = 0 if min_step is None else bisect_left(self.steps, min_step)
        stop = len(self) if max_step is None else bisect_right(self.steps, max_step)
        return self if (start, stop) == (0, len(self)) else self.take(slice(start, stop))

    def is_ascending(self) -> bool:
        """True if each step is higher than the previous one, so that sorting is unnecessary."""
        return all(map(lt, self.steps, islice(self.steps, 1, None)))

    def __len__(self) -> int:
        return len(self.steps)
