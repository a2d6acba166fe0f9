"""The rows with the points of an iteration, as the columns of a rollup: their keys and their steps."""

from __future__ import annotations

import base64
import struct
from array import array
from collections.abc import Sequence
from typing import NamedTuple

from chalicelib.storage.points.rollup import Rollup
from chalicelib.storage.points.rows import Stored
from chalicelib.storage.table import keys
from chalicelib.storage.table.keys import Key

_HASH = struct.Struct(">qq")
_NO_HASH = (0, 0)


class Listed(NamedTuple):
    """A row, and the lowest and highest step in it."""

    low: int
    high: int
    key: Key


def pack(stored: Sequence[Stored]) -> Rollup:
    """The rows in the order of their lowest steps."""
    return _of_numbers([(row.low, row.high, *_numbers(row.key.sk)) for row in stored])


def merged(made: Rollup, more: Sequence[Stored]) -> Rollup:
    """The list with these rows too."""
    if not more:
        return made
    return _of_numbers([*zip(*made.integers, strict=True), *zip(*pack(more).integers, strict=True)])


def unpack(iteration_id: str, rollup: Rollup) -> list[Listed]:
    return [
        Listed(low, high, _key(iteration_id, *numbers)) for low, high, *numbers in zip(*rollup.integers, strict=True)
    ]


def _of_numbers(rows: Sequence[tuple[int, ...]]) -> Rollup:
    ordered = sorted(rows, key=lambda row: row[:2])
    return Rollup(0, 0, 0, [array("q", column) for column in zip(*ordered, strict=True)], [])


def _numbers(sk: str) -> tuple[int, ...]:
    """The parts of a sort key: two hashes and a number. A chunk has one hash only."""
    packed = keys.parts_of_packed(sk)
    if packed is None:
        return (*_pair(keys.batch_of_chunk(sk)), *_NO_HASH, 0)
    key_hash, generation, part = packed
    return (*_pair(key_hash), *_pair(generation), part)


def _key(iteration_id: str, *numbers: int) -> Key:
    first, second = _text(*numbers[:2]), numbers[2:4]
    if second == _NO_HASH:
        return keys.chunk(iteration_id, first)
    return keys.packed(iteration_id, first, _text(*second), numbers[4])


def _pair(hashed: str) -> tuple[int, int]:
    first, second = _HASH.unpack(base64.b32hexdecode(hashed.upper()) + b"\0")
    return first, second


def _text(*pair: int) -> str:
    return base64.b32hexencode(_HASH.pack(*pair)[:-1]).decode().lower()
