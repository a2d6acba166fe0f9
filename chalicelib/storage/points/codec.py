"""Encoding of points; `deardiary.wire.chunks` decodes them, and docs/metric-format.md describes the form byte by byte.

Version 1 is one unchanged batch. Version 2 adds the batch of each point and its index in that batch: for points of many
batches, or edited points.
"""

from __future__ import annotations

import base64
import zlib
from array import array
from collections.abc import Sequence

from chalicelib.columns import Columns, encode_integers, encode_values
from deardiary.wire import chunks as form
from deardiary.wire.chunks import Batch as Batch
from deardiary.wire.chunks import Content as Content
from deardiary.wire.chunks import DamagedData as DamagedData
from deardiary.wire.chunks import Slice as Slice
from deardiary.wire.chunks import inflate as inflate
from deardiary.wire.chunks import unpack as unpack
from deardiary.wire.column_codec import WORD, decode_values

_LEVEL = 6


def pack_batch(series: dict[str, Columns]) -> bytes:
    """Encode one batch in version 1. The order of the keys here fixes the index of each point."""
    columns = list(series.values())
    body = _keys({key: len(each) for key, each in series.items()})
    return _frame(form.ONE_BATCH, body + _points(columns))


def pack(content: Content) -> bytes:
    """Encode points of any batches in version 2."""
    slices = list(content.series.values())
    body = _keys({key: len(each.columns) for key, each in content.series.items()})
    body += form.COUNT.pack(len(content.batches))
    body += b"".join(form.BATCH.pack(_to_bytes(batch.hash), batch.accepted_us) for batch in content.batches)
    body += _points([each.columns for each in slices])
    body += encode_integers([each.ordinals for each in slices]) + encode_integers([each.batches for each in slices])
    return _frame(form.MANY_BATCHES, body)


def one_point_each(data: bytes) -> list[tuple[str, int, int, float]] | None:
    """The key, step, time and value of each point in a batch with one of each key; None of other points.

    Thousands of keys: `unpack` takes five times as long. DamagedData like `unpack`.
    """
    version, body = form.open_frame(data)
    counts, start = form.read_keys(body)
    length = WORD * len(counts)
    if version != form.ONE_BATCH or any(count != 1 for count in counts.values()) or len(body) != start + 3 * length:
        return None
    steps, times, values = (
        decode_values(body[start + length * index :][:length], 0, len(counts)) for index in range(3)
    )
    # An integer that is the first of its key is stored as it is, not as a difference.
    integers = (array("q", each.tobytes()) for each in (steps, times))
    return list(zip(counts, *integers, values, strict=True))


def _frame(version: int, body: bytes) -> bytes:
    packed = zlib.compress(body, _LEVEL)
    return form.MAGIC + bytes([version]) + form.COUNT.pack(form.checksum(version, packed)) + packed


def _keys(counts: dict[str, int]) -> bytes:
    rows = [form.COUNT.pack(len(counts))]
    for key, count in counts.items():
        name = key.encode()
        rows.append(form.KEY.pack(len(name), count) + name)
    return b"".join(rows)


def _points(columns: Sequence[Columns]) -> bytes:
    integers = encode_integers([each.steps for each in columns]) + encode_integers([each.times for each in columns])
    return integers + encode_values([each.values for each in columns])


def _to_bytes(hashed: str) -> bytes:
    return base64.b32hexdecode(hashed.upper())
