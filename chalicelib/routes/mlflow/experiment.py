"""Experiments in MLflow's form."""

from __future__ import annotations

from typing import Any

from chalicelib import clock
from chalicelib.errors import Conflict, NotFound
from chalicelib.routes.http.answer import Answer, ok
from chalicelib.routes.http.endpoint import Call
from chalicelib.routes.mlflow import limits, lookup, mapping, scope
from chalicelib.routes.mlflow.checks import check_key, check_length
from chalicelib.routes.mlflow.errors import invalid, refuse
from chalicelib.routes.mlflow.operations import Operations
from chalicelib.routes.mlflow.parse import Body, Query, Required
from chalicelib.services import experiment as service
from chalicelib.services import trash
from chalicelib.services.access import Need
from chalicelib.services.experiment import ExperimentChanges
from chalicelib.services.lifecycle import deletion
from deardiary.wire.shapes import Experiment

operations = Operations("/2.0/mlflow")


class Tag(Body):
    key: str = ""
    value: str = ""


class NewExperiment(Body):
    name: Required
    artifact_location: str = ""
    tags: list[Tag] = []


class ByName(Query):
    experiment_name: Required


class ById(Query):
    experiment_id: Required


class ExperimentBody(Body):
    experiment_id: Required


class NewName(ExperimentBody):
    new_name: Required


class ExperimentTag(ExperimentBody):
    key: Required
    value: str = ""


class ExperimentTagKey(ExperimentBody):
    key: Required


@operations.post("/experiments/create", body=NewExperiment)
def create_experiment(call: Call[NewExperiment, None]) -> Answer[dict[str, Any]]:
    _check_name(call.body.name, "name")
    tags = {each.key: each.value for each in call.body.tags}
    for key, value in tags.items():
        _check_tag(key, value)
    _check_location(call.body.artifact_location)
    experiment = scope.in_project(call, lambda project_id: _create(call, project_id, tags))
    return ok({"experiment_id": scope.shown_experiment_id(call, experiment)})


@operations.get("/experiments/get-by-name", query=ByName)
def get_experiment_by_name(call: Call[None, ByName]) -> Answer[dict[str, Any]]:
    name = call.query.experiment_name
    if name == scope.DEFAULT_NAME:
        scope.experiment_id_of(call, scope.DEFAULT_ID)
    found = scope.in_project(call, lambda project_id: service.find_by_name(call.actor, project_id, name))
    if found is None:
        raise NotFound(f"Could not find experiment with name '{name}'")
    return ok({"experiment": form(call, *found)})


@operations.get("/experiments/get", query=ById)
def get_experiment(call: Call[None, ById]) -> Answer[dict[str, Any]]:
    line, deleted = lookup.find_experiment(call, call.query.experiment_id)
    return ok({"experiment": form(call, service.whole(line), deleted)})


@operations.post("/experiments/update", body=NewName)
def update_experiment(call: Call[NewName, None]) -> Answer[dict[str, Any]]:
    name = call.body.new_name
    _check_name(name, "new_name")
    line, deleted = lookup.find_experiment(call, call.body.experiment_id, Need.UPDATE)
    if deleted:
        refuse("Cannot rename a non-active experiment.", "experiment_id")
    same = service.find_by_name(call.actor, line.project.id, name)
    if same is not None and same[0].id != line.experiment.id:
        raise _taken(name)
    _update(call, line.experiment, ExperimentChanges(name=name, labels={}))
    return ok({})


@operations.post("/experiments/delete", body=ExperimentBody)
def delete_experiment(call: Call[ExperimentBody, None]) -> Answer[dict[str, Any]]:
    line, deleted = lookup.find_experiment(call, call.body.experiment_id, Need.DELETE)
    if not deleted:
        deletion.delete_experiment(call.actor, line.experiment.id)
    return ok({})


@operations.post("/experiments/restore", body=ExperimentBody)
def restore_experiment(call: Call[ExperimentBody, None]) -> Answer[dict[str, Any]]:
    line, deleted = lookup.find_experiment(call, call.body.experiment_id, Need.DELETE)
    if deleted:
        trash.restore(call.actor, line.experiment.id, None)
    return ok({})


