"""Pages of lists in memory, by the sort key of the last row, and MLflow's rules for their sizes and tokens."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, TypeVar

import msgspec

from chalicelib.errors import InvalidPayload
from chalicelib.paging import decode_cursor, encode_cursor
from chalicelib.routes.http.answer import MAX_ANSWER_BYTES, Answer
from chalicelib.routes.mlflow.errors import invalid

T = TypeVar("T")
Key = tuple[str, ...]
# Of the rows of an answer as JSON. Lambda encodes it once more: quotes and letters outside of ASCII grow.
MAX_ROWS_BYTES = MAX_ANSWER_BYTES // 3


def scope_of(*texts: str) -> str:
    """A text that tells the tokens of one list from those of others."""
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:24]


def check_size(name: str, given: int | None, default: int, most: int) -> int:
    """The number of rows of a page. InvalidPayload if it is not between 1 and `most`."""
    size = default if given is None else given
    if not 1 <= size <= most:
        raise invalid(name, size, f"It must be a positive integer of at most {most}.")
    return size


def cut(
    rows: Sequence[tuple[Key, T]], size: int, scope: str, token: str | None, width: int
) -> tuple[list[tuple[Key, T]], bool]:
    """The rows after the token, in the order of their keys, and True if more follow. A key has `width` parts."""
    left = after(rows, scope, token, width, itemgetter(0))
    return list(left[:size]), len(left) > size


def after(rows: Sequence[T], scope: str, token: str | None, width: int, key: Callable[[T], Key]) -> Sequence[T]:
    """The rows after the token, which are in the order of `key`. It is called for few of them."""
    return rows[bisect_right(rows, _position(scope, token, width), key=key) :] if token else rows


def token_after(scope: str, key: Key) -> str:
    return encode_cursor(scope, *key)


def answer(
    name: str, rows: Sequence[tuple[Key, T]], form: Callable[[T], dict[str, Any]], scope: str, *, more: bool
) -> Answer[dict[str, Any]]:
    """The answer of a page. It ends early, with a token, where the answer would become too long."""
    shown: list[msgspec.Raw] = []
    size = 0
    for index, (_, row) in enumerate(rows):
        text = msgspec.json.encode(form(row))
        size += len(text)
        if size > MAX_ROWS_BYTES and index:
            return Answer(200, raw={name: shown, "next_page_token": token_after(scope, rows[index - 1][0])})
        shown.append(msgspec.Raw(text))
    return Answer(200, raw={name: shown} | ({"next_page_token": token_after(scope, rows[-1][0])} if more else {}))


def _position(scope: str, token: str, width: int) -> Key:
    try:
        of, *position = decode_cursor(token, 1 + width)
    except InvalidPayload:
        raise _bad_token() from None
    if of != scope:
        raise _bad_token()
    return tuple(position)


def _bad_token() -> InvalidPayload:
    return InvalidPayload("Invalid page token, could not base64-decode", field="page_token")
