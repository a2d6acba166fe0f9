"""Parse JSON bodies, query strings and ids into msgspec structs; errors name the field."""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeVar
from urllib.parse import unquote

import msgspec
from msgspec import UNSET, Meta, Struct

from chalicelib import clock
from chalicelib.errors import InvalidPayload, PayloadTooLarge, not_found
from chalicelib.limits import MAX_ALIAS_CHARACTERS, MAX_STATE_BYTES
from chalicelib.routes.http.problem import invalid, not_json, rule
from deardiary.wire import limits

S = TypeVar("S", bound=Struct)

Name = Annotated[str, Meta(min_length=1, max_length=limits.MAX_NAME_CHARACTERS)]
Text = Annotated[str, Meta(max_length=limits.MAX_TEXT_BYTES, description="At most 64 KiB in UTF-8")]
# No control characters. A lookahead, for `$` would accept a line feed at the end.
Key = Annotated[
    str,
    rule(
        r"^[^\x00-\x1f\x7f-\x9f]*(?![\s\S])",
        "no control characters",
        min_length=1,
        max_length=limits.MAX_KEY_CHARACTERS,
    ),
]
ParameterValue = Annotated[str, Meta(max_length=limits.MAX_PARAMETER_CHARACTERS)]
LabelValue = Annotated[str, Meta(max_length=limits.MAX_LABEL_CHARACTERS)]
ExperimentLabelValue = Annotated[str, Meta(max_length=limits.MAX_EXPERIMENT_LABEL_CHARACTERS)]
ModelLabelValue = Annotated[str, Meta(max_length=limits.MAX_MODEL_LABEL_CHARACTERS)]
_OF_NEW = Meta(max_length=limits.MAX_LABELS)
Labels = Annotated[dict[Key, LabelValue], _OF_NEW]
ExperimentLabels = Annotated[dict[Key, ExperimentLabelValue], _OF_NEW]
ModelLabels = Annotated[dict[Key, ModelLabelValue], _OF_NEW]
_OF_CHANGES = Meta(description="Labels to set. A null removes a label; all others stay")
LabelChanges = Annotated[dict[Key, LabelValue | None], _OF_CHANGES]
ExperimentLabelChanges = Annotated[dict[Key, ExperimentLabelValue | None], _OF_CHANGES]
ModelLabelChanges = Annotated[dict[Key, ModelLabelValue | None], _OF_CHANGES]
TagValue = Annotated[str, Meta(min_length=1, max_length=limits.MAX_TAG_CHARACTERS)]
# Of a new iteration, or of a change to many.
Tags = Annotated[list[TagValue], Meta(max_length=limits.MAX_BULK_TAGS)]
Time = Annotated[datetime, Meta(extra_json_schema={"format": "date-time"})]
Id = Annotated[str, Meta(min_length=1, max_length=limits.MAX_ID_CHARACTERS)]
IdKey = Id
# JSON that clients keep on the server, which does not look into it.
State = Annotated[dict[str, Any], Meta(description=f"A JSON object of at most {MAX_STATE_BYTES // limits.KIB} KiB")]

_MAX_LEVELS = 32  # of a state
# The rules of MLflow, so that both faces of the server accept the same aliases.
ALIAS = rf"[\w\-]{{1,{MAX_ALIAS_CHARACTERS}}}"
_RESERVED_ALIAS = re.compile(r"latest|v?\d+", re.IGNORECASE)

# In a path these are no ids.
_NAMES = {"alias", "asset", "path", "tag_key", "workspace"}
_ID = re.compile(rf"[0-9a-z.\-]{{1,{limits.MAX_ID_CHARACTERS}}}")


