"""Faster replacements for MiniStack's slow parts of a Query over thousands of items; its answers stay the same.

A Query reads and sorts its whole partition: here it sees only the items that its page can hold. For every item
MiniStack parses the text of the condition again, searches that text for conditions that only compare two strings,
compares all names of a projection with each other, and measures the item again for the page size, decoding binaries for
their length. It copies items by `copy.deepcopy`, which keeps a note of every string. It writes JSON in Python. For a
range of an object it reads the whole object. It compares a presigned request with the patterns of all services.
"""

from __future__ import annotations

import functools
import mmap
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import msgspec
from ministack import app
from ministack.core.responses import JSON_1_0_CONTENT_TYPE
from ministack.services import dynamodb, s3

from infra.emulator.items import ABOVE, ItemDatabase, StoredItem, Window, copied

KEPT = 1000
_KEY_CONDITION = re.compile(
    r"\(?(?P<pk>#\w+) = (?P<is>:\w+)(?: AND (?:begins_with \((?P<sk>#\w+), (?P<prefix>:\w+)\)"
    r"|(?P<in>#\w+) BETWEEN (?P<low>:\w+) AND (?P<high>:\w+)))?\)?"
)
_ALIAS = re.compile(r"#\w+")

Image = Mapping[str, Mapping[str, Any]]
Names = Mapping[str, str]


def install_speedups(database: ItemDatabase) -> None:
    """Install these replacements in MiniStack, once, before it serves."""
    _speed_up_evaluation(database)
    dynamodb._query = windowed(dynamodb._query, database)  # noqa: SLF001
    dynamodb._item_size_bytes = sizes(dynamodb._item_size_bytes)  # noqa: SLF001
    dynamodb.json_response = json_response
    dynamodb.copy = SimpleNamespace(deepcopy=copied)
    app.detect_service = presigned(app.detect_service)
    s3._get_object = ranged(s3._get_object)  # noqa: SLF001


def _speed_up_evaluation(database: ItemDatabase) -> None:
    tokenize, size_of = functools.lru_cache(KEPT)(dynamodb._tokenize), dynamodb._attribute_value_size  # noqa: SLF001
    evaluate, project = dynamodb._evaluate_condition, dynamodb._project_item  # noqa: SLF001

    def tokens_of(expression: str) -> list[Any]:
        return list(tokenize(expression))

    def size(value: Any) -> Any:
        length = length_of(value)
        return size_of(value) if length is None else length

    def holds(text: str, item: Image, values: Image, names: Names, slot: str = "ConditionExpression") -> Any:
        if database.window is not None and slot == "KeyConditionExpression" and type(item) is StoredItem:
            return True
        condition = key_condition(text) if slot == "KeyConditionExpression" else None
        answer = condition.holds(item, values, names) if condition else None
        return evaluate(text, item, values, names, slot) if answer is None else answer

    def projected(item: Image, text: str, names: Names) -> Any:
        found = whole_attributes(item, text, names)
        return project(item, text, names) if found is None else found

    dynamodb._tokenize, dynamodb._attribute_value_size = tokens_of, size  # noqa: SLF001
    dynamodb._condition_syntax_error = functools.lru_cache(KEPT)(dynamodb._condition_syntax_error)  # noqa: SLF001
    dynamodb._evaluate_condition, dynamodb._project_item = holds, projected  # noqa: SLF001


def windowed(query: Callable[[Any], Any], database: ItemDatabase) -> Callable[[Any], Any]:
    """A Query that sees only the items of its window: all of them match, in their order, after the start."""
    # By the names of MiniStack's functions. A stable sort by equal keys changes nothing.
    done_already: dict[str, Callable[..., Any]] = {
        "_sort_key_value": lambda _attribute, _type: 0,
        "_apply_exclusive_start_key": lambda items, *_, **__: items,
    }

    def query_in_window(request: dict[str, Any]) -> Any:
        database.window = window_of(request)
        if database.window is None:
            return query(request)
        replaced = {name: getattr(dynamodb, name) for name in done_already}
        vars(dynamodb).update(done_already)
        try:
            return query(request)
        finally:
            vars(dynamodb).update(replaced)
            database.window = None

    return query_in_window


