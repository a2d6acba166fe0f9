"""The objects on the wire; `form` has their JSON form.

Server and client share this module, so that every shape has one definition. It imports the standard library only and
reads no setting.
"""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Literal

from deardiary.wire.names import name_of

if TYPE_CHECKING:
    from typing import ClassVar, TypeVar

    from typing_extensions import dataclass_transform

    T = TypeVar("T")

    @dataclass_transform(eq_default=False, kw_only_default=True, frozen_default=True, field_specifiers=(field,))
    def _shape(_: type[T]) -> type[T]: ...
else:
    _shape = dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)

# The metadata of a field that is left out when it is None; any other field is sent as null.
_LEFT_OUT_IF_NONE = {"left_out_if_none": True}


class ExperimentStatus(IntEnum):
    """The status of an experiment; only an IN_PROGRESS one accepts new iterations and resources."""

    IN_PROGRESS = 1
    STOPPED = 2
    FINISHED = 3


class IterationStatus(IntEnum):
    """The status of an iteration: RUNNING, or the result of its end."""

    RUNNING = 1
    SUCCEEDED = 2
    FAILED = 3
    KILLED = 4


class Stage(IntEnum):
    """The stage of a model version on its way to use."""

    NO_STAGE = 1
    STAGING = 2
    PRODUCTION = 3
    ARCHIVED = 4


class LoggedModelStatus(IntEnum):
    """The status of a logged model, with the numbers of MLflow."""

    PENDING = 1
    READY = 2
    FAILED = 3


class Shape:
    """Equality, hash and repr of all shapes: generating them per class took a third of this module's import time.

    `benchmarks.client_import` measures it.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __eq__(self, other: object) -> bool:
        return self._values() == other._values() if isinstance(other, type(self)) else NotImplemented

    def __hash__(self) -> int:
        values = self._values()
        return hash(tuple(frozenset(each.items()) if isinstance(each, dict) else each for each in values))

    def __repr__(self) -> str:
        """Every field but the secrets: notebooks and logs store their output."""
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.shown().items())})"

    def _repr_html_(self) -> str:
        from deardiary.wire import html

        return html.fields(type(self).__name__, self.shown())

    def shown(self) -> dict[str, object]:
        names = (each.name for each in fields(self) if each.repr)
        return {name: getattr(self, name) for name in names}

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, each.name) for each in fields(self))


@_shape
class Tag(Shape):
    """A word on a project, an experiment or an iteration."""

    id: str
    value: str


@_shape
class UserName(Shape):
    """The fields of a user that every other user may read: the id and the names."""

    id: str
    first_name: str
    last_name: str
    username: str


@_shape
class User(UserName):
    """A person who can sign in."""

    created_date: datetime
    is_admin: bool


@_shape
class UserPermission(Shape):
    """The permissions of one user on one project."""

    id: str
    user_id: str
    project_id: str
    create_permission: bool
    read_permission: bool
    update_permission: bool
    delete_permission: bool


@_shape
class Member(UserPermission):
    """The permissions of one user on a project, with the user's names; those are empty from an older server."""

    username: str = ""
    first_name: str = ""
    last_name: str = ""


@_shape
class Me(User):
    """The signed-in user, with the permissions on all projects if the request asks for them."""

    permissions: tuple[UserPermission, ...] | None = field(default=None, metadata=_LEFT_OUT_IF_NONE)


@_shape
class Health(Shape):
    """The state of a server: ``status`` is "ok". An older server sends neither version nor time."""

    status: str
    version: str | None = None
    server_time: datetime | None = None


@_shape
class Project(Shape):
    """The unit of permission; holds experiments and models.

    Here and in other shapes: ``created_by`` is the id of the user who created it, None where that is not known;
    ``labels`` are texts by key.
    """

    id: str
    name: str
    description: str
    created_by: str | None = None
    created_date: datetime
    labels: dict[str, str] = field(default_factory=dict)


@_shape
class View(Shape):
    """A saved view of a project, such as the columns and the filter of a table. ``state`` is its owner's JSON."""

    id: str
    project_id: str
    name: str
    state: dict[str, Any]
    created_by: str | None = None
    created_date: datetime


@_shape
class Share(Shape):
    """A read-only link to an experiment or to iterations. Only the answer to its creation has the ``url``."""

    id: str
    project_id: str
    experiment_id: str | None = None
    iteration_ids: tuple[str, ...] = ()
    created_by: str | None = None
    created_date: datetime
    expires_at: datetime
    url: str | None = field(default=None, metadata=_LEFT_OUT_IF_NONE)


