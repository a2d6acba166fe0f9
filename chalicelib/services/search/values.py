"""Types of names, with their comparators and the literals that fit them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from deardiary.wire.shapes import IterationStatus
from deardiary.wire.times import parse_time

Literal = str | bool | int | float
Value = str | bool | int | float | datetime

NUMBER_FORM = re.compile(
    r"[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?|(?:nan|inf(?:inity)?)(?!\w))", re.IGNORECASE
)
# No count and no seed has more digits; beyond 4,300 digits Python refuses to parse an integer.
_EXACT_DIGITS = 40
# A longer text is not a number: parsing it would dominate the cost of a search.
_LONGEST_NUMBER = 100


@dataclass(frozen=True, slots=True)
class Type:
    """`fit` converts a literal to the compared value, or raises ValueError if the literal is not `expected`."""

    expected: str
    comparators: tuple[str, ...]
    fit: Callable[[Literal], Value]


def to_number(text: str) -> int | float | None:
    """Parse a number, integers exactly, also NaN and Infinity in any case. None for any other text."""
    if len(text) > _LONGEST_NUMBER or not NUMBER_FORM.fullmatch(text):
        return None
    digits = text.lstrip("+-")
    return int(text) if digits.isdigit() and len(digits) <= _EXACT_DIGITS else float(text)


def _number(literal: Literal) -> Value:
    if isinstance(literal, (str, bool)):
        raise ValueError
    return literal


def _text(literal: Literal) -> Value:
    if not isinstance(literal, str):
        raise ValueError
    return literal


def _number_or_text(literal: Literal) -> Value:
    if isinstance(literal, bool):
        raise ValueError
    return literal


def _flag(literal: Literal) -> Value:
    if not isinstance(literal, bool):
        raise ValueError
    return literal


def _status(literal: Literal) -> Value:
    literal = literal.upper() if isinstance(literal, str) else literal
    for status in IterationStatus:
        if literal in (status.name, status.value) and not isinstance(literal, bool):
            return status.value
    raise ValueError


def _time(literal: Literal) -> Value:
    return parse_time(str(_text(literal)))


# NULLS fit every type, PATTERNS only texts.
NULLS = ("is null", "is not null")
PATTERNS = ("like", "contains")
_EQUAL = ("=", "!=")
_ORDERED = (*_EQUAL, "<", "<=", ">", ">=")
_STATUSES = ", ".join(f'{status.value} or "{status.name}"' for status in IterationStatus)

NUMBER = Type("a number", (*_ORDERED, "in"), _number)
TEXT = Type("a text in quotes", (*_ORDERED, *PATTERNS, "in"), _text)
NUMBER_OR_TEXT = Type("a number, or a text in quotes", (*_ORDERED, *PATTERNS, "in"), _number_or_text)
USER = Type("a username or an id in quotes", (*_EQUAL, "in"), _text)
TAG = Type("a text in quotes", (*_EQUAL, *PATTERNS, "in"), _text)
TIME = Type('a time in quotes, like "2026-01-31T12:00:00Z"', (*_ORDERED, "in"), _time)
STATUS = Type(f"a status: {_STATUSES}", (*_EQUAL, "in"), _status)
FLAG = Type("true or false", _EQUAL, _flag)
