"""Experiments."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from chalicelib.paging import Page
from chalicelib.routes.http.answer import Answer, created, deleted, listed, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import (
    Body,
    DeletionQuery,
    ExperimentLabelChanges,
    ExperimentLabels,
    IdKey,
    Name,
    PageQuery,
    Text,
    Time,
    changes,
    past_date,
)
from chalicelib.services import experiment as service
from chalicelib.services.lifecycle import deletion
from deardiary.wire.shapes import Experiment, ExperimentStatus

routes = Routes(__name__)


class NewExperiment(Body):
    name: Name
    description: Text = ""
    id_key: IdKey | None = None
    created_date: Time | None = None
    labels: ExperimentLabels = {}


class ExperimentPatch(Body):
    name: Name | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    status_id: ExperimentStatus | UnsetType = UNSET
    end_date: Time | UnsetType | None = UNSET
    labels: ExperimentLabelChanges | UnsetType = UNSET


class ExperimentsQuery(PageQuery):
    name: str | None = None


@routes.get("/projects/{project_id}/experiments", query=ExperimentsQuery)
def list_experiments(call: Call[None, ExperimentsQuery], project_id: str) -> Answer[Page[Experiment]]:
    query = call.query
    return listed(service.list_experiments_of_project(call.actor, project_id, query.limit, query.cursor, query.name))


@routes.post("/projects/{project_id}/experiments", body=NewExperiment)
def create_experiment(call: Call[NewExperiment, None], project_id: str) -> Answer[Experiment]:
    body = call.body
    experiment, new = service.create_experiment(
        call.actor,
        project_id,
        name=body.name,
        description=body.description,
        id_key=body.id_key,
        created_date=past_date(body.created_date),
        labels=body.labels,
    )
    return created(experiment, new=new)


@routes.get("/experiments/{experiment_id}")
def get_experiment(call: Call[None, None], experiment_id: str) -> Answer[Experiment]:
    return ok(service.get_experiment(call.actor, experiment_id))


@routes.patch("/experiments/{experiment_id}", body=ExperimentPatch)
def update_experiment(call: Call[ExperimentPatch, None], experiment_id: str) -> Answer[Experiment]:
    patch = service.ExperimentChanges(**changes(call.body))  # type: ignore[typeddict-item]
    return ok(service.update_experiment(call.actor, experiment_id, patch))


@routes.delete("/experiments/{experiment_id}", query=DeletionQuery)
def delete_experiment(call: Call[None, DeletionQuery], experiment_id: str) -> Answer[None]:
    return deleted(finished=deletion.delete_experiment(call.actor, experiment_id, purge=call.query.purge))