def sizes(measure: Callable[[Image], int]) -> Callable[[Image], int]:
    """The size of a stored item is known."""
    return lambda item: item.size if type(item) is StoredItem else measure(item)


def ranged(get_object: Callable[..., Any]) -> Callable[..., Any]:
    """A GetObject that maps the object's file into memory, if only a part of it is requested."""
    read_whole = s3._read_body  # noqa: SLF001

    def map_body(bucket: str, key: str, obj: Mapping[str, Any]) -> Any:
        path = s3._object_disk_path(bucket, key)  # noqa: SLF001
        if obj.get("body") is not None or path is None or not obj["size"]:
            return read_whole(bucket, key, obj)
        with open(path, "rb") as file:  # noqa: PTH123 - a path of MiniStack
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def get(bucket: str, key: str, headers: Mapping[str, str], query: Any = None) -> Any:
        if not headers.get("range", "").startswith("bytes="):
            return get_object(bucket, key, headers, query)
        s3._read_body = map_body  # noqa: SLF001
        try:
            status, answer_headers, body = get_object(bucket, key, headers, query)
        finally:
            s3._read_body = read_whole  # noqa: SLF001
        return status, answer_headers, body[:]

    return get


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

    def bounds(self, values: Image) -> tuple[bytes, bytes]:
        """The sort keys from the first to below the second. KeyError for values that are not strings."""
        if self.prefix is not None:
            prefix = values[self.prefix]["S"].encode()
            return prefix, prefix + ABOVE
        if self.low is None or self.high is None:
            return b"", ABOVE
        return values[self.low]["S"].encode(), values[self.high]["S"].encode() + b"\0"


def window_of(request: Mapping[str, Any]) -> Window | None:
    """The part of the partition that a Query can return; None if its condition has another form or other types."""
    condition = key_condition(request.get("KeyConditionExpression") or "")
    if condition is None or request.get("IndexName"):
        return None
    values, start = request.get("ExpressionAttributeValues", {}), request.get("ExclusiveStartKey")
    forward = request.get("ScanIndexForward", True) is not False
    try:
        low, high = condition.bounds(values)
        if start:
            pk = request["ExpressionAttributeNames"][condition.pk]
            (cursor,) = (each["S"].encode() for name, each in start.items() if name != pk)
            low, high = (max(low, cursor + b"\0"), high) if forward else (low, min(high, cursor))
        limit = request.get("Limit")
        return Window(low, high, forward, None if limit is None else int(limit))
    except (KeyError, TypeError, ValueError, AttributeError):
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
    wanted = _wanted(text, tuple(names.items()))
    return None if wanted is None else {name: item[name] for name in wanted if name in item}


@functools.lru_cache(KEPT)
def _wanted(text: str, names: tuple[tuple[str, str], ...]) -> tuple[str, ...] | None:
    known = dict(names)
    wanted = tuple(known.get(alias, "") for alias in _aliases(text))
    return None if not wanted or "" in wanted or len(set(wanted)) < len(wanted) else wanted


@functools.lru_cache(KEPT)
def _aliases(text: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in text.split(","))
    return parts if all(map(_ALIAS.fullmatch, parts)) else ()


def length_of(value: Any) -> int | None:
    """The length in bytes of a string or a base64 binary; None for any other attribute."""
    if not isinstance(value, dict) or len(value) != 1:
        return None
    text = value.get("S")
    if isinstance(text, str):
        return len(text.encode())
    text = value.get("B")
    if not isinstance(text, str) or len(text) % 4:
        return None
    return len(text) // 4 * 3 - text[-2:].count("=")


def presigned(detect: Callable[..., str]) -> Callable[..., str]:
    """The service of a request; a URL that is presigned for S3 names it."""

    def detect_quickly(method: str, path: str, headers: Mapping[str, str], query: Mapping[str, Any]) -> str:
        scope = str((query.get("X-Amz-Credential") or ("",))[0])
        is_for_s3 = scope.endswith("/s3/aws4_request") and headers.keys().isdisjoint(("authorization", "x-amz-target"))
        return "s3" if is_for_s3 else detect(method, path, headers, query)

    return detect_quickly