class Body(Struct, forbid_unknown_fields=True, kw_only=True):
    """The base of every request body; both limits are in bytes."""

    max_bytes: ClassVar[int] = limits.MAX_BODY_BYTES
    max_text_bytes: ClassVar[int] = limits.MAX_TEXT_BYTES

    def __post_init__(self) -> None:
        """Check the sizes in bytes: JSON Schema counts characters."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, str) and len(value.encode()) > self.max_text_bytes:
                raise InvalidPayload(f"{name} has at most {self.max_text_bytes} bytes in UTF-8", field=name)


class AnyObject(Body):
    """A body that is any JSON object, its `content`: data of the caller, which the server keeps as it is."""

    max_bytes: ClassVar[int] = MAX_STATE_BYTES

    content: State

    def __post_init__(self) -> None:
        check_state("body", self.content)


class Query(Struct, forbid_unknown_fields=True, kw_only=True):
    """The base of every query string."""


class AnyQuery(Struct):
    """The query of an operation that has none, in a face that ignores unknown fields."""


class DeletionQuery(Query):
    """The query of a deletion into the trash. True removes the object at once, for good."""

    purge: bool = False


class LimitedQuery(Query):
    """The query of a list of at most `limit` rows, and of fewer if they are long."""

    limit: Annotated[int, Meta(ge=1, le=limits.MAX_PAGE_ITEMS)] = 50


class PageQuery(LimitedQuery):
    """The query of a list that is read in pages."""

    cursor: str | None = None


def body(kind: type[S], raw: bytes) -> S:
    """Parse a body. InvalidPayload, naming the field, unless it is a JSON object of this struct."""
    most = kind.max_bytes if issubclass(kind, Body) else limits.MAX_BODY_BYTES
    if len(raw) > most:
        raise PayloadTooLarge(f"A body has at most {most} bytes on this route")
    try:
        # An empty body is an object without fields.
        if issubclass(kind, AnyObject):
            return kind(content=_object(raw or b"{}"))
        return msgspec.json.decode(raw or b"{}", type=kind)
    except RecursionError:
        raise InvalidPayload("The body is nested too deeply", field="body") from None
    except msgspec.ValidationError as error:
        raise invalid(error, kind, lambda: _plain(raw)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise not_json(error) from None


def _plain(raw: bytes) -> Any:
    """The JSON as dicts and lists, with infinity for a number out of range; empty if it is nested too deeply."""
    try:
        return json.loads(raw)
    except RecursionError:
        return {}


def _object(raw: bytes) -> dict[str, Any]:
    try:
        content = msgspec.json.decode(raw)
    except msgspec.ValidationError:
        raise InvalidPayload("The body holds a number that is out of range", field="body") from None
    if not isinstance(content, dict):
        raise InvalidPayload("Expected a JSON object", field="body")
    return content


def query(kind: type[S], parameters: Mapping[str, list[str]]) -> S:
    """Parse a query string: convert text to numbers; one value per name unless the field is a list."""
    lists = {field.name for field in msgspec.structs.fields(kind) if _takes_list(field.type)}
    values: dict[str, Any] = {}
    for name, given in parameters.items():
        if name not in lists and len(given) > 1:
            raise InvalidPayload(f"{name} is given more than once", field=name)
        values[name] = given if name in lists else given[0]
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise invalid(error, kind, lambda: values) from None


def check_state(field: str, state: Mapping[str, Any]) -> None:
    """InvalidPayload unless the state is short enough, and flat enough for the recursion of JSON libraries."""
    if len(msgspec.json.encode(state)) > MAX_STATE_BYTES:
        raise InvalidPayload(f"{field} has at most {MAX_STATE_BYTES} bytes as JSON", field=field)
    if _is_deeper(state, _MAX_LEVELS):
        raise InvalidPayload(f"{field} is nested in at most {_MAX_LEVELS} levels", field=field)


def _is_deeper(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return inner is not None and (levels == 0 or any(_is_deeper(each, levels - 1) for each in inner))


def path_ids(parameters: Mapping[str, str]) -> dict[str, str]:
    """The ids and names in a path. NotFound for a text that cannot be an id; the route of a name checks it."""
    ids = {name: unquote(value) for name, value in parameters.items()}
    for name, value in ids.items():
        if name not in _NAMES and not _ID.fullmatch(value):
            raise not_found(kind_of(name), value[: limits.MAX_ID_CHARACTERS])
    return ids


def check_alias(alias: str) -> None:
    """InvalidPayload for a text that cannot be an alias. ``latest`` and ``v3`` would look like versions."""
    if not re.fullmatch(ALIAS, alias):
        most = MAX_ALIAS_CHARACTERS
        raise InvalidPayload(f"An alias has 1 to {most} letters, digits, hyphens and underscores", field="alias")
    if _RESERVED_ALIAS.fullmatch(alias):
        raise InvalidPayload("An alias is no number, no number after a v, and not latest", field="alias")


def kind_of(id_name: str) -> str:
    """The kind of the object that an id in a path names: "iteration" for "iteration_id"."""
    return "modelversion" if id_name == "version_id" else id_name.removesuffix("_id")


def changes(patch: Struct) -> dict[str, Any]:
    """The fields that a PATCH carries, times in the stored precision."""
    fields = {name: getattr(patch, name) for name in patch.__struct_fields__}
    return {name: _exact(name, value) for name, value in fields.items() if value is not UNSET}


def time(field: str, value: datetime) -> datetime:
    """A time in UTC and whole milliseconds; InvalidPayload outside of the years 1 to 9999 in UTC."""
    try:
        return clock.whole_milliseconds(value)
    except OverflowError:
        raise InvalidPayload("A time in UTC must be between the years 1 and 9999", field=field) from None


def past_date(created_date: datetime | None) -> datetime | None:
    """The `created_date` of a creation in the stored precision; the service turns a future one into now."""
    return None if created_date is None else time("created_date", created_date)


def _exact(field: str, value: Any) -> Any:
    return time(field, value) if isinstance(value, datetime) else value


def _takes_list(kind: Any) -> bool:
    return any(typing.get_origin(each) is list for each in (kind, *typing.get_args(kind)))
