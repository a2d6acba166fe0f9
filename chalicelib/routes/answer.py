"""Answers: the JSON form of shapes, and the one envelope of every error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from chalice.app import Response

from chalicelib.errors import (
    Conflict,
    DomainError,
    Forbidden,
    InvalidPayload,
    NotFound,
    PayloadTooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from chalicelib.storage.item import Page
from deardiary.shapes import to_json

_STATUS: dict[type[DomainError], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    PayloadTooLarge: 413,
    InvalidPayload: 422,
    TooManyRequests: 429,
    Unavailable: 503,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a view gives back; the payload is a shape, a container of shapes, or None for no body."""

    status: int
    payload: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def ok(payload: Any) -> Answer:
    return Answer(200, payload)


def created(payload: Any, *, new: bool = True) -> Answer:
    """200 when the request found what an earlier one had made."""
    return Answer(201 if new else 200, payload)


def deleted(*, finished: bool = True) -> Answer:
    """202 while the rest is being removed."""
    return Answer(204) if finished else Answer(202, {})


def listed(page: Page[Any]) -> Answer:
    return Answer(200, {"data": page.data, "next_cursor": page.next_cursor})


def refused(error: DomainError) -> Answer:
    status = next(code for kind, code in _STATUS.items() if isinstance(error, kind))
    details = dict(error.details)
    retry_after = details.pop("retry_after", None)
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Answer(status, _envelope(error.code, error.message, details), headers)


def failed() -> Answer:
    """For what nobody foresaw: the log knows more, the caller does not."""
    return Answer(500, _envelope("SERVER_ERROR", "Something went wrong here; the log has the details", {}))


def render(answer: Answer, headers: Mapping[str, str]) -> Response:
    body = b"" if answer.payload is None else msgspec.json.encode(to_json(answer.payload))
    # Text, for API Gateway passes bytes only as base64 with a binary content type.
    return Response(
        body=body.decode(),
        status_code=answer.status,
        headers={"Content-Type": "application/json", "Cache-Control": "no-store", **headers, **answer.headers},
    )


def _envelope(code: str, message: str, details: dict[str, Any]) -> dict[str, Any]:
    return {"code": code, "message": message} | ({"details": details} if details else {})
