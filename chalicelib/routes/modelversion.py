"""Model versions."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from chalicelib.paging import Page
from chalicelib.routes.http.answer import Answer, created, deleted, listed, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import (
    Body,
    Id,
    IdKey,
    ModelLabelChanges,
    ModelLabels,
    PageQuery,
    Text,
    Time,
    changes,
    past_date,
)
from chalicelib.services import modelversion as service
from chalicelib.services.lifecycle import deletion
from deardiary.wire.shapes import DependentVersion, ModelVersion, Stage

routes = Routes(__name__)


class NewModelVersion(Body):
    iteration_id: Id
    resource_id: Id | None = None
    description: Text = ""
    source: Text = ""
    id_key: IdKey | None = None
    created_date: Time | None = None
    labels: ModelLabels = {}


class ModelVersionPatch(Body):
    stage_id: Stage | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    resource_id: Id | UnsetType = UNSET
    labels: ModelLabelChanges | UnsetType = UNSET


class ModelVersionsQuery(PageQuery):
    stage: Stage | None = None


@routes.get("/models/{model_id}/versions", query=ModelVersionsQuery)
def list_versions(call: Call[None, ModelVersionsQuery], model_id: str) -> Answer[Page[ModelVersion]]:
    query = call.query
    return listed(service.list_versions_of_model(call.actor, model_id, query.limit, query.cursor, query.stage))


@routes.get("/iterations/{iteration_id}/modelversions", query=PageQuery)
def list_versions_of_iteration(call: Call[None, PageQuery], iteration_id: str) -> Answer[Page[ModelVersion]]:
    return listed(service.list_versions_of_iteration(call.actor, iteration_id, call.query.limit, call.query.cursor))


@routes.get("/experiments/{experiment_id}/modelversions", query=PageQuery)
def list_versions_of_experiment(call: Call[None, PageQuery], experiment_id: str) -> Answer[Page[DependentVersion]]:
    return listed(service.list_versions_of_experiment(call.actor, experiment_id, call.query.limit, call.query.cursor))


@routes.post("/models/{model_id}/versions", body=NewModelVersion)
def create_version(call: Call[NewModelVersion, None], model_id: str) -> Answer[ModelVersion]:
    version, new = service.create_version(
        call.actor,
        model_id,
        iteration_id=call.body.iteration_id,
        resource_id=call.body.resource_id,
        description=call.body.description,
        source=call.body.source,
        id_key=call.body.id_key,
        created_date=past_date(call.body.created_date),
        labels=call.body.labels,
    )
    return created(version, new=new)


@routes.get("/modelversions/{version_id}")
def get_version(call: Call[None, None], version_id: str) -> Answer[ModelVersion]:
    return ok(service.get_version(call.actor, version_id))


@routes.patch("/modelversions/{version_id}", body=ModelVersionPatch)
def update_version(call: Call[ModelVersionPatch, None], version_id: str) -> Answer[ModelVersion]:
    patch = service.VersionChanges(**changes(call.body))  # type: ignore[typeddict-item]
    return ok(service.update_version(call.actor, version_id, patch))


@routes.delete("/modelversions/{version_id}")
def delete_version(call: Call[None, None], version_id: str) -> Answer[None]:
    return deleted(finished=deletion.delete_version(call.actor, version_id))
