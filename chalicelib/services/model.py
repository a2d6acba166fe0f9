"""Models; the name of a model is unique in its project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypedDict

from chalicelib import clock, ids
from chalicelib.errors import Overtaken
from chalicelib.paging import Page
from chalicelib.retry import Retry
from chalicelib.services import access, label
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.label import NO_LABELS, LabelChanges, Labels
from chalicelib.storage import label as labels_of
from chalicelib.storage import model as storage
from chalicelib.storage.reads.lineage import ModelLineage
from deardiary.wire.shapes import Model


class ModelChanges(TypedDict, total=False):
    """The fields of a model that a PATCH may carry; those absent stay."""

    name: str
    description: str
    labels: LabelChanges


def create_model(
    actor: Actor,
    project_id: str,
    *,
    name: str,
    description: str,
    created_date: datetime | None = None,
    labels: Labels = NO_LABELS,
) -> Model:
    """Create a model. Conflict if the project has a model of this name."""
    access.project(actor, project_id, Need.CREATE)
    model = Model(
        id=ids.new_id(),
        project_id=project_id,
        name=name,
        description=description,
        created_by=actor.user.id,
        created_date=clock.past(created_date),
        labels=label.checked(labels),
    )
    storage.create_model(model)
    return model


def get_model(actor: Actor, model_id: str) -> Model:
    return _whole(access.model(actor, model_id, Need.READ))


def list_models_of_project(
    actor: Actor, project_id: str, limit: int, cursor: str | None, name: str | None
) -> Page[Model]:
    """List the models; with a name, only the model of that name."""
    access.project(actor, project_id, Need.READ)
    return storage.list_models_of_project(project_id, limit, cursor, name)


def list_all(actor: Actor, project_id: str, names: Sequence[str] | None = None) -> list[Model]:
    """All models of the project; with names, those that have one of these."""
    access.project(actor, project_id, Need.READ)
    if names is None:
        return storage.list_all_models(project_id)
    found = (storage.find_model_by_name(project_id, name) for name in dict.fromkeys(names))
    return [each for each in found if each is not None]


def find_by_name(actor: Actor, project_id: str, name: str) -> Model | None:
    return next(iter(list_all(actor, project_id, [name])), None)


def update_model(actor: Actor, model_id: str, changes: ModelChanges) -> Model:
    """Change the model. Conflict if another model of the project has the new name."""
    for _ in Retry():
        before = _whole(access.model(actor, model_id, Need.UPDATE))
        after = replace(before, **label.merged(before, changes))
        if after == before:
            return before
        after = replace(after, updated_date=clock.now())
        try:
            storage.update_model(before, after)
        except Overtaken:
            continue
        break
    return after


def _whole(line: ModelLineage) -> Model:
    return labels_of.complete(line.model, apart=line.labels_apart)
