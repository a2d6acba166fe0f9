"""Registered models in MLflow's form: models of the project."""

from __future__ import annotations

from typing import Any

from chalicelib import limits
from chalicelib.errors import Conflict, NotFound
from chalicelib.routes.http.answer import Answer, ok
from chalicelib.routes.http.endpoint import Call
from chalicelib.routes.mlflow import filters, paging, registry, scope
from chalicelib.routes.mlflow.checks import check_length
from chalicelib.routes.mlflow.errors import refuse
from chalicelib.routes.mlflow.filters import Grammar
from chalicelib.routes.mlflow.operations import Operations
from chalicelib.routes.mlflow.parse import Body, Query, Required
from chalicelib.routes.mlflow.registry import Tag
from chalicelib.routes.mlflow.searching import Search, is_prompt, tag_of
from chalicelib.services import alias as aliases
from chalicelib.services import model as service
from chalicelib.services import modelversion as versions
from chalicelib.services.lifecycle import deletion
from chalicelib.services.model import ModelChanges
from deardiary.wire.shapes import Model, Stage

operations = Operations("/2.0/mlflow")

MAX_RESULTS, DEFAULT_RESULTS = 1000, 100
GRAMMAR = Grammar(
    kinds=("attribute", "tag"),
    numbers=("creation_timestamp", "last_updated_timestamp"),
    texts=("name",),
    lists=("name",),
    null_kinds=(),
    aliases={"timestamp": "last_updated_timestamp"},
)


class ByName(Body):
    name: Required


class NameQuery(Query):
    name: Required


class NewModel(ByName):
    tags: list[Tag] = []
    description: str = ""


class Rename(ByName):
    new_name: Required


class Described(ByName):
    description: str = ""


class SetTag(ByName):
    key: Required
    value: str = ""


class TagKey(ByName):
    key: Required


class Stages(ByName):
    stages: list[str] = []


class StagesQuery(NameQuery):
    stages: list[str] = []


class AliasQuery(NameQuery):
    alias: Required


class Alias(ByName):
    alias: Required


class NewAlias(Alias):
    version: Required


@operations.post("/registered-models/create", body=NewModel)
def create_model(call: Call[NewModel, None]) -> Answer[dict[str, Any]]:
    name = registry.check_name(call.body.name)
    labels = registry.labels_of(call.body.tags)
    description = registry.check_description(call.body.description)

    def create(project_id: str) -> Model:
        return service.create_model(call.actor, project_id, name=name, description=description, labels=labels)

    try:
        created = scope.in_project(call, create)
    except Conflict:
        raise _taken(call, name, labels) from None
    return ok({"registered_model": registry.model_form(created)})


@operations.get("/registered-models/get", query=NameQuery)
def get_model(call: Call[None, NameQuery]) -> Answer[dict[str, Any]]:
    return ok({"registered_model": _form(registry.find_model(call, call.query.name))})


@operations.post("/registered-models/rename", body=Rename)
def rename_model(call: Call[Rename, None]) -> Answer[dict[str, Any]]:
    new_name = registry.check_name(call.body.new_name, "new_name")
    try:
        return _change(call, {"name": new_name})
    except Conflict:
        raise Conflict(f"Registered Model (name={new_name}) already exists.") from None


@operations.patch("/registered-models/update", body=Described)
def update_model(call: Call[Described, None]) -> Answer[dict[str, Any]]:
    return _change(call, {"description": registry.check_description(call.body.description)})


@operations.delete("/registered-models/delete", body=ByName)
def delete_model(call: Call[ByName, None]) -> Answer[dict[str, Any]]:
    deletion.delete_model(call.actor, registry.find_model(call, call.body.name).id)
    return ok({})


@operations.get("/registered-models/search", query=registry.SearchQuery)
def search_models(call: Call[None, registry.SearchQuery]) -> Answer[dict[str, Any]]:
    query = call.query
    size = paging.check_size("max_results", query.max_results, DEFAULT_RESULTS, MAX_RESULTS)
    search: Search[Model] = Search(query.filter, query.order_by, GRAMMAR, ("name",), _value)
    named = search.names("name")
    found = scope.in_project(call, lambda project_id: service.list_all(call.actor, project_id, named))
    if not search.asks_for_prompts():
        found = [each for each in found if not is_prompt(each.labels)]
    page, more = paging.cut(search.rows(found), size, "registered-models", query.page_token or None, 1)
    latest = versions.list_of_models([model for _, model in page])
    forms = [(key, registry.model_form(model, registry.latest_of(latest[model.id]))) for key, model in page]
    return paging.answer("registered_models", forms, dict, "registered-models", more=more)


