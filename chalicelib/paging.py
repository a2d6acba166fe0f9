"""Pages of lists, from storage through services to routes, and the cursors to their next pages."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from chalicelib.errors import InvalidPayload

T = TypeVar("T")

Cursor = str

_CHECK_BYTES = 6
_LONGEST_SORT_KEY = 1024


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Part of a list, and the cursor to the next page, None at the end."""

    data: list[T]
    next_cursor: Cursor | None


class HasId(Protocol):
    @property
    def id(self) -> str: ...


HasIdT = TypeVar("HasIdT", bound=HasId)


def page_by_id(everything: Iterable[HasIdT], scope: str, limit: int, cursor: Cursor | None) -> Page[HasIdT]:
    """Cut a page, in the order of ids, from a list in memory. `scope` tells its cursors from those of other lists."""
    of, after = (scope, "") if cursor is None else decode_cursor(cursor, 2)
    if of != scope:
        raise bad_cursor()
    left = sorted((each for each in everything if each.id > after), key=lambda each: each.id)
    return Page(left[:limit], encode_cursor(scope, left[limit - 1].id) if len(left) > limit else None)


def encode_cursor(*position: str) -> Cursor:
    """Encode a position in a list as an opaque text."""
    data = json.dumps(position).encode()
    return base64.urlsafe_b64encode(_check(data) + data).decode().rstrip("=")


def decode_cursor(cursor: Cursor, length: int) -> Sequence[str]:
    """Decode a position. InvalidPayload unless the cursor is intact and has `length` parts."""
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars="-_", validate=True)
        position = json.loads(data[_CHECK_BYTES:]) if _check(data[_CHECK_BYTES:]) == data[:_CHECK_BYTES] else None
    except (binascii.Error, ValueError, RecursionError):
        raise bad_cursor() from None
    if not (isinstance(position, list) and len(position) == length and all(map(_is_valid_part, position))):
        raise bad_cursor()
    return position


def _check(data: bytes) -> bytes:
    """Checksum that detects a damaged cursor; it is no protection against forgery."""
    return hashlib.blake2s(data, digest_size=_CHECK_BYTES).digest()


def bad_cursor() -> InvalidPayload:
    return InvalidPayload("This cursor is damaged or belongs to another list", field="cursor")


def _is_valid_part(part: object) -> bool:
    """True if the part can be a sort key, an id or a number; DynamoDB would reject other texts."""
    return isinstance(part, str) and part.isascii() and len(part) <= _LONGEST_SORT_KEY
