"""What a reader of another tracker has, and what all readers share."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

from deardiary.nested import flat
from deardiary.wire.shapes import IterationStatus
from deardiary.wire.times import from_milliseconds
from deardiary_exchange.runs import Columns, Experiment, File, Model, Points, Run, Version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

# Points of all keys that a reader holds at once: 24 bytes each.
HELD_POINTS = 200_000
# A run without an end is over if it was silent for so long, as in MLflow's face of the server.
SILENT_MS = 24 * 3600 * 1000
_SAFE_INTEGER = 2**53

_Item = TypeVar("_Item")


class OriginFailed(Exception):
    """An origin cannot be read: it is not there, not of this tracker, or needs a package."""


class Origin:
    """Runs of another tracker. ``not_taken`` has sentences on what belongs to no run; it is complete after the runs."""

    def __init__(self) -> None:
        self.not_taken: list[str] = []

    def experiments(self) -> Iterable[Experiment]:
        """Experiments that may have no runs."""
        return ()

    def loose_files(self) -> Iterable[tuple[Experiment, File]]:
        """Files of experiments that belong to no run."""
        return ()

    def runs(self) -> Iterator[Run]:
        """The runs, each parent before its children."""
        raise NotImplementedError

    def models(self) -> Iterable[Model]:
        """Models that may have no versions."""
        return ()

    def versions(self, iteration_id: Callable[[str], str | None]) -> Iterable[Version]:
        """The model versions, after the runs. ``iteration_id`` returns the id of the iteration of a run's key."""
        return ()

    def note(self, sentence: str) -> None:
        """Report once what was not taken."""
        if sentence not in self.not_taken:
            self.not_taken.append(sentence)


def grouped(rows: Iterable[tuple[str, int, int, float]]) -> Iterator[Points]:
    """Points from rows of key, step, time in ms and value: by keys, with a bound on what is in memory."""
    held: dict[str, Columns] = {}
    count = 0
    for key, step, time_ms, value in rows:
        if key not in held:
            held[key] = Columns.empty()
        held[key].append(step, time_ms, value)
        count += 1
        if count == HELD_POINTS:
            yield from map(Points, held, held.values())
            held, count = {}, 0
    yield from map(Points, held, held.values())


def parents_first(
    items: Iterable[_Item], key_of: Callable[[_Item], str], parent_of: Callable[[_Item], str | None]
) -> Iterator[_Item]:
    """The items, each after its parent; those whose parent never comes are last."""
    seen: set[str] = set()
    waiting: dict[str, list[_Item]] = {}
    for item in items:
        parent = parent_of(item)
        if parent is not None and parent not in seen:
            waiting.setdefault(parent, []).append(item)
            continue
        ready = [item]
        while ready:
            each = ready.pop(0)
            seen.add(key_of(each))
            yield each
            ready += waiting.pop(key_of(each), [])
    for left in waiting.values():
        yield from left


def texts(values: Mapping[Any, Any]) -> dict[str, str]:
    """Nested values as parameters: one level of names joined by dots, texts by ``str``."""
    return {str(key): str(value) for key, value in flat(values).items()}


def number(value: Any) -> float | None:
    """A value as the point of a metric; None if it is none. A text may name a number that JSON does not have."""
    if isinstance(value, (bool, int, float)):
        try:
            return float(value)
        except OverflowError:
            return None
    return float(value.replace("Infinity", "inf")) if value in ("NaN", "Infinity", "-Infinity") else None


def is_exact(value: Any) -> bool:
    """False for an integer that a float64 cannot hold."""
    return not isinstance(value, int) or abs(value) <= _SAFE_INTEGER or int(float(value)) == value


def now_ms() -> int:
    return round(time.time() * 1000)


def date(time_ms: int | None) -> datetime | None:
    return None if time_ms is None else from_milliseconds(time_ms)


def ended(
    status: IterationStatus, end_ms: int | None, last_ms: int, lost: IterationStatus = IterationStatus.KILLED
) -> tuple[IterationStatus, int | None]:
    """Status and end of a run. If it still runs but was silent for a day, it ended ``lost`` at ``last_ms``."""
    if status != IterationStatus.RUNNING:
        return status, last_ms if end_ms is None else end_ms
    if now_ms() - last_ms > SILENT_MS:
        return lost, last_ms
    return status, None
