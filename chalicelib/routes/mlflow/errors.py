"""Errors in the form of MLflow: `{"error_code", "message"}`, with its codes and statuses."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from chalicelib.errors import (
    Conflict,
    DomainError,
    Forbidden,
    InvalidPayload,
    NotFound,
    NotSupported,
    Overtaken,
    PayloadTooLarge,
    RangeNotSatisfiable,
    ServerError,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from chalicelib.routes.http.answer import Answer, error_headers

SEE_DOCS = "See the API docs for more information about request parameters."


class EndpointNotFound(NotFound):
    message = "There is no such endpoint here"


class UnsupportedFeature(DomainError):
    """A call of MLflow that this server does not offer."""

    code = "NOT_IMPLEMENTED"
    message = "This server does not offer that"


# The first kind that fits.
_FORMS: list[tuple[type[DomainError], str, int]] = [
    (EndpointNotFound, "ENDPOINT_NOT_FOUND", 404),
    (UnsupportedFeature, "NOT_IMPLEMENTED", 501),
    (NotSupported, "NOT_IMPLEMENTED", 501),
    (Unauthenticated, "UNAUTHENTICATED", 401),
    (Forbidden, "PERMISSION_DENIED", 403),
    (NotFound, "RESOURCE_DOES_NOT_EXIST", 404),
    # The client tries again, so that the concurrent change is seen.
    (Overtaken, "TEMPORARILY_UNAVAILABLE", 503),
    (Conflict, "RESOURCE_ALREADY_EXISTS", 400),
    (InvalidPayload, "INVALID_PARAMETER_VALUE", 400),
    (PayloadTooLarge, "INVALID_PARAMETER_VALUE", 413),
    (RangeNotSatisfiable, "INVALID_PARAMETER_VALUE", 416),
    (TooManyRequests, "REQUEST_LIMIT_EXCEEDED", 429),
    (Unavailable, "TEMPORARILY_UNAVAILABLE", 503),
    (ServerError, "INTERNAL_ERROR", 500),
]


def refused(error: DomainError) -> Answer[Any]:
    code, status = next((code, status) for kind, code, status in _FORMS if isinstance(error, kind))
    return Answer(status, {"error_code": code, "message": error.message}, error_headers(error))


def missing(parameter: str) -> InvalidPayload:
    return InvalidPayload(f"Missing value for required parameter '{parameter}'. {SEE_DOCS}", field=parameter)


def invalid(parameter: str, value: Any, hint: str = "") -> InvalidPayload:
    """The error for a value of a parameter, with a hint at the rule that it breaks."""
    shown = json.dumps(value, sort_keys=True, separators=(",", ":"))
    end = f": {hint}" if hint else "."
    return InvalidPayload(f"Invalid value {shown} for parameter '{parameter}' supplied{end}", field=parameter)


def refuse(message: str, parameter: str | None = None) -> NoReturn:
    """Raise the error INVALID_PARAMETER_VALUE with this message."""
    raise InvalidPayload(message, **({} if parameter is None else {"field": parameter}))