@operations.post("/experiments/set-experiment-tag", body=ExperimentTag)
def set_experiment_tag(call: Call[ExperimentTag, None]) -> Answer[dict[str, Any]]:
    key, value = call.body.key, call.body.value
    _check_tag(key, value)
    line = lookup.active_experiment(call, call.body.experiment_id, Need.UPDATE)
    changes = ExperimentChanges(description=value) if key == mapping.NOTE else ExperimentChanges(labels={key: value})
    _update(call, line.experiment, changes)
    return ok({})


@operations.post("/experiments/delete-experiment-tag", body=ExperimentTagKey)
def delete_experiment_tag(call: Call[ExperimentTagKey, None]) -> Answer[dict[str, Any]]:
    key, given = call.body.key, call.body.experiment_id
    line = lookup.active_experiment(call, given, Need.UPDATE)
    if key not in tags_of(service.whole(line)):
        raise NotFound(f"No tag with name: {key} in experiment with id {given}")
    changes = ExperimentChanges(description="") if key == mapping.NOTE else ExperimentChanges(labels={key: None})
    _update(call, line.experiment, changes)
    return ok({})


def form(call: Call[Any, Any], experiment: Experiment, deleted: bool) -> dict[str, Any]:
    """An Experiment in MLflow's form."""
    location = experiment.labels.get(mapping.LOCATION)
    return {
        "experiment_id": scope.shown_experiment_id(call, experiment),
        "name": experiment.name,
        "artifact_location": location or mapping.location_of(call, experiment.project_id, experiment.id),
        "lifecycle_stage": "deleted" if deleted else "active",
        "creation_time": clock.to_milliseconds(experiment.created_date),
        "last_update_time": updated_ms(experiment),
        "tags": mapping.pairs(tags_of(experiment)),
    }


def tags_of(experiment: Experiment) -> dict[str, str]:
    note = {mapping.NOTE: experiment.description} if experiment.description else {}
    return note | {key: value for key, value in experiment.labels.items() if not key.startswith(mapping.RESERVED)}


def updated_ms(experiment: Experiment) -> int:
    """The time of the last change by an MLflow client, else of the creation."""
    return int(experiment.labels.get(mapping.UPDATED) or clock.to_milliseconds(experiment.created_date))


def _create(call: Call[NewExperiment, None], project_id: str, tags: dict[str, str]) -> Experiment:
    name, location = call.body.name, call.body.artifact_location
    if service.find_by_name(call.actor, project_id, name) is not None:
        raise _taken(name)
    description = tags.pop(mapping.NOTE, "")
    labels = tags | ({mapping.LOCATION: location} if location else {})
    try:
        created, _ = service.create_experiment(
            call.actor, project_id, name=name, description=description, id_key=None, labels=labels
        )
    except Conflict:
        raise _taken(name) from None
    return created


def _update(call: Call[Any, Any], experiment: Experiment, changes: ExperimentChanges) -> None:
    now = str(clock.to_milliseconds(clock.now()))
    changes["labels"] = {**changes.get("labels", {}), mapping.UPDATED: now}
    try:
        service.update_experiment(call.actor, experiment.id, changes)
    except Conflict:
        raise _taken(changes.get("name", experiment.name)) from None


def _taken(name: str) -> Conflict:
    return Conflict(f"Experiment(name={name}) already exists.")


def _check_name(name: str, parameter: str) -> None:
    if not name.strip():
        refuse(f"Invalid experiment name: '{name}'", parameter)
    check_length("name", name, limits.MAX_EXPERIMENT_NAME_CHARACTERS)


def _check_tag(key: str, value: str) -> None:
    check_length("key", check_key(key, "key"), limits.MAX_KEY_CHARACTERS)
    if key.startswith(mapping.RESERVED):
        raise invalid("key", key, f"Keys that begin with {mapping.RESERVED} are reserved")
    check_length("value", value, limits.MAX_EXPERIMENT_TAG_CHARACTERS)


def _check_location(location: str) -> None:
    if location.startswith("runs:"):
        refuse(f"Artifact location cannot be a runs:/ URI. Given: '{location}'", "artifact_location")
    if any(character in location for character in "#?"):
        raise invalid("artifact_location", location, "URI can't contain fragments or parameters")
