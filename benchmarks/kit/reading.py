"""The reads of `benchmarks.read_speed`: the amount of data, the durations, and checks of the answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.kit.curves import Curve, Curves, make_curves
from benchmarks.kit.load import Sending
from benchmarks.kit.report import Number

KEY, KEYS = "loss", 20
POINTS_OF_A_RUN = 5
SHOWN, PAGE = 1000, 50
WRITERS = 4

Check = Callable[[Any], bool]


class WrongAnswer(Exception):
    """The data read differ from the data written."""


@dataclass(frozen=True, slots=True)
class Load:
    """The numbers of points and iterations, and of repetitions."""

    history: int
    series: int
    iterations: int
    rounds: int


@dataclass(frozen=True, slots=True)
class Reading:
    """A read, and a check of its result."""

    name: str
    read: Callable[[], Any]
    right: Check


def one_key(points: int) -> Curves:
    return make_curves(1, points)


def of_run(number: int) -> Curves:
    """The data that each run of the table logged."""
    return make_curves(KEYS, POINTS_OF_A_RUN, seed=str(number))


def shared(requests: Sequence[Sending]) -> list[Sequence[Sending]]:
    """Distribute the work among a few writers."""
    return [requests[writer::WRITERS] for writer in range(WRITERS)]


def timed(readings: Sequence[Reading], rounds: int) -> dict[str, Number]:
    """Median seconds of each, one after the other in each round; a first round is checked and not measured.

    WrongAnswer if a result is wrong.
    """
    for reading in readings:
        if not reading.right(reading.read()):
            raise WrongAnswer(reading.name)
    seconds = [[_seconds(reading.read) for reading in readings] for _ in range(rounds)]
    return {reading.name: median(row[at] for row in seconds) for at, reading in enumerate(readings)}


def _seconds(read: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    read()
    return time.perf_counter() - begin


def is_whole(curve: Curve) -> Check:
    """True if each step and value is as written, bit for bit."""
    return lambda found: found["step"] == list(curve.steps) and found["value"] == list(curve.values)


def stands_for(curve: Curve) -> Check:
    """True for few points that include the first, the last and both extremes."""

    def right(found: Any) -> bool:
        steps, values = found["step"], found["value"]
        ends = (steps[0], steps[-1]) == (curve.steps[0], curve.steps[-1])
        return ends and len(steps) <= SHOWN and (min(values), max(values)) == (min(curve.values), max(curve.values))

    return right


def is_sorted(number: int) -> Check:
    """True for this many of our iterations, each with all its keys, sorted by the last value of one."""

    def right(found: Any) -> bool:
        last = [each["metrics"][KEY]["last"] for each in found]
        return len(last) == number and last == sorted(last) and all(len(each["metrics"]) == KEYS for each in found)

    return right


def has(number: int) -> Check:
    return lambda found: len(found) == number
