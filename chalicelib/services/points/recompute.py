"""Recomputation: compute summaries again after an edit, because a point cannot be subtracted from a summary.

A request marks the keys in the SERIES row before it changes their points. If it dies first, the marks stay; the first
reader after the longest life of a request recomputes those keys.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from chalicelib.services.points import curves
from chalicelib.services.points.batch import STALE_AFTER, now_us
from chalicelib.storage import series as storage
from chalicelib.storage.points import rows
from chalicelib.storage.points.summary import Summary
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
        counted = _counted(iteration, series, keys)
        left = {key: mark_us for key, mark_us in series.recompute.items() if key not in keys or mark_us > marked}
        return replace(series, summaries=counted, recompute=left)

    return storage.change_series(iteration.experiment_id, iteration.id, change)


def recompute_stale(iteration: Iteration, series: Series) -> Series:
    """Recompute the keys whose marks are older than any request: their request died. Return the series."""
    before = now_us() - STALE_AFTER
    stale = {key for key, mark_us in series.recompute.items() if mark_us < before}
    return recompute(iteration, stale, before) if stale else series


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
