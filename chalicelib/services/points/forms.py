"""The two forms of the rollups of a curve, and how each grows by later points."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Protocol

from chalicelib.services.points import rollups, sketch
from chalicelib.services.points.curves import in_order, representatives
from chalicelib.services.points.rollups import Wanted
from chalicelib.services.points.sketch import Part
from chalicelib.storage.points.codec import Slice
from chalicelib.storage.points.rollup import Rollup


class Form(Protocol):
    def of_parts(self, parts: Sequence[Part]) -> Rollup:
        """The rollup of these points, of which there is at least one."""

    def with_parts(self, made: Rollup, parts: Sequence[Part]) -> Rollup | None:
        """The rollup with these points, of which there is at least one. None if that takes all points."""

    def number_of_points(self, made: Rollup) -> int: ...

    def at_rest(self, made: Rollup) -> Rollup:
        """The rollup as of an ended iteration."""


def form_of(wanted: Wanted) -> Form:
    return ByRank() if wanted.axis == "rank" else OnGrid(by_time=wanted.axis != "step", origin=wanted.origin)


class OnGrid:
    def __init__(self, *, by_time: bool, origin: int) -> None:
        self._by_time, self._origin = by_time, origin

    def of_parts(self, parts: Sequence[Part]) -> Rollup:
        return sketch.to_rollup(sketch.of_parts(parts, by_time=self._by_time, origin=self._origin))

    def with_parts(self, made: Rollup, parts: Sequence[Part]) -> Rollup:
        later = sketch.of_parts(parts, by_time=self._by_time, origin=self._origin)
        return sketch.to_rollup(sketch.of_rollup(made).merged(later))

    def number_of_points(self, made: Rollup) -> int:
        return sum(made.integers[1])

    def at_rest(self, made: Rollup) -> Rollup:
        return made._replace(integers=made.integers[: sketch.INTEGERS])


class ByRank:
    """The points that represent a curve, with their ranks: later points have to follow all others."""

    def of_parts(self, parts: Sequence[Part]) -> Rollup:
        return rollups.of_points(in_order(parts))

    def with_parts(self, made: Rollup, parts: Sequence[Part]) -> Rollup | None:
        later = in_order(parts)
        ranks, steps, times = made.integers
        if (later.steps[0], later.times[0]) <= (steps[-1], times[-1]):
            return None
        ranks = ranks + array("q", range(made.high + 1, made.high + 1 + len(later)))
        steps, times, values = steps + later.steps, times + later.times, made.values[0] + later.values
        kept = representatives(values, ranks, rollups.MOST)
        integers = [array("q", map(each.__getitem__, kept)) for each in (ranks, steps, times)]
        return Rollup(0, 0, ranks[-1], integers, [array("d", map(values.__getitem__, kept))])

    def number_of_points(self, made: Rollup) -> int:
        return made.high + 1

    def at_rest(self, made: Rollup) -> Rollup:
        return made


def accepted(parts: Sequence[Part], after_us: int, until_us: int) -> list[Part]:
    """The points of batches that were accepted after a time and until another."""
    found = []
    for batches, piece in parts:
        wanted = [after_us < each.accepted_us <= until_us for each in batches]
        if all(wanted):
            found.append((batches, piece))
        elif any(wanted):
            chosen = [index for index, number in enumerate(piece.batches) if wanted[number]]
            ordinals, numbers = ([column[index] for index in chosen] for column in (piece.ordinals, piece.batches))
            found.append((batches, Slice(piece.columns.take(chosen), ordinals, numbers)))
    return [part for part in found if len(part[1].columns)]
