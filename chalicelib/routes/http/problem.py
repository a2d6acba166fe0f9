"""Messages about invalid input in plain words: msgspec's messages name Python types, regexes and JSON paths."""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Callable
from enum import Enum
from typing import Any

import msgspec

from chalicelib.errors import InvalidPayload

MAX_SHOWN_CHARACTERS = 60  # in a message

_MESSAGE = re.compile(r"^(?P<problem>.*?)(?: - at (?P<is_key>`key` in )?`(?P<path>[^`]*)`)?$", re.DOTALL)
_BYTE, _CUT_SHORT = re.compile(r"\(byte (\d+)\)"), "truncated"
_NAMED = re.compile(r"field `([^`]*)`")
_ANY_KEY = "[...]"
_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "null": "null",
    "object": "an object",
    "array": "a list",
    "datetime": "a time",
}
_UNITS = {"str": "character", "array": "entry", "object": "entry"}
_OF_CHOICES = ("Invalid enum value", "Expected `int`, got")  # an enum here is of numbers
_TIME = "Expected a time as in 2026-01-31T12:00:00Z"
_RULES: dict[str, str] = {}
_MESSAGES: list[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = [
    (re.compile(r"Object missing required field"), lambda _: "This field is required"),
    (re.compile(r"Object contains unknown field"), lambda _: "There is no such field here"),
    (
        re.compile(r"Expected `str` matching regex (.*)", re.DOTALL),
        lambda match: f"Expected {_RULES.get(match[1], 'text of another form')}",
    ),
    (re.compile(r"Expected `(\w+)` of length (>=|<=) (\d+)"), lambda match: _length(*match.groups())),
    (re.compile(r"Expected `\w+` (>=|<=) (\S+)"), lambda match: f"Expected {_bound(match[1])} {match[2]}"),
    (
        re.compile(r"Expected `([^`]+)`, got `([^`]+)`"),
        lambda match: f"Expected {_types(match[1])}, got {_types(match[2])}",
    ),
    (re.compile(r"Expected `([^`]+)`$"), lambda match: f"Expected {_types(match[1])}"),
    (re.compile(r"Invalid RFC3339 encoded datetime|Timestamp is out of range"), lambda _: _TIME),
    (re.compile(r"(Integer value|Number) out of range"), lambda _: "This number is out of range"),
]


def rule(pattern: str, words: str, **limits: Any) -> msgspec.Meta:
    """A constraint: the text matches this pattern. The error message says it in these words."""
    _RULES[repr(pattern)] = words
    return msgspec.Meta(pattern=pattern, **limits)


def invalid(error: msgspec.ValidationError, kind: type[msgspec.Struct], sent: Callable[[], Any]) -> InvalidPayload:
    """The error in plain words, with its field. `sent` returns the input as plain dicts and lists."""
    match = _MESSAGE.match(str(error))
    problem, path = (match["problem"], match["path"] or "") if match else (str(error), "")
    if match and match["is_key"]:
        key = _culprit(str(error), kind, sent(), _field(path))
        return InvalidPayload(
            f"Key {json.dumps(key[:MAX_SHOWN_CHARACTERS])}: {_in_words(problem, kind, '')}", field=_field(path)
        )
    field = _field(path)
    if _ANY_KEY in path:
        mapping, _, rest = path.partition(_ANY_KEY)
        key = _culprit(str(error), kind, sent(), _field(mapping))
        field = _joined(_field(mapping), key) + rest if key else _field(mapping)
    named = _NAMED.search(problem)
    return InvalidPayload(_in_words(problem, kind, field), field=_joined(field, named[1] if named else "") or "body")


def not_json(error: Exception) -> InvalidPayload:
    """The body cannot be read. The message names the byte, from 0, if the parser does."""
    if isinstance(error, UnicodeDecodeError):
        return InvalidPayload("The body is not valid JSON: a text in it is not UTF-8", field="body")
    at = _BYTE.search(str(error))
    where = f" at byte {at[1]}" if at else ": it, or a text in it, ends too early" if _CUT_SHORT in str(error) else ""
    return InvalidPayload(f"The body is not valid JSON{where}", field="body")


def _in_words(problem: str, kind: type[msgspec.Struct], field: str) -> str:
    choices = _choices(kind, field) if problem.startswith(_OF_CHOICES) else []
    if choices:
        return f"Expected one of {', '.join(map(str, choices))}"
    found = ((words, pattern.match(problem)) for pattern, words in _MESSAGES)
    return next((words(match) for words, match in found if match), "This value is invalid")


def _culprit(message: str, kind: type[msgspec.Struct], sent: Any, name: str) -> str:
    """Find the key of the object `name` that the message is about, or "": msgspec does not name it.

    msgspec stops at the first invalid key, so the message stays the same while that key is present: a binary search.
    """
    keys = list(sent.get(name, ()))
    low, high = 0, len(keys)
    while low < high:
        middle = (low + high) // 2
        part = {key: sent[name][key] for key in keys[: middle + 1]}
        if _message(sent | {name: part}, kind) == message:
            high = middle
        else:
            low = middle + 1
    return keys[low] if low < len(keys) else ""


def _message(sent: Any, kind: type[msgspec.Struct]) -> str:
    try:
        msgspec.convert(sent, kind)
    except (msgspec.ValidationError, InvalidPayload) as error:
        return str(error)
    return ""


def _field(path: str) -> str:
    return path.removeprefix("$").removeprefix(".")


def _joined(*parts: str) -> str:
    return ".".join(part for part in parts if part)


def _types(names: str) -> str:
    return " or ".join(_TYPES.get(each, "another kind of value") for each in names.split(" | "))


def _bound(sign: str) -> str:
    return "at least" if sign == ">=" else "at most"


def _length(kind: str, sign: str, number: str) -> str:
    unit = _UNITS.get(kind, "entry")
    many = "entries" if unit == "entry" else "characters"
    return f"Expected {_bound(sign)} {number} {unit if number == '1' else many}"


def _choices(kind: type[msgspec.Struct], field: str) -> list[Any]:
    """The values that a field of an enum or a Literal type accepts."""
    name = field.partition("[")[0]
    return _literals(next((each.type for each in msgspec.structs.fields(kind) if each.name == name), None))


def _literals(kind: Any) -> list[Any]:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [f"{each.value} ({each.name})" for each in kind]
    if typing.get_origin(kind) is typing.Literal:
        return list(typing.get_args(kind))
    return [value for each in typing.get_args(kind) for value in _literals(each)]
