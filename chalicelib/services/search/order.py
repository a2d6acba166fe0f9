"""Sort keys of iterations, in ASCII: they compare as text, and a cursor can carry them.

Each term has a digit for its class, then the value in hexadecimal, its bits inverted when descending. The classes are
numbers, texts, NaN, missing; their sequence is the same in both directions. A parameter or label can be a number or a
text. Texts compare by their first 255 bytes of UTF-8, which is the order of code points. The id breaks ties, ascending.
"""

from __future__ import annotations

import math
import struct
from datetime import datetime

from chalicelib import clock
from chalicelib.services.search.ast import MAPS, Term
from chalicelib.services.search.subject import Subject
from chalicelib.services.search.values import Value, to_number

SortKey = tuple[str, ...]

_TEXT_BYTES = 255
_SIGN = 1 << 63
_ALL = (1 << 64) - 1


def sort_key(terms: tuple[Term, ...], facts: Subject) -> SortKey:
    """One text for each term, then the id."""
    return (*(encode(_value(term, facts), descending=term.descending) for term in terms), facts.id)


def _value(term: Term, facts: Subject) -> Value | None:
    value = facts.value(term.name)
    if term.name.kind in MAPS and isinstance(value, str):
        number = to_number(value)
        return value if number is None else float(number)
    return value


def encode(value: Value | None, *, descending: bool) -> str:
    match value:
        case None:
            return "3"
        case float() if math.isnan(value):
            return "2"
        case str():
            return "1" + _encode_text(value, descending=descending)
        case float():
            bits = _float_bits(value)
        case datetime():
            bits = clock.to_milliseconds(value) + _SIGN
        case _:
            bits = int(value) + _SIGN
    return f"0{bits ^ _ALL if descending else bits:016x}"


def _encode_text(value: str, *, descending: bool) -> str:
    data = value.encode()[:_TEXT_BYTES]
    if not descending:
        return data.hex()
    # In descending order a text precedes its own prefixes: the end mark "~" sorts after every hexadecimal digit.
    return bytes(byte ^ 0xFF for byte in data).hex() + "~"


def _float_bits(value: float) -> int:
    """64 bits that sort like the float (IEEE 754): invert the sign bit, or all bits if negative; -0 becomes 0."""
    (bits,) = struct.unpack(">Q", struct.pack(">d", value + 0.0))
    return int(bits ^ (_ALL if bits & _SIGN else _SIGN))
