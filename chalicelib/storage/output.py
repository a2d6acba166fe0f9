"""Printed lines: one compressed content per batch, cut into items, in the order in which the batches were accepted.

The chunk of the batch commits them: `services/points/batch.py` puts the items first, then the chunk. The item of part 0
comes last, so a batch without it has no lines. `discard` replaces it by a mark, which also refuses a late writer.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any, NamedTuple

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, NumberAttribute

from chalicelib.errors import Conflict
from chalicelib.storage.points import codec
from chalicelib.storage.table import conditional, item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key
from deardiary.wire import limits

# DynamoDB limits an item to 400 KB.
_PART_BYTES = 380_000
# The beginning of an iteration's output, which is kept for good.
FIRST_BYTES = 16 * limits.MIB
# An answer shows a line whole, and JSON takes up to six bytes for one of text.
LONGEST_CHARACTERS = 256 * limits.KIB
# Most calls find a few new rows; the reader of a whole output soon reads many in one call.
_PER_CALL = 8
_NAMES = ["PK", "SK", "content", "check", "parts", "lines", "bytes"]
_STREAMS = {"stdout": "o", "stderr": "e"}
_NAMES_OF_STREAMS = {letter: name for name, letter in _STREAMS.items()}


class OutputRow(Item, discriminator="output"):
    content = BinaryAttribute(legacy_encoding=False, null=True)
    # CRC-32 of the whole content: two processes may have sent different lines under one batch_id.
    check = NumberAttribute(null=True)
    # Of part 0: the number of parts, and of what.
    parts = NumberAttribute(null=True)
    line_count = NumberAttribute(attr_name="lines", null=True)
    size_bytes = NumberAttribute(attr_name="bytes", null=True)
    # True: the announcement of this time was dropped; its lines do not count.
    dropped = BooleanAttribute(null=True)


class Line(NamedTuple):
    """A printed line. None as time means the time at which the server accepts it; ms since 1970."""

    stream: str
    text: str
    recorded_ms: int | None


class OutputState(NamedTuple):
    """What SERIES knows of the output: the bytes that are kept, and what is gone between beginning and newest lines.

    Times are those of batches in µs. `first_us`: the last batch of the beginning; `gap_us`: the last removed batch.
    """

    size_bytes: int = 0
    first_us: int = 0
    gap_us: int = 0
    gap_lines: int = 0
    gap_bytes: int = 0

    def with_batch(self, accepted_us: int, size_bytes: int) -> OutputState:
        """The state after a batch, which may have been accepted before others."""
        size = self.size_bytes + size_bytes
        begins = not self.first_us or (not self.gap_us and size <= FIRST_BYTES)
        return self._replace(size_bytes=size, first_us=max(self.first_us, accepted_us) if begins else self.first_us)

    def without(self, stored: StoredOutput) -> OutputState:
        """The state after the removal of the oldest batch behind the beginning."""
        return OutputState(
            self.size_bytes - stored.size_bytes,
            self.first_us,
            stored.accepted_us,
            self.gap_lines + stored.line_count,
            self.gap_bytes + stored.size_bytes,
        )


NO_OUTPUT = OutputState()


class StoredOutput(NamedTuple):
    """The items of one batch, not decoded yet. `content` is None if the batch has no lines, or not all its parts."""

    accepted_us: int
    item_keys: Sequence[Key]
    content: bytes | None
    line_count: int
    size_bytes: int

    def open(self) -> list[Line]:
        if self.content is None:
            return []
        streams, times, texts = json.loads(codec.inflate(self.content))
        names = map(_NAMES_OF_STREAMS.__getitem__, streams)
        return list(map(Line, names, texts, times))


def lines_of(stream: str, text: str, recorded_ms: int | None) -> list[Line]:
    """A line as sent; a very long one becomes several."""
    starts = range(0, max(1, len(text)), LONGEST_CHARACTERS)
    return [Line(stream, text[start : start + LONGEST_CHARACTERS], recorded_ms) for start in starts]


def size_of(lines: Iterable[Line]) -> int:
    """The bytes of the lines in UTF-8, each with its line end."""
    return sum(len(line.text.encode()) + 1 for line in lines)


def put_output(iteration_id: str, accepted_us: int, lines: Sequence[Line]) -> None:
    """Store the lines of a batch. Items that exist stay: an earlier attempt has put them, or the mark of `discard`."""
    content = _pack(lines, accepted_us // 1000)
    cut = [content[start : start + _PART_BYTES] for start in range(0, len(content), _PART_BYTES)]
    for part, piece in reversed(list(enumerate(cut))):
        row = OutputRow(*keys.output(iteration_id, accepted_us, part), content=piece, check=zlib.crc32(content))
        if part == 0:
            row.parts, row.line_count, row.size_bytes = len(cut), len(lines), size_of(lines)
        with suppress(Conflict), conditional.otherwise(Conflict):
            row.save(OutputRow.pk.does_not_exist())


def discard(iteration_id: str, accepted_us: int) -> None:
    """Remove the lines of an announcement without a chunk, and refuse those that its suspended writer still puts."""
    mark = OutputRow(*keys.output(iteration_id, accepted_us, 0), dropped=True)
    mark.save()
    rows = item.raw_rows(keys.output_span(iteration_id, accepted_us, accepted_us), ["PK", "SK"])
    item.delete_items([key for key in map(_key, rows) if key != mark.key])


def each_output(
    iteration_id: str, first_us: int, last_us: int, *, newest_first: bool = False
) -> Iterator[StoredOutput]:
    """Read the output of the batches from one time to another, both included."""
    if last_us < first_us:
        return
    span = keys.output_span(iteration_id, first_us, last_us)
    rows = item.raw_rows(span, _NAMES, per_call=_PER_CALL, newest_first=newest_first)
    for accepted_us, found in groupby(rows, lambda row: keys.time_of_output(row["SK"]["S"])):
        yield _stored(accepted_us, sorted(found, key=lambda row: str(row["SK"]["S"])))


def remove_output(stored: Iterable[StoredOutput]) -> None:
    item.delete_items(key for each in stored for key in each.item_keys)


def _stored(accepted_us: int, rows: Sequence[dict[str, Any]]) -> StoredOutput:
    head, item_keys = rows[0], [_key(row) for row in rows]
    checks = {row.get("check", {}).get("N") for row in rows}
    if "parts" in head and int(head["parts"]["N"]) == len(rows) and len(checks) == 1:
        content = b"".join(row["content"]["B"] for row in rows)
        if zlib.crc32(content) == int(head["check"]["N"]):
            return StoredOutput(accepted_us, item_keys, content, int(head["lines"]["N"]), int(head["bytes"]["N"]))
    return StoredOutput(accepted_us, item_keys, None, 0, 0)


def _key(row: dict[str, Any]) -> Key:
    return Key(row["PK"]["S"], row["SK"]["S"])


def _pack(lines: Sequence[Line], now_ms: int) -> bytes:
    streams = "".join(_STREAMS[line.stream] for line in lines)
    times = [now_ms if line.recorded_ms is None else line.recorded_ms for line in lines]
    content = json.dumps([streams, times, [line.text for line in lines]], ensure_ascii=False, separators=(",", ":"))
    return zlib.compress(content.encode())