@_shape
class StudyAppend(Shape):
    """The numbers that an append has: of its first record, and the one after its last."""

    first: int
    next: int


@_shape
class StudyRecords(Shape):
    """Records of a study in their order. ``next`` is the number after the last one."""

    records: list[str]
    next: int
    has_more: bool


@_shape
class StudyLease(Shape):
    """What a worker works on. ``age_seconds``: since its last renewal, by the server's clock."""

    id: str
    renewed_date: datetime
    age_seconds: float


@_shape
class Experiment(Shape):
    """A question that iterations answer; holds iterations and resources."""

    id: str
    project_id: str
    status_id: ExperimentStatus
    name: str
    description: str
    created_by: str | None = None
    created_date: datetime
    end_date: datetime | None = None
    labels: dict[str, str] = field(default_factory=dict)


@_shape
class Iteration(Shape):
    """One run of a program in an experiment. An ``end_date`` locks it. A missing ``name`` is derived from the id."""

    id: str
    experiment_id: str
    name: str = ""
    notes: str
    created_by: str | None = None
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
    labels: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", name_of(self.id))


@_shape
class Parameter(Shape):
    """A named input of an iteration; its key is unique there."""

    id: str
    iteration_id: str
    key: str
    value: str


@_shape
class Input(Shape):
    """Data that an iteration has read. ``kind`` is "dataset", "resource" or "model".

    ``resource_id`` or ``modelversion_id`` names its source in DearDiary, also after a deletion of that source.
    """

    id: str
    iteration_id: str
    kind: str
    name: str
    digest: str
    source: str
    source_type: str
    context: str
    resource_id: str | None = None
    modelversion_id: str | None = None
    description: str
    labels: dict[str, str]


@_shape
class Metric(Shape):
    """One point of a metric: an exact float64 at an int64 step."""

    id: str
    iteration_id: str
    key: str
    value: float
    step: int
    recorded_at: datetime


@_shape
class MetricSummary(Shape):
    """The summary of a metric. first and last are by step, then time; min and max ignore NaN if other values exist."""

    first: float
    last: float
    min: float
    max: float
    count: int
    last_step: int


@_shape
class Curve(Shape):
    """Points of one metric as columns of equal length, in the order of step, then time, then arrival."""

    step: tuple[int, ...]
    value: tuple[float, ...]
    recorded_at: tuple[datetime, ...]


@_shape
class BatchReceipt(Shape):
    """The answer to a batch of points (``/log`` and ``/metrics/batch``), the same on every retry.

    ``last_step`` is the highest step of the batch, per key; ``accepted_output`` the number of its captured lines, None
    if it has none.
    """

    batch_id: str
    accepted: int
    last_step: dict[str, int]
    accepted_output: int | None = field(default=None, metadata=_LEFT_OUT_IF_NONE)


@_shape
class OutputGap(Shape):
    """What the server has removed from the middle of a long output: the number of lines, and their bytes."""

    lines: int
    bytes: int


@_shape
class OutputLine(Shape):
    """A line that a program has printed; ``stream`` is "stdout" or "stderr".

    ``cursor`` is its position in the output. A ``text`` that begins with a carriage return replaces the line before it
    in the same stream: a new state of a progress bar. ``gap`` is what the server has removed before this line.
    """

    stream: str
    text: str
    recorded_at: datetime
    cursor: str
    gap: OutputGap | None = field(default=None, metadata=_LEFT_OUT_IF_NONE)


@_shape
class OutputPage(Shape):
    """A part of an output, in order. ``gap`` lies before its first line.

    ``next_cursor`` is None at the end for now; ``cursor`` is the position to read on from later.
    """

    data: tuple[OutputLine, ...]
    next_cursor: str | None = None
    cursor: str | None = None
    gap: OutputGap | None = None


@_shape
class PendingCommand(Shape):
    """A command on its way to the writer: in the answer to each flush until one acknowledges it.

    ``requested_by`` is the username of its sender, if that is known and the writer may read the project.
    """

    id: str
    kind: str
    text: str
    requested_by: str | None = field(default=None, metadata=_LEFT_OUT_IF_NONE)


@_shape
class FlushReceipt(BatchReceipt):
    """The answer to a flush (``/log``): the receipt of its batch, pending commands, and the pace.

    The writer may wait ``flush_after_seconds`` with its next flush; None from a server without a pace.
    """

    commands: tuple[PendingCommand, ...] | None = field(default=None, metadata=_LEFT_OUT_IF_NONE)
    flush_after_seconds: float | None = field(default=None, metadata=_LEFT_OUT_IF_NONE)


