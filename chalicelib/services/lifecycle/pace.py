"""Pace: how long a writer may wait with its next flush. Short while a reader watches the iteration or its experiment.

The pace is longer while many iterations log: one partition of the table takes the flushes of all iterations of an
experiment, another those of all experiments of a project (docs/scale.md). A process counts the iterations whose flushes
it has seen lately, which needs no call. While the table throttles, the pace is the longest.

A reader marks the row of the iteration or the experiment, which every flush reads anyway. It writes the mark only if
the stored one, which it has just read, is about to pass: one small write a minute, however many readers there are.
"""

from __future__ import annotations

import time
from datetime import timedelta

from chalicelib import clock
from chalicelib.aws import throttling
from chalicelib.storage import experiment as experiments
from chalicelib.storage import iteration as iterations
from chalicelib.storage.reads.lineage import ExperimentLineage, IterationLineage
from deardiary.wire.shapes import ExperimentStatus

# In seconds. A person who has just started an iteration is likely to look at it soon: begin at a medium pace.
WATCHED, YOUNG, UNWATCHED = 2.0, 5.0, 30.0
_YOUNG_FOR = timedelta(minutes=2)
# A reader counts as watching for this time after a request; its next requests renew the mark before it passes.
_WATCHED_FOR, _RENEWED_BEFORE = 120, 60
# The longest that a client obeys.
LONGEST = 60.0
# The flushes a second that one process asks for. A function handles about 20 a second, so a process sees a share of
# the iterations only, and a sweep has many processes.
PER_EXPERIMENT, PER_PROJECT = 25, 75
THROTTLED_FOR = 60.0


def watch_iteration(line: IterationLineage) -> None:
    """Note that a reader looks at the iteration, if it runs."""
    now = _now_s()
    if line.iteration.end_date is None and line.marks.watched_until - now < _RENEWED_BEFORE:
        iterations.mark_watched(line.iteration, now + _WATCHED_FOR)


def watch_experiment(line: ExperimentLineage) -> None:
    """Note that a reader looks at the experiment, if iterations can run in it."""
    now = _now_s()
    is_open = line.experiment.status_id == ExperimentStatus.IN_PROGRESS
    if is_open and line.watched_until - now < _RENEWED_BEFORE:
        experiments.mark_watched(line.experiment, now + _WATCHED_FOR)


def flush_after_seconds(line: IterationLineage) -> float:
    """How long the writer may wait with its next flush."""
    return max(_wanted(line), _bearable(line))


def _wanted(line: IterationLineage) -> float:
    is_watched = max(line.watched_until, line.marks.watched_until) > _now_s()
    return wanted(is_watched=is_watched, age=clock.now() - line.iteration.created_date)


def _bearable(line: IterationLineage) -> float:
    in_experiment = _crowd.count(line.experiment.id, line.iteration.id)
    in_project = _crowd.count(line.project.id, line.iteration.id)
    return bearable(in_experiment, in_project, is_throttled=throttling.is_recent(THROTTLED_FOR))


def wanted(*, is_watched: bool, age: timedelta) -> float:
    """The pace that readers want."""
    if is_watched:
        return WATCHED
    return YOUNG if age < _YOUNG_FOR else UNWATCHED


def bearable(in_experiment: int, in_project: int, *, is_throttled: bool) -> float:
    """The shortest pace that the table bears, as far as a process that sees these crowds can tell."""
    crowded = max(in_experiment / PER_EXPERIMENT, in_project / PER_PROJECT)
    return LONGEST if is_throttled else round(min(LONGEST, crowded), 1)


class Crowd:
    """The iterations that have flushed in this minute and in the one before, by experiment and by project."""

    def __init__(self) -> None:
        self._minute = 0
        self._now: dict[str, set[str]] = {}
        self._before: dict[str, set[str]] = {}

    def count(self, group: str, iteration_id: str, minute: int | None = None) -> int:
        """Count this iteration, and return the size of its group."""
        self._turn(int(time.monotonic() // 60) if minute is None else minute)
        seen = self._now.setdefault(group, set())
        seen.add(iteration_id)
        return max(len(seen), len(self._before.get(group, ())))

    def _turn(self, minute: int) -> None:
        if minute != self._minute:
            self._before = self._now if minute == self._minute + 1 else {}
            self._now, self._minute = {}, minute


_crowd = Crowd()


def _now_s() -> int:
    """Seconds since 1970."""
    return clock.to_milliseconds(clock.now()) // 1000
