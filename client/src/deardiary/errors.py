"""The exceptions of this client, and their creation from unsuccessful answers.

ClientError
├── Unauthorized       401: not signed in, or the token is not valid
├── Forbidden          403: a permission is missing
├── NotFound           404: the object does not exist, or is not visible to the caller
├── Conflict           409: the request conflicts with the stored state
├── Invalid            400, 413, 422: the request is malformed, too large, or breaks a rule
├── Overloaded         429, 503: try again later
└── ConnectionFailed   no answer came

An error of another kind, such as a proxy's page or the artifact store's refusal, is a ClientError itself.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from deardiary.terminal import printable

# API Gateway itself answers a request that does not reach the function, with a message and no code.
_CODES = {
    404: "NOT_FOUND",
    429: "TOO_MANY_REQUESTS",
    500: "SERVER_ERROR",
    503: "UNAVAILABLE",
}
# Codes of requests that DearDiary or its store will never accept.
REFUSALS = ("CONFLICT", "INVALID_PAYLOAD", "PAYLOAD_TOO_LARGE", "STORE_REFUSED")
# Codes of requests that the client itself refuses to send; a retry would fail in the same way.
STORE_FORBIDDEN = "STORE_FORBIDDEN"
FILE_CHANGED = "FILE_CHANGED"
NOT_SENT = (STORE_FORBIDDEN, FILE_CHANGED, "URL_INVALID", "REQUEST_INVALID", "PROXY_UNSUPPORTED")
NOT_OURS = "ANSWER_INVALID"  # an answer neither of DearDiary nor of the API Gateway in front of it
NOT_THERE = (NOT_OURS, "UNKNOWN_ROUTE")  # the URL answers, but is not DearDiary's API
_OF_OTHERS = (
    *NOT_THERE,
    "STORE_REFUSED",
    STORE_FORBIDDEN,
    "SECRET_UNREADABLE",
)  # answers that say nothing about the object in DearDiary
CONNECTION_FAILED = "CONNECTION_FAILED"
_NOT_LET_IN = (401, 403, 404)  # about the caller and the existence of the object
_DETOURS = (302, 303, 307)  # a portal or a proxy asks to sign in; DearDiary's API does not redirect
LONGEST_RETRY_AFTER = 600.0  # the client retries after this time even if the server asks for more
_UNKNOWN_ROUTE = "Missing Authentication Token"
_GATEWAY_FORBIDDEN = "Forbidden"  # of an unknown stage or domain, and of the firewall in front of it
_NO_SUCH_ROUTE = "There is no such route"


class ClientError(Exception):
    """The error that the server answered, or the reason for a missing answer.

    ``status`` is the HTTP status, 0 if no answer came. ``code`` is stable and for programs, ``message`` is for
    people, ``details`` is data of the error, such as the ``field`` that is wrong. ``ClientError(404, …)`` creates a
    `NotFound`, and so on.
    """

    def __new__(cls, status: int, code: str, *_rest: object) -> ClientError:
        """Create the subclass for the status and the code."""
        return super().__new__(_kind(status, code) if cls is ClientError else cls)

    def __init__(self, status: int, code: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(status, code, message, details)  # pickling needs all arguments
        self.status = status
        self.code = code
        self.message = message
        self.details: Mapping[str, Any] = details or {}

    @property
    def retry_after(self) -> float:
        """Seconds that the server asks the client to wait before a retry; 0 if it asks for none."""
        seconds = self.details.get("retry_after", 0)
        return float(max(0, min(LONGEST_RETRY_AFTER, seconds))) if isinstance(seconds, (int, float)) else 0.0

    @property
    def is_passing(self) -> bool:
        """True if the same request may succeed later: no answer, a foreign answer, or an overloaded server."""
        if self.code == NOT_OURS or self.status in _DETOURS:
            return True
        if self.status == 409:
            return "field" not in self.details  # without a field: a race between two writers
        if 400 <= self.status < 500 and self.status not in _NOT_LET_IN and self.code not in REFUSALS:
            return True  # 429, or the answer of a proxy
        return self.status < 300 or self.status >= 500

    @property
    def is_in_trash(self) -> bool:
        """True if the object is in the trash: the same request may succeed once it is restored."""
        return self.status == 404 and "trash_id" in self.details

    def __str__(self) -> str:
        field = self.details.get("field")
        where = f" (field: {field})" if field else ""
        return printable(f"{self.message}{where} [{self.status or 'no answer'} {self.code}]")


class Unauthorized(ClientError):
    """401: not signed in, or the token is not valid."""


class Forbidden(ClientError):
    """403: a permission is missing."""


class NotFound(ClientError):
    """404: the object does not exist, or is not visible to the caller."""


class Conflict(ClientError):
    """409: the request conflicts with the stored state."""


class Invalid(ClientError):
    """400, 413 or 422: the request is malformed, too large, or breaks a rule."""


class Overloaded(ClientError):
    """429 or 503: the same request may succeed later."""


class ConnectionFailed(ClientError):
    """No answer came."""


_KINDS: dict[int, type[ClientError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: Invalid,
    422: Invalid,
    429: Overloaded,
    503: Overloaded,
}


def _kind(status: int, code: str) -> type[ClientError]:
    if code == CONNECTION_FAILED:
        return ConnectionFailed
    return ClientError if code in _OF_OTHERS else _KINDS.get(status, ClientError)


def from_answer(status: int, headers: Mapping[str, str], body: bytes, url: str = "") -> ClientError:
    """The error for an answer of the API at ``url``, or of the API Gateway in front of it."""
    return _with_advice(_from_answer(status, headers, body), url)


def _with_advice(error: ClientError, url: str) -> ClientError:
    """The error with advice to the user if the URL is not the API's, or no token was sent."""
    parts = urlsplit(url)
    root = f"{parts.scheme}://{parts.netloc}"
    code, message = error.code, error.message
    if error.code == "TOKEN_MISSING":
        message = f"You are not signed in at {url}: `deardiary login {url}`, or set DEARDIARY_TOKEN"
    elif error.status == 403 and _is_without_stage(error, url):
        code = "UNKNOWN_ROUTE"
        message = f"{url} lacks the stage: a deployed URL has one, like {root}/api (`deardiary login {root}/api`)"
    elif url and error.code == "HTTP_403" and error.message == _GATEWAY_FORBIDDEN:
        message = f"API Gateway refused the request at {url}: the stage in the URL is wrong, or a firewall blocked it"
    elif error.status == 404 and error.message == _NO_SUCH_ROUTE and parts.path:
        message = f"There is no API at {url}: a local server has no {parts.path} (`deardiary login {root}`)"
    else:
        return error
    return ClientError(error.status, code, message, error.details)


