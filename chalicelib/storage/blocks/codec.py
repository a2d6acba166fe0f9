"""The columns of a block as bytes, and back.

A column has a value for each row of the block, None where the iteration has none. Its bytes are a letter for its form,
then by zlib JSON, or numbers as in `deardiary/wire/column_codec.py` after a byte for each row that says if it has one.
"""

from __future__ import annotations

import json
import zlib
from array import array
from collections.abc import Sequence
from itertools import compress
from typing import Any

from chalicelib import columns
from deardiary.wire import column_codec
from deardiary.wire.chunks import MAX_INFLATED, DamagedData, inflate

_FLOATS, _INTEGERS, _JSON = b"f", b"i", b"j"


def encode_floats(values: Sequence[float | None]) -> bytes:
    present = array("d", (value for value in values if value is not None))
    return _FLOATS + zlib.compress(_marks(values) + columns.encode_values([present]))


def encode_integers(values: Sequence[int | None]) -> bytes:
    present = [value for value in values if value is not None]
    return _INTEGERS + zlib.compress(_marks(values) + columns.encode_integers([present]))


def encode_json(value: Any) -> bytes:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    # Texts that could not be read again are not compressed: they are too large for an item, too.
    return _JSON + (zlib.compress(text) if len(text) <= MAX_INFLATED else text)


def decode(data: bytes, rows: int) -> Any:
    """The values of all rows, or the JSON value. DamagedData unless a function above wrote these bytes."""
    form, body = data[:1], inflate(data[1:])
    if form == _JSON:
        return json.loads(body)
    count = (len(body) - rows) // column_codec.WORD
    if form == _FLOATS:
        return _spread(body[:rows], column_codec.decode_values(body[rows:], 0, count))
    if form == _INTEGERS:
        return _spread(body[:rows], column_codec.decode_integers(body[rows:], 0, count))
    raise DamagedData("not a column of a form known here")


def _marks(values: Sequence[Any]) -> bytes:
    return bytes(value is not None for value in values)


def _spread(marks: bytes, present: array[Any]) -> list[Any]:
    """The values by row."""
    if len(present) == len(marks):
        return present.tolist()
    found: list[Any] = [None] * len(marks)
    for row, value in zip(compress(range(len(marks)), marks), present, strict=True):
        found[row] = value
    return found
