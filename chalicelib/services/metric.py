"""Metrics: points come in batches, each of which is taken exactly once however often and from wherever it is sent.

A batch is taken in three writes. It is announced in the iteration's series row, where points without a step get theirs;
its chunk is put, once; its digests are folded into the row and the announcement goes. A process that dies in between
leaves an announcement: the retry goes on from it with the same steps, and if none comes, whoever announces the next
batch finishes or drops it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib import clock, ids
from chalicelib.errors import Conflict, InvalidPayload, Unavailable
from chalicelib.page import Page
from chalicelib.services import access
from chalicelib.services.access import Actor, Need
from chalicelib.storage import chunk as chunks
from chalicelib.storage import item
from chalicelib.storage import iteration as iterations
from chalicelib.storage import series as storage
from chalicelib.storage.chunk import Chunk
from chalicelib.storage.codec import Columns, Digest
from chalicelib.storage.series import Announcement, Overtaken, Series
from deardiary.shapes import BatchReceipt, Iteration, Metric, MetricSummary

INT64_MAX = 2**63 - 1
# A Lambda lives 29 seconds: whoever announced a batch this long ago is not going to put its chunk any more.
STALE_AFTER_MS = 60_000
_ATTEMPTS = 40


@dataclass(frozen=True, slots=True)
class Point:
    """A point as it was sent: without a step it gets the next of its key, without a time the server's."""

    key: str
    value: float
    step: int | None = None
    recorded_at: datetime | None = None


def create_metric(actor: Actor, iteration_id: str, point: Point) -> Metric:
    where = access.iteration(actor, iteration_id, Need.CREATE).iteration
    batch_id = ids.new_id()
    take_batch(where, batch_id, [point])
    batch_digest = ids.digest(batch_id)
    taken = chunks.find_chunk(where.id, batch_digest)
    if taken is None:
        raise Unavailable(retry_after=1)
    return next(_metrics(where.id, batch_digest, taken))


def create_batch(actor: Actor, iteration_id: str, batch_id: str, points: list[Point]) -> BatchReceipt:
    return take_batch(access.iteration(actor, iteration_id, Need.CREATE).iteration, batch_id, points)


def list_metrics(actor: Actor, iteration_id: str, key: str | None, limit: int, cursor: str | None) -> Page[Metric]:
    """Points in the order of step, then time, then arrival."""
    where = access.iteration(actor, iteration_id, Need.READ).iteration
    found = [
        (metric.step, metric.recorded_at, metric.id, metric)
        for batch_digest, chunk in chunks.each_chunk(where.id)
        for metric in _metrics(where.id, batch_digest, chunk, key)
    ]
    if cursor is not None:
        step, recorded_at, metric_id = _place(cursor, where)
        found = [each for each in found if each[:3] > (step, recorded_at, metric_id)]
    found.sort(key=lambda each: each[:3])
    rows = [each[3] for each in found[:limit]]
    return Page(rows, _cursor(rows[-1]) if len(found) > limit else None)


def summarize(actor: Actor, iteration_id: str) -> dict[str, MetricSummary]:
    where = access.iteration(actor, iteration_id, Need.READ).iteration
    digests = storage.read_series(where.experiment_id, where.id).digests
    return {key: summary_of(digest) for key, digest in digests.items()}


def is_taken(where: Iteration, batch_id: str) -> bool:
    """Whether the chunk of this batch is there, and with it all else that came in the same flush."""
    return chunks.find_chunk(where.id, ids.digest(batch_id)) is not None


def take_batch(where: Iteration, batch_id: str, points: list[Point]) -> BatchReceipt:
    """InvalidPayload when the iteration is locked and the points are not late delivery."""
    batch_digest = ids.digest(batch_id)
    series, taken = storage.read_series_and_chunk(where.experiment_id, where.id, batch_digest)
    if taken is None:
        _require_open(where, points)
    if taken is None or batch_digest in series.announced:
        series = _announce(where, batch_digest, points, series)
        if batch_digest in series.announced:
            taken = taken or _put(where, batch_id, points, series.announced[batch_digest])
            _fold(where, batch_digest, taken, series)
    return _receipt(taken or _stored(where, batch_digest))


def _require_open(where: Iteration, points: list[Point]) -> None:
    """Late delivery is no loss: what was recorded before the end is taken after it."""
    end = where.end_date
    if end is None or all(point.recorded_at is not None and point.recorded_at <= end for point in points):
        return
    iterations.reopen_if_ended_by_server(where)


def _announce(where: Iteration, batch_digest: str, points: list[Point], series: Series) -> Series:
    """The series with the batch announced, its steps given for good; without it when it turns out to be taken."""
    for _ in range(_ATTEMPTS):
        if batch_digest in series.announced:
            return series
        now = clock.to_milliseconds(clock.now())
        settled = _settle(where, series, now)
        mine = _reserve(settled, points, now)
        announcing = replace(settled, announced=settled.announced | {batch_digest: mine})
        storage.require_room(announcing, {point.key for point in points})
        try:
            return storage.write_series(where.experiment_id, where.id, announcing)
        except Overtaken:
            item.pause()
            series, taken = storage.read_series_and_chunk(where.experiment_id, where.id, batch_digest)
            if taken is not None and batch_digest not in series.announced:
                return series
    raise Unavailable(retry_after=1)