def _is_without_stage(error: ClientError, url: str) -> bool:
    """True if API Gateway itself refuses because the path does not begin with a stage."""
    parts = urlsplit(url)
    is_gateways = error.code in ("UNKNOWN_ROUTE", "HTTP_403")
    return is_gateways and ".execute-api." in (parts.hostname or "") and not parts.path


def _from_answer(status: int, headers: Mapping[str, str], body: bytes) -> ClientError:
    if 300 <= status < 400:
        target = without_query(headers.get("location", "elsewhere"))
        return ClientError(status, "REDIRECTED", f"The server redirects to {target}; connect to its final URL")
    data = _json_object(body)
    if status in _NOT_LET_IN and data.keys().isdisjoint({"code", "message", "Message"}):
        message = f"A proxy or another server answered {status} in place of DearDiary; is the URL right?"
        return ClientError(status, NOT_OURS, message)
    code = data.get("code") or _CODES.get(status, f"HTTP_{status}")
    if status == 413 and data.get("message"):  # API Gateway's; without a message it is a proxy's, which may be passing
        code = "PAYLOAD_TOO_LARGE"
    message = data.get("message") or data.get("Message") or f"The server answered {status} without an explanation"
    if message == _UNKNOWN_ROUTE and "code" not in data:
        return ClientError(status, "UNKNOWN_ROUTE", "The API has no such route; does the URL name the stage (…/api)?")
    details = data.get("details")
    given = details if isinstance(details, dict) else {}
    asked = headers.get("retry-after", "")
    return ClientError(
        status, str(code), str(message), given | ({"retry_after": int(asked[:9])} if asked.isdecimal() else {})
    )


def from_store(status: int, body: bytes) -> ClientError:
    """The error for an answer of the artifact store, which is S3's XML."""
    text = body.decode("utf-8", "replace")
    code = re.search(r"<Code>([^<]*)</Code>", text)
    message = re.search(r"<Message>([^<]*)</Message>", text)
    reason = ": ".join(match[1] for match in (code, message) if match) or "no explanation"
    return ClientError(status, "STORE_REFUSED", f"The artifact store answered {status}: {reason}")


def connection_failed(url: str, cause: Exception) -> ClientError:
    """The error for a request to ``url`` without an answer."""
    message = f"No answer from {without_query(url)} ({reason_of(cause)})"
    if urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1"):
        message += "; is the server running? `make run` starts one, DEARDIARY_URL names another"
    return ClientError(0, CONNECTION_FAILED, message)


def reason_of(error: BaseException) -> str:
    """The error as text for people: "run.json: permission denied", not "[Errno 13] Permission denied: …"."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error) or type(error).__name__
    reason = error.strerror[:1].lower() + error.strerror[1:]
    return reason if error.filename is None else f"{os.fsdecode(error.filename)}: {reason}"


def without_query(url: str) -> str:
    """The URL for messages and logs: the query of a presigned URL is a credential."""
    return url.partition("?")[0]


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
