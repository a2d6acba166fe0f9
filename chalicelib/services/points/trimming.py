"""Keep the output of an iteration within its limit: its beginning and its newest lines stay, the middle goes.

SERIES says first which batches are gone; readers skip them from then on. If the process dies before it removes their
items, the next step finds and removes these.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.errors import NotFound, Overtaken, Unavailable
from chalicelib.storage import output
from chalicelib.storage import series as storage
from chalicelib.storage.output import StoredOutput
from chalicelib.storage.series import Series
from deardiary.wire import limits
from deardiary.wire.shapes import Iteration

# One step removes more than a flush brings, so that most flushes of a full iteration remove nothing.
SLACK_BYTES = limits.MIB
MOST_BATCHES = 100


def trim_output(iteration: Iteration, series: Series) -> None:
    """Remove old output of the middle if there is too much. A conflict or an overload leaves it to the next flush."""
    if series.output.size_bytes <= limits.MAX_OUTPUT_BYTES:
        return
    try:
        _trim(iteration, series)
    except (NotFound, Overtaken, Unavailable):
        return


def _trim(iteration: Iteration, series: Series) -> None:
    state = series.output
    # The output of a batch in writing is not counted yet.
    before_us = min((one.accepted_us for one in series.announced.values()), default=series.heartbeat_us + 1)
    removed: list[StoredOutput] = []
    for stored in output.each_output(iteration.id, state.first_us + 1, before_us - 1):
        if len(removed) == MOST_BATCHES or state.size_bytes <= limits.MAX_OUTPUT_BYTES - SLACK_BYTES:
            break
        if stored.accepted_us > state.gap_us:
            if stored.content is None:
                continue  # the mark of a dropped announcement stays
            state = state.without(stored)
        removed.append(stored)
    if state != series.output:
        storage.write_series(iteration.experiment_id, iteration.id, replace(series, output=state))
    output.remove_output(removed)
