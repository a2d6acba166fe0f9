"""Columns of 64-bit words as bytes that compress well.

Integers (int64) are stored as differences to the previous one, modulo 2^64; values as the 64 bits of the float. A
column is then byte-shuffled: all first bytes, then all second bytes, and so on. Neighbours in a series share their
high bytes, so that zlib finds long runs (as in HDF5's shuffle filter).
"""

from __future__ import annotations

import sys
from array import array
from itertools import accumulate, chain
from operator import sub
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

WORD = 8
_MASK = (1 << 64) - 1
_HALF = 1 << 63


def encode_integers(columns: Sequence[Sequence[int]]) -> bytes:
    """Encode each column as differences, concatenate the columns and shuffle them as one."""
    return shuffle(b"".join(_little_endian(_differences(column)) for column in columns))


def encode_values(columns: Sequence[array[float]]) -> bytes:
    return shuffle(b"".join(_little_endian(column) for column in columns))


def decode_integers(shuffled: bytes, start: int, stop: int) -> array[int]:
    """Decode one column, the words `start` to `stop`, of the result of `encode_integers`."""
    differences = _words("q", unshuffle(shuffled, start, stop))
    try:
        return array("q", accumulate(differences))
    except OverflowError:
        # Two neighbours differ by more than an int64 can hold: wrap these sums.
        return array("q", map(_wrap, accumulate(differences)))


def decode_values(shuffled: bytes, start: int, stop: int) -> array[float]:
    return _words("d", unshuffle(shuffled, start, stop))


def shuffle(data: bytes) -> bytes:
    return b"".join(data[byte::WORD] for byte in range(WORD))


def unshuffle(data: bytes, start: int, stop: int) -> bytes:
    """Restore the words `start` to `stop` of those that were shuffled together."""
    count = len(data) // WORD
    whole = bytearray(WORD * (stop - start))
    for byte in range(WORD):
        whole[byte::WORD] = data[byte * count + start : byte * count + stop]
    return bytes(whole)


def _differences(column: Sequence[int]) -> array[int]:
    try:
        return array("q", map(sub, column, chain((0,), column)))
    except OverflowError:
        return array("q", map(_wrap, map(sub, column, chain((0,), column))))


def _wrap(number: int) -> int:
    """Wrap modulo 2^64 into an int64."""
    return (number + _HALF & _MASK) - _HALF


def _little_endian(column: array[int] | array[float]) -> bytes:
    if sys.byteorder != "little":
        column = column[:]
        column.byteswap()
    return column.tobytes()


def _words(code: str, data: bytes) -> array[Any]:
    words: array[Any] = array(code, data)
    if sys.byteorder != "little":
        words.byteswap()
    return words
