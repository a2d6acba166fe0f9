"""Columns of 64-bit words from bytes that compress well; `chalicelib.columns` encodes them.

Integers (int64) are stored as differences to the previous one, modulo 2^64; values as the 64 bits of the float. A
column is then byte-shuffled: all first bytes, then all second bytes, and so on. Neighbours in a series share their
high bytes, so that zlib finds long runs (as in HDF5's shuffle filter).
"""

from __future__ import annotations

import sys
from array import array
from itertools import accumulate
from typing import Any

WORD = 8
_MASK = (1 << 64) - 1
_HALF = 1 << 63


def decode_integers(shuffled: bytes, start: int, stop: int) -> array[int]:
    """Decode one column, the words `start` to `stop`, of those that the server encodes."""
    differences = _words("q", unshuffle(shuffled, start, stop))
    try:
        return array("q", accumulate(differences))
    except OverflowError:
        # Two neighbours differ by more than an int64 can hold: wrap these sums.
        return array("q", map(wrap, accumulate(differences)))


def decode_values(shuffled: bytes, start: int, stop: int) -> array[float]:
    return _words("d", unshuffle(shuffled, start, stop))


def unshuffle(data: bytes, start: int, stop: int) -> bytes:
    """Restore the words `start` to `stop` of those that were shuffled together."""
    count = len(data) // WORD
    whole = bytearray(WORD * (stop - start))
    for byte in range(WORD):
        whole[byte::WORD] = data[byte * count + start : byte * count + stop]
    return bytes(whole)


def wrap(number: int) -> int:
    """Wrap modulo 2^64 into an int64."""
    return (number + _HALF & _MASK) - _HALF


def _words(code: str, data: bytes) -> array[Any]:
    words: array[Any] = array(code, data)
    if sys.byteorder != "little":
        words.byteswap()
    return words
