"""The objects that travel on the wire; `wire` gives them their JSON form.

Server and client share this module, so that there is one definition of every shape. It imports the standard library
only and reads no setting.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime
from enum import IntEnum

# The metadata of a field that is not sent when it is None; any other is sent as null.
_LEFT_OUT_IF_NONE = {"left_out_if_none": True}


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


class Shape:
    """What a dataclass would compile anew for each shape, written once: that took a third of this module's import."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self._values() == other._values() if isinstance(other, type(self)) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        """Every field but the secret ones: notebooks and logs keep what they show."""
        names = (field.name for field in dataclasses.fields(self) if field.repr)  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, field.name) for field in dataclasses.fields(self))  # type: ignore[arg-type]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Tag(Shape):
    """A word on a project, an experiment or an iteration."""

    id: str
    value: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class UserName(Shape):
    """What every user may know of another: the id and the names."""

    id: str
    first_name: str
    last_name: str
    username: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class User(UserName):
    """A person who can sign in."""

    created_date: datetime
    is_admin: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class UserPermission(Shape):
    """What one user may do in one project."""

    id: str
    user_id: str
    project_id: str
    create_permission: bool
    read_permission: bool
    update_permission: bool
    delete_permission: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Project(Shape):
    """The root of a body of work; permissions are held per project."""

    id: str
    name: str
    description: str
    created_date: datetime


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Experiment(Shape):
    """A question asked of a project, answered by its iterations."""

    id: str
    project_id: str
    status_id: ExperimentStatus
    name: str
    description: str
    created_date: datetime
    end_date: datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Iteration(Shape):
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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Parameter(Shape):
    """A setting of an iteration; its key is unique there."""

    id: str
    iteration_id: str
    key: str
    value: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Metric(Shape):
    """One point of a series: a float64, kept bit for bit, at an int64 step."""

    id: str
    iteration_id: str
    key: str
    value: float
    step: int
    recorded_at: datetime


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class MetricSummary(Shape):
    """A series in a few numbers. first and last are by step, then time; min and max pass over NaN where they can."""

    first: float
    last: float
    min: float
    max: float
    count: int
    last_step: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Curve(Shape):
    """Points of one series as columns of one length, in the order of step, then time, then arrival."""

    step: tuple[int, ...]
    value: tuple[float, ...]
    recorded_at: tuple[datetime, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class BatchReceipt(Shape):
    """What became of a batch of points: the answer to ``/log`` and ``/metrics/batch``, the same on every retry.

    ``last_step`` is the highest step that the batch holds, per key.
    """

    batch_id: str
    accepted: int
    last_step: dict[str, int]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class IterationOverview(Iteration):
    """An iteration with what it owns: parameters by key, metrics by key, tags. None, not sent: not asked for."""

    parameters: dict[str, str] | None = dataclasses.field(default=None, metadata=_LEFT_OUT_IF_NONE)
    metrics: dict[str, MetricSummary] | None = dataclasses.field(default=None, metadata=_LEFT_OUT_IF_NONE)
    tags: tuple[str, ...] | None = dataclasses.field(default=None, metadata=_LEFT_OUT_IF_NONE)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Resource(Shape):
    """Artifact bytes of an experiment, or of one of its iterations. ``content_hash`` is lower-case sha256 hex."""

    id: str
    experiment_id: str
    iteration_id: str | None = None
    name: str
    description: str
    data: str | None = dataclasses.field(default=None, metadata=_LEFT_OUT_IF_NONE)
    created_date: datetime
    updated_date: datetime | None = None
    backend: str
    uri: str
    size_bytes: int
    content_hash: str
    state: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Snapshot(Iteration):
    """An iteration with the texts that say what it ran; None where there is none, or it was not asked for."""

    project_toml: str | None = None
    manifest_toml: str | None = None
    git_diff: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Model(Shape):
    """A name in a project under which versions are kept."""

    id: str
    project_id: str
    name: str
    description: str
    created_date: datetime
    updated_date: datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ModelVersion(Shape):
    """What an iteration made of a model; ``version`` counts from 1, and at most one of a model is in PRODUCTION.

    ``iteration_id`` and ``resource_id`` say where it came from, for ever: also when those have been deleted since.
    """

    id: str
    model_id: str
    version: int
    iteration_id: str
    resource_id: str | None = None
    stage_id: Stage
    description: str
    created_date: datetime
    updated_date: datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class UploadRequest(Shape):
    """One HTTP request that the holder of the bytes still has to make, headers included, exactly as given."""

    method: str
    url: str
    headers: dict[str, str]
    offset: int
    size_bytes: int
    part_number: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Upload(Shape):
    """The requests that bring a resource's bytes to their store; none left when the store has them already."""

    requests: tuple[UploadRequest, ...]
    expires_at: datetime


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Download(Shape):
    """Where a resource's bytes can be had until ``expires_at``."""

    url: str
    expires_at: datetime
    size_bytes: int
    content_hash: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SearchResult(Shape):
    """One object that a search found. ``kind`` is project, experiment, iteration, resource or model."""

    kind: str
    id: str
    name: str
    project_id: str
    experiment_id: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Session(Shape):
    """The answer to a sign-in."""

    access_token: str = dataclasses.field(repr=False)
    token_type: str
    expires_at: datetime
    user: User


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ApiToken(Shape):
    """A token for programs. ``token``, the secret itself, is in the answer that creates it and nowhere else.

    With ``project_id`` it is for that project only; ``read_only`` ones can change nothing.
    """

    id: str
    name: str
    created_date: datetime
    expires_at: datetime | None = None
    project_id: str | None = None
    read_only: bool
    token: str | None = dataclasses.field(default=None, repr=False)
