"""The errors of the server, as exceptions with stable codes.

This module does not know HTTP; `routes/http/answer.py` gives each exception a status.

DomainError
├── Unauthenticated            who are you?
│   ├── TokenMissing           TOKEN_MISSING
│   ├── TokenInvalid           TOKEN_INVALID
│   ├── TokenExpired           TOKEN_EXPIRED
│   ├── TokenPayloadInvalid    TOKEN_PAYLOAD_INVALID
│   └── InvalidCredentials     INVALID_CREDENTIALS
├── Forbidden                  not you
│   ├── AdminRequired          ADMIN_REQUIRED
│   ├── SameUserRequired       SAME_USER_REQUIRED
│   ├── PermissionRequired     PROJECT_PERMISSION_REQUIRED
│   ├── PasswordWrong          INVALID_CREDENTIALS
│   ├── SignInRefused          SIGN_IN_REFUSED
│   └── OriginForbidden        ORIGIN_FORBIDDEN
├── NotFound                   NOT_FOUND
├── Conflict                   CONFLICT
│   └── Overtaken              CONFLICT
├── PayloadTooLarge            PAYLOAD_TOO_LARGE
├── RangeNotSatisfiable        RANGE_NOT_SATISFIABLE
├── InvalidPayload             INVALID_PAYLOAD
│   └── NotSupported           INVALID_PAYLOAD
├── TooManyRequests            TOO_MANY_REQUESTS
├── ServerError                SERVER_ERROR
└── Unavailable                UNAVAILABLE
    └── DeadlinePassed         UNAVAILABLE, in `deadline.py`
"""

from __future__ import annotations

from typing import Any, TypeVar

E = TypeVar("E", "NotFound", "Conflict")


class DomainError(Exception):
    """Base of all errors that reach a caller. ``details`` is data for programs, ``message`` is for people."""

    code: str
    message: str

    def __init__(self, message: str | None = None, **details: Any) -> None:
        self.message = message or self.message
        self.details = details
        super().__init__(self.message)


def not_found(kind: str, object_id: str) -> NotFound:
    """The same error for an object that does not exist and for an object that the caller may not see."""
    return NotFound(f"{label(kind)} not found, or not visible to you", kind=kind, id=object_id)


def about(error: E, kind: str, object_id: str) -> E:
    """Return the error with this object in its details, unless it names one already."""
    if "kind" in error.details:
        return error
    message = error.message
    if message == NotFound.message:
        message = not_found(kind, object_id).message
    elif message == Conflict.message:
        message = f"{label(kind)} was changed by another request at the same time; try again"
    return type(error)(message, **{"kind": kind, "id": object_id, **error.details})


def label(kind: str) -> str:
    """The kind of an object, for people, at the beginning of a sentence."""
    named = {"modelversion": "Model version", "loggedmodel": "Logged model", "token": "API token"}
    return named.get(kind, kind.capitalize())


class Unauthenticated(DomainError):
    """The request does not name its sender, or does not prove it."""


class TokenMissing(Unauthenticated):
    code = "TOKEN_MISSING"
    message = "Send a token: 'Authorization: Bearer <token>'"


class TokenInvalid(Unauthenticated):
    code = "TOKEN_INVALID"
    message = "This token is not valid here"


class TokenExpired(Unauthenticated):
    code = "TOKEN_EXPIRED"
    message = "This token has expired; sign in again"


class TokenPayloadInvalid(Unauthenticated):
    code = "TOKEN_PAYLOAD_INVALID"
    message = "This token lacks a claim, or holds one of the wrong form"


class InvalidCredentials(Unauthenticated):
    code = "INVALID_CREDENTIALS"
    message = "Unknown username or wrong password"


class Forbidden(DomainError):
    """The sender is known and lacks the right to do this."""


class AdminRequired(Forbidden):
    code = "ADMIN_REQUIRED"
    message = "Only an admin may do this"


class SameUserRequired(Forbidden):
    code = "SAME_USER_REQUIRED"
    message = "Only this user or an admin may do this"


class PermissionRequired(Forbidden):
    """``details`` has the ``permission`` and the ``project_id`` if one permission is missing."""

    code = "PROJECT_PERMISSION_REQUIRED"
    message = "You lack the permission for this on the project"


class PasswordWrong(Forbidden):
    """The signed-in sender gave a wrong password. Not an Unauthenticated, which asks clients to sign in again."""

    code = "INVALID_CREDENTIALS"
    message = "This is not your present password"


class SignInRefused(Forbidden):
    """A sign-in is over: the message says why, for the person in front of the browser."""

    code = "SIGN_IN_REFUSED"
    message = "The sign-in was refused"


class OriginForbidden(Forbidden):
    """The request is from a foreign page, or from another machine to a server without sign-in."""

    code = "ORIGIN_FORBIDDEN"
    message = "Without sign-in this server answers to this machine only"


class NotFound(DomainError):
    """``details`` has ``kind`` and ``id`` of an object that may be named, even if it exists but is not visible."""

    code = "NOT_FOUND"
    message = "This is not here, or not visible to you"


class Conflict(DomainError):
    """``details`` names the object as those of `NotFound` do, and the ``field`` if one clashes."""

    code = "CONFLICT"
    message = "This clashes with what is there"


class Overtaken(Conflict):
    """Another request changed the row since it was read: read it again and retry (`retry.py`)."""


class PayloadTooLarge(DomainError):
    code = "PAYLOAD_TOO_LARGE"
    message = "The body is larger than this route accepts"


class RangeNotSatisfiable(DomainError):
    """The requested range has no bytes; ``details["size_bytes"]`` is the size of the whole."""

    code = "RANGE_NOT_SATISFIABLE"
    message = "There are no bytes in this range"


class InvalidPayload(DomainError):
    """The request has the wrong form or breaks a rule; ``details["field"]`` names the field, if there is one."""

    code = "INVALID_PAYLOAD"
    message = "The request is not valid"


class NotSupported(InvalidPayload):
    """The settings of this server rule the request out, whatever its values are."""


class TooManyRequests(DomainError):
    """``details["retry_after"]`` is in seconds."""

    code = "TOO_MANY_REQUESTS"
    message = "Too many attempts; wait before the next"


class ServerError(DomainError):
    """A fault of the server itself; its log has the cause, the caller does not."""

    code = "SERVER_ERROR"
    message = "The server failed; its log has the details"


class Unavailable(DomainError):
    """A backing service is overloaded; the same request may succeed later. ``details["retry_after"]`` in seconds."""

    code = "UNAVAILABLE"
    message = "The store is overloaded; try again shortly"
