"""The rules of MLflow for keys and values, with its messages."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from datetime import datetime

from chalicelib import clock
from chalicelib.errors import InvalidPayload
from chalicelib.routes.mlflow import limits
from chalicelib.routes.mlflow.errors import invalid, missing, refuse

_KEY = re.compile(r"[/\w.\- :]*")
_BAD_CHARACTERS = (
    "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes"
    " (/)."
)
_ID = re.compile(r"[0-9a-z.]{1,128}")


def is_id(text: str) -> bool:
    """True if the server can have created this id: no other text may become a key of the table."""
    return _ID.fullmatch(text) is not None


def check_key(key: str | None, path: str) -> str:
    """The key of a metric, param or tag. InvalidPayload for one that could not be a path."""
    if not key:
        raise missing(path)
    if not _KEY.fullmatch(key):
        raise invalid(path, key, _BAD_CHARACTERS)
    normal = posixpath.normpath(key)
    if normal != key or normal == "." or normal.startswith(("..", "/")):
        hint = (
            "Names may be treated as files in certain cases, and must not resolve to other names when treated as such."
        )
        raise invalid(path, key, f"{hint} This name would resolve to {normal!r}")
    return key


def check_length(name: str, text: str, most: int) -> str:
    if len(text) > most:
        raise InvalidPayload(f"'{name}' exceeds the maximum length of {most} characters", field=name)
    return text


def check_number(what: str, number: int, most: int) -> None:
    if number > most:
        refuse(
            f"A batch logging request can contain at most {most} {what}. Got {number} {what}. Please split up {what}"
            " across multiple requests and try again."
        )


def check_unique(keys: Sequence[str]) -> None:
    """InvalidPayload if a request has several params of one key."""
    repeated = [key for index, key in enumerate(keys) if key in keys[:index]]
    if repeated:
        refuse(
            f"Duplicate parameter keys have been submitted: {repeated}. Please ensure the request contains only one"
            " param value per param key.",
            "params",
        )


def time_of(milliseconds: int, parameter: str) -> datetime:
    """InvalidPayload for a time before 1970 or after the year 9999."""
    if not 0 <= milliseconds <= limits.MAX_TIME_MS:
        raise invalid(parameter, milliseconds, "Expected a time in milliseconds since 1970, until the year 9999")
    return clock.from_milliseconds(milliseconds)
