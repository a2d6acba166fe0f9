"""Runs and experiments by their ids, also those in the trash, in the project that the request names."""

from __future__ import annotations

from typing import Any

from chalicelib.errors import InvalidPayload, NotFound
from chalicelib.routes.http.endpoint import Call
from chalicelib.routes.mlflow import scope
from chalicelib.routes.mlflow.checks import is_id
from chalicelib.services import access
from chalicelib.services.access import ExperimentAccess, IterationAccess, Need


def find_experiment(call: Call[Any, Any], given: str, need: Need = Need.READ) -> tuple[ExperimentAccess, bool]:
    """The experiment, and True if it is in the trash."""
    experiment_id = scope.experiment_id_of(call, given)
    if experiment_id is None or not is_id(experiment_id):
        raise no_experiment(given)
    try:
        line, deleted = access.experiment(call.actor, experiment_id, need), False
    except NotFound:
        line, deleted = _find_trashed_experiment(call, experiment_id, given, need), True
    scope.check_project(call, line.project.id, lambda: no_experiment(given))
    return line, deleted


def active_experiment(call: Call[Any, Any], given: str, need: Need) -> ExperimentAccess:
    """The experiment. InvalidPayload if it is in the trash."""
    line, deleted = find_experiment(call, given, need)
    if deleted:
        raise not_active("experiment", given)
    return line


def find_run(call: Call[Any, Any], run_id: str, need: Need = Need.READ) -> tuple[IterationAccess, bool]:
    """The run, and True if it or its experiment is in the trash."""
    if not is_id(run_id):
        raise no_run(run_id)
    try:
        line, deleted = access.iteration(call.actor, run_id, need), False
    except NotFound:
        line, deleted = _find_trashed_run(call, run_id, need), True
    scope.check_project(call, line.project.id, lambda: no_run(run_id))
    return line, deleted


def active_run(call: Call[Any, Any], run_id: str, need: Need) -> IterationAccess:
    """The run. InvalidPayload if it or its experiment is in the trash."""
    line, deleted = find_run(call, run_id, need)
    if deleted:
        raise not_active("run", run_id)
    return line


def no_experiment(experiment_id: str) -> NotFound:
    return NotFound(f"No Experiment with id={experiment_id} exists", kind="experiment", id=experiment_id)


def no_run(run_id: str) -> NotFound:
    return NotFound(f"Run with id={run_id} not found", kind="iteration", id=run_id)


def not_active(kind: str, object_id: str) -> InvalidPayload:
    return InvalidPayload(f"The {kind} {object_id} must be in the 'active' state. Current state is deleted.")


def _find_trashed_experiment(call: Call[Any, Any], experiment_id: str, given: str, need: Need) -> ExperimentAccess:
    try:
        return access.trashed_experiment(call.actor, experiment_id, need)
    except NotFound:
        raise no_experiment(given) from None


def _find_trashed_run(call: Call[Any, Any], run_id: str, need: Need) -> IterationAccess:
    try:
        return access.trashed_iteration(call.actor, run_id, need)
    except NotFound:
        raise no_run(run_id) from None
