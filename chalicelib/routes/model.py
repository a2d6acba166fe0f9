"""Models."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from chalicelib.paging import Page
from chalicelib.routes.http.answer import Answer, created, deleted, listed, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import (
    Body,
    DeletionQuery,
    ModelLabelChanges,
    ModelLabels,
    Name,
    PageQuery,
    Text,
    Time,
    changes,
    past_date,
)
from chalicelib.services import model as service
from chalicelib.services.lifecycle import deletion
from deardiary.wire.shapes import Model

routes = Routes(__name__)


class NewModel(Body):
    name: Name
    description: Text = ""
    created_date: Time | None = None
    labels: ModelLabels = {}


class ModelPatch(Body):
    name: Name | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    labels: ModelLabelChanges | UnsetType = UNSET


class ModelsQuery(PageQuery):
    name: str | None = None


@routes.get("/projects/{project_id}/models", query=ModelsQuery)
def list_models(call: Call[None, ModelsQuery], project_id: str) -> Answer[Page[Model]]:
    query = call.query
    return listed(service.list_models_of_project(call.actor, project_id, query.limit, query.cursor, query.name))


@routes.post("/projects/{project_id}/models", body=NewModel)
def create_model(call: Call[NewModel, None], project_id: str) -> Answer[Model]:
    body = call.body
    model = service.create_model(
        call.actor,
        project_id,
        name=body.name,
        description=body.description,
        created_date=past_date(body.created_date),
        labels=body.labels,
    )
    return created(model)


@routes.get("/models/{model_id}")
def get_model(call: Call[None, None], model_id: str) -> Answer[Model]:
    return ok(service.get_model(call.actor, model_id))


@routes.patch("/models/{model_id}", body=ModelPatch)
def update_model(call: Call[ModelPatch, None], model_id: str) -> Answer[Model]:
    patch = service.ModelChanges(**changes(call.body))  # type: ignore[typeddict-item]
    return ok(service.update_model(call.actor, model_id, patch))


@routes.delete("/models/{model_id}", query=DeletionQuery)
def delete_model(call: Call[None, DeletionQuery], model_id: str) -> Answer[None]:
    return deleted(finished=deletion.delete_model(call.actor, model_id, purge=call.query.purge))
