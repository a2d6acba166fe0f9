"""A table of iterations that stays up to date: ``deardiary iterations ls --follow``."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from deardiary.client import Client
from deardiary.wire.shapes import ChangedIterations, IterationOverview

List = Callable[[], Sequence[IterationOverview]]

# A server under load may ask for the next poll at once; do not hurry it.
_SHORTEST_S = 1.0


def follow(client: Client, experiment_id: str, list_all: List) -> Iterator[list[IterationOverview]]:
    """Yield the iterations, newest first, now and after each change, for ever. ``list_all`` reads all of them."""
    rows: dict[str, IterationOverview] = {}
    answer = client.iterations.changes(experiment_id)
    is_new = True
    while True:
        if is_new:
            rows = {each.id: each for each in list_all()}
        if is_new or answer.data or answer.gone:
            yield sorted(rows.values(), key=lambda each: (each.created_date, each.id), reverse=True)
        time.sleep(max(answer.poll_after_seconds, _SHORTEST_S))
        answer = client.iterations.changes(experiment_id, answer.next_since)
        is_new = answer.reset
        _apply(rows, answer)


def _apply(rows: dict[str, IterationOverview], answer: ChangedIterations) -> None:
    for each in answer.data:
        rows[each.id] = _merged(rows.get(each.id), each)
    for iteration_id in answer.gone:
        rows.pop(iteration_id, None)


def _merged(before: IterationOverview | None, now: IterationOverview) -> IterationOverview:
    """The row as it is now, with the parameters and tags of before if they are unchanged."""
    if before is None or now.parameters is not None:
        return now
    return replace(now, parameters=before.parameters, tags=before.tags)