@_shape
class Command(Shape):
    """A request to a running iteration: ``stop``, ``checkpoint`` or a word of the user's own, with a text.

    ``state``: "pending"; "seen" by the writer; "acknowledged", at ``step`` if the writer gave one; or "lapsed", because
    the iteration ended before.
    """

    id: str
    iteration_id: str
    kind: str
    text: str
    state: str
    created_by: str | None = None
    created_date: datetime
    seen_date: datetime | None = None
    acknowledged_date: datetime | None = None
    step: int | None = None


@_shape
class Alert(Shape):
    """What an iteration wants people to know; ``level`` is "info", "warning" or "error"."""

    id: str
    iteration_id: str
    title: str
    text: str
    level: str
    created_by: str | None = None
    created_date: datetime


@_shape
class AlertRule(Shape):
    """A condition on a metric, such as ``metrics.loss > 10``, that makes an alert of this level."""

    name: str
    condition: str
    level: str


@_shape
class AlertRules(Shape):
    """All rules of a project or an experiment."""

    rules: tuple[AlertRule, ...]


@_shape
class IterationOverview(Iteration):
    """An iteration with its parameters by key, metrics by key, and tags; None for a field that was not requested."""

    parameters: dict[str, str] | None = field(default=None, metadata=_LEFT_OUT_IF_NONE)
    metrics: dict[str, MetricSummary] | None = field(default=None, metadata=_LEFT_OUT_IF_NONE)
    tags: tuple[str, ...] | None = field(default=None, metadata=_LEFT_OUT_IF_NONE)


@_shape
class BulkFailure(Shape):
    """Why one object of a request for many was not changed."""

    code: str
    message: str


@_shape
class BulkOutcomes(Shape):
    """The outcome of each object of a request for many, by id."""

    data: dict[str, BulkFailure | Literal["done"]]


@_shape
class ChangedIterations(Shape):
    """The iterations that are new or have changed, and the ids of those that are gone.

    ``parameters`` and ``tags`` of a row are None if they are unchanged. ``grown``: if asked for, the metrics of those
    that have only logged more, by id. ``last_seen``: the last heartbeat of each iteration that runs, by id. An older
    server has neither. ``reset``: list the iterations again. Ask with ``next_since`` as ``since`` after
    ``poll_after_seconds``.
    """

    data: tuple[IterationOverview, ...]
    grown: dict[str, dict[str, MetricSummary]] = field(default_factory=dict)
    gone: tuple[str, ...]
    last_seen: dict[str, datetime] = field(default_factory=dict)
    reset: bool
    next_since: str
    poll_after_seconds: int


@_shape
class KeyUse(Shape):
    """A key that iterations of an experiment use. ``count`` is their number; a "number" has only numbers as values."""

    key: str
    type: Literal["number", "string"]
    count: int


@_shape
class KeysInUse(Shape):
    """The keys that the iterations of an experiment use, in the order of their texts."""

    parameters: tuple[KeyUse, ...]
    metrics: tuple[KeyUse, ...]
    labels: tuple[KeyUse, ...]
    tags: tuple[KeyUse, ...]


@_shape
class Resource(Shape):
    """A named file of an experiment or an iteration. ``content_hash`` is SHA-256 in lower-case hex.

    It is empty for a large file that a client uploaded without a hash.
    """

    id: str
    experiment_id: str
    iteration_id: str | None = None
    name: str
    description: str
    content_type: str = "application/octet-stream"
    data: str | None = field(default=None, metadata=_LEFT_OUT_IF_NONE)
    created_by: str | None = None
    created_date: datetime
    updated_date: datetime | None = None
    backend: str
    uri: str
    size_bytes: int
    content_hash: str
    state: str


@_shape
class Snapshot(Iteration):
    """An iteration with the texts of its snapshot; None for a text that is absent or was not requested."""

    project_toml: str | None = None
    manifest_toml: str | None = None
    git_diff: str | None = None


@_shape
class Model(Shape):
    """A name in a project that holds versions. ``aliases`` has the number of the version that each alias names."""

    id: str
    project_id: str
    name: str
    description: str
    created_by: str | None = None
    created_date: datetime
    updated_date: datetime | None = None
    labels: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)


