"""Recomputation: compute summaries again after an edit, because a point cannot be subtracted from a summary.

A request marks the keys in the SERIES row before it changes their points. If it dies first, the marks stay; the first
reader after the longest life of a request recomputes those keys.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from chalicelib.retry import until_not_overtaken
from chalicelib.services.points import curves
from chalicelib.services.points.merging import STALE_AFTER, now_us, settled
from chalicelib.storage import series as storage
from chalicelib.storage.points import rows
from chalicelib.storage.points.summary import Summary, size_of_summaries
from chalicelib.storage.reads.summaries import read_current
from chalicelib.storage.series import Series
from deardiary.wire.shapes import Iteration


def mark(iteration: Iteration, keys: Iterable[str]) -> int:
    """Mark the keys, and return the time of the mark for `recompute`."""
    names = list(keys)

    def change(series: Series) -> Series:
        now = max(now_us(), series.heartbeat_us + 1)
        return replace(series, heartbeat_us=now, edited_us=now, recompute=series.recompute | dict.fromkeys(names, now))

    return storage.change_series(iteration.experiment_id, iteration.id, change).edited_us


def recompute(iteration: Iteration, keys: Collection[str], marked: int) -> Series:
    """Recompute these keys, and remove their marks unless another request has marked them since."""

    def change(series: Series) -> Series:
        if series.wide:
            # All its summaries are written anyway.
            series = settled(iteration, series)
        counted = _counted(iteration, series, keys)
        left = {key: mark_us for key, mark_us in series.recompute.items() if key not in keys or mark_us > marked}
        # A key may be gone, so a batch with the same keys is counted again.
        wide = series.wide and series.wide._replace(size_bytes=size_of_summaries(counted), key_sets=())
        return replace(series, summaries=counted, recompute=left, wide=wide)

    return until_not_overtaken(lambda: storage.change_series(iteration.experiment_id, iteration.id, change))


def recompute_stale(iteration: Iteration, series: Series) -> Series:
    """Recompute the keys whose marks are older than any request: their request died.

    Return the series with the summaries of all stored points, as it was given.
    """
    before = now_us() - STALE_AFTER
    stale = {key for key, mark_us in series.recompute.items() if mark_us < before}
    if not stale:
        return series
    recomputed = recompute(iteration, stale, before)
    return read_current(iteration.experiment_id, iteration.id) if recomputed.wide else recomputed


def _counted(iteration: Iteration, series: Series, keys: Collection[str]) -> dict[str, Summary]:
    """Summaries of these keys without the batches that are still announced: those are added when they are merged.

    A batch announced meanwhile changes the version of the row, so that the conditional write fails.
    """
    slices = rows.read_slices(iteration.id, keys, without=series.unmerged)
    summaries = dict(series.summaries)
    for key in keys:
        columns = curves.in_order(slices.get(key, []))
        if len(columns):
            summaries[key] = Summary.of(columns)
        else:
            summaries.pop(key, None)
    return summaries
