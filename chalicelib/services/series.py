"""Series: the curves of an iteration, and one curve of many iterations side by side."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import dropwhile
from typing import NamedTuple

from chalicelib import ids
from chalicelib.aws.threads import in_threads
from chalicelib.columns import Columns
from chalicelib.services import access
from chalicelib.services.access import Actor, Need
from chalicelib.services.points import compaction, curves
from chalicelib.services.points.recount import recount_stale
from chalicelib.storage import series as storage
from chalicelib.storage.points import rows
from chalicelib.storage.points.rows import INT64_MIN
from chalicelib.storage.points.summary import Digest
from chalicelib.storage.reads import projection
from chalicelib.storage.series import Series
from chalicelib.storage.table import item

# A point takes up to 75 bytes in JSON: an answer stays under 5 MB.
MOST_POINTS = 65_000
MOST_ITERATIONS = 200


class Window(NamedTuple):
    """Which points of a curve are wanted: between two steps, both included; at most so many, or all."""

    min_step: int | None = None
    max_step: int | None = None
    max_points: int | None = None

    def of(self, columns: Columns) -> Columns:
        columns = curves.between(columns, self.min_step, self.max_step)
        return columns if self.max_points is None else curves.downsample(columns, self.max_points)


class CurvePage(NamedTuple):
    """Curves by name, in the order in which they were asked for, and where the next page begins."""

    data: dict[str, Columns]
    next_cursor: str | None


def summarize(actor: Actor, iteration_id: str) -> dict[str, Digest]:
    where = access.iteration(actor, iteration_id, Need.READ).iteration
    return recount_stale(where, storage.read_series(where.experiment_id, where.id)).digests


def read_curves(actor: Actor, iteration_id: str, keys: Sequence[str], window: Window, cursor: str | None) -> CurvePage:
    """The curves of these keys, of all if none is named; a key without points has an empty one."""
    where = access.iteration(actor, iteration_id, Need.READ).iteration
    scope = ids.digest(repr((iteration_id, keys, window)))
    place = _Place.of(cursor, scope)
    series = storage.read_series(where.experiment_id, where.id)
    names = _from(place, list(dict.fromkeys(keys)) or sorted(series.digests))
    stretches = rows.read_stretches(
        where.id, set(names), moved=series.moved > 0, low=window.min_step, high=window.max_step
    )
    page = _fill({name: window.of(curves.in_order(stretches.pop(name, []))) for name in names}, place, window, scope)
    compaction.compact_if_many(where, compaction.ENOUGH_WHEN_READ, series)
    return page


def read_curve_of_iterations(
    actor: Actor, experiment_id: str, key: str, iteration_ids: Sequence[str], window: Window, cursor: str | None
) -> CurvePage:
    """The curve of one key in these iterations, or in all; those that are not in the experiment are left out."""
    access.experiment(actor, experiment_id, Need.READ)
    scope = ids.digest(repr((experiment_id, key, iteration_ids, window)))
    place = _Place.of(cursor, scope)
    left = _from(place, projection.existing_iteration_ids(experiment_id, iteration_ids))
    most = min(MOST_ITERATIONS, MOST_POINTS // window.max_points if window.max_points else 1)
    names = left[:most]
    series = storage.read_series_of_iterations(experiment_id, names)
    found = in_threads(lambda name: _curve(name, key, series.get(name), window), names)
    page = _fill(dict(zip(names, found, strict=True)), place, window, scope)
    rest = _Place(ids.digest(left[most])).cursor(scope) if len(left) > most else None
    return CurvePage(page.data, page.next_cursor or rest)


def _curve(iteration_id: str, key: str, series: Series | None, window: Window) -> Columns:
    if series is None or (key not in series.digests and not series.announced):
        return Columns.empty()
    moved = series.moved > 0
    stretches = rows.read_stretches(iteration_id, {key}, moved=moved, low=window.min_step, high=window.max_step)
    return window.of(curves.in_order(stretches.get(key, [])))


class _Place(NamedTuple):
    """Where a page begins: in which curve (its name's digest), after how many of its points at a step and time."""

    curve: str = ""
    step: int = INT64_MIN
    time: int = INT64_MIN
    given: int = 0

    @classmethod
    def of(cls, cursor: str | None, scope: str) -> _Place:
        """InvalidPayload when the cursor is not of this question."""
        if cursor is None:
            return cls()
        of, curve, *rest = item.decode_cursor(cursor, 5)
        if of != scope:
            raise item.bad_cursor()
        try:
            step, time, given = map(int, rest)
        except ValueError:
            raise item.bad_cursor() from None
        if given < 0:
            raise item.bad_cursor()
        return cls(curve, step, time, given)

    def cursor(self, scope: str) -> str:
        return item.encode_cursor(scope, self.curve, str(self.step), str(self.time), str(self.given))

    def start(self, name: str, columns: Columns) -> int:
        """How many points of this curve were given on earlier pages."""
        if ids.digest(name) != self.curve:
            return 0
        same = bisect_left(columns.steps, self.step), bisect_right(columns.steps, self.step)
        return bisect_left(columns.times, self.time, *same) + self.given

    @classmethod
    def after(cls, name: str, columns: Columns, stop: int) -> _Place:
        """Where it goes on when so many points of a curve have been given."""
        if not stop:
            return cls(ids.digest(name))
        step, time = columns.steps[stop - 1], columns.times[stop - 1]
        first = bisect_left(columns.times, time, bisect_left(columns.steps, step), stop)
        return cls(ids.digest(name), step, time, stop - first)


def _from(place: _Place, names: list[str]) -> list[str]:
    """The names that are still to come. One that is gone meanwhile ends the list."""
    return list(dropwhile(lambda name: place.curve not in ("", ids.digest(name)), names))


def _fill(found: dict[str, Columns], place: _Place, window: Window, scope: str) -> CurvePage:
    """As many points as an answer holds. A curve is cut only if nobody asked for few points of it."""
    data: dict[str, Columns] = {}
    room = MOST_POINTS
    for name, columns in found.items():
        start = place.start(name, columns)
        stop = min(len(columns), start + room)
        if stop < len(columns) and data and window.max_points:
            stop = start
        if stop > start or stop == len(columns):
            data[name] = columns.take(slice(start, stop))
        if stop < len(columns):
            return CurvePage(data, _Place.after(name, columns, stop).cursor(scope))
        room -= stop - start
    return CurvePage(data, None)