@operations.post("/registered-models/get-latest-versions", body=Stages, reads=True)
def get_latest_versions(call: Call[Stages, None]) -> Answer[dict[str, Any]]:
    return _latest(call, call.body.name, call.body.stages)


@operations.get("/registered-models/get-latest-versions", query=StagesQuery)
def get_latest_versions_of_query(call: Call[None, StagesQuery]) -> Answer[dict[str, Any]]:
    return _latest(call, call.query.name, call.query.stages)


@operations.post("/registered-models/set-tag", body=SetTag)
def set_model_tag(call: Call[SetTag, None]) -> Answer[dict[str, Any]]:
    _change(call, {"labels": {registry.check_tag(call.body.key, call.body.value): call.body.value}})
    return ok({})


@operations.delete("/registered-models/delete-tag", body=TagKey)
def delete_model_tag(call: Call[TagKey, None]) -> Answer[dict[str, Any]]:
    _change(call, {"labels": {registry.check_tag(call.body.key, ""): None}})
    return ok({})


@operations.get("/registered-models/alias", query=AliasQuery)
def get_version_of_alias(call: Call[None, AliasQuery]) -> Answer[dict[str, Any]]:
    model, alias = registry.find_model(call, call.query.name), call.query.alias
    try:
        version = aliases.get_version_of_alias(call.actor, model.id, alias)
    except NotFound:
        refuse(f"Registered model alias {alias} not found.", "alias")
    return ok({"model_version": registry.version_form(model, version)})


@operations.post("/registered-models/alias", body=NewAlias)
def put_alias(call: Call[NewAlias, None]) -> Answer[dict[str, Any]]:
    body = call.body
    _check_alias(body.alias)
    registry.on_version(
        call,
        body.name,
        body.version,
        lambda model, version: aliases.put_alias(call.actor, model.id, body.alias, version.version),
    )
    return ok({})


@operations.delete("/registered-models/alias", body=Alias)
def delete_alias(call: Call[Alias, None]) -> Answer[dict[str, Any]]:
    model = registry.find_model(call, call.body.name)
    if call.body.alias in model.aliases:
        aliases.delete_alias(call.actor, model.id, call.body.alias)
    return ok({})


def _change(call: Call[Any, None], changes: ModelChanges) -> Answer[dict[str, Any]]:
    model = registry.find_model(call, call.body.name)
    changed = service.update_model(call.actor, model.id, changes)
    return ok({"registered_model": _form(changed)})


def _form(model: Model) -> dict[str, Any]:
    return registry.model_form(model, registry.latest_of(versions.list_of_models([model])[model.id]))


def _latest(call: Call[Any, Any], name: str, stages: list[str]) -> Answer[dict[str, Any]]:
    wanted = list(map(registry.stage_of, stages)) or list(Stage)
    model = registry.find_model(call, name)
    found = registry.latest_of(versions.list_of_models([model])[model.id], wanted)
    return ok({"model_versions": [registry.version_form(model, each) for each in found]})


def _value(model: Model, name: filters.Name) -> filters.Value | None:
    if name.kind == "tag":
        return tag_of(model.labels, name.key)
    if name.key == "name":
        return model.name
    form = registry.model_form(model)
    return int(form[name.key])


def _taken(call: Call[Any, Any], name: str, labels: dict[str, str]) -> Conflict:
    existing = registry.find_model(call, name)
    old = "Prompt" if is_prompt(existing.labels) else "Registered Model"
    new = "Prompt" if is_prompt(labels) else "Registered Model"
    if old != new:
        return Conflict(
            f"Tried to create a {new.lower()} with name {name!r}, but the name is already taken by a {old.lower()}."
            " MLflow does not allow creating a model and a prompt with the same name."
        )
    return Conflict(f"{new} (name={name}) already exists.")


def _check_alias(alias: str) -> None:
    """MLflow's rules, which allow numbers."""
    check_length("Registered model alias name", alias, limits.MAX_ALIAS_CHARACTERS)
    if not all(each.isalnum() or each in "_-" for each in alias):
        refuse(
            f"Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-).",
            "alias",
        )
    if alias.lower() == "latest":
        refuse("'latest' alias name (case insensitive) is reserved.", "alias")
    if alias[0] in "vV" and alias[1:].isdecimal():
        refuse(f"Version alias name '{alias}' is reserved.", "alias")
