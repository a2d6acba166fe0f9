"""Versions of registered models in MLflow's form."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from chalicelib.errors import NotFound
from chalicelib.routes.http.answer import Answer, ok
from chalicelib.routes.http.endpoint import Call
from chalicelib.routes.mlflow import paging, registry, scope
from chalicelib.routes.mlflow.errors import refuse
from chalicelib.routes.mlflow.filters import Grammar, Name, Value
from chalicelib.routes.mlflow.mapping import location_of_model
from chalicelib.routes.mlflow.operations import Operations
from chalicelib.routes.mlflow.parse import Body, Query, Required
from chalicelib.routes.mlflow.registry import DOWNLOAD_URI, Tag
from chalicelib.routes.mlflow.searching import Search, is_prompt, tag_of
from chalicelib.services import loggedmodel as loggedmodels
from chalicelib.services import model as models
from chalicelib.services import modelversion as service
from chalicelib.services.lifecycle import deletion
from chalicelib.services.loggedmodel import LoggedModelChanges
from chalicelib.services.modelversion import VersionChanges
from deardiary.wire.shapes import LoggedModel, Model, ModelVersion, Stage

operations = Operations("/2.0/mlflow")

MAX_RESULTS, DEFAULT_RESULTS = 200_000, 10_000
GRAMMAR = Grammar(
    kinds=("attribute", "tag"),
    numbers=("version_number", "creation_timestamp", "last_updated_timestamp"),
    texts=("name", "run_id", "source_path"),
    lists=("name", "run_id"),
    null_kinds=(),
)
_MODELS = re.compile(r"models:/+(?P<name>[^/@]+)(?:/(?P<version>[^/]+)|@(?P<alias>[^/]+))?")
# A scheme of one letter is a drive of Windows.
_REMOTE = re.compile(r"(?!file:)[a-z][a-z0-9+.-]+:", re.IGNORECASE)
# A tag of a logged model: JSON, the versions that were registered from it.
VERSIONS_TAG = "mlflow.modelVersions"


class Numbered(Body):
    name: Required
    version: Required


class NumberedQuery(Query):
    name: Required
    version: Required


class NewVersion(Body):
    name: Required
    source: Required
    run_id: str = ""
    tags: list[Tag] = []
    run_link: str = ""
    description: str = ""
    model_id: str = ""


class Described(Numbered):
    description: str = ""


class Transition(Numbered):
    stage: Required
    archive_existing_versions: bool = False


class SetTag(Numbered):
    key: Required
    value: str = ""


class TagKey(Numbered):
    key: Required


class Named(NamedTuple):
    """A version with its model, which has the name."""

    model: Model
    version: ModelVersion


class Source(NamedTuple):
    """What a source of the form ``models:/…`` names."""

    uri: str
    location: str
    run_id: str | None = None
    model_id: str | None = None


@operations.post("/model-versions/create", body=NewVersion)
def create_version(call: Call[NewVersion, None]) -> Answer[dict[str, Any]]:
    body = call.body
    labels = registry.labels_of(body.tags)
    _check_source(body.source)
    if not is_prompt(labels):
        _check_remote(body.source)
    model = registry.find_model(call, body.name)
    source = _resolve(call, body.source) if not is_prompt(labels) else Source(body.source, "")
    logged = _find_logged(call, body.model_id or source.model_id)
    version, _ = service.create_version(
        call.actor,
        model.id,
        description=registry.check_description(body.description),
        source=source.uri,
        run_id=body.run_id or source.run_id or (logged.run_id if logged else None),
        run_link=body.run_link or None,
        loggedmodel_id=body.model_id or source.model_id,
        labels=labels | ({DOWNLOAD_URI: source.location} if source.location else {}),
    )
    if logged is not None:
        _note_on(call, logged, model, version)
    return ok({"model_version": registry.version_form(model, version)})


@operations.get("/model-versions/get", query=NumberedQuery)
def get_version(call: Call[None, NumberedQuery]) -> Answer[dict[str, Any]]:
    return ok({"model_version": registry.version_form(*_find(call, call.query))})


@operations.get("/model-versions/get-download-uri", query=NumberedQuery)
def get_download_uri(call: Call[None, NumberedQuery]) -> Answer[dict[str, Any]]:
    _, version = _find(call, call.query)
    return ok({"artifact_uri": version.labels.get(DOWNLOAD_URI) or version.source})


@operations.get("/model-versions/search", query=registry.SearchQuery)
def search_versions(call: Call[None, registry.SearchQuery]) -> Answer[dict[str, Any]]:
    query = call.query
    size = paging.check_size("max_results", query.max_results, DEFAULT_RESULTS, MAX_RESULTS)
    order = query.order_by or ["last_updated_timestamp DESC"]
    search: Search[Named] = Search(query.filter, order, GRAMMAR, ("name", "version_number DESC"), _value)
    named = search.names("name")
    owners = scope.in_project(call, lambda project_id: models.list_all(call.actor, project_id, named))
    if not search.asks_for_prompts():
        owners = [each for each in owners if not is_prompt(each.labels)]
    page, more = paging.cut(search.rows(_all_of(owners)), size, "model-versions", query.page_token or None, 1)
    return paging.answer("model_versions", page, _form, "model-versions", more=more)


@operations.patch("/model-versions/update", body=Described)
def update_version(call: Call[Described, None]) -> Answer[dict[str, Any]]:
    return _change(call, {"description": registry.check_description(call.body.description)})


@operations.post("/model-versions/transition-stage", body=Transition)
def transition_stage(call: Call[Transition, None]) -> Answer[dict[str, Any]]:
    body, stage = call.body, registry.stage_of(call.body.stage)
    if body.archive_existing_versions:
        if stage not in (Stage.STAGING, Stage.PRODUCTION):
            refuse(
                "Model version transition cannot archive existing model versions because"
                f" '{body.stage}' is not an Active stage. Valid stages are ['Staging', 'Production']"
            )
        model, version = _find(call, body)
        _archive_others(call, model, version, stage)
    return _change(call, {"stage_id": stage})


@operations.post("/model-versions/set-tag", body=SetTag)
def set_version_tag(call: Call[SetTag, None]) -> Answer[dict[str, Any]]:
    _change(call, {"labels": {registry.check_tag(call.body.key, call.body.value): call.body.value}})
    return ok({})


@operations.delete("/model-versions/delete-tag", body=TagKey)
def delete_version_tag(call: Call[TagKey, None]) -> Answer[dict[str, Any]]:
    _change(call, {"labels": {registry.check_tag(call.body.key, ""): None}})
    return ok({})


@operations.delete("/model-versions/delete", body=Numbered)
def delete_version(call: Call[Numbered, None]) -> Answer[dict[str, Any]]:
    body = call.body
    registry.on_version(call, body.name, body.version, lambda _, one: deletion.delete_version(call.actor, one.id))
    return ok({})


def _find(call: Call[Any, Any], given: Numbered | NumberedQuery) -> Named:
    return Named(*registry.find_version(call, given.name, given.version))


def _change(call: Call[Any, None], changes: VersionChanges) -> Answer[dict[str, Any]]:
    def change(model: Model, version: ModelVersion) -> dict[str, Any]:
        return registry.version_form(model, service.update_version(call.actor, version.id, changes))

    return ok({"model_version": registry.on_version(call, call.body.name, call.body.version, change)})


def _archive_others(call: Call[Any, None], model: Model, version: ModelVersion, stage: Stage) -> None:
    """Archive the other versions in this stage. Only one can be in PRODUCTION: a promotion archives that one."""
    if stage is Stage.STAGING:
        for each in service.list_of_models([model])[model.id]:
            if each.stage_id is stage and each.id != version.id:
                with suppress(NotFound):
                    service.update_version(call.actor, each.id, {"stage_id": Stage.ARCHIVED})


def _all_of(owners: Sequence[Model]) -> list[Named]:
    found = service.list_of_models(owners)
    return [Named(model, version) for model in owners for version in found[model.id]]


def _form(named: Named) -> dict[str, Any]:
    return registry.version_form(*named)


def _value(row: Named, name: Name) -> Value | None:
    version = row.version
    if name.kind == "tag":
        return tag_of(version.labels, name.key)
    form = _form(row)
    match name.key:
        case "version_number":
            return version.version
        case "source_path":
            return version.source
    value: Value = form[name.key]
    return value


def _check_source(source: str) -> None:
    """Refuse a source that climbs out of its folder, in any percent-encoding."""
    plain = source
    while (decoded := unquote_plus(plain)) != plain:
        plain = decoded
    if "\x00" in plain or ".." in re.split(r"[/\\]", plain):
        refuse(
            f"Invalid model version source: '{source}'. If supplying a source as an http, https, local file path, ftp,"
            " objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references"
            " present. Please provide an absolute path.",
            "source",
        )


def _check_remote(source: str) -> None:
    """Refuse a path on the client's machine: no other machine could load the model."""
    if not _REMOTE.match(source):
        refuse(
            f"Invalid model version source: '{source}'. To use a local path as a model version source, the server must"
            " share the client's disk, and this one does not. Log the model, or upload it, and name its URI.",
            "source",
        )


