"""Experiments in MLflow's form."""

from __future__ import annotations

from typing import Any

from chalicelib import clock
from chalicelib.errors import Conflict, NotFound
from chalicelib.routes.http.answer import Answer, ok
from chalicelib.routes.http.endpoint import Call
from chalicelib.routes.mlflow import limits, scope
from chalicelib.routes.mlflow.errors import refuse
from chalicelib.routes.mlflow.operations import Operations
from chalicelib.routes.mlflow.parse import Body, Query, Required
from chalicelib.services import experiment as service
from deardiary.wire.shapes import Experiment

operations = Operations("/2.0/mlflow")


class NewExperiment(Body):
    name: Required


class ByName(Query):
    experiment_name: Required


class ById(Query):
    experiment_id: Required


@operations.post("/experiments/create", body=NewExperiment)
def create_experiment(call: Call[NewExperiment, None]) -> Answer[dict[str, Any]]:
    _check_name(call.body.name)
    return ok({"experiment_id": scope.in_project(call, lambda project_id: _create(call, project_id))})


@operations.get("/experiments/get-by-name", query=ByName)
def get_experiment_by_name(call: Call[None, ByName]) -> Answer[dict[str, Any]]:
    name = call.query.experiment_name
    found = scope.in_project(call, lambda project_id: service.find_by_name(call.actor, project_id, name))
    if found is None:
        raise NotFound(f"Could not find experiment with name '{name}'")
    return ok({"experiment": _form(*found)})


@operations.get("/experiments/get", query=ById)
def get_experiment(call: Call[None, ById]) -> Answer[dict[str, Any]]:
    experiment_id = call.query.experiment_id
    try:
        found = service.get_experiment(call.actor, experiment_id)
    except NotFound:
        raise no_experiment(experiment_id) from None
    scope.check_project(call, found.project_id, lambda: no_experiment(experiment_id))
    return ok({"experiment": _form(found, deleted=False)})


def no_experiment(experiment_id: str) -> NotFound:
    return NotFound(f"No Experiment with id={experiment_id} exists")


def _create(call: Call[NewExperiment, None], project_id: str) -> str:
    name = call.body.name
    if service.find_by_name(call.actor, project_id, name) is not None:
        raise _taken(name)
    try:
        created, _ = service.create_experiment(call.actor, project_id, name=name, description="", id_key=None)
    except Conflict:
        raise _taken(name) from None
    return created.id


def _taken(name: str) -> Conflict:
    return Conflict(f"Experiment(name={name}) already exists.")


def _check_name(name: str) -> None:
    if not name.strip():
        refuse(f"Invalid experiment name: '{name}'", "name")
    most = limits.MAX_EXPERIMENT_NAME_CHARACTERS
    if len(name) > most:
        refuse(f"'name' exceeds the maximum length of {most} characters", "name")


def _form(experiment: Experiment, deleted: bool) -> dict[str, Any]:
    created = clock.to_milliseconds(experiment.created_date)
    return {
        "experiment_id": experiment.id,
        "name": experiment.name,
        "artifact_location": f"mlflow-artifacts:/{experiment.id}",
        "lifecycle_stage": "deleted" if deleted else "active",
        "creation_time": created,
        "last_update_time": created,
        "tags": [{"key": key, "value": value} for key, value in experiment.labels.items()],
    }