@_shape
class ModelVersion(Shape):
    """One numbered file under a model. ``version`` counts from 1; at most one version of a model is in PRODUCTION.

    ``iteration_id`` and ``resource_id`` name its origin, also after a deletion of that origin. ``source`` is a text of
    the user, such as the URL of the file elsewhere. A version that MLflow registered can have no iteration: ``run_id``
    then names its run elsewhere. ``run_link`` and ``loggedmodel_id`` are as MLflow sent them.
    """

    id: str
    model_id: str
    version: int
    iteration_id: str | None = None
    run_id: str | None = field(default=None, metadata=_LEFT_OUT_IF_NONE)
    run_link: str | None = field(default=None, metadata=_LEFT_OUT_IF_NONE)
    loggedmodel_id: str | None = field(default=None, metadata=_LEFT_OUT_IF_NONE)
    resource_id: str | None = None
    stage_id: Stage
    description: str
    source: str = ""
    created_by: str | None = None
    created_date: datetime
    updated_date: datetime | None = None
    labels: dict[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()


@_shape
class DependentVersion(Shape):
    """A model version that came from an iteration of an experiment, or whose file is in that experiment.

    ``iteration_id`` and ``resource_id`` are None if they are not in the experiment, or deleted.
    ``file_iteration_id`` is the iteration that logged the file, not always the one that the version came from.
    """

    id: str
    model_id: str
    model_name: str
    version: int
    stage_id: Stage
    iteration_id: str | None = None
    resource_id: str | None = None
    file_iteration_id: str | None = None


@_shape
class LoggedModel(Shape):
    """A model that MLflow logged in an experiment, such as a checkpoint. ``run_id`` is its run, as MLflow sent it."""

    id: str
    experiment_id: str
    name: str
    model_type: str | None = None
    run_id: str | None = None
    status_id: LoggedModelStatus
    parameters: dict[str, str]
    created_by: str | None = None
    created_date: datetime
    updated_date: datetime | None = None
    labels: dict[str, str] = field(default_factory=dict)


@_shape
class UploadRequest(Shape):
    """One HTTP request that the uploader still has to send, exactly as given, headers included."""

    method: str
    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    offset: int
    size_bytes: int
    part_number: int | None = None


@_shape
class Upload(Shape):
    """The requests that upload a resource's bytes; empty if the store already has them."""

    requests: tuple[UploadRequest, ...]
    expires_at: datetime


@_shape
class BulkUpload(Shape):
    """One of many uploads: the resource and the requests that its bytes still need, or why it failed."""

    resource: Resource | None = None
    requests: tuple[UploadRequest, ...] = ()
    failure: BulkFailure | None = None


@_shape
class BulkUploads(Shape):
    """Many uploads, in the order of the request."""

    data: tuple[BulkUpload, ...]


@_shape
class Download(Shape):
    """The URL of a resource's bytes, valid until ``expires_at``."""

    url: str = field(repr=False)
    expires_at: datetime
    size_bytes: int
    content_hash: str


@_shape
class Trashed(Shape):
    """A deleted object that can be restored until ``purge_date``.

    ``kind`` is project, experiment, iteration, resource or model; ``id`` is that of the object.
    """

    id: str
    kind: str
    name: str
    deleted_by: str | None = None
    deleted_date: datetime
    purge_date: datetime


@_shape
class SearchResult(Shape):
    """One result of a search. ``kind`` is project, experiment, iteration, resource or model."""

    kind: str
    id: str
    name: str
    project_id: str
    experiment_id: str | None = None


@_shape
class Activity(Shape):
    """An event in a project. ``kind`` is project, experiment, iteration, model or modelversion.

    ``event`` is created, or started; for an end it is the status in lower case, such as failed. ``user_id`` created it.
    """

    id: str
    kind: str
    event: str
    name: str
    project_id: str
    experiment_id: str | None = None
    user_id: str | None = None
    date: datetime


@_shape
class Session(Shape):
    """The answer to a sign-in."""

    access_token: str = field(repr=False)
    token_type: str
    expires_at: datetime
    user: User


@_shape
class BrowserSession(Shape):
    """The answer to the sign-in of a browser, whose token is in a cookie."""

    expires_at: datetime
    user: User


@_shape
class ApiToken(Shape):
    """A token for programs. ``token``, the secret itself, is only in the answer to its creation.

    With ``project_id`` it is for that project only; a ``read_only`` token allows no writes.
    """

    id: str
    name: str
    created_date: datetime
    expires_at: datetime | None = None
    project_id: str | None = None
    read_only: bool
    token: str | None = field(default=None, repr=False)


@_shape
class Identity(Shape):
    """A pattern of AWS roles or users that sign in without a secret, and what they may do in the project."""

    id: str
    project_id: str
    pattern: str
    read_only: bool
    create_permission: bool
    read_permission: bool
    update_permission: bool
    delete_permission: bool
    created_by: str | None = None
    created_date: datetime
