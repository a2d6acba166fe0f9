"""A chart: curves of several metrics and iterations of one experiment on a shared grid.

Their summaries say where the grid begins and ends, so that it is known before any point is read, and all pages have the
same. A page reads whole iterations, as many as its limits of points and of buckets allow.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from chalicelib import clock, ids
from chalicelib.aws.threads import in_threads
from chalicelib.columns import Columns
from chalicelib.errors import InvalidPayload
from chalicelib.paging import bad_cursor, decode_cursor, encode_cursor
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.lifecycle import pace
from chalicelib.services.points import curves, directory, growing, rollups
from chalicelib.services.points.grid import Bucketed, Grid, bucketed
from chalicelib.storage.points.rollup import Rollup
from chalicelib.storage.points.summary import Summary
from chalicelib.storage.reads import projection
from chalicelib.storage.reads.summaries import read_current_of_iterations
from chalicelib.storage.series import Series
from deardiary.wire.shapes import Iteration

Axis = Literal["step", "relative", "time"]

MOST_ITERATIONS = 200
MOST_KEYS = 50
MOST_BUCKETS_A_CURVE = 1000
# Of one page. A bucket takes up to 75 bytes in JSON, so that an answer stays under 5 MB.
MOST_BUCKETS = 60_000
MOST_POINTS = 1_000_000


class Wanted(NamedTuple):
    """The curves of a chart. Positions are steps, or ms: since 1970, or since the creation of the iteration."""

    keys: Sequence[str]
    iteration_ids: Sequence[str]
    buckets: int
    x: Axis
    min_x: int | None
    max_x: int | None


class Curve(NamedTuple):
    """A curve on the grid. `total`: the number of all points of the curve, also of those outside of the grid."""

    on_grid: Bucketed
    total: int


class Chart(NamedTuple):
    """A page of a chart: its curves by key and iteration. Without any point it has no grid."""

    grid: Grid | None
    curves: dict[str, dict[str, Curve]]
    next_cursor: str | None


class _Source(NamedTuple):
    """An iteration with the summaries of the wanted keys that it has. `ready`: the curves that have a rollup."""

    iteration: Iteration
    series: Series
    summaries: Mapping[str, Summary]
    ready: Mapping[str, Bucketed] = {}

    def origin(self, x: Axis) -> int:
        return clock.to_milliseconds(self.iteration.created_date) if x == "relative" else 0

    def bounds(self, x: Axis) -> Iterator[int]:
        """The positions of the first and last point of each curve."""
        for each in self.summaries.values():
            if x == "step":
                yield from (each.first_step, each.last_step)
            else:
                yield from (each.first_time - self.origin(x), each.last_time - self.origin(x))

    def rolled_up(self, x: Axis) -> rollups.Wanted:
        return rollups.Wanted(self.iteration, self.series, tuple(self.summaries), x, self.origin(x))


def read_chart(actor: Actor, experiment_id: str, wanted: Wanted, cursor: str | None) -> Chart:
    """One page. InvalidPayload without a range, or for more than MOST_ITERATIONS iterations."""
    pace.watch_experiment(access.experiment(actor, experiment_id, Need.READ))
    if wanted.min_x is not None and wanted.max_x is not None and wanted.min_x > wanted.max_x:
        raise InvalidPayload("max_x is less than min_x", field="max_x")
    scope = ids.hash_text(repr((experiment_id, wanted)))
    grid, first_id = (None, "") if cursor is None else _position(cursor, scope, wanted.buckets)
    sources = _sources(experiment_id, wanted, first_id)
    grid = grid or _grid(sources, wanted)
    if grid is None:
        return Chart(None, {key: {} for key in wanted.keys}, None)
    most = max(1, MOST_BUCKETS // (len(wanted.keys) * grid.buckets))
    ready = _with_rollups(sources[:most], wanted, grid)
    number = _number_on_page(ready, wanted.x)
    found = in_threads(lambda source: _curves(source, wanted, grid), ready[:number])
    by_key: dict[str, dict[str, Curve]] = {key: {} for key in wanted.keys}
    for source, curves_ in zip(sources, found, strict=False):
        for key, curve in curves_.items():
            by_key[key][source.iteration.id] = curve
    rest = sources[number:]
    next_cursor = encode_cursor(scope, str(grid.low), str(grid.high), rest[0].iteration.id) if rest else None
    return Chart(grid, by_key, next_cursor)


def _position(cursor: str, scope: str, buckets: int) -> tuple[Grid, str]:
    """The grid of the first page, and the id of the first iteration of this page."""
    of, low, high, first_id = decode_cursor(cursor, 4)
    try:
        grid = Grid.over(int(low), int(high), buckets)
    except ValueError:
        raise bad_cursor() from None
    if of != scope or grid.low > grid.high:
        raise bad_cursor()
    return grid, first_id


def _sources(experiment_id: str, wanted: Wanted, first_id: str) -> list[_Source]:
    """The iterations that have one of the keys, in the order of ids, from this one on."""
    named, names = wanted.iteration_ids, ("created_date", "end_date")
    if named:
        found = projection.find_iterations(experiment_id, list(dict.fromkeys(named)), names)
    else:
        found = projection.read_iterations(experiment_id, None, names)
    if len(found) > MOST_ITERATIONS:
        message = f"The experiment has {len(found)} iterations: name those to show, at most {MOST_ITERATIONS}"
        raise InvalidPayload(message, field="iteration_id")
    left = sorted((each for each in found if each.id >= first_id), key=lambda each: each.id)
    series = read_current_of_iterations(experiment_id, [each.id for each in left])
    sources = [_source(each, series[each.id], wanted.keys) for each in left if each.id in series]
    return [each for each in sources if each.summaries]


def _source(iteration: Iteration, series: Series, keys: Sequence[str]) -> _Source:
    return _Source(iteration, series, {key: series.summaries[key] for key in keys if key in series.summaries})


def _grid(sources: Sequence[_Source], wanted: Wanted) -> Grid | None:
    """The grid over the wanted range, by default from the first to the last point. None if no point can be in it."""
    bounds = [each for source in sources for each in source.bounds(wanted.x)]
    if not bounds:
        return None
    low = min(bounds) if wanted.min_x is None else wanted.min_x
    high = max(bounds) if wanted.max_x is None else wanted.max_x
    return Grid.over(low, high, wanted.buckets) if low <= high else None


def _number_on_page(sources: Sequence[_Source], x: Axis) -> int:
    """The number of iterations that fit into the page, at least one."""
    points = (each.rolled_up(x).points_read(each.summaries.keys() - each.ready.keys()) for each in sources)
    return rollups.number_within(points, MOST_POINTS)


def _with_rollups(sources: Sequence[_Source], wanted: Wanted, grid: Grid) -> list[_Source]:
    found = growing.read_rollups([source.rolled_up(wanted.x) for source in sources])
    ready: dict[str, dict[str, Bucketed]] = {}
    for name, rollup in found.items():
        curve = rollups.on_grid(rollup, grid) if _is_inside(rollup, wanted) else None
        if curve is not None:
            ready.setdefault(name.iteration_id, {})[name.key] = curve
    return [source._replace(ready=ready.get(source.iteration.id, {})) for source in sources]


def _is_inside(rollup: Rollup, wanted: Wanted) -> bool:
    """True if no point of the curve is outside of the wanted range."""
    low, high = wanted.min_x, wanted.max_x
    return (low is None or low <= rollup.low) and (high is None or rollup.high <= high)


def _curves(source: _Source, wanted: Wanted, grid: Grid) -> dict[str, Curve]:
    read = _read(source, wanted, grid) if len(source.ready) < len(source.summaries) else {}
    return {
        key: Curve(source.ready[key] if key in source.ready else read[key], summary.count)
        for key, summary in source.summaries.items()
    }


def _read(source: _Source, wanted: Wanted, grid: Grid) -> dict[str, Bucketed]:
    """The curves that have no rollup, from their points. Whole ones get a rollup."""
    low, high = (wanted.min_x, wanted.max_x) if wanted.x == "step" else (None, None)
    keys = source.summaries.keys() - source.ready.keys()
    rolled_up = source.rolled_up(wanted.x)
    if low is None and high is None:
        slices = growing.read_slices(rolled_up._replace(keys=tuple(keys)))
    else:
        slices = directory.read_slices(rolled_up, keys, low, high)
    found = {key: curves.in_order(slices.pop(key, [])) for key in keys}
    made = {}
    on_grid = {}
    for key, columns in found.items():
        xs, values = _positions(columns, wanted.x, source.origin(wanted.x))
        on_grid[key] = _on_grid(xs, values, wanted, grid)
        if rollups.is_worth(rolled_up, key, columns):
            made[key] = rollups.of_grid(xs, values)
    rollups.keep_rollups(rolled_up, made)
    return on_grid


def _on_grid(xs: array[int], values: array[float], wanted: Wanted, grid: Grid) -> Bucketed:
    start = 0 if wanted.min_x is None else bisect_left(xs, wanted.min_x)
    stop = len(xs) if wanted.max_x is None else bisect_right(xs, wanted.max_x)
    return bucketed(xs[start:stop], values[start:stop], grid)


def _positions(columns: Columns, x: Axis, origin: int) -> tuple[array[int], array[float]]:
    """The positions of the points in ascending order, and their values: a clock may jump between two steps."""
    if x == "step":
        return columns.steps, columns.values
    order = sorted(range(len(columns)), key=columns.times.__getitem__)
    taken = columns.take(order)
    return array("q", (time - origin for time in taken.times)), taken.values
