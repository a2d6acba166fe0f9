"""Batches of points, each of which is taken exactly once however often and from wherever it is sent.

A batch is taken in three writes. It is announced in the iteration's series row, where points without a step get theirs;
its chunk is put, once; its digests are folded into the row and the announcement goes. A process that dies in between
leaves an announcement: the retry goes on from it with the same steps. If none comes, the writer of a later batch folds
the chunk, or puts a mark in its place that refuses it, and takes the announcement away. docs/batches.md says what
happens when a process dies or an answer is lost.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, cast

from chalicelib import clock, ids
from chalicelib.columns import Columns
from chalicelib.errors import Conflict, InvalidPayload, Unavailable
from chalicelib.retry import Patience
from chalicelib.services import access
from chalicelib.services.access import Actor, Need
from chalicelib.storage import iteration as iterations
from chalicelib.storage import series as storage
from chalicelib.storage.points import chunk as chunks
from chalicelib.storage.points import rows
from chalicelib.storage.points.chunk import Chunk, Receipt
from chalicelib.storage.points.codec import Batch
from chalicelib.storage.points.rows import INT64_MAX
from chalicelib.storage.points.summary import Digest
from chalicelib.storage.series import Announcement, Overtaken, Series
from deardiary.wire.shapes import BatchReceipt, Iteration

# Microseconds. The deadline of a request (`chalicelib/deadline.py`) is shorter: no chunk is put this late.
STALE_AFTER = 60_000_000


class Sent(NamedTuple):
    """Points of one key as they were sent: without a step they get the next of their key, without a time the server's.

    Times are in milliseconds since 1970; the three columns are of one length.
    """

    values: array[float]
    steps: list[int | None]
    times: list[int | None]


def create_batch(actor: Actor, iteration_id: str, batch_id: str, sent: dict[str, Sent]) -> BatchReceipt:
    return deliver(access.iteration(actor, iteration_id, Need.CREATE).iteration, batch_id, sent)


def deliver(where: Iteration, batch_id: str, sent: dict[str, Sent]) -> BatchReceipt:
    """Take the batch; the same answer however often it is delivered."""
    receipt = receipt_of(where, take_batch(where, batch_id, sent))
    return BatchReceipt(batch_id=batch_id, accepted=receipt.accepted, last_step=dict(receipt.last_step))


def touch(where: Iteration) -> None:
    """Take a heartbeat of the writer. An iteration that was ended on purpose stays ended."""
    hear_of(where)
    if where.end_date is not None:
        iterations.reopen_if_ended_by_server(where)


def hear_of(where: Iteration) -> None:
    """Its writer lives, as of now."""

    def change(series: Series) -> Series:
        return replace(series, last_at=max(now_us(), series.last_at + 1))

    storage.change_series(where.experiment_id, where.id, change)


def is_taken(where: Iteration, batch_id: str) -> bool:
    """Whether the chunk of this batch is there, and with it all else that came in the same flush."""
    return chunks.find_chunk(where.id, ids.digest(batch_id)) is not None


def take_batch(where: Iteration, batch_id: str, sent: dict[str, Sent]) -> Chunk:
    """The batch as it is stored. InvalidPayload when the iteration is locked and the points are not late delivery."""
    batch_digest = ids.digest(batch_id)
    series, taken = storage.read_series_and_chunk(where.experiment_id, where.id, batch_digest)
    if taken is None:
        _require_open(where, sent)
    if taken is None or batch_digest in series.announced:
        series = _announce(where, batch_digest, sent, series)
        if batch_digest in series.announced:
            taken = taken or _put(where, batch_digest, sent, series.announced[batch_digest])
            _fold(where, taken, series)
    return taken or _stored(where, batch_digest)


def receipt_of(where: Iteration, chunk: Chunk) -> Receipt:
    """What the batch was answered: kept, or counted in its points, which may have been moved."""
    if chunk.receipt is not None:
        return chunk.receipt
    series = own_points(where, chunk)
    count = sum(len(columns) for columns in series.values())
    return Receipt(count, {key: max(columns.steps) for key, columns in series.items()})


def own_points(where: Iteration, chunk: Chunk) -> dict[str, Columns]:
    """The points of one batch by key, wherever they are."""
    if chunk.content is not None:
        return {key: stretch.columns for key, stretch in chunk.content.series.items()}
    found: dict[str, Columns] = {}
    for key, stretches in rows.read_stretches(where.id).items():
        for batches, stretch in stretches:
            own = [at for at, number in enumerate(stretch.batches) if batches[number].digest == chunk.batch.digest]
            if own:
                found.setdefault(key, Columns.empty()).extend(stretch.columns.take(own))
    return found


def now_us() -> int:
    """Microseconds since 1970."""
    return clock.to_milliseconds(clock.now()) * 1000


def _require_open(where: Iteration, sent: dict[str, Sent]) -> None:
    """Take points after the end only if all were recorded before it. The end may have changed since it was read."""
    if where.end_date is None:
        return
    end_date = iterations.reopen_if_ended_by_server(where)
    if end_date is None:
        return
    end = clock.to_milliseconds(end_date)
    if any(time is None or time > end for each in sent.values() for time in each.times):
        raise iterations.locked()


def _announce(where: Iteration, batch_digest: str, sent: dict[str, Sent], series: Series) -> Series:
    """The series with the batch announced, its steps given for good; without it when it turns out to be taken."""
    patience = Patience()
    while True:
        if batch_digest in series.announced:
            return series
        settled = _settle(where, series)
        at = max(now_us(), series.last_at + 1)
        mine = _reserve(settled, sent, at)
        announced = settled.announced | {batch_digest: mine}
        announcing = replace(settled, announced=announced, last_at=at, batches=settled.batches + 1)
        storage.require_room(announcing, set(sent))
        try:
            return storage.write_series(where.experiment_id, where.id, announcing)
        except Overtaken:
            patience.wait()
            series, taken = storage.read_series_and_chunk(where.experiment_id, where.id, batch_digest)
            if taken is not None and batch_digest not in series.announced:
                return series


def _reserve(series: Series, sent: dict[str, Sent], at: int) -> Announcement:
    """The first and last step for the points without one, per key: after every step known or given away."""
    first = {key: _next_step(series, key) for key, each in sent.items() if None in each.steps}
    last = {key: max(_steps(sent[key], step)) for key, step in first.items()}
    if any(step > INT64_MAX for step in last.values()):
        raise InvalidPayload("There is no step after the last int64; give one", field="metrics")
    return Announcement(at, first, last)


def _next_step(series: Series, key: str) -> int:
    known = [series.digests[key].last_step] if key in series.digests else []
    given = [one.last_step[key] for one in series.announced.values() if key in one.last_step]
    return max(known + given, default=-1) + 1


def _steps(sent: Sent, following: int) -> Iterator[int]:
    """One without a step comes after all of its key before it."""
    for given in sent.steps:
        step = following if given is None else given
        following = max(following, step + 1)
        yield step


def _put(where: Iteration, batch_digest: str, sent: dict[str, Sent], announcement: Announcement) -> Chunk:
    """Unavailable when others are just sending other points under this batch_id: the next try finds theirs."""
    first = announcement.first_step
    if any(None in each.steps and key not in first for key, each in sent.items()):
        raise Unavailable(retry_after=1)
    now = announcement.at // 1000
    series = {
        key: Columns(
            array("q", _steps(each, first[key]) if key in first else cast("Sequence[int]", each.steps)),
            array("q", [now if time is None else time for time in each.times]),
            each.values,
        )
        for key, each in sent.items()
    }
    batch = Batch(batch_digest, announcement.at)
    try:
        return chunks.put_chunk(where.id, batch, series)
    except Conflict:
        taken = chunks.find_chunk(where.id, batch_digest)
    if taken is None:
        # Another process took this writer for dead: the next try gets new steps.
        _withdraw(where, batch)
        raise Unavailable(retry_after=1)
    return taken


def _withdraw(where: Iteration, batch: Batch) -> None:
    """Take a dropped announcement away. Another one of the same batch stays."""

    def change(series: Series) -> Series | None:
        return _folded(where, series, batch.digest, None) if batch in series.unfolded else None

    storage.change_series(where.experiment_id, where.id, change)


def _stored(where: Iteration, batch_digest: str) -> Chunk:
    chunk = chunks.find_chunk(where.id, batch_digest)
    if chunk is None:
        raise Unavailable(retry_after=1)
    return chunk


def _fold(where: Iteration, chunk: Chunk, series: Series) -> None:
    """Add the batch to the digests and take its announcement away; once, whichever process does it.

    The points must be those of after the series was read: an edit that comes later than that counts them anew.
    """
    patience, batch_digest = Patience(), chunk.batch.digest
    while batch_digest in series.announced:
        if series.edited_at > series.announced[batch_digest].at:
            chunk = _stored(where, batch_digest)
        try:
            storage.write_series(where.experiment_id, where.id, _folded(where, series, batch_digest, chunk))
        except Overtaken:
            patience.wait()
            series = storage.read_series(where.experiment_id, where.id)
        else:
            return


def _folded(where: Iteration, series: Series, batch_digest: str, chunk: Chunk | None) -> Series:
    """The series without the announcement of a batch, and with the points of its chunk in the digests.

    A chunk with another time than the announcement was folded already, under an earlier announcement.
    """
    rest = {batch: one for batch, one in series.announced.items() if batch != batch_digest}
    if chunk is None or chunk.batch not in series.unfolded:
        return replace(series, announced=rest, batches=series.batches - 1)
    new = {key: Digest.of(columns) for key, columns in own_points(where, chunk).items()}
    merged = {key: series.digests[key].merge(each) if key in series.digests else each for key, each in new.items()}
    marks = dict.fromkeys(_undecided(series, chunk, new), chunk.batch.at)
    return replace(series, digests=series.digests | merged, announced=rest, recount=marks | series.recount)


def _undecided(series: Series, chunk: Chunk, new: dict[str, Digest]) -> list[str]:
    """The keys to count again: their first or last value depends on which batch arrived first, which a digest forgets.

    A batch that arrived later may be folded already, if the writer was heard of since this one.
    """
    if series.last_at == chunk.batch.at:
        return []
    return [key for key, each in new.items() if key in series.digests and series.digests[key].meets(each)]


def _settle(where: Iteration, series: Series) -> Series:
    """Without the announcements of writers that died: their batch is folded if its chunk came, and dropped if not."""
    now = now_us()
    for batch_digest, one in series.announced.items():
        if now - one.at > STALE_AFTER:
            chunk = _find_or_drop(where, Batch(batch_digest, one.at))
            series = _folded(where, series, batch_digest, chunk)
    return series


def _find_or_drop(where: Iteration, batch: Batch) -> Chunk | None:
    """The chunk of an announced batch; with None, it cannot come any more, however late its writer is."""
    found = chunks.find_chunk(where.id, batch.digest)
    if found is None:
        try:
            chunks.drop_batch(where.id, batch)
        except Conflict:
            # The chunk came at this moment, or another process was faster to drop the batch.
            return chunks.find_chunk(where.id, batch.digest)
    return found
