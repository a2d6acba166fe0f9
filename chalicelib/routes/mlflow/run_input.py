"""What a run has read and written: data sets and logged models."""

from __future__ import annotations

import json
from typing import Any

from chalicelib.routes.http.answer import Answer, ok
from chalicelib.routes.http.endpoint import Call
from chalicelib.routes.mlflow import limits, lookup, mapping
from chalicelib.routes.mlflow.checks import check_length
from chalicelib.routes.mlflow.errors import missing, refuse
from chalicelib.routes.mlflow.operations import Operations
from chalicelib.routes.mlflow.packed import pack
from chalicelib.routes.mlflow.parse import Body, Int64, RunBody
from chalicelib.routes.mlflow.run import Tag
from chalicelib.services import input as service
from chalicelib.services import iteration as iterations
from chalicelib.services import label
from chalicelib.services import loggedmodel as loggedmodels
from chalicelib.services.access import Need
from chalicelib.services.iteration import IterationChanges
from chalicelib.services.loggedmodel import LoggedLink
from deardiary.wire.limits import MAX_INPUT_LABELS_BYTES

operations = Operations("/2.0/mlflow")

MODELS = "mlflow.log-model.history"
_OF_MODEL = ("run_id", "utc_time_created", "artifact_path", "model_uuid")
_LENGTHS = {
    "name": limits.MAX_DATASET_NAME_CHARACTERS,
    "digest": limits.MAX_DATASET_DIGEST_CHARACTERS,
    "source": limits.MAX_DATASET_SOURCE_CHARACTERS,
    "schema": limits.MAX_DATASET_SCHEMA_CHARACTERS,
    "profile": limits.MAX_DATASET_PROFILE_CHARACTERS,
}


class Dataset(Body):
    name: str = ""
    digest: str = ""
    source_type: str = ""
    source: str = ""
    schema: str = ""
    profile: str = ""


class DatasetInput(Body):
    dataset: Dataset
    tags: list[Tag] = []


class ModelInput(Body):
    model_id: str = ""


class ModelOutput(ModelInput):
    step: Int64 = 0


class Inputs(RunBody):
    datasets: list[DatasetInput] = []
    models: list[ModelInput] = []


class Outputs(RunBody):
    models: list[ModelOutput] = []


class OldModel(RunBody):
    model_json: str = ""


@operations.post("/runs/log-model", body=OldModel)
def log_model(call: Call[OldModel, None]) -> Answer[dict[str, Any]]:
    """Add a model to the tag that lists those of the run, as MLflow 2 does."""
    model = _parse_model(call.body.model_json)
    line = lookup.active_run(call, call.body.id, Need.UPDATE)
    iteration = label.complete(line.iteration, apart=line.labels_apart)
    models = _parse_models(iteration.labels.get(MODELS, "[]"))
    text = json.dumps([*models, model])
    check_length("value", text, limits.MAX_TAG_CHARACTERS)
    changes = IterationChanges(labels={MODELS: text})
    iterations.update_iteration(call.actor, iteration.id, changes, even_ended=True)
    return ok({})


def _parse_model(text: str) -> dict[str, Any]:
    """What the tag keeps of a model. InvalidPayload unless the text is the JSON of one."""
    try:
        model = json.loads(text)
    except (ValueError, RecursionError):
        model = None
    if not isinstance(model, dict):
        refuse(f"Malformed model info. \n {text} \n is not a valid JSON.", "model_json")
    absent = {"artifact_path", "flavors", "utc_time_created", "run_id"} - model.keys()
    if absent:
        refuse(f"Model json is missing mandatory fields: {absent}", "model_json")
    flavors = model["flavors"] if isinstance(model["flavors"], dict) else {}
    kept = {name: value for name, value in model.items() if name in _OF_MODEL}
    return kept | {"flavors": {name: _without_config(each) for name, each in flavors.items()}}


def _without_config(flavor: Any) -> Any:
    return {key: value for key, value in flavor.items() if key != "config"} if isinstance(flavor, dict) else flavor


def _parse_models(text: str) -> list[Any]:
    try:
        models = json.loads(text)
    except (ValueError, RecursionError):
        models = None
    return models if isinstance(models, list) else []


@operations.post("/runs/log-inputs", body=Inputs)
def log_inputs(call: Call[Inputs, None]) -> Answer[dict[str, Any]]:
    for index, each in enumerate(call.body.datasets):
        _check(each, f"datasets[{index}]")
    links = [LoggedLink(_checked(each, index), None) for index, each in enumerate(call.body.models)]
    line = lookup.active_run(call, call.body.id, Need.CREATE)
    for each in call.body.datasets:
        _create(call, line.iteration.id, each)
    loggedmodels.link_iteration(line.iteration, links)
    return ok({})


@operations.post("/runs/outputs", body=Outputs)
def log_outputs(call: Call[Outputs, None]) -> Answer[dict[str, Any]]:
    links = [LoggedLink(_checked(each, index), each.step) for index, each in enumerate(call.body.models)]
    line = lookup.active_run(call, call.body.id, Need.CREATE)
    loggedmodels.link_iteration(line.iteration, links)
    return ok({})


def _checked(given: ModelInput, index: int) -> str:
    """The id of a logged model, which need not exist."""
    if not given.model_id:
        raise missing(f"models[{index}].model_id")
    return check_length("model_id", given.model_id, limits.MAX_KEY_CHARACTERS)


def _check(given: DatasetInput, path: str) -> None:
    for name in ("name", "digest", "source_type", "source"):
        if not getattr(given.dataset, name):
            raise missing(f"{path}.dataset.{name}")
    for name, most in _LENGTHS.items():
        check_length(name, getattr(given.dataset, name), most)
    for tag in given.tags:
        check_length("key", tag.key, limits.MAX_INPUT_TAG_KEY_CHARACTERS)
        check_length("value", tag.value, limits.MAX_INPUT_TAG_CHARACTERS)


def _create(call: Call[Inputs, None], run_id: str, given: DatasetInput) -> None:
    dataset, labels = given.dataset, _labels(given)
    service.create_input(
        call.actor,
        run_id,
        kind="dataset",
        name=dataset.name,
        digest=dataset.digest,
        source=dataset.source,
        source_type=dataset.source_type,
        context=labels.get(mapping.CONTEXT, ""),
        resource_id=None,
        modelversion_id=None,
        description="",
        labels=labels,
        even_ended=True,
    )


def _labels(given: DatasetInput) -> dict[str, str]:
    """The tags, and schema and profile. InvalidPayload if these are too long even when compressed."""
    texts = {mapping.SCHEMA: given.dataset.schema, mapping.PROFILE: given.dataset.profile}
    labels = {each.key: each.value for each in given.tags} | {key: pack(text) for key, text in texts.items() if text}
    if sum(len(key.encode()) + len(text.encode()) for key, text in labels.items()) > MAX_INPUT_LABELS_BYTES:
        refuse("The schema and the profile of this data set are too long to store", "datasets")
    return labels
