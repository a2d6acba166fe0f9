"""Digests made anew after single points were changed or removed: these cannot be taken out of a sum.

Whoever is about to change a point marks its key in the series row first. When it dies before it has counted again, the
mark stays, and whoever reads the summary later than any writer lives does it instead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from chalicelib.services.points import curves
from chalicelib.services.points.batch import STALE_AFTER, now_us
from chalicelib.storage import series as storage
from chalicelib.storage.points import rows
from chalicelib.storage.points.summary import Digest
from chalicelib.storage.series import Series
from deardiary.wire.shapes import Iteration


def mark(where: Iteration, keys: Iterable[str]) -> int:
    """The time of the mark, which is to be given to `recount`."""
    names = list(keys)

    def change(series: Series) -> Series:
        at = max(now_us(), series.last_at + 1)
        return replace(series, last_at=at, edited_at=at, recount=series.recount | dict.fromkeys(names, at))

    return storage.change_series(where.experiment_id, where.id, change).edited_at


def recount(where: Iteration, keys: Collection[str], marked: int) -> Series:
    """Count these keys again, and take the marks away unless somebody has marked them since."""

    def change(series: Series) -> Series:
        counted = _counted(where, series, keys)
        left = {key: at for key, at in series.recount.items() if key not in keys or at > marked}
        return replace(series, digests=counted, recount=left)

    return storage.change_series(where.experiment_id, where.id, change)


def recount_stale(where: Iteration, series: Series) -> Series:
    """The series with digests that are right again, if somebody died before counting."""
    before = now_us() - STALE_AFTER
    stale = {key for key, at in series.recount.items() if at < before}
    return recount(where, stale, before) if stale else series


def _counted(where: Iteration, series: Series, keys: Collection[str]) -> dict[str, Digest]:
    """The batches that are still announced are left out: they come in when they are folded.

    Should one be announced meanwhile, the row has another version than the one that is to be replaced.
    """
    stretches = rows.read_stretches(where.id, keys, without=series.unfolded)
    digests = dict(series.digests)
    for key in keys:
        columns = curves.in_order(stretches.get(key, []))
        if len(columns):
            digests[key] = Digest.of(columns)
        else:
            digests.pop(key, None)
    return digests
