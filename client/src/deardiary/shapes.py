"""The objects that travel on the wire, and their JSON form.

Server and client share this module, so that there is one definition of every shape. It imports the standard library
only and reads no setting.

JSON has no NaN and no time: a float that is not finite travels as the string "NaN", "Infinity" or "-Infinity", a time
as RFC 3339 in UTC with milliseconds and ``Z``.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Callable, Hashable, Mapping
from datetime import datetime, timezone
from enum import IntEnum
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


class ExperimentStatus(IntEnum):
    """Where an experiment stands; only an IN_PROGRESS one takes new iterations and resources."""

    IN_PROGRESS = 1
    STOPPED = 2
    FINISHED = 3


class IterationStatus(IntEnum):
    """How an iteration is doing, or how it ended."""

    RUNNING = 1
    SUCCEEDED = 2
    FAILED = 3
    KILLED = 4


class Stage(IntEnum):
    """Where a model version stands on its way to use."""

    NO_STAGE = 1
    STAGING = 2
    PRODUCTION = 3
    ARCHIVED = 4


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A word on a project, an experiment or an iteration."""

    id: str
    value: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who can sign in."""

    id: str
    first_name: str
    last_name: str
    username: str
    created_date: datetime
    is_admin: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UserPermission:
    """What one user may do in one project."""

    id: str
    user_id: str
    project_id: str
    create_permission: bool
    read_permission: bool
    update_permission: bool
    delete_permission: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The root of a body of work; permissions are held per project."""

    id: str
    name: str
    description: str
    created_date: datetime


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A question asked of a project, answered by its iterations."""

    id: str
    project_id: str
    status_id: ExperimentStatus
    name: str
    description: str
    created_date: datetime
    end_date: datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Iteration:
    """One run (trial) of an experiment. ``end_date`` locks it."""

    id: str
    experiment_id: str
    notes: str
    created_date: datetime
    end_date: datetime | None = None
    parent_iteration_id: str | None = None
    status_id: IterationStatus
    error_message: str
    python_version: str
    julia_version: str
    git_sha: str
    git_dirty: bool
    entrypoint: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A setting of an iteration; its key is unique there."""

    id: str
    iteration_id: str
    key: str
    value: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One point of a series: a float64, kept bit for bit, at an int64 step."""

    id: str
    iteration_id: str
    key: str
    value: float
    step: int
    recorded_at: datetime


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MetricSummary:
    """A series in a few numbers. first and last are by step, then time; min and max pass over NaN where they can."""

    first: float
    last: float
    min: float
    max: float
    count: int
    last_step: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BatchReceipt:
    """What became of a batch of points: the answer to ``/log`` and ``/metrics/batch``, the same on every retry.

    ``last_step`` is the highest step that the batch holds, per key.
    """

    batch_id: str
    accepted: int
    last_step: dict[str, int]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Artifact bytes of an experiment, or of one of its iterations. ``content_hash`` is lower-case sha256 hex."""

    id: str
    experiment_id: str
    iteration_id: str | None = None
    name: str
    description: str
    data: str | None = None
    created_date: datetime
    updated_date: datetime | None = None
    backend: str
    uri: str
    size_bytes: int
    content_hash: str
    state: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UploadRequest:
    """One HTTP request that the holder of the bytes still has to make, headers included, exactly as given."""

    method: str
    url: str
    headers: dict[str, str]
    offset: int
    size_bytes: int
    part_number: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """The requests that bring a resource's bytes to their store; none left when the store has them already."""

    requests: tuple[UploadRequest, ...]
    expires_at: datetime


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """Where a resource's bytes can be had until ``expires_at``."""

    url: str
    expires_at: datetime
    size_bytes: int
    content_hash: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The answer to a sign-in."""

    access_token: str
    token_type: str
    expires_at: datetime
    user: User


def format_time(value: datetime) -> str:
    """RFC 3339 in UTC with milliseconds; a time without an offset is taken as UTC."""
    aware = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
    return aware.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """The time that an RFC 3339 text names; without an offset it is UTC. ValueError when it names none."""
    # datetime.fromisoformat of Python 3.10 does not know "Z".
    value = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)
    return value if value.tzinfo else value.replace(tzinfo=timezone.utc)


def encode_float(value: float) -> float | str:
    """A float in its JSON form: itself, or "NaN", "Infinity", "-Infinity"."""
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def decode_float(value: float | str) -> float:
    """The float behind its JSON form. ValueError for any other text."""
    if isinstance(value, str):
        try:
            return _NOT_FINITE[value]
        except KeyError:
            raise ValueError('Expected a number, "NaN", "Infinity" or "-Infinity"') from None
    return float(value)


def to_json(value: Any) -> Any:
    """A shape, or a container of shapes, as what ``json.dumps(..., allow_nan=False)`` takes."""
    if isinstance(value, float):
        return encode_float(value)
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if dataclasses.is_dataclass(value):
        return {field.name: to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} has no JSON form")


def from_json(shape: type[T], data: Mapping[str, Any]) -> T:
    """The shape behind a JSON object. Fields that this version does not know are passed over."""
    decoders = _decoders(typing.cast("Hashable", shape))
    return shape(**{name: decoders[name](item) for name, item in data.items() if name in decoders})


@cache
def _decoders(shape: Any) -> dict[str, Callable[[Any], Any]]:
    """For each field of a shape, in order, what turns its JSON form into its value."""
    return {name: _decoder(hint) for name, hint in typing.get_type_hints(shape).items()}


def _decoder(hint: Any) -> Callable[[Any], Any]:
    if hint is datetime:
        return parse_time
    if hint is float:
        return decode_float
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return hint
    if dataclasses.is_dataclass(hint):
        return lambda data: from_json(typing.cast("type[Any]", hint), data)
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        item = _decoder(arguments[0])
        return lambda data: tuple(item(each) for each in data)
    if type(None) in arguments:
        present = _decoder(arguments[0])
        return lambda data: None if data is None else present(data)
    return _same


def _same(value: Any) -> Any:
    return value
