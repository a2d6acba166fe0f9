"""Registered models and their versions: found by name and number, and in MLflow's form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from chalicelib import clock
from chalicelib.errors import NotFound
from chalicelib.routes.http.endpoint import Call
from chalicelib.routes.mlflow import limits, scope
from chalicelib.routes.mlflow.checks import check_key, check_length
from chalicelib.routes.mlflow.errors import missing, refuse
from chalicelib.routes.mlflow.mapping import RESERVED, pairs
from chalicelib.routes.mlflow.parse import Body, Query
from chalicelib.services import model as models
from chalicelib.services import modelversion as versions
from deardiary.wire import limits as record
from deardiary.wire.shapes import Model, ModelVersion, Stage

T = TypeVar("T")

DOWNLOAD_URI = f"{RESERVED}download_uri"

STAGES = {Stage.NO_STAGE: "None", Stage.STAGING: "Staging", Stage.PRODUCTION: "Production", Stage.ARCHIVED: "Archived"}
_BY_NAME = {name.lower(): stage for stage, name in STAGES.items()}
_NUMBER = re.compile(r"\s*[+-]?\d{1,18}\s*")


class SearchQuery(Query):
    """Of registered models, and of their versions."""

    filter: str = ""
    max_results: int | None = None
    order_by: list[str] = []
    page_token: str = ""


class Tag(Body):
    key: str
    value: str = ""


def find_model(call: Call[Any, Any], name: str) -> Model:
    """The registered model of this name in the project of the request."""
    found = scope.in_project(call, lambda project_id: models.find_by_name(call.actor, project_id, name))
    if found is None:
        check_name(name)
        raise no_model(name)
    return found


def find_version(call: Call[Any, Any], name: str, version: str) -> tuple[Model, ModelVersion]:
    number = number_of(version)
    model = find_model(call, name)
    try:
        return model, versions.get_version(call.actor, versions.id_of(model.id, number))
    except NotFound:
        raise no_version(name, version) from None


def on_version(call: Call[Any, Any], name: str, version: str, act: Callable[[Model, ModelVersion], T]) -> T:
    """The result of `act` with the version, which another request may delete at the same time."""
    model, found = find_version(call, name, version)
    try:
        return act(model, found)
    except NotFound:
        raise no_version(name, version) from None


def number_of(version: str) -> int:
    if not _NUMBER.fullmatch(version):
        refuse(f"Parameter 'version' must be an integer, got '{version}'.", "version")
    # No version has these numbers, and no key of the table holds them.
    return min(max(int(version), 0), 999_999_999)


def stage_of(name: str) -> Stage:
    stage = _BY_NAME.get(name.lower())
    if stage is None:
        valid = ", ".join(STAGES.values())
        refuse(f"Invalid Model Version stage: {name}. Value must be one of {valid}.", "stage")
    return stage


def check_name(name: str, parameter: str = "name") -> str:
    """InvalidPayload for a name that no registered model can get."""
    if not name.strip():
        raise missing(parameter)
    if "/" in name or ":" in name:
        refuse(f"Invalid model name '{name}'. Names cannot contain '/' or ':'.", parameter)
    if name in (".", ".."):
        refuse(f"Invalid value {name!r} for parameter '{parameter}' supplied: it would be a path", parameter)
    return check_length(parameter, name, record.MAX_NAME_CHARACTERS)


def check_description(text: str) -> str:
    if len(text.encode()) > record.MAX_TEXT_BYTES:
        refuse(f"'description' exceeds the maximum length of {record.MAX_TEXT_BYTES} bytes", "description")
    return text


def labels_of(tags: Iterable[Tag]) -> dict[str, str]:
    return {check_tag(tag.key, tag.value): tag.value for tag in tags}


def check_tag(key: str, value: str) -> str:
    """The key, which may not be one that the server reserves."""
    check_length("key", check_key(key, "key"), limits.MAX_KEY_CHARACTERS)
    if key.startswith(RESERVED):
        refuse(f"Tags that begin with '{RESERVED}' are reserved", "key")
    check_length("value", value, record.MAX_MODEL_LABEL_CHARACTERS)
    return key


def tags_of(labels: Mapping[str, str]) -> list[dict[str, str]]:
    return pairs({key: value for key, value in labels.items() if not key.startswith(RESERVED)})


def no_model(name: str) -> NotFound:
    return NotFound(f"Registered Model with name={name} not found", kind="model", id=name)


def no_version(name: str, version: str | int) -> NotFound:
    return NotFound(f"Model Version (name={name}, version={version}) not found", kind="modelversion", id=f"{version}")


def model_form(model: Model, latest: Iterable[ModelVersion] = ()) -> dict[str, Any]:
    """A RegisteredModel, with the latest version of each stage."""
    created = clock.to_milliseconds(model.created_date)
    return {
        "name": model.name,
        "creation_timestamp": created,
        "last_updated_timestamp": clock.to_milliseconds(model.updated_date) if model.updated_date else created,
        "description": model.description,
        "latest_versions": [version_form(model, each) for each in latest],
        "tags": tags_of(model.labels),
        "aliases": [{"alias": alias, "version": str(number)} for alias, number in sorted(model.aliases.items())],
    }


def version_form(model: Model, version: ModelVersion) -> dict[str, Any]:
    """A ModelVersion."""
    return {
        "name": model.name,
        "version": str(version.version),
        "creation_timestamp": clock.to_milliseconds(version.created_date),
        "last_updated_timestamp": updated_ms(version),
        "description": version.description,
        "current_stage": STAGES[version.stage_id],
        "source": version.source,
        "run_id": version.iteration_id or version.run_id or "",
        "run_link": version.run_link or "",
        "status": "READY",
        "tags": tags_of(version.labels),
        "aliases": list(version.aliases),
    } | ({"model_id": version.loggedmodel_id} if version.loggedmodel_id else {})


def updated_ms(version: ModelVersion) -> int:
    return clock.to_milliseconds(version.updated_date or version.created_date)


def latest_of(found: Iterable[ModelVersion], stages: Iterable[Stage] = tuple(Stage)) -> list[ModelVersion]:
    """The version with the highest number of each of these stages."""
    newest = {each.stage_id: each for each in sorted(found, key=lambda each: each.version)}
    return [newest[stage] for stage in stages if stage in newest]