def _resolve(call: Call[Any, Any], source: str) -> Source:
    """The source, and where its files are, as far as this registry knows it."""
    named = _MODELS.fullmatch(source)
    if named is None:
        return Source(source, "")
    try:
        if named["version"] is None and named["alias"] is None:
            logged, _ = loggedmodels.find_loggedmodel(call.actor, named["name"])
            return Source(source, location_of_model(call, logged), logged.run_id, logged.id)
        model, version = _find_named(call, named["name"], named["version"], named["alias"])
    except NotFound as error:
        what = f"Unable to fetch model from model URI source artifact location '{source}'"
        refuse(f"{what}. Error: {error.message}", "source")
    return Source(
        f"models:/{model.name}/{version.version}",
        version.labels.get(DOWNLOAD_URI) or version.source,
        version.iteration_id or version.run_id,
        version.loggedmodel_id,
    )


def _find_named(call: Call[Any, Any], name: str, version: str | None, alias: str | None) -> Named:
    """The version that ``models:/`` and a name with a number, a stage, "latest" or an alias mean."""
    if version is not None and version.isdecimal():
        return Named(*registry.find_version(call, name, version))
    model = registry.find_model(call, name)
    if alias is not None:
        if alias not in model.aliases:
            raise NotFound(f"Registered model alias {alias} not found.")
        return Named(*registry.find_version(call, name, str(model.aliases[alias])))
    found = service.list_of_models([model])[model.id]
    if version is not None and version.lower() != "latest":
        found = registry.latest_of(found, [registry.stage_of(version)])
    if not found:
        raise NotFound(f"No versions of model with name '{name}' and stage '{version}' found")
    return Named(model, found[-1])


def _find_logged(call: Call[Any, Any], loggedmodel_id: str | None) -> LoggedModel | None:
    """The logged model of a new version. A text that names none is stored too."""
    with suppress(NotFound):
        return loggedmodels.find_loggedmodel(call.actor, loggedmodel_id)[0] if loggedmodel_id else None
    return None


def _note_on(call: Call[Any, Any], logged: LoggedModel, model: Model, version: ModelVersion) -> None:
    """Add the version to the list that the logged model has as a tag."""
    own = {"name": model.name, "version": version.version}

    def add(before: LoggedModel) -> LoggedModelChanges:
        try:
            known = json.loads(before.labels.get(VERSIONS_TAG, "[]"))
        except ValueError:
            known = []
        listed = [*(known if isinstance(known, list) else []), own]
        return {"labels": {VERSIONS_TAG: json.dumps(listed)}}

    loggedmodels.update_loggedmodel(call.actor, logged.id, add)
