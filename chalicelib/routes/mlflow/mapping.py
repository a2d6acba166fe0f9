"""Runs in MLflow's form, from iterations; tags and statuses in both directions.

docs/decisions/0014-mlflow-mapping.md has the whole mapping. Facts of MLflow without a field in the record are labels
that begin with `RESERVED`; MLflow's clients do not see them as tags.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from chalicelib import clock
from chalicelib.limits import MAX_VERSION_CHARACTERS
from chalicelib.routes.http.endpoint import Call
from chalicelib.routes.mlflow import scope
from chalicelib.routes.mlflow.checks import is_id
from chalicelib.routes.mlflow.packed import unpack
from chalicelib.routes.mlflow.parse import number
from chalicelib.services.iteration import IterationChanges
from chalicelib.services.search.facts import Facts
from chalicelib.services.search.rows import Row
from deardiary.wire import limits
from deardiary.wire.shapes import Experiment, Input, Iteration, IterationStatus, LoggedModel

RESERVED = "deardiary.mlflow."
USER_ID = f"{RESERVED}user_id"
# SCHEDULED: such a run is RUNNING in the record.
STATUS = f"{RESERVED}status"
ARTIFACT_URI = f"{RESERVED}artifact_uri"
LOCATION = f"{RESERVED}artifact_location"
UPDATED = f"{RESERVED}last_update_time"

# Of an input.
SCHEMA, PROFILE = f"{RESERVED}schema", f"{RESERVED}profile"
CONTEXT = "mlflow.data.context"

NAME = "mlflow.runName"
NOTE = "mlflow.note.content"
PARENT = "mlflow.parentRunId"
USER = "mlflow.user"
COMMIT = "mlflow.source.git.commit"
SOURCE = "mlflow.source.name"

SCHEDULED = "SCHEDULED"
STATUSES = {
    IterationStatus.RUNNING: "RUNNING",
    IterationStatus.SUCCEEDED: "FINISHED",
    IterationStatus.FAILED: "FAILED",
    IterationStatus.KILLED: "KILLED",
}
# The numbers of MLflow's messages, which a client may send in place of the names.
NUMBERS = {"1": "RUNNING", "2": SCHEDULED, "3": "FINISHED", "4": "FAILED", "5": "KILLED"}


class Split(NamedTuple):
    """Tags as the record has them: changes of fields, and labels."""

    fields: IterationChanges
    labels: dict[str, str]


def split_tags(tags: Mapping[str, str]) -> Split:
    """The fields and the labels that these tags set. Name and note are fields only."""
    fields = IterationChanges()
    if tags.get(NAME):
        fields["name"] = tags[NAME]
    if NOTE in tags:
        fields["notes"] = tags[NOTE]
    if is_id(tags.get(PARENT, "")):
        fields["parent_iteration_id"] = tags[PARENT]
    if COMMIT in tags:
        fields["git_sha"] = tags[COMMIT][:MAX_VERSION_CHARACTERS]
    if SOURCE in tags:
        fields["entrypoint"] = tags[SOURCE][: limits.MAX_ENTRYPOINT_CHARACTERS]
    return Split(fields, {key: value for key, value in tags.items() if key not in (NAME, NOTE)})


def tags_of(iteration: Iteration) -> dict[str, str]:
    """All tags of a run. An iteration that another client created has those that follow from its fields."""
    fields = {
        NOTE: iteration.notes,
        PARENT: iteration.parent_iteration_id,
        COMMIT: iteration.git_sha,
        SOURCE: iteration.entrypoint,
    }
    given = {key: value for key, value in iteration.labels.items() if not key.startswith(RESERVED)}
    return {key: value for key, value in fields.items() if value} | given | {NAME: iteration.name}


def status_of(iteration: Iteration) -> str:
    running = iteration.status_id == IterationStatus.RUNNING
    return SCHEDULED if running and iteration.labels.get(STATUS) == SCHEDULED else STATUSES[iteration.status_id]


def user_of(iteration: Iteration) -> str:
    return iteration.labels.get(USER_ID) or iteration.labels.get(USER, "")


def artifact_uri_of(call: Call[Any, Any], iteration: Iteration, project_id: str) -> str:
    own = iteration.labels.get(ARTIFACT_URI)
    return own or f"{location_of(call, project_id, iteration.experiment_id)}/{iteration.id}/artifacts"


def location_of(call: Call[Any, Any], project_id: str, experiment_id: str) -> str:
    """The URI of an experiment's artifacts on this server."""
    below = f"workspaces/{project_id}/" if scope.workspace(call) else ""
    return f"mlflow-artifacts:/{below}{experiment_id}"


def location_of_model(call: Call[Any, Any], model: LoggedModel) -> str:
    """The URI of a logged model's files."""
    below = location_of(call, scope.workspace(call) or "", model.experiment_id)
    return f"{below}/models/{model.id}/artifacts"


def info(call: Call[Any, Any], iteration: Iteration, experiment: Experiment, *, deleted: bool) -> dict[str, Any]:
    """A RunInfo."""
    ended = {} if iteration.end_date is None else {"end_time": clock.to_milliseconds(iteration.end_date)}
    return {
        "run_id": iteration.id,
        "run_uuid": iteration.id,
        "run_name": iteration.name,
        "experiment_id": scope.shown_experiment_id(call, experiment),
        "user_id": user_of(iteration),
        "status": status_of(iteration),
        "start_time": clock.to_milliseconds(iteration.created_date),
        **ended,
        "artifact_uri": artifact_uri_of(call, iteration, experiment.project_id),
        "lifecycle_stage": "deleted" if deleted else "active",
    }


def data(facts: Facts) -> dict[str, Any]:
    """A RunData: the last point of each metric."""
    metrics = [
        {"key": key, "value": number(one.last), "timestamp": one.last_time, "step": one.last_step}
        for key, one in facts.summaries.items()
    ]
    return {
        "metrics": metrics,
        "params": pairs(dict(sorted(facts.parameters.items()))),
        "tags": pairs(tags_of(facts.iteration)),
    }


def run(call: Call[Any, Any], row: Row, experiment: Experiment) -> dict[str, Any]:
    """A Run."""
    read = [{"model_id": each.loggedmodel_id} for each in row.links if each.step is None]
    written = [{"model_id": each.loggedmodel_id, "step": each.step} for each in row.links if each.step is not None]
    datasets = [dataset_input(each) for each in row.inputs if each.kind == "dataset"]
    return {
        "info": info(call, row.facts.iteration, experiment, deleted=row.deleted),
        "data": data(row.facts),
        "inputs": {"dataset_inputs": datasets} | ({"model_inputs": read} if read else {}),
        "outputs": {"model_outputs": written} if written else {},
    }


def dataset_input(used: Input) -> dict[str, Any]:
    """A DatasetInput. The context of an input of another client is MLflow's tag for it."""
    packed = (("schema", SCHEMA), ("profile", PROFILE))
    texts = {name: unpack(used.labels[key]) for name, key in packed if key in used.labels}
    tags = {key: value for key, value in used.labels.items() if key not in (SCHEMA, PROFILE)}
    if used.context:
        tags.setdefault(CONTEXT, used.context)
    return {
        "tags": pairs(tags),
        "dataset": {
            "name": used.name,
            "digest": used.digest,
            "source_type": used.source_type,
            "source": used.source,
            **texts,
        },
    }


def pairs(texts: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in texts.items()]
