"""Batches of points. Each batch is stored exactly once, however often and from wherever it is sent.

A small batch is stored in one transaction: its chunk, and the SERIES row of the iteration with its points in the
summaries. In a transaction each unit costs twice, so a larger batch takes three writes:
1. Announce it in the iteration's SERIES row, which also assigns steps to the points without one.
2. Put its chunk, once.
3. Merge its summaries into the row and remove the announcement.

If the process dies in between, the announcement stays and a retry resumes from it with the same steps. Without a retry,
the writer of a later batch merges the chunk, or puts a mark that refuses it, and removes the announcement.
docs/batches.md describes every crash and lost answer. Printed lines are put before the chunk, which commits them.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

from chalicelib import clock, ids
from chalicelib.columns import Columns
from chalicelib.errors import Conflict, InvalidPayload, Overtaken, Unavailable
from chalicelib.retry import Retry
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.points.merging import (
    STALE_AFTER,
    is_wide_with,
    merge_if_due,
    now_us,
    own_points,
    ready_to_announce,
    settled,
    with_chunk,
)
from chalicelib.services.points.trimming import trim_output
from chalicelib.storage import change as changes
from chalicelib.storage import iteration as iterations
from chalicelib.storage import output as outputs
from chalicelib.storage import series as storage
from chalicelib.storage.output import Line
from chalicelib.storage.points import chunk as chunks
from chalicelib.storage.points.chunk import Chunk, Receipt
from chalicelib.storage.points.codec import Batch
from chalicelib.storage.points.rows import INT64_MAX
from chalicelib.storage.points.wide import UNREAD
from chalicelib.storage.reads.lineage import IterationLineage
from chalicelib.storage.series import Announcement, Series
from deardiary.wire.shapes import BatchReceipt, Iteration

# A chunk of one write unit: its transaction costs one unit more than the three writes, and saves two calls.
_FEW_POINTS, _SMALL_BYTES = 100, 750


class Sent(NamedTuple):
    """Points of one key as sent. None as step means the next step of the key; None as time means the server's time.

    Times are in milliseconds since 1970. The three columns have the same length.
    """

    values: array[float]
    steps: list[int | None]
    times: list[int | None]


def find_for_batch(actor: Actor, iteration_id: str, batch_id: str) -> IterationLineage:
    """The iteration to which the actor sends this batch, with the rows that `deliver` needs, in one call."""
    return access.iteration(actor, iteration_id, Need.CREATE, batch_hash=ids.hash_text(batch_id))


def create_batch(actor: Actor, iteration_id: str, batch_id: str, sent: dict[str, Sent]) -> BatchReceipt:
    return deliver(find_for_batch(actor, iteration_id, batch_id), batch_id, sent)


def deliver(line: IterationLineage, batch_id: str, sent: dict[str, Sent], lines: Sequence[Line] = ()) -> BatchReceipt:
    """Store the batch. Every delivery of it gets the same answer."""
    iteration = line.iteration
    chunk = store_batch(iteration, batch_id, sent, lines, found=line.of_batch)
    receipt = receipt_of(iteration, chunk)
    check_rules(line, sent)
    return BatchReceipt(
        batch_id=batch_id,
        accepted=receipt.accepted,
        last_step=dict(receipt.last_step),
        accepted_output=chunk.line_count or (0 if lines else None),
    )


def check_rules(line: IterationLineage, sent: dict[str, Sent]) -> None:
    """Test the alert rules on points that are stored. Few iterations have any, so their module is imported here."""
    if line.alert_rules:
        from chalicelib.services import alertrule

        alertrule.check_points(line, sent)


def touch(iteration: Iteration) -> None:
    """Record a heartbeat, and reopen an iteration that the server ended. One ended on purpose stays ended."""
    record_heartbeat(iteration)
    if iteration.end_date is not None:
        iterations.reopen_if_ended_by_server(iteration)


def record_heartbeat(iteration: Iteration) -> None:
    """Record a heartbeat of the writer, as of now."""

    def change(series: Series) -> Series:
        return replace(series, heartbeat_us=max(now_us(), series.heartbeat_us + 1))

    storage.change_series(iteration.experiment_id, iteration.id, change)


def is_stored(line: IterationLineage, batch_id: str) -> bool:
    """True if the chunk of this batch is stored, and so the rest of its flush, else False."""
    iteration, batch_hash = line.iteration, ids.hash_text(batch_id)
    return (
        storage.read_series_and_chunk(iteration.experiment_id, iteration.id, batch_hash, line.of_batch)[1] is not None
    )


def store_batch(
    iteration: Iteration,
    batch_id: str,
    sent: dict[str, Sent],
    lines: Sequence[Line] = (),
    *,
    even_ended: bool = False,
    found: Mapping[Any, Any] | None = None,
) -> Chunk:
    """Store the batch once; return its chunk. `found` has the rows of the batch if they are read already.

    InvalidPayload if the iteration is locked, except for late delivery and with `even_ended`.
    """
    batch_hash = ids.hash_text(batch_id)
    series, chunk = storage.read_series_and_chunk(iteration.experiment_id, iteration.id, batch_hash, found)
    if chunk is None:
        if not even_ended:
            require_open(iteration, sent, lines)
        if iteration.end_date is not None:
            # Before the write: readers of changes compare the summaries of this iteration for a minute from now on.
            changes.note_change_alone(iteration.experiment_id, iteration.id)
        is_small = not lines and sum(len(each.values) for each in sent.values()) <= _FEW_POINTS
        if is_small and not is_wide_with(iteration, series, sent):
            series, chunk = _store_at_once(iteration, batch_hash, sent, series)
    if chunk is None or (batch_hash in series.announced and not series.wide):
        series = _announce(iteration, batch_hash, sent, lines, series, chunk)
        if batch_hash in series.announced:
            chunk = chunk or _put(iteration, batch_hash, sent, lines, series)
            trim_output(iteration, _merge(iteration, chunk, series))
    return chunk or _stored(iteration, batch_hash)


def _store_at_once(
    iteration: Iteration, batch_hash: str, sent: dict[str, Sent], series: Series
) -> tuple[Series, Chunk | None]:
    """Store a small batch in one transaction. Return the series and the chunk as they are stored now.

    A batch that is announced already, or too large, is left to the three writes.
    """
    chunk: Chunk | None = None
    for attempt in Retry():
        if attempt > 1:
            series, chunk = storage.read_series_and_chunk(iteration.experiment_id, iteration.id, batch_hash)
        if chunk is not None or batch_hash in series.announced or is_wide_with(iteration, series, sent):
            break
        announcing = _announcing(iteration, settled(iteration, series), batch_hash, sent)
        announcement = announcing.announced[batch_hash]
        batch, columns = Batch(batch_hash, announcement.accepted_us), _columns(sent, announcement)
        row = chunks.row_of_batch(iteration.id, batch, columns, others=announcing.recent)
        if len(row.points) > _SMALL_BYTES:
            break
        sent_now = chunks.as_sent(batch, columns)
        merged = with_chunk(iteration, announcing, batch_hash, sent_now)
        try:
            return storage.write_series_and_chunk(iteration.experiment_id, iteration.id, merged, row), sent_now
        except (Overtaken, Conflict):
            continue
    return series, chunk


def receipt_of(iteration: Iteration, chunk: Chunk) -> Receipt:
    """The answer to the batch: the stored receipt, or one computed from its points, packed ones included."""
    if chunk.receipt is not None:
        return chunk.receipt
    series = own_points(iteration, chunk)
    count = sum(len(columns) for columns in series.values())
    return Receipt(count, {key: max(columns.steps) for key, columns in series.items()})


def require_open(iteration: Iteration, sent: dict[str, Sent], lines: Sequence[Line] = ()) -> None:
    """Accept points and lines after the end only if all were recorded before it. Read it again: it may have changed."""
    if iteration.end_date is None:
        return
    end_date = iterations.reopen_if_ended_by_server(iteration)
    if end_date is None:
        return
    end = clock.to_milliseconds(end_date)
    times = [time for each in sent.values() for time in each.times] + [line.recorded_ms for line in lines]
    if any(time is None or time > end for time in times):
        raise iterations.locked()


def _announce(
    iteration: Iteration,
    batch_hash: str,
    sent: dict[str, Sent],
    lines: Sequence[Line],
    series: Series,
    chunk: Chunk | None,
) -> Series:
    """Announce the batch, which fixes its steps. Return the series without it if another request stored the batch."""
    output_bytes = outputs.size_of(lines)
    for attempt in Retry():
        if attempt > 1:
            series, chunk = storage.read_series_and_chunk(iteration.experiment_id, iteration.id, batch_hash)
        if chunk is not None or _is_announced(series, batch_hash, output_bytes):
            break
        try:
            ready = ready_to_announce(iteration, series, batch_hash, sent)
            announcing = _announcing(iteration, ready, batch_hash, sent, output_bytes)
            return storage.write_series(iteration.experiment_id, iteration.id, announcing)
        except Overtaken:
            continue
    return series


def _announcing(
    iteration: Iteration, series: Series, batch_hash: str, sent: dict[str, Sent], output_bytes: int = 0
) -> Series:
    """The series with the announcement of this batch. InvalidPayload if it has no room for it."""
    now = max(now_us(), series.heartbeat_us + 1)
    mine = _reserve(iteration, series, sent, now)._replace(output_bytes=output_bytes)
    announcing = series.announcing(batch_hash, mine)
    storage.require_room(announcing, set(sent))
    return announcing


def _is_announced(series: Series, batch_hash: str, output_bytes: int) -> bool:
    """False also for a dead announcement with other lines, from an incomplete copy of the spool: it can be settled."""
    one = series.announced.get(batch_hash)
    return one is not None and (one.output_bytes == output_bytes or now_us() - one.accepted_us <= STALE_AFTER)


def _reserve(iteration: Iteration, series: Series, sent: dict[str, Sent], now: int) -> Announcement:
    """Reserve steps per key for the points without one: after every step that is stored or reserved."""
    without = [key for key, each in sent.items() if None in each.steps]
    if without and series.summaries is UNREAD:
        current = storage.read_mergeable(iteration.experiment_id, iteration.id, series)
        series = replace(series, summaries=current)
    first = {key: _next_step(series, key) for key in without}
    last = {key: max(_steps(sent[key], step)) for key, step in first.items()}
    if any(step > INT64_MAX for step in last.values()):
        raise InvalidPayload("There is no step after the last int64; give one", field="metrics")
    return Announcement(now, first, last)


def _next_step(series: Series, key: str) -> int:
    known = [series.summaries[key].last_step] if key in series.summaries else []
    given = [one.last_step[key] for one in series.announced.values() if key in one.last_step]
    return max(known + given, default=-1) + 1


def _steps(sent: Sent, following: int) -> Iterator[int]:
    """Steps of all points: a point without one gets a step after all earlier points of its key."""
    for given in sent.steps:
        step = following if given is None else given
        following = max(following, step + 1)
        yield step


def _columns(sent: dict[str, Sent], announcement: Announcement) -> dict[str, Columns]:
    """The points by key, with the steps and the time of the announcement for those that were sent without."""
    first, now = announcement.first_step, announcement.accepted_us // 1000
    return {
        key: Columns(
            array("q", _steps(each, first[key]) if key in first else cast("Sequence[int]", each.steps)),
            array("q", [now if time is None else time for time in each.times]),
            each.values,
        )
        for key, each in sent.items()
    }


def _put(iteration: Iteration, batch_hash: str, sent: dict[str, Sent], lines: Sequence[Line], series: Series) -> Chunk:
    """Put the lines and then the chunk.

    Unavailable if another process sends other points or lines under this batch_id: the retry finds those.
    """
    announcement = series.announced[batch_hash]
    first = announcement.first_step
    other_lines = announcement.output_bytes != outputs.size_of(lines)
    if other_lines or any(None in each.steps and key not in first for key, each in sent.items()):
        raise Unavailable(retry_after=1)
    columns = _columns(sent, announcement)
    batch = Batch(batch_hash, announcement.accepted_us)
    if lines:
        outputs.put_output(iteration.id, batch.accepted_us, lines)
    try:
        return chunks.put_chunk(iteration.id, batch, columns, len(lines) or None, series.recent)
    except Conflict:
        chunk = chunks.find_chunk(iteration.id, batch_hash)
    if lines and (chunk is None or chunk.batch != batch):
        outputs.discard(iteration.id, batch.accepted_us)
    if chunk is None:
        # Another process dropped the batch because its writer seemed dead: the retry gets new steps.
        _withdraw(iteration, batch)
        raise Unavailable(retry_after=1)
    return chunk


def _withdraw(iteration: Iteration, batch: Batch) -> None:
    """Remove a dropped announcement. A newer announcement of the same batch stays."""

    def change(series: Series) -> Series | None:
        return with_chunk(iteration, series, batch.hash, None) if batch in series.unmerged else None

    storage.change_series(iteration.experiment_id, iteration.id, change)


def _stored(iteration: Iteration, batch_hash: str) -> Chunk:
    chunk = chunks.find_chunk(iteration.id, batch_hash)
    if chunk is None:
        raise Unavailable(retry_after=1)
    return chunk


def _merge(iteration: Iteration, chunk: Chunk, series: Series) -> Series:
    """Merge the batch into the summaries and remove its announcement, once among all processes. Return the series.

    Points edited since the announcement are read again after the series. A later edit recomputes them itself. In a wide
    iteration the batch stays announced until many are.
    """
    batch_hash = chunk.batch.hash
    for attempt in Retry():
        if attempt > 1:
            series = storage.read_series(iteration.experiment_id, iteration.id)
        if series.wide:
            return merge_if_due(iteration, series, sum(map(len, own_points(iteration, chunk).values())))
        if batch_hash not in series.announced:
            break
        if series.edited_us > series.announced[batch_hash].accepted_us:
            chunk = _stored(iteration, batch_hash)
        try:
            merged = with_chunk(iteration, series, batch_hash, chunk)
            return storage.write_series(iteration.experiment_id, iteration.id, merged)
        except Overtaken:
            continue
    return series
