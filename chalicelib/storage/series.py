"""The series of an iteration: one small row with a summary per key and the batches that are being written.

The row has a version: each change writes the whole row, if no other process has written it since it was read.
`services/points/batch.py` stores a batch in three writes: it announces the batch here with its steps, puts its chunk,
and merges it into the summaries. The summaries of a wide iteration are in another row: see `points/wide.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from chalicelib import clock, ids
from chalicelib.errors import Conflict, InvalidPayload, NotFound, Overtaken
from chalicelib.retry import Retry
from chalicelib.storage.output import NO_OUTPUT, OutputState
from chalicelib.storage.points import chunk, recent, summary, wide
from chalicelib.storage.points.chunk import Chunk, ChunkRow
from chalicelib.storage.points.codec import Batch
from chalicelib.storage.points.summary import Summary
from chalicelib.storage.points.wide import UNREAD, Apart, Current, Wide
from chalicelib.storage.table import conditional, item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire import limits

# An item has at most 400 KB.
MAX_ROW_BYTES = 390_000


class SeriesRow(Item, discriminator="series"):
    version = NumberAttribute()
    # Of the last write: if its answer is lost, the SDK repeats it, and the version must not make that fail.
    nonce = UnicodeAttribute(null=True)
    # Absent of a wide iteration, which has `wide` instead.
    summaries = BinaryAttribute(attr_name="digests", legacy_encoding=False, null=True)
    wide = JSONAttribute(null=True)
    announced = JSONAttribute()
    heartbeat_us = NumberAttribute(attr_name="last_at", default=0)
    batches = NumberAttribute(default=0)
    moved = NumberAttribute(null=True)
    compacting = NumberAttribute(null=True)
    recompute = JSONAttribute(attr_name="recount", null=True)
    edited_us = NumberAttribute(attr_name="edited_at", null=True)
    output = JSONAttribute(null=True)
    recent = BinaryAttribute(legacy_encoding=False, null=True)
    # Seconds without a heartbeat until the iteration counts as lost; absent: as the settings say.
    patience_s = NumberAttribute(null=True)
    # True: the iteration is being deleted; no batch may be announced any more.
    closed = BooleanAttribute(null=True)


class Announcement(NamedTuple):
    """A batch in writing: its time (µs since 1970), and the first and last step of each key that came without steps.

    `output_bytes`: the size of its printed lines.
    """

    accepted_us: int
    first_step: dict[str, int]
    last_step: dict[str, int]
    output_bytes: int = 0


def open_announced(stored: Mapping[str, list[Any]]) -> dict[str, Announcement]:
    return {batch: Announcement(*one) for batch, one in stored.items()}


def batches_of(announced: Mapping[str, Announcement]) -> list[Batch]:
    return [Batch(batch, one.accepted_us) for batch, one in announced.items()]


@dataclass(frozen=True, slots=True)
class Series:
    """The content of the row. Times are in µs since 1970.

    `heartbeat_us`: the last heartbeat; no two batches have the same time. `batches`: the number of announced batches;
    `moved`: the number of their chunks that were moved into packed rows. `compacting`: start of the lease on a
    compaction. `recompute`: by key, when a request began to change its points; its summary may be wrong since then.
    `edited_us`: the time of the last such mark. `recent`: the batches announced last (`points/recent.py`). Of a wide
    iteration the summaries are `UNREAD`, unless a function says that it reads them.
    """

    version: int
    summaries: Mapping[str, Summary]
    announced: dict[str, Announcement]
    heartbeat_us: int = 0
    batches: int = 0
    moved: int = 0
    compacting: int | None = None
    recompute: dict[str, int] = field(default_factory=dict)
    edited_us: int = 0
    output: OutputState = NO_OUTPUT
    patience_s: int | None = None
    recent: bytes = b""
    # Summaries and their packed form as read: most writes leave them as they are, and packing a thousand keys is slow.
    as_read: tuple[Mapping[str, Summary], bytes] | None = field(default=None, compare=False, repr=False)
    wide: Wide | None = None

    @property
    def packed_summaries(self) -> bytes:
        if self.as_read is not None and self.has_summaries_as_read:
            return self.as_read[1]
        return summary.pack_summaries(self.summaries)

    @property
    def has_summaries_as_read(self) -> bool:
        return self.as_read is not None and self.as_read[0] is self.summaries

    @property
    def unmerged(self) -> frozenset[Batch]:
        """The announced batches. A chunk of the same `batch_id` with another time was merged before."""
        return frozenset(batches_of(self.announced))

    @property
    def is_settled(self) -> bool:
        """True if only a new batch or edit can change the summaries, which are in the row."""
        return not (self.announced or self.recompute or self.wide)

    @property
    def apart(self) -> Apart:
        """Where the summaries of a wide iteration are."""
        return Apart(self.wide.summaries_version if self.wide else 0, self.unmerged)

    def announcing(self, batch_hash: str, announcement: Announcement) -> Series:
        """The series with this announcement."""
        return replace(
            self,
            announced=self.announced | {batch_hash: announcement},
            heartbeat_us=announcement.accepted_us,
            batches=self.batches + 1,
            recent=recent.with_batch(self.recent, batch_hash),
        )

    def widened(self) -> Series:
        """The series as one of a wide iteration; the next write moves its summaries."""
        if not self.summaries:
            return replace(self, wide=Wide(), summaries=UNREAD, as_read=_AS_UNREAD)
        size_bytes = summary.size_of_summaries(self.summaries)
        return replace(self, wide=Wide(0, self.heartbeat_us, size_bytes), as_read=None)


_AS_UNREAD = UNREAD, b""
# Of an iteration without the row.
NO_SERIES = Series(version=0, summaries={}, announced={})


def create_series(
    experiment_id: str, iteration_id: str, now: datetime, write: Transaction, *, patience_s: int | None = None
) -> None:
    """Create the row. The creation counts as a heartbeat, even if the iteration began long ago."""
    heartbeat_us = clock.to_milliseconds(now) * 1000
    row = SeriesRow(*keys.series(experiment_id, iteration_id), version=0, announced={}, heartbeat_us=heartbeat_us)
    row.patience_s = patience_s
    row.summaries = summary.pack_summaries({})
    write.put(row, Conflict)


def read_series(experiment_id: str, iteration_id: str) -> Series:
    """Read the series. NotFound if the iteration is deleted or being deleted."""
    return _open(item.find(SeriesRow, keys.series(experiment_id, iteration_id)))


def read_mergeable(experiment_id: str, iteration_id: str, series: Series) -> Current:
    """The summaries of a wide iteration, with the chunks of its announced batches. Overtaken if it was written since.

    If SUMMARIES does not fit SERIES, which a backup can cause, they are computed from all points.
    """
    found = wide.read({iteration_id: series.apart})[iteration_id]
    if found is not None:
        return found
    if read_series(experiment_id, iteration_id).version != series.version:
        raise Overtaken
    return wide.count(iteration_id)


def read_series_of_iterations(experiment_id: str, iteration_ids: Iterable[str]) -> dict[str, Series]:
    """The series that exist, by iteration."""
    found = item.get_many(keys.series(experiment_id, each) for each in iteration_ids)
    return {keys.owner_of_series(row.sk): _read(row) for row in found.values() if isinstance(row, SeriesRow)}


def rows_of_batch(experiment_id: str, iteration_id: str, batch_hash: str) -> tuple[Key, Key]:
    """The keys of the rows that a writer of this batch reads first: of the series and of the chunk."""
    return keys.series(experiment_id, iteration_id), keys.chunk(iteration_id, batch_hash)


def read_series_and_chunk(
    experiment_id: str, iteration_id: str, batch_hash: str, found: Mapping[Key, Item] | None = None
) -> tuple[Series, Chunk | None]:
    """Read both in one call, at the start of storing a batch. NotFound like `read_series`.

    `found` has the rows if they are read already.
    """
    series_key, chunk_key = rows_of_batch(experiment_id, iteration_id, batch_hash)
    found = item.get_many([series_key, chunk_key]) if found is None else found
    row, written = found.get(series_key), found.get(chunk_key)
    opened = chunk.open_chunk(written if isinstance(written, ChunkRow) else None)
    return _open(row if isinstance(row, SeriesRow) else None), opened


def require_room(series: Series, names: set[str]) -> None:
    """InvalidPayload if the row has no room for these keys. Check it before the chunk is put."""
    summaries = series.wide.size_bytes if series.wide else summary.size_of_summaries(series.summaries.keys() | names)
    most = limits.MAX_SUMMARIES_BYTES
    if summaries > most:
        raise InvalidPayload(f"The metric keys of this iteration take more than {most} bytes", field="metrics")
    if summaries + size_of_announced(series) > MAX_ROW_BYTES:
        raise InvalidPayload("These are too many metric keys without a step for one batch", field="metrics")


def size_of_announced(series: Series) -> int:
    """The bytes that the announcements take in the row."""
    return len(json.dumps(_to_json(series.announced)))


def write_series(experiment_id: str, iteration_id: str, series: Series) -> Series:
    """Write the series and return it as stored. Overtaken if the stored version is another one."""
    if series.wide and not series.has_summaries_as_read:
        return _write_both(experiment_id, iteration_id, series, series.wide)
    row = _row_of(experiment_id, iteration_id, series)
    with conditional.otherwise(Overtaken):
        row.save(_is_next(row))
    return replace(series, version=series.version + 1)


def _write_both(experiment_id: str, iteration_id: str, series: Series, of: Wide) -> Series:
    """Write the series of a wide iteration with its summaries."""
    if isinstance(series.summaries, Current):
        raise TypeError("These summaries also count announced batches")
    version = series.version + 1
    series = replace(series, wide=of._replace(summaries_version=version))
    row = _row_of(experiment_id, iteration_id, series)
    write = Transaction()
    write.put(row, Overtaken, _is_next(row))
    packed = wide.put(iteration_id, version, series.summaries, write)
    write.commit()
    return replace(series, version=version, as_read=(series.summaries, packed))


def write_series_and_chunk(experiment_id: str, iteration_id: str, series: Series, written: ChunkRow) -> Series:
    """Write both or none. Overtaken like `write_series`; Conflict if the batch is stored or dropped already."""
    row = _row_of(experiment_id, iteration_id, series)
    write = Transaction()
    write.put(row, Overtaken, _is_next(row))
    chunk.add_chunk(written, write)
    write.commit()
    return replace(series, version=series.version + 1)


def _row_of(experiment_id: str, iteration_id: str, series: Series) -> SeriesRow:
    return SeriesRow(
        *keys.series(experiment_id, iteration_id),
        version=series.version + 1,
        nonce=ids.nonce(),
        summaries=None if series.wide else series.packed_summaries,
        wide=list(series.wide) if series.wide else None,
        announced=_to_json(series.announced),
        heartbeat_us=series.heartbeat_us,
        batches=series.batches,
        moved=series.moved or None,
        compacting=series.compacting,
        recompute=series.recompute or None,
        edited_us=series.edited_us or None,
        output=list(series.output) if any(series.output) else None,
        recent=series.recent or None,
        patience_s=series.patience_s,
    )


def _is_next(row: SeriesRow) -> Condition:
    """Condition: the stored version is the one before, or a repetition finds its own row; it is not closed."""
    next_or_repeated = (SeriesRow.version == row.version - 1) | (SeriesRow.nonce == row.nonce)
    condition: Condition = next_or_repeated & SeriesRow.closed.does_not_exist()
    return condition


def change_series(experiment_id: str, iteration_id: str, change: Callable[[Series], Series | None]) -> Series:
    """Read, change and write the series, with retries, and return it as stored. None from `change` writes nothing."""
    for _ in Retry():
        series = read_series(experiment_id, iteration_id)
        changed = change(series)
        if changed is None:
            break
        try:
            return write_series(experiment_id, iteration_id, changed)
        except Overtaken:
            continue
    return series


def check_series(experiment_id: str, iteration_id: str, series: Series, write: Transaction) -> None:
    """Commit only if no other request has written the row since it was read."""
    write.check(SeriesRow, keys.series(experiment_id, iteration_id), SeriesRow.version == series.version, Overtaken)


def check_not_closed(experiment_id: str, iteration_id: str, write: Transaction) -> None:
    """Commit only if the iteration is there and its rows are not being removed; otherwise NotFound."""
    is_open = SeriesRow.pk.exists() & SeriesRow.closed.does_not_exist()
    write.check(SeriesRow, keys.series(experiment_id, iteration_id), is_open, NotFound)


def close_series(experiment_id: str, iteration_id: str) -> Series:
    """Refuse later announcements. Return the series, with the earlier ones. NotFound without a row."""
    row = SeriesRow(*keys.series(experiment_id, iteration_id))
    with conditional.otherwise(NotFound):
        row.update([SeriesRow.closed.set(True)], SeriesRow.pk.exists())
    return _read(row)


def _open(row: SeriesRow | None) -> Series:
    if row is None or row.closed:
        raise NotFound
    return _read(row)


def _read(row: SeriesRow) -> Series:
    announced = open_announced(row.announced)
    as_read = _AS_UNREAD if row.wide else (summary.unpack_summaries(row.summaries), row.summaries)
    return Series(
        version=int(row.version),
        summaries=as_read[0],
        announced=announced,
        heartbeat_us=int(row.heartbeat_us),
        batches=int(row.batches),
        moved=int(row.moved or 0),
        compacting=None if row.compacting is None else int(row.compacting),
        recompute=row.recompute or {},
        edited_us=int(row.edited_us or 0),
        output=OutputState(*row.output) if row.output else NO_OUTPUT,
        patience_s=None if row.patience_s is None else int(row.patience_s),
        recent=row.recent or b"",
        as_read=as_read,
        wide=Wide.of(row.wide) if row.wide else None,
    )


def _to_json(announced: dict[str, Announcement]) -> dict[str, list[object]]:
    return {batch: list(one if one.output_bytes else one[:3]) for batch, one in announced.items()}
