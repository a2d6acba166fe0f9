"""Runs: create, read, change, delete and restore them, and their tags one at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chalicelib.errors import NotFound
from chalicelib.routes.http.answer import Answer, ok
from chalicelib.routes.http.endpoint import Call
from chalicelib.routes.mlflow import lookup, mapping, scope
from chalicelib.routes.mlflow.checks import check_key, check_length, time_of
from chalicelib.routes.mlflow.errors import invalid, refuse
from chalicelib.routes.mlflow.limits import MAX_KEY_CHARACTERS, MAX_TAG_CHARACTERS
from chalicelib.routes.mlflow.operations import Operations
from chalicelib.routes.mlflow.parse import Body, Int64, Required, RunBody
from chalicelib.services import experiment as experiments
from chalicelib.services import iteration as service
from chalicelib.services import label, trash
from chalicelib.services.access import ExperimentAccess, IterationAccess, Need
from chalicelib.services.iteration import IterationChanges
from chalicelib.services.lifecycle import deletion
from chalicelib.services.search import rows
from deardiary.wire.shapes import Experiment, Iteration, IterationStatus

operations = Operations("/2.0/mlflow")

# MLflow's clients send no heartbeats: their runs count as lost after a day without a write.
PATIENCE_S = 24 * 3600
_STATUSES = {name: status for status, name in mapping.STATUSES.items()} | {mapping.SCHEDULED: IterationStatus.RUNNING}


class Tag(Body):
    key: str = ""
    value: str = ""


class NewRun(Body):
    experiment_id: str = ""
    user_id: str = ""
    run_name: str = ""
    start_time: Int64 | None = None
    tags: list[Tag] = []


class RunChange(RunBody):
    status: str | int = ""
    end_time: Int64 | None = None
    run_name: str = ""


class RunTag(RunBody, kw_only=True):
    key: Required
    value: str = ""


class RunTagKey(RunBody, kw_only=True):
    key: Required


@operations.post("/runs/create", body=NewRun)
def create_run(call: Call[NewRun, None]) -> Answer[dict[str, Any]]:
    body = call.body
    experiment_id = body.experiment_id or scope.DEFAULT_ID
    line = lookup.active_experiment(call, experiment_id, Need.CREATE)
    tags = check_tags({each.key: each.value for each in body.tags})
    start = None if body.start_time is None else time_of(body.start_time, "start_time")
    iteration = _create(call, line, tags, _name(body, tags), start)
    return ok({"run": _whole_run(call, iteration, line.experiment, deleted=False)})


@operations.get("/runs/get", query=RunBody)
def get_run(call: Call[None, RunBody]) -> Answer[dict[str, Any]]:
    run_id = call.query.id
    line, deleted = lookup.find_run(call, run_id)
    iteration = label.complete(line.iteration, apart=line.labels_apart)
    return ok({"run": _whole_run(call, iteration, line.experiment, deleted=deleted)})


@operations.post("/runs/update", body=RunChange)
def update_run(call: Call[RunChange, None]) -> Answer[dict[str, Any]]:
    body = call.body
    line = lookup.active_run(call, body.id, Need.UPDATE)
    changes = _changes(body)
    updated = service.update_iteration(call.actor, body.id, changes, even_ended=True) if changes else line.iteration
    return ok({"run_info": mapping.info(call, updated, line.experiment, deleted=False)})


@operations.post("/runs/delete", body=RunBody)
def delete_run(call: Call[RunBody, None]) -> Answer[dict[str, Any]]:
    _, deleted = lookup.find_run(call, call.body.id, Need.DELETE)
    if not deleted:
        deletion.delete_iteration(call.actor, call.body.id)
    return ok({})


@operations.post("/runs/restore", body=RunBody)
def restore_run(call: Call[RunBody, None]) -> Answer[dict[str, Any]]:
    run_id = call.body.id
    line, deleted = lookup.find_run(call, run_id, Need.DELETE)
    if deleted:
        try:
            trash.restore(call.actor, run_id, None)
        except NotFound:
            raise lookup.not_active("experiment", line.experiment.id) from None
    return ok({})


@operations.post("/runs/set-tag", body=RunTag)
def set_tag(call: Call[RunTag, None]) -> Answer[dict[str, Any]]:
    line = lookup.active_run(call, call.body.id, Need.UPDATE)
    put_tags(call, line, check_tags({call.body.key: call.body.value}, "key"))
    return ok({})


@operations.post("/runs/delete-tag", body=RunTagKey)
def delete_tag(call: Call[RunTagKey, None]) -> Answer[dict[str, Any]]:
    run_id, key = call.body.id, call.body.key
    line = lookup.active_run(call, run_id, Need.UPDATE)
    iteration = label.complete(line.iteration, apart=line.labels_apart)
    if key not in mapping.tags_of(iteration):
        raise NotFound(f"No tag with name: {key} in run with id {run_id}")
    changes = _removal(iteration, key)
    if changes:
        service.update_iteration(call.actor, run_id, changes, even_ended=True)
    return ok({})


def check_tags(tags: dict[str, str], key_path: str = "tags[{}].key") -> dict[str, str]:
    """The tags of a run. Too long values are cut, as MLflow does."""
    for index, key in enumerate(tags):
        path = key_path.format(index)
        check_length(path, check_key(key, path), MAX_KEY_CHARACTERS)
        if key.startswith(mapping.RESERVED):
            raise invalid(path, key, f"Keys that begin with {mapping.RESERVED} are reserved")
    return {key: value[:MAX_TAG_CHARACTERS] for key, value in tags.items()}


def put_tags(call: Call[Any, Any], line: IterationAccess, tags: dict[str, str]) -> None:
    """Set tags, and the fields that follow from them. A parent outside of the experiment stays a tag alone."""
    service.reopen_if_lost(line.iteration)
    changes, labels = mapping.split_tags(tags)
    if labels:
        changes["labels"] = dict(labels)
    if "parent_iteration_id" in changes:
        changes["parent_iteration_id"] = service.find_parent(line.experiment.id, changes["parent_iteration_id"])
    if changes:
        service.update_iteration(call.actor, line.iteration.id, changes, even_ended=True)


def _create(
    call: Call[NewRun, None], line: ExperimentAccess, tags: dict[str, str], name: str, start: datetime | None
) -> Iteration:
    fields, labels = mapping.split_tags(tags)
    created, _ = service.create_iteration(
        call.actor,
        line.experiment.id,
        name=name,
        notes=fields.get("notes", ""),
        parent_iteration_id=service.find_parent(line.experiment.id, fields.get("parent_iteration_id")),
        id_key=None,
        created_date=start,
        labels=labels | _reserved(call.body.user_id, labels),
        git_sha=fields.get("git_sha", ""),
        entrypoint=fields.get("entrypoint", ""),
        patience_s=PATIENCE_S,
    )
    location = experiments.whole(line).labels.get(mapping.LOCATION)
    return created if location is None else _located(call, created, location)


def _located(call: Call[Any, Any], created: Iteration, location: str) -> Iteration:
    """The run with the URI of its artifacts below the location that its experiment names."""
    uri = f"{location.rstrip('/')}/{created.id}/artifacts"
    return service.update_iteration(call.actor, created.id, IterationChanges(labels={mapping.ARTIFACT_URI: uri}))


def _name(body: NewRun, tags: dict[str, str]) -> str:
    tagged = tags.get(mapping.NAME, "")
    if body.run_name and tagged and body.run_name != tagged:
        refuse(
            "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values"
            f" (run_name='{body.run_name}', mlflow.runName='{tagged}').",
            "run_name",
        )
    return body.run_name or tagged


def _reserved(user_id: str, labels: dict[str, str]) -> dict[str, str]:
    return {mapping.USER_ID: user_id} if user_id and user_id != labels.get(mapping.USER) else {}


def _changes(body: RunChange) -> IterationChanges:
    changes = IterationChanges()
    if body.run_name:
        changes["name"] = body.run_name
    status = mapping.NUMBERS.get(str(body.status), str(body.status))
    if status:
        if status not in _STATUSES:
            raise invalid("status", body.status, f"Expected one of {list(_STATUSES)}.")
        changes["status_id"] = _STATUSES[status]
        changes["labels"] = {mapping.STATUS: mapping.SCHEDULED if status == mapping.SCHEDULED else None}
    # A run that goes on has no end, in the record.
    if body.end_time is not None and changes.get("status_id") not in (None, IterationStatus.RUNNING):
        changes["end_date"] = time_of(body.end_time, "end_time")
    return changes


def _removal(iteration: Iteration, key: str) -> IterationChanges:
    """The changes that remove a tag. A run keeps its name."""
    changes = IterationChanges()
    if key in iteration.labels:
        changes["labels"] = {key: None}
    match key:
        case mapping.NOTE:
            changes["notes"] = ""
        case mapping.PARENT:
            changes["parent_iteration_id"] = None
        case mapping.COMMIT:
            changes["git_sha"] = ""
        case mapping.SOURCE:
            changes["entrypoint"] = ""
    return changes


def _whole_run(call: Call[Any, Any], iteration: Iteration, experiment: Experiment, *, deleted: bool) -> dict[str, Any]:
    (row,) = rows.rows_of([iteration], {iteration.id: deleted})
    return mapping.run(call, row, experiment)
