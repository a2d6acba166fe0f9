"""Merge announced batches into the summaries of their iteration, each once, and drop those of dead writers.

The batches of a wide iteration stay announced until they are many: see `storage/points/wide.py`. Its end merges them
all, and moves the summaries back into SERIES.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace

from chalicelib import clock
from chalicelib.columns import Columns
from chalicelib.errors import Conflict, NotFound, Overtaken, Unavailable
from chalicelib.retry import until_not_overtaken
from chalicelib.storage import output as outputs
from chalicelib.storage import series as storage
from chalicelib.storage.points import chunk as chunks
from chalicelib.storage.points import rows
from chalicelib.storage.points import summary as summaries
from chalicelib.storage.points.chunk import Chunk
from chalicelib.storage.points.codec import Batch
from chalicelib.storage.points.summary import Summary
from chalicelib.storage.points.wide import UNREAD
from chalicelib.storage.series import Series
from deardiary.wire import limits
from deardiary.wire.shapes import Iteration

# Microseconds. Longer than the deadline of a request (`chalicelib/deadline.py`), so no chunk is put this late.
STALE_AFTER = 60_000_000
# An iteration with more keys is wide: then two writes of its summaries cost more than a point of each.
MOST_KEYS = 128
# Of a wide iteration: the number of announced batches, of their points and of the bytes of their announcements in
# SERIES from which a flush merges them; and the number from which no batch is announced before.
ENOUGH_BATCHES, ENOUGH_POINTS, ENOUGH_BYTES, MOST_BATCHES = 16, 32_000, 4_000, 64


def now_us() -> int:
    """Microseconds since 1970."""
    return clock.to_milliseconds(clock.now()) * 1000


def own_points(iteration: Iteration, chunk: Chunk) -> dict[str, Columns]:
    """The points of one batch by key, from its chunk or from packed rows."""
    if chunk.content is not None:
        return {key: piece.columns for key, piece in chunk.content.series.items()}
    found: dict[str, Columns] = {}
    for key, slices in rows.read_slices(iteration.id).items():
        for batches, piece in slices:
            own = [index for index, number in enumerate(piece.batches) if batches[number].hash == chunk.batch.hash]
            if own:
                found.setdefault(key, Columns.empty()).extend(piece.columns.take(own))
    return found


def with_chunk(iteration: Iteration, series: Series, batch_hash: str, chunk: Chunk | None) -> Series:
    """The series without the announcement of a batch, and with the points of its chunk in the summaries.

    A chunk whose time differs from the announcement was merged already, under an earlier announcement.
    """
    if chunk is None or chunk.batch not in series.unmerged:
        return _without(iteration, series, batch_hash)
    points = own_points(iteration, chunk)
    return _with(series, chunk.batch, {key: Summary.of(columns) for key, columns in points.items() if len(columns)})


def _without(iteration: Iteration, series: Series, batch_hash: str) -> Series:
    announcement = series.announced[batch_hash]
    if announcement.output_bytes:
        # Before the announcement goes: a reader skips the lines only as long as it is there.
        outputs.discard(iteration.id, announcement.accepted_us)
    return replace(series, announced=_rest(series, batch_hash), batches=series.batches - 1)


def _with(series: Series, batch: Batch, new: Mapping[str, Summary]) -> Series:
    announcement, output = series.announced[batch.hash], series.output
    if announcement.output_bytes:
        output = output.with_batch(announcement.accepted_us, announcement.output_bytes)
    merged = {**series.summaries, **summaries.merged(series.summaries, new)}
    marks = dict.fromkeys(_undecided(series, batch, new), batch.accepted_us)
    wide = series.wide and series.wide._replace(merged_us=max(series.wide.merged_us, batch.accepted_us))
    return replace(
        series,
        summaries=merged,
        announced=_rest(series, batch.hash),
        recompute=marks | series.recompute,
        output=output,
        wide=wide,
    )


def _rest(series: Series, batch_hash: str) -> dict[str, storage.Announcement]:
    return {batch: one for batch, one in series.announced.items() if batch != batch_hash}


def _undecided(series: Series, batch: Batch, new: Mapping[str, Summary]) -> list[str]:
    """Keys to recompute: their first or last value depends on the order of arrival, which a summary does not keep.

    If `heartbeat_us` is later than this batch, a later batch may be merged already.
    """
    is_newest = series.heartbeat_us == batch.accepted_us
    if is_newest or (series.wide and series.wide.merged_us < batch.accepted_us):
        return []
    return [key for key, each in new.items() if key in series.summaries and series.summaries[key].meets(each)]


def settled(iteration: Iteration, series: Series) -> Series:
    """The series without the announcements of dead writers: a batch with a chunk is merged, the others are dropped.

    Of a wide iteration all batches with a chunk are merged, and the summaries read. Overtaken if it was written since.
    """
    if series.wide:
        return _merged(iteration, series)
    now = now_us()
    for batch in series.unmerged:
        if now - batch.accepted_us > STALE_AFTER:
            series = with_chunk(iteration, series, batch.hash, _find_or_drop(iteration, batch))
    return series


def _merged(iteration: Iteration, series: Series) -> Series:
    current = storage.read_mergeable(iteration.experiment_id, iteration.id, series)
    series = replace(series, summaries=dict(current.merged.items()))
    now = now_us()
    for batch in sorted(series.unmerged, key=lambda each: each.accepted_us):
        if current.has(batch):
            series = _with(series, batch, current.parts.get(batch, {}))
        elif now - batch.accepted_us > STALE_AFTER:
            series = with_chunk(iteration, series, batch.hash, _find_or_drop(iteration, batch))
    size_bytes = summaries.size_of_summaries(series.summaries)
    return replace(series, wide=series.wide and series.wide._replace(size_bytes=size_bytes))


def _find_or_drop(iteration: Iteration, batch: Batch) -> Chunk | None:
    """Return the chunk of an announced batch. None means that the batch is dropped: its writer can no longer put it."""
    found = chunks.find_chunk(iteration.id, batch.hash)
    if found is None:
        try:
            chunks.drop_batch(iteration.id, batch)
        except Conflict:
            # The writer has just put the chunk, or another process dropped the batch first.
            return chunks.find_chunk(iteration.id, batch.hash)
    return found


def settle(iteration: Iteration) -> Series:
    """Settle the stored series, and return it."""
    return until_not_overtaken(lambda: _settle(iteration, at_end=False))


def settle_at_end(iteration: Iteration, series: Series) -> Series:
    """Merge the batches of a wide iteration that has ended, and move its summaries into SERIES.

    Readers need neither: an overload leaves both to a later request, or to the packer. A batch in writing does too.
    """
    if series.wide:
        with suppress(NotFound, Unavailable):
            return until_not_overtaken(lambda: _settle(iteration, at_end=True))
    return series


def _settle(iteration: Iteration, *, at_end: bool) -> Series:
    series = storage.read_series(iteration.experiment_id, iteration.id)
    after = settled(iteration, series)
    if at_end and not after.announced:
        after = replace(after, wide=None)
    return series if after is series else storage.write_series(iteration.experiment_id, iteration.id, after)


def ready_to_announce(iteration: Iteration, series: Series, batch_hash: str, names: Collection[str]) -> Series:
    """The series as this batch with these keys may find it: settled if it must be, and wide with many keys.

    Overtaken if it was written since it was read.
    """
    if not series.wide:
        series = settled(iteration, series)
        return _sized(series.widened(), names) if is_wide_with(iteration, series, names) else series
    # The announcement of this batch is that of a dead writer.
    if batch_hash in series.announced or len(series.announced) >= MOST_BATCHES:
        series = settled(iteration, series)
    sized = _sized(series, names)
    is_estimate = series.summaries is UNREAD
    if is_estimate and sized.wide and sized.wide.size_bytes > limits.MAX_SUMMARIES_BYTES:
        return _sized(settled(iteration, series), names)
    return sized


def is_wide_with(iteration: Iteration, series: Series, names: Collection[str]) -> bool:
    """True if the iteration is wide, or becomes so with these keys. One that has ended stays as it is."""
    return series.wide is not None or (
        iteration.end_date is None and len(series.summaries.keys() | set(names)) > MOST_KEYS
    )


def _sized(series: Series, names: Collection[str]) -> Series:
    """The series with the size of its summaries and these keys: exact if the summaries are read, else an estimate."""
    wide = series.wide and series.wide.with_keys(names)
    if wide and series.summaries is not UNREAD:
        wide = wide._replace(size_bytes=summaries.size_of_summaries(series.summaries.keys() | set(names)))
    return replace(series, wide=wide)


def merge_if_due(iteration: Iteration, series: Series, points: int) -> Series:
    """Merge the batches of a wide iteration if they are many. `points`: the number of points in the newest one.

    A conflict or an overload leaves it to the next flush.
    """
    if iteration.end_date is not None:
        return settle_at_end(iteration, series)
    number = len(series.announced)
    if (
        number >= ENOUGH_BATCHES
        or number * points >= ENOUGH_POINTS
        or storage.size_of_announced(series) >= ENOUGH_BYTES
    ):
        with suppress(NotFound, Overtaken, Unavailable):
            return storage.write_series(iteration.experiment_id, iteration.id, settled(iteration, series))
    return series
