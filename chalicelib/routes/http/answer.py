"""Answers: JSON of shapes, text or bytes; the error form of the API; and ETags."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec
from chalice.app import Response

from chalicelib.errors import (
    Conflict,
    DomainError,
    Forbidden,
    InvalidPayload,
    NotFound,
    PayloadTooLarge,
    RangeNotSatisfiable,
    ServerError,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from chalicelib.paging import Page
from deardiary.wire.form import to_json

T = TypeVar("T")

# An answer of Lambda has at most 6 MB, headers included.
MAX_ANSWER_BYTES = 5_900_000
JSON, BINARY = "application/json", "application/octet-stream"

_STATUS: dict[type[DomainError], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    PayloadTooLarge: 413,
    RangeNotSatisfiable: 416,
    InvalidPayload: 422,
    TooManyRequests: 429,
    ServerError: 500,
    Unavailable: 503,
}
# RFC 9110, section 15.4.5: the headers that a 304 repeats. `render` adds the ETag.
_OF_304 = {"cache-control", "content-location", "expires", "vary"}


class TooManyRows(Exception):
    """A page of fewer rows must be made: of these rows the answer would be far too long."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"at most {limit} rows fit")
        self.limit = limit


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """The return value of a view.

    The payload is a shape, a container of shapes, or None for no body; with a media type other than JSON it is text or
    bytes. The OpenAPI document takes the payload's type from the view's annotation. `raw` replaces the payload of a
    long answer: lists, mappings and structs that are ready for JSON, or the JSON itself. `etag` has no quotes.
    """

    status: int
    payload: T | None = None
    headers: Mapping[str, str | list[str]] = field(default_factory=dict)
    raw: Mapping[str, Any] | msgspec.Raw | None = None
    media_type: str = JSON
    etag: str | None = None


def ok(payload: T) -> Answer[T]:
    return Answer(200, payload)


def created(payload: T, *, new: bool = True) -> Answer[T]:
    """201, or 200 if an earlier request created the object."""
    return Answer(201 if new else 200, payload)


def deleted(*, finished: bool = True, freed_bytes: int | None = None) -> Answer[None]:
    """204, or 202 while the sweep removes the rest. A header says how many artifact bytes are gone."""
    headers = {} if freed_bytes is None else {"X-Freed-Bytes": str(freed_bytes)}
    return Answer(204 if finished else 202, None, headers)


def listed(page: Page[T]) -> Answer[Page[T]]:
    return Answer(200, page)


def refused(error: DomainError) -> Answer[Any]:
    """The error form of the API: code, message and, where there are some, details."""
    details = dict(error.details)
    details.pop("retry_after", None)
    envelope = {"code": error.code, "message": error.message} | ({"details": details} if details else {})
    return Answer(status_of(error), envelope, error_headers(error))


def status_of(error: DomainError) -> int:
    return next(code for kind, code in _STATUS.items() if isinstance(error, kind))


def error_headers(error: DomainError) -> dict[str, str]:
    headers = {}
    if "retry_after" in error.details:
        headers["Retry-After"] = str(error.details["retry_after"])
    if isinstance(error, RangeNotSatisfiable):
        headers["Content-Range"] = f"bytes */{error.details['size_bytes']}"
    return headers


def unless_matched(answer: Answer[Any], if_none_match: str | None) -> Answer[Any]:
    """The answer to a GET, or 304 if the client has it already (RFC 9110, section 13.1.2: weak comparison)."""
    if if_none_match is None or answer.etag is None or not 200 <= answer.status < 300:
        return answer
    known = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    if not known & {"*", f'"{answer.etag}"'}:
        return answer
    headers = {name: value for name, value in answer.headers.items() if name.lower() in _OF_304}
    return Answer(304, None, headers, etag=answer.etag)


def render(answer: Answer[Any], headers: Mapping[str, str]) -> Response:
    content = _content(answer)
    own: dict[str, str | list[str]] = {} if answer.status == 304 else {"Content-Type": answer.media_type}
    own["Cache-Control"] = "no-store" if answer.etag is None else "private, no-cache"
    if answer.etag is not None:
        own["ETag"] = f'"{answer.etag}"'
    return Response(body=content, status_code=answer.status, headers={**own, **headers, **answer.headers})


def _content(answer: Answer[Any]) -> str | bytes:
    """The body. JSON as text, for API Gateway passes bytes only as base64 with a binary media type."""
    if answer.media_type == JSON:
        return encode(answer).decode()
    body: str | bytes = answer.payload or ""
    return body


def encode(answer: Answer[Any]) -> bytes:
    """The JSON of an answer, empty if it has no body."""
    content = to_json(answer.payload) if answer.raw is None else answer.raw
    return b"" if content is None else msgspec.json.encode(content)


def size_in_lambda(body: bytes) -> int:
    """The size of a body in the function's answer: a text within ASCII JSON. For a small body an upper bound."""
    if 3 * len(body) <= MAX_ANSWER_BYTES:
        return 3 * len(body)
    if body.isascii():
        return len(body) + body.count(b'"') + body.count(b"\\")
    return len(json.dumps(body.decode()))


def rows_of(answer: Answer[Any]) -> int:
    """The number of rows in the answer to a list; a table of columns has `ids`."""
    if isinstance(answer.raw, Mapping):
        return len(answer.raw["data"] if "data" in answer.raw else answer.raw["ids"])
    return len(answer.payload.data) if answer.payload else 0
