"""Parse requests of MLflow: query strings, and bodies in the JSON form of protocol buffers.

Numbers may be texts, null means absent, and unknown fields are ignored. An error names the parameter as MLflow does.
"""

from __future__ import annotations

import json
import math
import re
import typing
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from chalicelib.errors import InvalidPayload, PayloadTooLarge
from chalicelib.routes.mlflow import limits as protocol
from chalicelib.routes.mlflow.errors import SEE_DOCS, invalid, missing
from deardiary.wire import limits

S = TypeVar("S", bound=Struct)

# An empty text counts as absent.
Required = Annotated[str, Meta(min_length=1)]
Int64 = Annotated[int, Meta(ge=protocol.MIN_INT64, le=protocol.MAX_INT64)]

_FORM = re.compile(r"^(?P<problem>.*?)(?: - at (?:`key` in )?`\$?\.?(?P<path>[^`]*)`)?$", re.DOTALL)
_ABSENT = re.compile(r"Object missing required field `([^`]*)`")
_EMPTY = re.compile(r"Expected `str` of length >= 1|.*got `null`")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


class Body(Struct, kw_only=True):
    """The base of every body. Its fields have the names of MLflow's messages."""


class Query(Struct, kw_only=True):
    """The base of every query string."""


class RunBody(Body):
    """The base of every body, and query string, about one run."""

    run_id: str = ""
    # Its name in old versions of MLflow.
    run_uuid: str = ""

    @property
    def id(self) -> str:
        """The id of the run. InvalidPayload without one."""
        if not (self.run_id or self.run_uuid):
            raise missing("run_id")
        return self.run_id or self.run_uuid


def body(kind: type[S], raw: bytes) -> S:
    if len(raw) > limits.MAX_BODY_BYTES:
        raise PayloadTooLarge(f"A body has at most {limits.MAX_BODY_BYTES} bytes")
    try:
        return msgspec.json.decode(raw or b"{}", type=kind, strict=False)
    except msgspec.ValidationError:
        return _convert(kind, _without_nulls(_plain(raw)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _convert(kind, _without_nulls(_plain(raw)))


def query(kind: type[S], parameters: Mapping[str, list[str]]) -> S:
    lists = {field.name for field in msgspec.structs.fields(kind) if typing.get_origin(field.type) is list}
    return _convert(kind, {name: given if name in lists else given[0] for name, given in parameters.items()})


def number(value: float) -> float | str:
    """A number in an answer: those that JSON lacks are texts."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _convert(kind: type[S], sent: Any) -> S:
    try:
        return msgspec.convert(sent, kind, strict=False)
    except msgspec.ValidationError as error:
        # MLflow checks the run first, whatever else is wrong.
        if issubclass(kind, RunBody) and isinstance(sent, dict) and not (sent.get("run_id") or sent.get("run_uuid")):
            raise missing("run_id") from None
        raise _invalid(str(error), sent) from None


def _plain(raw: bytes) -> Any:
    """The JSON as dicts and lists. Old clients send it as a text that holds JSON. Refuse texts that are not Unicode."""
    try:
        found = json.loads(raw or b"{}")
        found = json.loads(found) if isinstance(found, str) else found
        json.dumps(found, ensure_ascii=False).encode()
        return found
    except (ValueError, RecursionError):
        raise InvalidPayload(f"The body is not valid JSON. {SEE_DOCS}", field="body") from None


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def _invalid(message: str, sent: Any) -> InvalidPayload:
    form = _FORM.match(message)
    problem, path = (form["problem"], form["path"] or "") if form else (message, "")
    absent = _ABSENT.match(problem)
    if absent:
        return missing(f"{path}.{absent[1]}".removeprefix("."))
    if _EMPTY.match(problem):
        return missing(path)
    value = _value_of(sent, path)
    return invalid(path or "body", value, f" Hint: Value was of type '{type(value).__name__}'. {SEE_DOCS}")


def _value_of(sent: Any, path: str) -> Any:
    """The value at a path such as `metrics[3].value`; an object itself where the path has no more steps to name."""
    for name, index in _STEP.findall(path):
        try:
            sent = sent[int(index)] if index else sent[name]
        except (KeyError, IndexError, TypeError):
            return sent
    return sent
