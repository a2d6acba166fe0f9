"""Points of one key as columns: what the server computes with, from the row in the table to the answer."""

from __future__ import annotations

from array import array
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

    def take(self, places: Sequence[int] | slice) -> Columns:
        """The points at these places, in the order of the places."""
        if isinstance(places, slice):
            return Columns(self.steps[places], self.times[places], self.values[places])
        return Columns(
            array("q", map(self.steps.__getitem__, places)),
            array("q", map(self.times.__getitem__, places)),
            array("d", map(self.values.__getitem__, places)),
        )

    def is_ascending(self) -> bool:
        """Whether every step is higher than the one before, so that there is only one order to have them in."""
        return all(map(lt, self.steps, islice(self.steps, 1, None)))

    def __len__(self) -> int:
        return len(self.steps)
