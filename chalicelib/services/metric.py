"""Metrics: single points. A point keeps its id when a compaction moves it."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import NamedTuple, TypedDict, TypeVar

from chalicelib import clock, ids
from chalicelib.errors import Conflict, NotFound, Unavailable
from chalicelib.paging import Page, bad_cursor, decode_cursor, encode_cursor
from chalicelib.retry import Retry
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.points import batch, recompute, rollups
from chalicelib.services.points.batch import Sent
from chalicelib.services.points.directory import Directory, RowMovedError, read_in_order, rows_of_page
from chalicelib.storage import change as change_storage
from chalicelib.storage import iteration as iterations
from chalicelib.storage import series as storage
from chalicelib.storage.points import chunk as chunks
from chalicelib.storage.points import rows as points
from chalicelib.storage.points.codec import Content, Slice
from chalicelib.storage.points.listing import Listed
from chalicelib.storage.points.rows import Stored
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Iteration, Metric


class MetricChanges(TypedDict, total=False):
    """The fields of a point that a PATCH may carry; those absent stay."""

    value: float
    step: int
    recorded_at: datetime


class _Entry(NamedTuple):
    """A point; entries sort by step, time, creation of the batch, and number in the batch."""

    step: int
    time: int
    accepted_us: int
    ordinal: int
    batch_hash: str
    key: str
    value: float

    def metric(self, iteration_id: str) -> Metric:
        return Metric(
            id=f"{iteration_id}.{ids.stamp(self.accepted_us)}.{self.batch_hash}.{self.ordinal:05}",
            iteration_id=iteration_id,
            key=self.key,
            value=self.value,
            step=self.step,
            recorded_at=clock.from_milliseconds(self.time),
        )


# Step, time, creation of the batch, and number in the batch of a point.
_Position = tuple[int, int, int, int]
R = TypeVar("R", Stored, Listed)


class _Found(NamedTuple):
    """A point in the row that holds it."""

    row: Stored
    content: Content
    key: str
    position: int

    @property
    def piece(self) -> Slice:
        return self.content.series[self.key]

    def metric(self, iteration_id: str) -> Metric:
        entries = _entries(Content(self.content.batches, {self.key: self.piece}))
        return next(islice(entries, self.position, None)).metric(iteration_id)


def create_metric(actor: Actor, iteration_id: str, point: dict[str, Sent]) -> Metric:
    batch_id = ids.new_id()
    line = batch.find_for_batch(actor, iteration_id, batch_id)
    iteration = line.iteration
    chunk = batch.store_batch(iteration, batch_id, point, found=line.of_batch)
    batch.check_rules(line, point)
    if chunk.content is None:
        # A compaction has already moved the point that was just written.
        raise Unavailable(retry_after=1)
    return next(_entries(chunk.content)).metric(iteration.id)


def list_metrics(actor: Actor, iteration_id: str, key: str | None, limit: int, cursor: str | None) -> Page[Metric]:
    """List points in the order of step, time and arrival."""
    iteration = access.iteration(actor, iteration_id, Need.READ).iteration
    after = None if cursor is None else _position(cursor, iteration)
    entries = _entries_after(iteration, None if key is None else {key}, after, limit + 1)
    more = _cursor(entries[limit - 1], iteration) if len(entries) > limit else None
    return Page([entry.metric(iteration.id) for entry in entries[:limit]], more)


def read_points(iteration: Iteration, key: str) -> Iterator[tuple[int, int, float]]:
    """Time in ms since 1970, step and value of all points, unordered. The caller has checked the permission."""
    for row in points.read_rows(iteration.id).stored:
        for piece in row.open({key}).series.values():
            yield from zip(piece.columns.times, piece.columns.steps, piece.columns.values, strict=True)


def get_metric(actor: Actor, metric_id: str) -> Metric:
    iteration = _owner(actor, metric_id, Need.READ)
    return _find(iteration, metric_id).metric(iteration.id)


def update_metric(actor: Actor, metric_id: str, changes: MetricChanges) -> Metric:
    """Change a point; it keeps its id and its number in the batch."""
    iteration = _owner(actor, metric_id, Need.UPDATE)

    def change(piece: Slice, index: int) -> Slice:
        columns = piece.columns.take(slice(None))
        columns.values[index] = changes.get("value", columns.values[index])
        columns.steps[index] = changes.get("step", columns.steps[index])
        if "recorded_at" in changes:
            columns.times[index] = clock.to_milliseconds(changes["recorded_at"])
        return replace(piece, columns=columns)

    return replace(_edit(iteration, metric_id, change), **changes)


def delete_metric(actor: Actor, metric_id: str) -> None:
    """Delete a point; the summary of its metric then describes the remaining points."""

    def remove(piece: Slice, index: int) -> Slice:
        left = [other for other in range(len(piece.columns)) if other != index]
        return Slice(
            piece.columns.take(left),
            [piece.ordinals[each] for each in left],
            [piece.batches[each] for each in left],
        )

    _edit(_owner(actor, metric_id, Need.DELETE), metric_id, remove)


def _edit(iteration: Iteration, metric_id: str, change: Callable[[Slice, int], Slice]) -> Metric:
    """Rewrite the row of a point, then recompute the summary of its key. Return the point as it was."""
    for _ in Retry():
        found = _find(iteration, metric_id)
        if iterations.is_locked(iteration):
            raise iterations.locked()
        if iteration.end_date is not None:
            change_storage.note_change_alone(iteration.experiment_id, iteration.id)
        _keep_receipt(iteration, metric_id)
        marked = recompute.mark(iteration, [found.key])
        series = found.content.series | {found.key: change(found.piece, found.position)}
        kept = {key: piece for key, piece in series.items() if len(piece.columns)}
        write = Transaction()
        iterations.check_unlocked(iteration, write)
        chunks.replace_points(found.row.key, found.row.edition, found.content._replace(series=kept), write)
        try:
            write.commit()
        except Conflict:
            continue
        break
    recompute.recompute(iteration, {found.key}, marked)
    return found.metric(iteration.id)


def _keep_receipt(iteration: Iteration, metric_id: str) -> None:
    """Store the receipt of the batch, so that a retry gets the same answer after the edit."""
    chunk = chunks.find_chunk(iteration.id, _parts(metric_id)[1])
    if chunk is not None and chunk.receipt is None:
        chunks.keep_receipt(iteration.id, chunk.batch.hash, batch.receipt_of(iteration, chunk))


def _owner(actor: Actor, metric_id: str, need: Need) -> Iteration:
    return access.iteration(actor, ids.split_id(metric_id)[0], need).iteration


def _find(iteration: Iteration, metric_id: str) -> _Found:
    """Find a point by its id, or NotFound."""
    stamp, batch_hash, ordinal = _parts(metric_id)
    for row in points.rows_of_batch(iteration.id, batch_hash):
        # Decode all points: an edit writes the whole row back, and other chunks may soon name this packed row.
        content = row.open_whole()
        names = [(ids.stamp(each.accepted_us), each.hash) for each in content.batches]
        own = {number for number, name in enumerate(names) if name == (stamp, batch_hash)}
        for key, piece in content.series.items():
            for position, (other, number) in enumerate(zip(piece.ordinals, piece.batches, strict=True)):
                if other == ordinal and number in own:
                    return _Found(row, content, key, position)
    raise NotFound


def _parts(metric_id: str) -> tuple[str, str, int]:
    """The stamp and hash of the batch of a point, and its number in the batch."""
    parts = ids.split_id(metric_id)
    if len(parts) != 4 or not parts[3].isdecimal():
        raise NotFound
    return parts[1], parts[2], int(parts[3])


def _entries_after(iteration: Iteration, only: set[str] | None, after: _Position | None, most: int) -> list[_Entry]:
    """The first entries after a cursor. Of a long iteration, read only the rows that may have them."""
    series = storage.read_series(iteration.experiment_id, iteration.id)
    directory = Directory(rollups.Wanted(iteration, series, (), "chunk"), only)
    found = directory.find()
    if found is not None:
        with suppress(RowMovedError):
            read = read_in_order(_from(found.listed, after), found.read, rows_of_page(series, only, most))
            return list(islice(_merged(read, only, after), most))
    return list(islice(_merged(_from(directory.read_all(keep=found is None), after), only, after), most))


def _from(rows: Iterable[R], after: _Position | None) -> list[R]:
    """The rows that may have points after a cursor, in the order of their lowest steps."""
    return sorted((row for row in rows if after is None or row.high >= after[0]), key=lambda row: row.low)


def _merged(rows: Iterable[Stored], only: set[str] | None, after: _Position | None) -> Iterator[_Entry]:
    """Merge the rows, which ascend in their lowest steps. A row is opened when its lowest step is next."""
    waiting = iter(rows)
    closed = next(waiting, None)
    heads: list[tuple[_Entry, int, Iterator[_Entry]]] = []
    while closed or heads:
        while closed and (not heads or closed.low <= heads[0][0].step):
            entries = sorted(_entries(closed.open(only)))
            # Entries are longer tuples than cursors, so an entry sorts after its own cursor; `+ 1` skips it.
            rest = iter(entries if after is None else entries[bisect_left(entries, (*after[:3], after[3] + 1)) :])
            _push(heads, rest)
            closed = next(waiting, None)
        if heads:
            entry, _, rest = heapq.heappop(heads)
            yield entry
            _push(heads, rest)


def _push(heads: list[tuple[_Entry, int, Iterator[_Entry]]], rest: Iterator[_Entry]) -> None:
    entry = next(rest, None)
    if entry is not None:
        heapq.heappush(heads, (entry, id(rest), rest))


def _entries(content: Content) -> Iterator[_Entry]:
    for key, piece in content.series.items():
        columns = piece.columns
        numbered = zip(columns.steps, columns.times, columns.values, piece.ordinals, piece.batches, strict=True)
        for step, time, value, ordinal, number in numbered:
            batch_of_point = content.batches[number]
            yield _Entry(step, time, batch_of_point.accepted_us, ordinal, batch_of_point.hash, key, value)


def _cursor(entry: _Entry, iteration: Iteration) -> str:
    return encode_cursor(iteration.id, *map(str, entry[:4]))


def _position(cursor: str, iteration: Iteration) -> _Position:
    of, *position = decode_cursor(cursor, 5)
    if of != iteration.id:
        raise bad_cursor()
    try:
        step, time, accepted_us, ordinal = map(int, position)
    except ValueError:
        raise bad_cursor() from None
    return step, time, accepted_us, ordinal
