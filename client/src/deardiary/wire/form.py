"""The JSON form of shapes.

Server and client share this module. JSON has no NaN and no time: a non-finite float is sent as the string "NaN",
"Infinity" or "-Infinity", a time as RFC 3339 in UTC with milliseconds and ``Z``.
"""

import math
import typing
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import IntEnum
from functools import cache
from typing import Any, TypeVar

from deardiary.wire.times import format_time, parse_time

T = TypeVar("T")


def encode_float(value: float) -> float | str:
    """The JSON form of a float: itself, or "NaN", "Infinity", "-Infinity"."""
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def decode_float(value: float | str) -> float:
    """The float of a JSON form. ValueError for any other text."""
    if isinstance(value, str):
        try:
            return _NOT_FINITE[value]
        except KeyError:
            raise ValueError('Expected a number, "NaN", "Infinity" or "-Infinity"') from None
    return float(value)


_PLAIN = {str, int, bool, type(None)}


def to_json(value: Any) -> Any:
    """A shape, or a container of shapes, as an argument for ``json.dumps(..., allow_nan=False)``."""
    if isinstance(value, float):
        return encode_float(value)
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if is_dataclass(value):
        return _shape_to_json(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _shape_to_json(value: Any) -> dict[str, Any]:
    form = {}
    for name, has_null in _fields(typing.cast("Hashable", type(value))):
        item = getattr(value, name)
        if item is not None or has_null:
            # Speed: most values are plain, and a table of runs holds ten thousand numbers.
            kind = type(item)
            if kind in _PLAIN or (kind is float and -math.inf < item < math.inf):
                form[name] = item
            else:
                form[name] = to_json(item)
    return form


@cache
def _fields(shape: Any) -> list[tuple[str, bool]]:
    """The names of a shape's fields, each with True if the field is sent as null when it is None."""
    return [(field.name, not field.metadata.get("left_out_if_none")) for field in fields(shape)]


def from_json(shape: type[T], data: Mapping[str, Any]) -> T:
    """The shape of a JSON object. Fields that this version does not know are ignored."""
    known = decoders(typing.cast("Hashable", shape))
    return shape(**{name: known[name](item) for name, item in data.items() if name in known})


@cache
def decoders(shape: Any) -> dict[str, Callable[[Any], Any]]:
    """The function from JSON form to value, for each field of a shape."""
    return {name: _decoder(hint) for name, hint in typing.get_type_hints(shape).items()}


def _decoder(hint: Any) -> Callable[[Any], Any]:
    if hint is datetime:
        return parse_time
    if hint is float:
        return decode_float
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return hint
    if is_dataclass(hint):
        return lambda data: from_json(typing.cast("type[Any]", hint), data)
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        item = _decoder(arguments[0])
        return lambda data: tuple(item(each) for each in data)
    if typing.get_origin(hint) is dict:
        entry = _decoder(arguments[1])
        return lambda data: {key: entry(each) for key, each in data.items()}
    if type(None) in arguments:
        present = _decoder(arguments[0])
        return lambda data: None if data is None else present(data)
    shapes = [each for each in arguments if is_dataclass(each)]
    return _shape_or_word(typing.cast("type[Any]", shapes[0])) if shapes else _plain(hint)


def _shape_or_word(shape: type[Any]) -> Callable[[Any], Any]:
    return lambda data: from_json(shape, data) if isinstance(data, dict) else data


def _plain(hint: Any) -> Callable[[Any], Any]:
    return _text if hint is str else _number if hint is int else _same


def _text(value: Any) -> Any:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.50} is no text")
    return value


def _number(value: Any) -> Any:
    if not isinstance(value, int):
        raise TypeError(f"{value!r:.50} is no whole number")
    return value


def _same(value: Any) -> Any:
    return value
