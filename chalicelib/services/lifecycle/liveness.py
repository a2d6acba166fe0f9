"""Liveness: end a RUNNING iteration whose writer fell silent.

Every batch and every empty flush is a heartbeat, stored in the iteration's SERIES row. The scheduled function ends an
iteration that is silent for too long, and marks it as ended by the server: a later flush of the writer reopens it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from chalicelib import clock, config
from chalicelib.errors import Conflict, NotFound
from chalicelib.services import event
from chalicelib.services.points import merging
from chalicelib.storage import iteration as iterations
from chalicelib.storage import running
from chalicelib.storage import series as storage
from chalicelib.storage.reads import lineage
from chalicelib.storage.reads.summaries import read_current
from chalicelib.storage.series import Series
from deardiary.wire.shapes import Iteration, IterationStatus
from deardiary.wire.times import format_time

_PER_READ = 100


def end_silent_iterations(seconds: float) -> bool:
    """End silent iterations. True if the time sufficed to inspect all running ones, else False."""
    for experiment_id, iteration_id in running.each_of_older_servers():
        iterations.move_running_row(experiment_id, iteration_id)
    silence = config.settings().lost_after
    if silence is None:
        return True
    until, found = time.monotonic() + seconds, running.each_running()
    while some := list(islice(found, _PER_READ)):
        for experiment_id, iteration_ids in _by_experiment(some):
            _inspect(experiment_id, iteration_ids, silence)
        if time.monotonic() > until:
            return False
    return True


def _by_experiment(some: list[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    for experiment_id in dict.fromkeys(experiment_id for experiment_id, _ in some):
        yield experiment_id, [iteration_id for owner_id, iteration_id in some if owner_id == experiment_id]


def _inspect(experiment_id: str, iteration_ids: list[str], silence: timedelta) -> None:
    known = storage.read_series_of_iterations(experiment_id, iteration_ids)
    for iteration_id in iteration_ids:
        series = known.get(iteration_id)
        silent_before = clock.now() - max(silence, timedelta(seconds=(series and series.patience_s) or 0))
        if series is not None and _last_heartbeat(series) > silent_before:
            continue
        iteration = iterations.find_iteration(experiment_id, iteration_id)
        if iteration is None or series is None:
            running.remove(experiment_id, iteration_id)
        elif iteration.end_date is not None:
            with suppress(Conflict):
                iterations.unmark_ended(iteration)
        elif max(iteration.created_date, _last_heartbeat(series)) < silent_before:
            with suppress(Conflict, NotFound):
                _end_if_silent(iteration, series, silent_before)


def _end_if_silent(iteration: Iteration, series: Series, silent_before: datetime) -> None:
    """End the iteration, unless a batch is in writing. Conflict if a heartbeat arrives meanwhile."""
    if series.announced:
        series = merging.settle(iteration)
    if not series.announced and _last_heartbeat(series) < silent_before:
        _end(iteration, series)
        merging.settle_at_end(iteration, series)


def _end(iteration: Iteration, series: Series) -> None:
    """End the iteration as of its last heartbeat."""
    heartbeat = max(iteration.created_date, _last_heartbeat(series))
    known = read_current(iteration.experiment_id, iteration.id) if series.wide else series
    last = max((summary.last_step for summary in known.summaries.values()), default=None)
    step = "no step was logged" if last is None else f"the last step is {last}"
    message = f"Lost: no heartbeat after {format_time(heartbeat)}; {step}"
    ended = replace(iteration, end_date=heartbeat, status_id=IterationStatus.KILLED, error_message=message)
    above = lineage.find_iteration_lineage(iteration.id, "") if event.is_on() else None
    iterations.end_as_lost(iteration, heartbeat, message, series, event.lost(above, ended))


def _last_heartbeat(series: Series) -> datetime:
    return clock.EPOCH + timedelta(microseconds=series.heartbeat_us)
