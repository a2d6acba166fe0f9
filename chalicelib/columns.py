"""Points of one key as columns, the form in which the server computes; and the encoding of columns.

`deardiary.wire.column_codec` describes the encoding, and decodes it.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from itertools import chain
from operator import sub

from deardiary.wire.column_codec import WORD, wrap
from deardiary.wire.columns import Columns as Columns


def encode_integers(columns: Sequence[Sequence[int]]) -> bytes:
    """Encode each column as differences, concatenate the columns and shuffle them as one."""
    return _shuffle(b"".join(_little_endian(_differences(column)) for column in columns))


def encode_values(columns: Sequence[array[float]]) -> bytes:
    return _shuffle(b"".join(_little_endian(column) for column in columns))


def _shuffle(data: bytes) -> bytes:
    return b"".join(data[byte::WORD] for byte in range(WORD))


def _differences(column: Sequence[int]) -> array[int]:
    try:
        return array("q", map(sub, column, chain((0,), column)))
    except OverflowError:
        return array("q", map(wrap, map(sub, column, chain((0,), column))))


def _little_endian(column: array[int] | array[float]) -> bytes:
    if sys.byteorder != "little":
        column = column[:]
        column.byteswap()
    return column.tobytes()
