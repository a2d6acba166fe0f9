"""What a run has read and written: data sets and logged models."""

from __future__ import annotations

from typing import Any

from chalicelib.routes.http.answer import Answer, ok
from chalicelib.routes.http.endpoint import Call
from chalicelib.routes.mlflow import limits, lookup, mapping
from chalicelib.routes.mlflow.checks import check_length
from chalicelib.routes.mlflow.errors import missing
from chalicelib.routes.mlflow.operations import Operations
from chalicelib.routes.mlflow.parse import Body, RunBody
from chalicelib.routes.mlflow.run import Tag
from chalicelib.services import input as service
from chalicelib.services.access import Need

operations = Operations("/2.0/mlflow")

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


class Inputs(RunBody):
    datasets: list[DatasetInput] = []


@operations.post("/runs/log-inputs", body=Inputs)
def log_inputs(call: Call[Inputs, None]) -> Answer[dict[str, Any]]:
    for index, each in enumerate(call.body.datasets):
        _check(each, f"datasets[{index}]")
    line = lookup.active_run(call, call.body.id, Need.CREATE)
    for each in call.body.datasets:
        _create(call, line.iteration.id, each)
    return ok({})


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
    dataset, tags = given.dataset, {each.key: each.value for each in given.tags}
    texts = {mapping.SCHEMA: dataset.schema, mapping.PROFILE: dataset.profile}
    service.create_input(
        call.actor,
        run_id,
        kind="dataset",
        name=dataset.name,
        digest=dataset.digest,
        source=dataset.source,
        source_type=dataset.source_type,
        context=tags.get(mapping.CONTEXT, ""),
        resource_id=None,
        modelversion_id=None,
        description="",
        labels=tags | {key: text for key, text in texts.items() if text},
        even_ended=True,
    )
