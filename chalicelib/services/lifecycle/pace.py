"""Pace: how long a writer may wait with its next flush. Short while a reader watches the iteration or its experiment.

A reader marks the row of the iteration or the experiment, which every flush reads anyway. It writes the mark only if
the stored one, which it has just read, is about to pass: one small write a minute, however many readers there are.
"""

from __future__ import annotations

from datetime import timedelta

from chalicelib import clock
from chalicelib.storage import experiment as experiments
from chalicelib.storage import iteration as iterations
from chalicelib.storage.reads.lineage import ExperimentLineage, IterationLineage
from deardiary.wire.shapes import ExperimentStatus

# In seconds. A person who has just started an iteration is likely to look at it soon: begin at a medium pace.
WATCHED, YOUNG, UNWATCHED = 2.0, 5.0, 30.0
_YOUNG_FOR = timedelta(minutes=2)
# A reader counts as watching for this time after a request; its next requests renew the mark before it passes.
_WATCHED_FOR, _RENEWED_BEFORE = 120, 60


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
    if max(line.watched_until, line.marks.watched_until) > _now_s():
        return WATCHED
    return YOUNG if clock.now() - line.iteration.created_date < _YOUNG_FOR else UNWATCHED


def _now_s() -> int:
    """Seconds since 1970."""
    return clock.to_milliseconds(clock.now()) // 1000
