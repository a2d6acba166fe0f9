"""Answers: the JSON form of shapes, and the one envelope of every error."""

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
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from chalicelib.paging import Page
from deardiary.wire.form import to_json

T = TypeVar("T")

# Lambda's answers have 6 MB at most, headers and all.
MAX_ANSWER_BYTES = 5_900_000

_STATUS: dict[type[DomainError], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    PayloadTooLarge: 413,
    RangeNotSatisfiable: 416,
    InvalidPayload: 422,
    TooManyRequests: 429,
    Unavailable: 503,
}


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a view gives back; the payload is a shape, a container of shapes, or None for no body.

    The type of the payload is what the OpenAPI document says of the route. `raw` is for a long one: the same as lists,
    mappings and structs that are ready for JSON, or the JSON.
    """

    status: int
    payload: T | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, Any] | msgspec.Raw | None = None


def ok(payload: T) -> Answer[T]:
    return Answer(200, payload)


def created(payload: T, *, new: bool = True) -> Answer[T]:
    """200 when the request found what an earlier one had made."""
    return Answer(201 if new else 200, payload)


def deleted(*, finished: bool = True, freed_bytes: int | None = None) -> Answer[None]:
    """202 while the rest is being removed. What a 204 says of the artifact bytes that are gone, it says in a header."""
    headers = {} if freed_bytes is None else {"X-Freed-Bytes": str(freed_bytes)}
    return Answer(204 if finished else 202, None, headers)


def listed(page: Page[T]) -> Answer[Page[T]]:
    return Answer(200, page)


def refused(error: DomainError) -> Answer[Any]:
    status = next(code for kind, code in _STATUS.items() if isinstance(error, kind))
    details = dict(error.details)
    retry_after = details.pop("retry_after", None)
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    if isinstance(error, RangeNotSatisfiable):
        headers["Content-Range"] = f"bytes */{details['size_bytes']}"
    return Answer(status, _envelope(error.code, error.message, details), headers)


def failed() -> Answer[Any]:
    """For what nobody foresaw: the log knows more, the caller does not."""
    return Answer(500, _envelope("SERVER_ERROR", "Something went wrong here; the log has the details", {}))


def render(answer: Answer[Any], headers: Mapping[str, str]) -> Response:
    if isinstance(answer.payload, bytes):
        binary: dict[str, str | list[str]] = {"Content-Type": "application/octet-stream", **headers, **answer.headers}
        return Response(body=answer.payload, status_code=answer.status, headers=binary)
    body = encode(answer)
    # Text, for API Gateway passes bytes only as base64 with a binary content type.
    return Response(
        body=body.decode(),
        status_code=answer.status,
        headers={"Content-Type": "application/json", "Cache-Control": "no-store", **headers, **answer.headers},
    )


def encode(answer: Answer[Any]) -> bytes:
    """The JSON of an answer, empty where it has no body."""
    content = to_json(answer.payload) if answer.raw is None else answer.raw
    return b"" if content is None else msgspec.json.encode(content)


def size_in_lambda(body: bytes) -> int:
    """The bytes of a body on its way out of the function, as a text within a JSON that is ASCII; at most, if few."""
    if 3 * len(body) <= MAX_ANSWER_BYTES:
        return 3 * len(body)
    if body.isascii():
        return len(body) + body.count(b'"') + body.count(b"\\")
    return len(json.dumps(body.decode()))


def rows_of(answer: Answer[Page[Any]]) -> int:
    """How many rows a list's answer has."""
    if isinstance(answer.raw, Mapping):
        return len(answer.raw["data"])
    return len(answer.payload.data) if answer.payload else 0


def _envelope(code: str, message: str, details: dict[str, Any]) -> dict[str, Any]:
    return {"code": code, "message": message} | ({"details": details} if details else {})
