"""What this process keeps of running iterations between requests; SERIES says whether it is still all of the points."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple

from chalicelib.services.points.newer import Covered, Newer
from chalicelib.storage.points.rollup import Rollup, RollupKey

# Of all rollups together: 8 bytes each. A rollup of a curve has up to 10,000, a directory up to 84,000.
MOST_NUMBERS = 2_500_000
# The objects of one rollup and its name take as many bytes as so many numbers: a curve of few points has little else.
_OF_OBJECTS = 250


class Kept(NamedTuple):
    """A rollup of the points of the covered batches, after the last edit and with this origin.

    `unsaved_rows`, `unsaved_units`: the rows in it that the stored rollup does not have, and the price to read them.
    """

    made: Rollup
    covered: Covered
    edited_us: int
    origin: int
    unsaved_rows: int = 0
    unsaved_units: int = 0

    @property
    def state(self) -> str:
        return f"until.{self.covered.batches}.{self.covered.until_us}.{self.edited_us}.{self.origin}"

    @property
    def numbers(self) -> int:
        return _OF_OBJECTS + sum(map(len, self.made.integers)) + sum(map(len, self.made.values))

    def grown(self, made: Rollup, newer: Newer) -> Kept:
        """The rollup with these batches."""
        return self._replace(
            made=made,
            covered=newer.covered,
            unsaved_rows=self.unsaved_rows + len(newer.stored),
            unsaved_units=self.unsaved_units + newer.read_units,
        )

    def saved(self) -> Kept:
        return self._replace(unsaved_rows=0, unsaved_units=0)

    @classmethod
    def of_stored(cls, state: str, made: Rollup) -> Kept | None:
        """None of a rollup in another state."""
        kind, *numbers = state.split(".")
        if kind != "until":
            return None
        batches, until_us, edited_us, origin = map(int, numbers)
        return cls(made, Covered(batches, until_us), edited_us, origin)


_lock = threading.Lock()
_kept: OrderedDict[RollupKey, Kept] = OrderedDict()
_numbers = 0


def keep(name: RollupKey, kept: Kept) -> None:
    """Keep it, unless a newer one is kept."""
    with _lock:
        before = _remove(name) or kept
        # The first one of equals: saving it changes nothing else.
        _add(name, max(kept, before, key=lambda each: (each.edited_us, each.covered.until_us)))
        while len(_kept) > 1 and _numbers > MOST_NUMBERS:
            _remove(next(iter(_kept)))


def find(name: RollupKey) -> Kept | None:
    with _lock:
        if name in _kept:
            _kept.move_to_end(name)
        return _kept.get(name)


def forget() -> None:
    with _lock:
        while _kept:
            _remove(next(iter(_kept)))


def _add(name: RollupKey, kept: Kept) -> None:
    global _numbers
    _kept[name] = kept
    _numbers += kept.numbers


def _remove(name: RollupKey) -> Kept | None:
    global _numbers
    found = _kept.pop(name, None)
    _numbers -= found.numbers if found else 0
    return found
