"""Requests to the provider: JSON over https, without redirects, with bounds for size and time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from chalicelib import config
from chalicelib.errors import Unavailable

MAX_BYTES = 512 * 1024
# A sign-in makes at most five requests, within the 29 seconds of the gateway.
TIMEOUT_SECONDS = 5


class Refused(Exception):
    """The provider answered with 4xx. `code` is its error code, such as invalid_grant."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.code = code


class _NoRedirects(HTTPRedirectHandler):
    """Follow none: another host must not answer in place of the provider."""

    def redirect_request(self, *_: Any) -> None:
        return None


_opener = build_opener(_NoRedirects)


def fetch_json(url: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None) -> Any:
    """GET a document, or POST a form. Refused for a 4xx, Unavailable if there is no usable answer."""
    if not config.is_safe_url(url, in_lambda=config.settings().in_lambda):
        raise Unavailable("The sign-in provider names an address that is not https", retry_after=60)
    body = None if form is None else urlencode(form).encode()
    request = Request(url, body, {"Accept": "application/json", **(headers or {})})  # noqa: S310 - checked above
    try:
        with _opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            return _parse(answer.read(MAX_BYTES + 1))
    except HTTPError as error:
        with error:
            raise _refusal(error) from None
    except (URLError, OSError, ValueError):
        raise Unavailable("The sign-in provider does not answer as it should", retry_after=5) from None


def _parse(body: bytes) -> Any:
    if len(body) > MAX_BYTES:
        raise ValueError("too long")
    return json.loads(body)


def _refusal(error: HTTPError) -> Exception:
    if not 400 <= error.code < 500:
        return Unavailable("The sign-in provider does not answer as it should", retry_after=5)
    try:
        code = _parse(error.read(MAX_BYTES + 1))["error"]
    except (OSError, ValueError, LookupError, TypeError):
        code = None
    return Refused(error.code, code if isinstance(code, str) else "unknown")
