"""Logged models in MLflow's form: models of an experiment, such as checkpoints."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from chalicelib import clock
from chalicelib.errors import NotFound
from chalicelib.routes.http.answer import Answer, ok
from chalicelib.routes.http.endpoint import Call
from chalicelib.routes.mlflow import filters, lookup, paging, scope
from chalicelib.routes.mlflow import limits as protocol
from chalicelib.routes.mlflow.checks import check_key, check_length, check_number
from chalicelib.routes.mlflow.errors import invalid, refuse
from chalicelib.routes.mlflow.filters import Grammar, Name, Value
from chalicelib.routes.mlflow.mapping import location_of_model, pairs
from chalicelib.routes.mlflow.operations import Operations
from chalicelib.routes.mlflow.parse import Body, Query, Required, number
from chalicelib.routes.mlflow.registry import Tag
from chalicelib.routes.mlflow.searching import Rank, in_order, keyed, tests_of
from chalicelib.services import loggedmodel as service
from chalicelib.services.access import Need
from chalicelib.services.lifecycle import deletion
from chalicelib.services.loggedmodel import LoggedModelChanges, LoggedPoint
from deardiary.wire.shapes import LoggedModel, LoggedModelStatus

operations = Operations("/2.0/mlflow")

MAX_RESULTS, DEFAULT_RESULTS = 1000, 100
_BAD_CHARACTERS = ("/", ":", ".", "%", '"', "'")
_ID = re.compile(r"m-[0-9a-z]{1,64}")
_STATUSES = {
    LoggedModelStatus.PENDING: "LOGGED_MODEL_PENDING",
    LoggedModelStatus.READY: "LOGGED_MODEL_READY",
    LoggedModelStatus.FAILED: "LOGGED_MODEL_UPLOAD_FAILED",
}
_BY_TEXT = {name: status for status, name in _STATUSES.items()} | {str(int(each)): each for each in _STATUSES}
GRAMMAR = Grammar(
    kinds=("attribute", "metric", "parameter", "tag"),
    numbers=("creation_timestamp", "last_updated_timestamp"),
    texts=("model_id", "name", "model_type", "status", "source_run_id", "experiment_id", "artifact_location"),
    lists=("model_id", "name", "model_type", "status", "source_run_id", "experiment_id"),
    null_kinds=(),
    order_kinds=("attribute", "metric"),
    aliases={
        "creation_time": "creation_timestamp",
        "creation_timestamp_ms": "creation_timestamp",
        "last_updated_timestamp_ms": "last_updated_timestamp",
        "artifact_uri": "artifact_location",
    },
)


class Param(Body):
    key: str
    value: str = ""


class NewModel(Body):
    experiment_id: Required
    name: str | None = None
    model_type: str = ""
    source_run_id: str = ""
    params: list[Param] = []
    tags: list[Tag] = []


class DeletedQuery(Query):
    allow_deleted: str = ""


class Final(Body):
    status: str | int


class Tags(Body):
    tags: list[Tag] = []


class Params(Body):
    params: list[Param] = []


class Dataset(Body):
    dataset_name: str = ""
    dataset_digest: str = ""


class Order(Dataset):
    field_name: str = ""
    ascending: bool = True


class SearchBody(Body):
    experiment_ids: list[str] = []
    filter: str = ""
    datasets: list[Dataset] = []
    max_results: int | None = None
    order_by: list[Order] = []
    page_token: str = ""


class Found(NamedTuple):
    model: LoggedModel
    points: list[LoggedPoint]


_TIES: list[Rank[Found]] = [
    Rank(lambda row: clock.to_milliseconds(row.model.created_date), True),
    Rank(lambda row: row.model.id, False),
]


@operations.post("/logged-models", body=NewModel)
def create_loggedmodel(call: Call[NewModel, None]) -> Answer[dict[str, Any]]:
    body = call.body
    name = None if body.name is None else _checked_name(body.name)
    check_length("model_type", body.model_type, protocol.MAX_MODEL_TYPE_CHARACTERS)
    check_length("source_run_id", body.source_run_id, protocol.MAX_KEY_CHARACTERS)
    experiment = lookup.active_experiment(call, body.experiment_id, Need.CREATE).experiment
    created = service.create_loggedmodel(
        call.actor,
        experiment.id,
        name=name,
        model_type=body.model_type or None,
        run_id=body.source_run_id or None,
        parameters=_params(body.params),
        labels=_labels(body.tags),
    )
    return ok({"model": _form(call, Found(created, []))})


@operations.post("/logged-models/search", body=SearchBody, reads=True)
def search_loggedmodels(call: Call[SearchBody, None]) -> Answer[dict[str, Any]]:
    body = call.body
    if not body.experiment_ids:
        raise invalid("experiment_ids", [], "It must name experiments")
    if not all(each.dataset_name for each in body.datasets):
        refuse("`dataset_name` in the `datasets` clause must be specified.", "datasets")
    size = paging.check_size("max_results", body.max_results, DEFAULT_RESULTS, MAX_RESULTS)
    if scope.workspace(call):
        scope.in_project(call, lambda _: None)
    models = service.list_loggedmodels(call.actor, _experiment_ids(call, body.experiment_ids))
    points = service.read_points(models)
    found = [Found(each, points.get(each.id, [])) for each in models]
    rows = keyed(_searched(call, found))
    page, more = paging.cut(rows, size, "logged-models", body.page_token or None, 1)
    return paging.answer("models", page, lambda one: _form(call, one), "logged-models", more=more)


@operations.get("/logged-models/{loggedmodel_id}", query=DeletedQuery)
def get_loggedmodel(call: Call[None, DeletedQuery], loggedmodel_id: str) -> Answer[dict[str, Any]]:
    return ok({"model": _form(call, _with_points(_find(call, loggedmodel_id)))})


@operations.patch("/logged-models/{loggedmodel_id}", body=Final)
def finalize_loggedmodel(call: Call[Final, None], loggedmodel_id: str) -> Answer[dict[str, Any]]:
    status = _BY_TEXT.get(str(call.body.status))
    if status is None:
        raise invalid("status", call.body.status, f"Valid values are {sorted(_STATUSES.values())}")
    changed = _change(call, loggedmodel_id, {"status_id": status})
    return ok({"model": _form(call, _with_points(changed))})


@operations.delete("/logged-models/{loggedmodel_id}")
def delete_loggedmodel(call: Call[None, None], loggedmodel_id: str) -> Answer[dict[str, Any]]:
    _find(call, loggedmodel_id)
    deletion.delete_loggedmodel(call.actor, loggedmodel_id)
    return ok({})


@operations.patch("/logged-models/{loggedmodel_id}/tags", body=Tags)
def set_tags(call: Call[Tags, None], loggedmodel_id: str) -> Answer[dict[str, Any]]:
    _change(call, loggedmodel_id, {"labels": _labels(call.body.tags)})
    return ok({})


@operations.delete("/logged-models/{loggedmodel_id}/tags/{tag_key}")
def delete_tag(call: Call[None, None], loggedmodel_id: str, tag_key: str) -> Answer[dict[str, Any]]:
    found = _find(call, loggedmodel_id)
    if tag_key not in found.labels:
        raise NotFound(f"No tag with key {tag_key!r} found for model with ID {loggedmodel_id!r}.", kind="tag")
    _change(call, loggedmodel_id, {"labels": {tag_key: None}})
    return ok({})


@operations.post("/logged-models/{loggedmodel_id}/params", body=Params)
def add_params(call: Call[Params, None], loggedmodel_id: str) -> Answer[dict[str, Any]]:
    _change(call, loggedmodel_id, {"parameters": _params(call.body.params)})
    return ok({})


def no_loggedmodel(loggedmodel_id: str) -> NotFound:
    return NotFound(f"Logged model with ID '{loggedmodel_id}' not found.", kind="loggedmodel")


def _find(call: Call[Any, Any], loggedmodel_id: str) -> LoggedModel:
    """The logged model; also one in the trash if the query allows it."""
    if not _ID.fullmatch(loggedmodel_id):
        raise no_loggedmodel(loggedmodel_id)
    even_deleted = getattr(call.query, "allow_deleted", "").lower() == "true"
    try:
        found, project_id = service.find_loggedmodel(call.actor, loggedmodel_id, even_deleted=even_deleted)
    except NotFound:
        raise no_loggedmodel(loggedmodel_id) from None
    scope.check_project(call, project_id, lambda: no_loggedmodel(loggedmodel_id))
    return found


def _change(call: Call[Any, Any], loggedmodel_id: str, changes: LoggedModelChanges) -> LoggedModel:
    _find(call, loggedmodel_id)
    try:
        return service.update_loggedmodel(call.actor, loggedmodel_id, lambda _: changes)
    except NotFound:
        raise no_loggedmodel(loggedmodel_id) from None


def _experiment_ids(call: Call[Any, Any], given: list[str]) -> list[str]:
    """The ids of those experiments that exist, in the project that the request names."""
    found = []
    for each in given:
        with suppress(NotFound):
            line, deleted = lookup.find_experiment(call, each)
            found += [] if deleted else [line.experiment.id]
    return found


def _searched(call: Call[SearchBody, None], found: list[Found]) -> list[Found]:
    """Those that pass the filter, in their order. A metric passes if any of its points on these data sets does."""
    body = call.body
    tests = tests_of(filters.parse_filter(body.filter, GRAMMAR))

    def passes(row: Found) -> bool:
        on_any = not body.datasets or any(_is_of(point, body.datasets) for point in row.points)
        return on_any and all(any(map(test, _values(call, row, clause.name, body.datasets))) for clause, test in tests)

    ranks = [_rank(call, each) for each in body.order_by]
    return in_order([each for each in found if passes(each)], [*ranks, *_TIES])


def _rank(call: Call[Any, Any], order: Order) -> Rank[Found]:
    """The attribute, or the latest value of the metric on the data set."""
    name, _ = filters.parse_order(f"{order.field_name} ASC", GRAMMAR)
    datasets = [order] if order.dataset_name else []

    def value_of(row: Found) -> Value | None:
        values = _values(call, row, name, datasets)
        return values[-1] if values else None

    return Rank(value_of, not order.ascending)


def _values(call: Call[Any, Any], row: Found, name: Name, datasets: Sequence[Dataset]) -> Sequence[Value | None]:
    """The values of a name: of a metric those of all points on these data sets, in their order."""
    match name.kind:
        case "metric":
            return [each.value for each in row.points if each.key == name.key and _is_of(each, datasets)]
        case "parameter":
            return [row.model.parameters.get(name.key)]
        case "tag":
            return [row.model.labels.get(name.key)]
    return [_attribute(call, row.model, name.key)]


def _attribute(call: Call[Any, Any], model: LoggedModel, key: str) -> Value | None:
    match key:
        case "creation_timestamp":
            return clock.to_milliseconds(model.created_date)
        case "last_updated_timestamp":
            return clock.to_milliseconds(model.updated_date or model.created_date)
        case "artifact_location":
            return location_of_model(call, model)
        case "status":
            return model.status_id.name
    values = {"model_id": model.id, "source_run_id": model.run_id, "experiment_id": model.experiment_id}
    own: Value | None = values[key] if key in values else getattr(model, key)
    return own


def _is_of(point: LoggedPoint, datasets: Sequence[Dataset]) -> bool:
    """True if the point was measured on one of these data sets, or if there are none."""
    return not datasets or any(
        point.dataset_name == each.dataset_name and each.dataset_digest in ("", point.dataset_digest)
        for each in datasets
    )


def _with_points(model: LoggedModel) -> Found:
    return Found(model, service.read_points([model]).get(model.id, []))


def _checked_name(name: str) -> str:
    if not name or any(each in name for each in _BAD_CHARACTERS):
        refuse(
            f"Invalid model name ({name!r}) provided. Model name must be a non-empty string and cannot contain the"
            f" following characters: {_BAD_CHARACTERS}",
            "name",
        )
    return check_length("name", name, protocol.MAX_EXPERIMENT_NAME_CHARACTERS)


def _params(params: list[Param]) -> dict[str, str]:
    check_number("params", len(params), protocol.MAX_MODEL_PARAMS)
    for each in params:
        check_length("key", check_key(each.key, "key"), protocol.MAX_KEY_CHARACTERS)
    return {each.key: each.value[: protocol.MAX_PARAM_CHARACTERS] for each in params}


def _labels(tags: list[Tag]) -> dict[str, str]:
    for each in tags:
        check_length("key", check_key(each.key, "key"), protocol.MAX_KEY_CHARACTERS)
        check_length("value", each.value, protocol.MAX_TAG_CHARACTERS)
    return {each.key: each.value for each in tags}


def _form(call: Call[Any, Any], found: Found) -> dict[str, Any]:
    """A LoggedModel."""
    model = found.model
    info = {
        "model_id": model.id,
        "experiment_id": model.experiment_id,
        "name": model.name,
        "creation_timestamp_ms": clock.to_milliseconds(model.created_date),
        "last_updated_timestamp_ms": clock.to_milliseconds(model.updated_date or model.created_date),
        "artifact_uri": location_of_model(call, model),
        "status": _STATUSES[model.status_id],
        "tags": pairs(model.labels),
    }
    texts = {"model_type": model.model_type, "source_run_id": model.run_id}
    info |= {name: text for name, text in texts.items() if text}
    metrics = [_metric(model, each) for each in found.points[-protocol.MAX_MODEL_POINTS :]]
    return {"info": info, "data": {"params": pairs(dict(sorted(model.parameters.items()))), "metrics": metrics}}


def _metric(model: LoggedModel, point: LoggedPoint) -> dict[str, Any]:
    form = {
        "key": point.key,
        "value": number(point.value),
        "timestamp": point.timestamp_ms,
        "step": point.step,
        "model_id": model.id,
        "run_id": point.run_id,
    }
    dataset = {"dataset_name": point.dataset_name, "dataset_digest": point.dataset_digest}
    return form | {name: text for name, text in dataset.items() if text}
