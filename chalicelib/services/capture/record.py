"""Write the facts of a job into an iteration. Every step can be repeated, and interrupted after each write."""

from __future__ import annotations

from array import array
from dataclasses import replace

from chalicelib import ids
from chalicelib.errors import Conflict, Overtaken
from chalicelib.retry import Retry
from chalicelib.services import event
from chalicelib.services.capture.facts import STATE_LABEL, Facts
from chalicelib.services.parameter import put_captured
from chalicelib.services.points.batch import Sent, store_batch
from chalicelib.services.tag import put_tags
from chalicelib.storage import iteration as iterations
from chalicelib.storage import series
from chalicelib.storage.reads import lineage
from deardiary.wire.shapes import Iteration, IterationStatus
from deardiary.wire.times import from_milliseconds

_PER_PAGE = 100


def record(iteration: Iteration, facts: Facts) -> None:
    """Parameters, tags, labels and metrics of the job, and its end. What its program logged stays as it is."""
    put_captured(iteration, facts.parameters)
    put_tags(iteration, facts.tags)
    _put_labels(iteration, facts)
    _put_final_metrics(iteration, facts)
    _put_cost(iteration, facts)
    if facts.end_ms is not None:
        _end(iteration, facts)
        if not facts.is_tuning_job:
            _end_ranks(iteration, facts)


def _put_labels(iteration: Iteration, facts: Facts) -> None:
    """Merge the labels, unless those of a later state of the job are there."""
    for _ in Retry():
        before = iterations.find_iteration(iteration.experiment_id, iteration.id)
        if before is None or before.labels.get(STATE_LABEL, "") > facts.labels[STATE_LABEL]:
            return
        try:
            iterations.set_labels(before, replace(before, labels={**before.labels, **facts.labels}))
        except Overtaken:
            continue
        break


def _put_final_metrics(iteration: Iteration, facts: Facts) -> None:
    """One batch. Metrics that the program itself logs are left out: its curve is exact."""
    if not facts.final_metrics:
        return
    batch_id = f"sagemaker-final-metrics:{facts.job}"
    known, stored = series.read_series_and_chunk(iteration.experiment_id, iteration.id, ids.hash_text(batch_id))
    values = {key: each for key, each in facts.final_metrics.items() if key not in known.summaries}
    if stored is None and values:
        points = {key: _point(value, time) for key, (value, time) in values.items()}
        store_batch(iteration, batch_id, points, even_ended=True)


def _put_cost(iteration: Iteration, facts: Facts) -> None:
    if facts.cost and facts.end_ms is not None:
        points = {key: _point(value, facts.end_ms) for key, value in facts.cost.items()}
        store_batch(iteration, f"sagemaker-cost:{facts.job}", points, even_ended=True)


def _point(value: float, time_ms: int) -> Sent:
    return Sent(array("d", [value]), [0], [time_ms])


def _end(iteration: Iteration, facts: Facts) -> None:
    """End the iteration as its job did, unless its program has ended it."""
    end_date, status = from_milliseconds(facts.end_ms or 0), IterationStatus(facts.status)
    for _ in Retry():
        before = iterations.find_iteration(iteration.experiment_id, iteration.id)
        if before is None:
            return
        after = replace(before, end_date=end_date, status_id=status, error_message=facts.message)
        above = lineage.find_iteration_lineage(iteration.id, "") if event.is_on() else None
        try:
            iterations.end_with_job(before, after, end_date, event.ended(above, before, after, "") if above else None)
        except Conflict:
            continue
        break


def _end_ranks(iteration: Iteration, facts: Facts) -> None:
    """The children of a training job's iteration are its other processes: they have ended with it."""
    cursor = None
    while True:
        page = iterations.list_children(iteration.experiment_id, iteration.id, _PER_PAGE, cursor)
        for child in page.data:
            if child.status_id == IterationStatus.RUNNING:
                _end(child, facts)
        if (cursor := page.next_cursor) is None:
            return
