"""Answers that a language model can read: plain JSON of limited length."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from itertools import islice
from typing import Any, TypeVar

from deardiary.wire.times import format_time

T = TypeVar("T")

# Characters of one text. A model reads about four of them as one token.
MOST_CHARACTERS = 4000
MOST_KEYS = 200


def plain(value: Any) -> Any:
    """The value as JSON has it: times and states as words, NaN and infinities as texts, empty fields left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(dict(_field(each.name, getattr(value, each.name)) for each in dataclasses.fields(value)))
    if isinstance(value, Mapping):
        items = list(islice(value.items(), MOST_KEYS))
        shown = {str(key): plain(each) for key, each in items if each not in (None, "", (), [], {})}
        left = len(value) - len(items)
        return shown | ({"…": f"{left} more keys"} if left else {})
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, float):
        return number(value)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Iterable):
        return [plain(each) for each in value]
    return value


def _field(name: str, value: Any) -> tuple[str, Any]:
    """A state is a word here, so its field is called as in a filter: ``status``, not ``status_id``."""
    return name.removesuffix("_id") if isinstance(value, Enum) else name, value


def number(value: float) -> float | str:
    """Six digits, which say as much to a model as seventeen. JSON has no NaN and no infinity."""
    return float(f"{value:.6g}") if math.isfinite(value) else str(value)


def text(value: str, most: int = MOST_CHARACTERS) -> str:
    """The text, or its beginning and its end: a traceback says most there."""
    if len(value) <= most:
        return value
    half = most // 2
    return f"{value[:half]}\n… {len(value) - 2 * half} characters left out …\n{value[-half:]}"


def some(found: Iterable[T], most: int) -> tuple[list[T], bool]:
    """At most this many, and True if there are more."""
    taken = list(islice(found, most + 1))
    return taken[:most], len(taken) > most


def listed(name: str, found: Iterable[Any], most: int, advice: str) -> dict[str, Any]:
    """An answer with at most this many, and with advice if there are more."""
    taken, has_more = some(found, most)
    return {name: plain(taken)} | ({"more": advice} if has_more else {})


def without(value: Any, *names: str) -> dict[str, Any]:
    """A shape without some fields, such as ids that every row would repeat."""
    return {key: each for key, each in plain(value).items() if key not in names}
