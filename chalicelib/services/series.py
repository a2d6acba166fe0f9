"""Series: the curves of one iteration, or one curve of many iterations."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import dropwhile
from typing import NamedTuple

from chalicelib import ids
from chalicelib.aws.threads import in_threads
from chalicelib.columns import Columns
from chalicelib.paging import bad_cursor, decode_cursor, encode_cursor
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.lifecycle import pace
from chalicelib.services.points import compaction, curves, directory, growing, rollups
from chalicelib.services.points.recompute import recompute_stale
from chalicelib.services.points.rollups import Wanted
from chalicelib.storage.points.rows import INT64_MIN
from chalicelib.storage.points.summary import Summary
from chalicelib.storage.reads import projection
from chalicelib.storage.reads.summaries import read_current, read_current_of_iterations
from chalicelib.storage.series import NO_SERIES

# A point takes up to 75 bytes in JSON: an answer stays under 5 MB.
MOST_POINTS = 65_000
MOST_ITERATIONS = 200
# Points that one page reads: at most these, or one curve.
MOST_READ = 1_000_000
# A summary takes up to 300 bytes in JSON besides its key.
MOST_SUMMARIES = 12_000


class Window(NamedTuple):
    """The requested points of a curve: between two steps, both included; at most `max_points`, or all."""

    min_step: int | None = None
    max_step: int | None = None
    max_points: int | None = None

    def after(self, step: int) -> Window:
        """The window from this step on. Few points represent the whole curve: they stay the same."""
        if self.max_points is not None or step == INT64_MIN:
            return self
        return self._replace(min_step=step if self.min_step is None else max(step, self.min_step))

    @property
    def is_whole(self) -> bool:
        return self.min_step is None and self.max_step is None

    def of(self, columns: Columns) -> Columns:
        columns = columns.between(self.min_step, self.max_step)
        return columns if self.max_points is None else curves.downsample(columns, self.max_points)


class CurvePage(NamedTuple):
    """Curves by name in the requested order, and the cursor of the next page."""

    data: dict[str, Columns]
    next_cursor: str | None


def summarize(actor: Actor, iteration_id: str) -> Mapping[str, Summary]:
    line = access.iteration(actor, iteration_id, Need.READ)
    pace.watch_iteration(line)
    iteration = line.iteration
    return recompute_stale(iteration, read_current(iteration.experiment_id, iteration.id)).summaries


def summarize_iterations(
    actor: Actor, experiment_id: str, iteration_ids: Sequence[str]
) -> tuple[dict[str, Mapping[str, Summary]], list[str]]:
    """The summaries of these iterations, as far as they fit an answer, and the ids of the others.

    Iterations of other experiments are left out.
    """
    pace.watch_experiment(access.experiment(actor, experiment_id, Need.READ))
    iterations = projection.existing_iterations(experiment_id, iteration_ids)
    series = read_current_of_iterations(experiment_id, iterations)
    found: dict[str, Mapping[str, Summary]] = {}
    left = [each for each in iterations if each in series]
    size = 0
    while left and (not found or size + len(series[left[0]].summaries) <= MOST_SUMMARIES):
        name = left.pop(0)
        found[name] = recompute_stale(iterations[name], series[name]).summaries
        size += len(found[name])
    return found, left


def read_curves(actor: Actor, iteration_id: str, keys: Sequence[str], window: Window, cursor: str | None) -> CurvePage:
    """The curves of these keys, by default of all; a key without points has an empty curve."""
    line = access.iteration(actor, iteration_id, Need.READ)
    pace.watch_iteration(line)
    iteration = line.iteration
    scope = ids.hash_text(repr((iteration_id, keys, window)))
    position = _Position.of(cursor, scope)
    series = read_current(iteration.experiment_id, iteration.id)
    names = _from(position, list(dict.fromkeys(keys)) or sorted(series.summaries))
    # Earlier pages have the points of lower steps: without them the last curve costs the decoding of its own points.
    rest = window.after(position.step) if len(names) == 1 else window
    wanted = Wanted(iteration, series, tuple(names), "rank")
    ready = _rolled_up([wanted], window).get(iteration.id, {})
    counts = [0 if each in ready or each not in series.summaries else series.summaries[each].count for each in names]
    most = rollups.number_within(counts, MOST_READ)
    page = _fill(_curves(wanted._replace(keys=tuple(names[:most])), rest, ready), position, window, scope)
    if len(names) > most and page.next_cursor is None:
        page = page._replace(next_cursor=_Position(ids.hash_text(names[most])).cursor(scope))
    compaction.compact_if_many(iteration, compaction.ENOUGH_WHEN_READ, series)
    return page


def read_curve_of_iterations(
    actor: Actor, experiment_id: str, key: str, iteration_ids: Sequence[str], window: Window, cursor: str | None
) -> CurvePage:
    """The curve of one key in these iterations, by default in all; iterations of other experiments are left out."""
    pace.watch_experiment(access.experiment(actor, experiment_id, Need.READ))
    scope = ids.hash_text(repr((experiment_id, key, iteration_ids, window)))
    position = _Position.of(cursor, scope)
    iterations = projection.existing_iterations(experiment_id, iteration_ids)
    left = _from(position, list(iterations))
    most = min(MOST_ITERATIONS, MOST_POINTS // window.max_points if window.max_points else 1)
    names = left[:most]
    series = read_current_of_iterations(experiment_id, names)
    wanted = [Wanted(iterations[name], series.get(name, NO_SERIES), (key,), "rank") for name in names]
    ready = _rolled_up(wanted, window)
    unread = [key in each.series.summaries and each.iteration.id not in ready for each in wanted]
    read = [each.points_read([key]) if is_unread else 0 for each, is_unread in zip(wanted, unread, strict=True)]
    most = min(most, rollups.number_within(read, MOST_READ))
    found = in_threads(lambda each: _curve(each, window, ready.get(each.iteration.id, {})), wanted[:most])
    page = _fill(dict(zip(names, found, strict=False)), position, window, scope)
    rest = _Position(ids.hash_text(left[most])).cursor(scope) if len(left) > most else None
    return CurvePage(page.data, page.next_cursor or rest)


def _curve(wanted: Wanted, window: Window, ready: Mapping[str, Columns]) -> Columns:
    (key,) = wanted.keys
    if key not in wanted.series.summaries and not wanted.series.announced:
        return Columns.empty()
    return ready[key] if key in ready else _read(wanted, window)[key]


def _curves(wanted: Wanted, window: Window, ready: Mapping[str, Columns]) -> dict[str, Columns]:
    """The curves of all wanted keys, from rollups as far as there are any."""
    left = tuple(key for key in wanted.keys if key not in ready)
    read = _read(wanted._replace(keys=left), window) if left else {}
    return {key: ready[key] if key in ready else read[key] for key in wanted.keys}


def _rolled_up(wanted: Sequence[Wanted], window: Window) -> dict[str, dict[str, Columns]]:
    """The curves that have rollups, by iteration and key."""
    found: dict[str, dict[str, Columns]] = {}
    if window.max_points is not None and window.is_whole and window.max_points <= rollups.MOST:
        for name, rollup in growing.read_rollups(wanted).items():
            curve = rollups.points_of(rollup, window.max_points)
            found.setdefault(name.iteration_id, {})[name.key] = curve
    return found


def _read(wanted: Wanted, window: Window) -> dict[str, Columns]:
    """The curves from their points. Whole ones get a rollup if the reader wants few points."""
    is_rolled_up = window.is_whole and window.max_points is not None
    if is_rolled_up:
        slices = growing.read_slices(wanted)
    else:
        slices = directory.read_slices(wanted, set(wanted.keys), window.min_step, window.max_step)
    found = {key: curves.in_order(slices.pop(key, [])) for key in wanted.keys}
    if is_rolled_up:
        worth = {key: each for key, each in found.items() if rollups.is_worth(wanted, key, each)}
        rollups.keep_rollups(wanted, {key: rollups.of_points(each) for key, each in worth.items()})
    return {key: window.of(each) for key, each in found.items()}


class _Position(NamedTuple):
    """The begin of a page: a curve, by the hash of its name, and how many of its points at a step and time precede."""

    curve: str = ""
    step: int = INT64_MIN
    time: int = INT64_MIN
    given: int = 0

    @classmethod
    def of(cls, cursor: str | None, scope: str) -> _Position:
        """Decode a cursor. InvalidPayload if it belongs to another request."""
        if cursor is None:
            return cls()
        of, curve, *rest = decode_cursor(cursor, 5)
        if of != scope:
            raise bad_cursor()
        try:
            step, time, given = map(int, rest)
        except ValueError:
            raise bad_cursor() from None
        if given < 0:
            raise bad_cursor()
        return cls(curve, step, time, given)

    def cursor(self, scope: str) -> str:
        return encode_cursor(scope, self.curve, str(self.step), str(self.time), str(self.given))

    def start(self, name: str, columns: Columns) -> int:
        """The number of points of this curve on earlier pages."""
        if ids.hash_text(name) != self.curve:
            return 0
        same = bisect_left(columns.steps, self.step), bisect_right(columns.steps, self.step)
        return bisect_left(columns.times, self.time, *same) + self.given

    @classmethod
    def after(cls, name: str, columns: Columns, stop: int) -> _Position:
        """The begin of the next page, after `stop` points of a curve."""
        if not stop:
            return cls(ids.hash_text(name))
        step, time = columns.steps[stop - 1], columns.times[stop - 1]
        first = bisect_left(columns.times, time, bisect_left(columns.steps, step), stop)
        return cls(ids.hash_text(name), step, time, stop - first)


def _from(position: _Position, names: list[str]) -> list[str]:
    """The names from the position on; none if the name of the position has been deleted."""
    return list(dropwhile(lambda name: position.curve not in ("", ids.hash_text(name)), names))


def _fill(found: dict[str, Columns], position: _Position, window: Window, scope: str) -> CurvePage:
    """Fill an answer with points. A curve is cut only if the request sets no `max_points`."""
    data: dict[str, Columns] = {}
    room = MOST_POINTS
    for name, columns in found.items():
        start = position.start(name, columns)
        stop = min(len(columns), start + room)
        if stop < len(columns) and data and window.max_points:
            stop = start
        if stop > start or stop == len(columns):
            data[name] = columns.take(slice(start, stop))
        if stop < len(columns):
            return CurvePage(data, _Position.after(name, columns, stop).cursor(scope))
        room -= stop - start
    return CurvePage(data, None)