def _reserve(series: Series, points: list[Point], at: int) -> Announcement:
    """The first and last step for the points without one, per key: after every step known or given away."""
    free = {point.key for point in points if point.step is None}
    first = {key: _next_step(series, key) for key in free}
    last: dict[str, int] = {}
    for key, step in _steps(points, first):
        last[key] = max(step, last.get(key, step))
    if any(step > INT64_MAX for step in last.values()):
        raise InvalidPayload("There is no step after the last int64; give one", field="metrics")
    return Announcement(at, first, {key: last[key] for key in free})


def _next_step(series: Series, key: str) -> int:
    known = [series.digests[key].last_step] if key in series.digests else []
    given = [one.last_step[key] for one in series.announced.values() if key in one.last_step]
    return max(known + given, default=-1) + 1


def _steps(points: list[Point], first: dict[str, int]) -> Iterator[tuple[str, int]]:
    """Key and step of each point: one without a step comes after all of its key before it."""
    following = dict(first)
    for point in points:
        step = following[point.key] if point.step is None else point.step
        if point.key in following:
            following[point.key] = max(following[point.key], step + 1)
        yield point.key, step


def _put(where: Iteration, batch_id: str, points: list[Point], announcement: Announcement) -> Chunk:
    """Unavailable when others are just sending other points under this batch_id: the next try finds theirs."""
    if any(point.step is None and point.key not in announcement.first_step for point in points):
        raise Unavailable(retry_after=1)
    series: dict[str, Columns] = {}
    for point, (key, step) in zip(points, _steps(points, announcement.first_step), strict=True):
        time = announcement.at if point.recorded_at is None else clock.to_milliseconds(point.recorded_at)
        series.setdefault(key, Columns.empty()).append(step, time, point.value)
    chunk = Chunk(batch_id, announcement.at, series)
    try:
        chunks.put_chunk(where.id, ids.digest(batch_id), chunk)
    except Conflict:
        return _stored(where, ids.digest(batch_id))
    return chunk


def _stored(where: Iteration, batch_digest: str) -> Chunk:
    chunk = chunks.find_chunk(where.id, batch_digest)
    if chunk is None:
        raise Unavailable(retry_after=1)
    return chunk


def _fold(where: Iteration, batch_digest: str, chunk: Chunk, series: Series) -> None:
    """Add the batch to the digests and take its announcement away; once, whoever does it."""
    for _ in range(_ATTEMPTS):
        if batch_digest not in series.announced:
            return
        try:
            storage.write_series(where.experiment_id, where.id, _folded(series, batch_digest, chunk))
        except Overtaken:
            item.pause()
            series = storage.read_series(where.experiment_id, where.id)
        else:
            return
    raise Unavailable(retry_after=1)


def _folded(series: Series, batch_digest: str, chunk: Chunk | None) -> Series:
    digests = dict(series.digests)
    for key, columns in (chunk.series if chunk else {}).items():
        new = Digest.of(columns)
        digests[key] = digests[key].merge(new) if key in digests else new
    rest = {batch: one for batch, one in series.announced.items() if batch != batch_digest}
    return replace(series, digests=digests, announced=rest)


def _settle(where: Iteration, series: Series, now: int) -> Series:
    """Without the announcements of writers that died: their chunk is folded if it came, and forgotten otherwise."""
    for batch_digest, one in series.announced.items():
        if now - one.at > STALE_AFTER_MS:
            series = _folded(series, batch_digest, chunks.find_chunk(where.id, batch_digest))
    return series


def _receipt(chunk: Chunk) -> BatchReceipt:
    count = Counter({key: len(columns) for key, columns in chunk.series.items()})
    last = {key: max(columns.steps) for key, columns in chunk.series.items()}
    return BatchReceipt(batch_id=chunk.batch_id, accepted=count.total(), last_step=last)


def _metrics(iteration_id: str, batch_digest: str, chunk: Chunk, only: str | None = None) -> Iterator[Metric]:
    """The points of a chunk. A point's id holds when its batch came, which batch, and its place there."""
    prefix = f"{iteration_id}.{ids.stamp(chunk.at * 1000)}.{batch_digest}"
    ordinal = 0
    for key, columns in chunk.series.items():
        if only in (None, key):
            for at, (step, time, value) in enumerate(zip(columns.steps, columns.times, columns.values, strict=True)):
                yield Metric(
                    id=f"{prefix}.{ordinal + at:05}",
                    iteration_id=iteration_id,
                    key=key,
                    value=value,
                    step=step,
                    recorded_at=clock.from_milliseconds(time),
                )
        ordinal += len(columns)


def summary_of(digest: Digest) -> MetricSummary:
    return MetricSummary(
        first=digest.first,
        last=digest.last,
        min=digest.min,
        max=digest.max,
        count=digest.count,
        last_step=digest.last_step,
    )


def _cursor(metric: Metric) -> str:
    return item.encode_cursor(str(metric.step), str(clock.to_milliseconds(metric.recorded_at)), metric.id)


def _place(cursor: str, where: Iteration) -> tuple[int, datetime, str]:
    step, time, metric_id = item.decode_cursor(cursor, 3)
    if not metric_id.startswith(f"{where.id}."):
        raise item.bad_cursor()
    try:
        return int(step), clock.from_milliseconds(int(time)), metric_id
    except (ValueError, OverflowError):
        raise item.bad_cursor() from None
