"""Faster replacements for MiniStack's slow parts of a Query over thousands of items; its answers stay the same.

For every item MiniStack parses the text of the condition again, searches that text for conditions that only compare two
strings, compares all names of a projection with each other, and measures the item again for the page size, decoding
binaries for their length. It writes JSON in Python.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from ministack.core.responses import JSON_1_0_CONTENT_TYPE
from ministack.services import dynamodb

KEPT = 1000
MEASURED = 10_000
_KEY_CONDITION = re.compile(
    r"\(?(?P<pk>#\w+) = (?P<is>:\w+)(?: AND (?:begins_with \((?P<sk>#\w+), (?P<prefix>:\w+)\)"
    r"|(?P<in>#\w+) BETWEEN (?P<low>:\w+) AND (?P<high>:\w+)))?\)?"
)
_ALIAS = re.compile(r"#\w+")

Image = Mapping[str, Mapping[str, Any]]
Names = Mapping[str, str]


def install_speedups() -> None:
    """Install these replacements in MiniStack, once, before it serves."""
    tokenize, size_of = functools.lru_cache(KEPT)(dynamodb._tokenize), dynamodb._attribute_value_size  # noqa: SLF001
    evaluate, project = dynamodb._evaluate_condition, dynamodb._project_item  # noqa: SLF001

    def tokens_of(expression: str) -> list[Any]:
        return list(tokenize(expression))

    def size(value: Any) -> Any:
        length = binary_length(value)
        return size_of(value) if length is None else length

    def holds(text: str, item: Image, values: Image, names: Names, slot: str = "ConditionExpression") -> Any:
        condition = key_condition(text) if slot == "KeyConditionExpression" else None
        answer = condition.holds(item, values, names) if condition else None
        return evaluate(text, item, values, names, slot) if answer is None else answer

    def projected(item: Image, text: str, names: Names) -> Any:
        found = whole_attributes(item, text, names)
        return project(item, text, names) if found is None else found

    dynamodb._tokenize, dynamodb._attribute_value_size = tokens_of, size  # noqa: SLF001
    dynamodb._condition_syntax_error = functools.lru_cache(KEPT)(dynamodb._condition_syntax_error)  # noqa: SLF001
    dynamodb._evaluate_condition, dynamodb._project_item = holds, projected  # noqa: SLF001
    dynamodb._item_size_bytes = Sizes(dynamodb._item_size_bytes)  # noqa: SLF001
    dynamodb.json_response = json_response


class Sizes:
    """The sizes of items, each measured once: MiniStack replaces items and never edits them."""

    def __init__(self, measure: Callable[[Image], int]) -> None:
        self._measure = measure
        # Keep the item itself, so that no other item can get its id.
        self._known: dict[int, tuple[Image, int]] = {}

    def __call__(self, item: Image) -> int:
        known = self._known.get(id(item))
        if known is None or known[0] is not item:
            if len(self._known) >= MEASURED:
                self._known.clear()
            known = self._known[id(item)] = item, self._measure(item)
        return known[1]


def json_response(data: Any, status: int = 200, *, content_type: str = JSON_1_0_CONTENT_TYPE) -> Any:
    return status, {"Content-Type": content_type}, msgspec.json.encode(data)


@dataclass(frozen=True, slots=True)
class KeyCondition:
    """A partition, and optionally a prefix or a range of the sort key: names and values as in the text."""

    pk: str
    value: str
    sk: str | None
    prefix: str | None
    low: str | None
    high: str | None

    def holds(self, item: Image, values: Image, names: Names) -> bool | None:
        """True if the item matches. None if an attribute is absent or not a string: MiniStack decides those."""
        try:
            if item[names[self.pk]]["S"] != values[self.value]["S"]:
                return False if self.sk is None else None
            if self.sk is None:
                return True
            key: str = item[names[self.sk]]["S"]
            if self.prefix is not None:
                return key.startswith(values[self.prefix]["S"])
            low, high = values[self.low or ""]["S"], values[self.high or ""]["S"]
            # A range in the wrong order is an error, whose text MiniStack has.
            return low <= key <= high if low <= high else None
        except KeyError:
            return None


@functools.lru_cache(KEPT)
def key_condition(text: str) -> KeyCondition | None:
    """Parse a condition as PynamoDB writes it; None for any other form."""
    found = _KEY_CONDITION.fullmatch(text)
    if found is None or text.startswith("(") != text.endswith(")"):
        return None
    sk = found["sk"] or found["in"]
    return KeyCondition(found["pk"], found["is"], sk, found["prefix"], found["low"], found["high"])


def whole_attributes(item: Image, text: str, names: Names) -> dict[str, Mapping[str, Any]] | None:
    """The attributes that a projection keeps; None unless it consists of different aliases of whole attributes."""
    wanted = [names.get(alias) for alias in _aliases(text)]
    if not wanted or None in wanted or len(set(wanted)) < len(wanted):
        return None
    return {name: item[name] for name in wanted if name is not None and name in item}


@functools.lru_cache(KEPT)
def _aliases(text: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in text.split(","))
    return parts if all(map(_ALIAS.fullmatch, parts)) else ()


def binary_length(value: Any) -> int | None:
    """The length in bytes of a base64 binary attribute; None for any other attribute."""
    text = value.get("B") if isinstance(value, dict) and len(value) == 1 else None
    if not isinstance(text, str) or len(text) % 4:
        return None
    return len(text) // 4 * 3 - text[-2:].count("=")
