"""Model versions: numbered without a gap, at most one per model in PRODUCTION.

The next number and the version in PRODUCTION depend on the model's row. A write of either is conditional on that row;
if another request was faster, the server reads the row and decides again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypedDict

from chalicelib import clock, ids
from chalicelib.errors import Conflict
from chalicelib.paging import Page, page_by_id
from chalicelib.retry import until_not_overtaken
from chalicelib.services import access, event, label
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.label import NO_LABELS, LabelChanges, Labels
from chalicelib.storage import modelversion as storage
from chalicelib.storage.reads import lineage, registered
from chalicelib.storage.reads.lineage import ModelLineage
from deardiary.wire.shapes import DependentVersion, Iteration, Model, ModelVersion, Resource, Stage


class VersionChanges(TypedDict, total=False):
    """The fields of a version that a PATCH may carry; those absent stay."""

    stage_id: Stage
    description: str
    resource_id: str
    labels: LabelChanges


def create_version(
    actor: Actor,
    model_id: str,
    *,
    iteration_id: str | None = None,
    resource_id: str | None = None,
    description: str = "",
    source: str = "",
    run_id: str | None = None,
    run_link: str | None = None,
    loggedmodel_id: str | None = None,
    id_key: str | None = None,
    created_date: datetime | None = None,
    labels: Labels = NO_LABELS,
) -> tuple[ModelVersion, bool]:
    """Return the version, at NO_STAGE, and True if it is new: the same id_key of the same model finds the earlier one.

    ``run_id``, in place of ``iteration_id``, is a text: it becomes the iteration of this id if the project has it.
    InvalidPayload if iteration or resource is not in the model's project; Conflict if that key created a version of
    another iteration or resource.
    """
    project_id = access.model(actor, model_id, Need.CREATE).project.id
    iteration = _origin(actor, project_id, iteration_id, run_id)
    resource = None if resource_id is None else _resource(actor, project_id, resource_id)
    draft = ModelVersion(
        id="",
        model_id=model_id,
        version=0,
        iteration_id=iteration.id if iteration else None,
        run_id=None if iteration else run_id,
        run_link=run_link,
        loggedmodel_id=loggedmodel_id,
        resource_id=resource_id,
        stage_id=Stage.NO_STAGE,
        description=description,
        source=source,
        created_by=actor.user.id,
        created_date=clock.past(created_date),
        labels=label.checked(labels),
    )

    def create() -> tuple[ModelVersion, bool]:
        lineage = access.model(actor, model_id, Need.CREATE)
        created = None if id_key is None else storage.find_version_by_id_key(lineage.model, lineage.registry, id_key)
        if created is None:
            number = lineage.registry.last_version + 1
            version = replace(draft, id=storage.new_version_id(model_id, number), version=number)
            storage.create_version(lineage.model, version, iteration, resource, id_key)
            return version, True
        # The version may have got its resource after its creation.
        if created.iteration_id != draft.iteration_id or resource_id not in (None, created.resource_id):
            raise Conflict("This id_key has created another version of the model", kind="modelversion", id=created.id)
        return created, False

    return until_not_overtaken(create)


def get_version(actor: Actor, version_id: str) -> ModelVersion:
    lineage = _owner(actor, version_id, Need.READ)
    return storage.get_version(lineage.model, lineage.registry, version_id)


def list_versions_of_model(
    actor: Actor, model_id: str, limit: int, cursor: str | None, stage: Stage | None
) -> Page[ModelVersion]:
    """List the versions in the order of their numbers."""
    lineage = access.model(actor, model_id, Need.READ)
    return storage.list_versions_of_model(lineage.model, lineage.registry, limit, cursor, stage)


def list_of_models(models: Sequence[Model]) -> dict[str, list[ModelVersion]]:
    """All versions of models of one project that the caller may read, by the model's id, in the order of numbers."""
    return registered.list_versions_of_models(models[0].project_id, [each.id for each in models]) if models else {}


def id_of(model_id: str, number: int) -> str:
    return storage.new_version_id(model_id, number)


def list_versions_of_iteration(actor: Actor, iteration_id: str, limit: int, cursor: str | None) -> Page[ModelVersion]:
    """List the versions that came from the iteration, by model, then by number."""
    project_id = access.iteration(actor, iteration_id, Need.READ).project.id
    return registered.list_versions_of_iteration(project_id, iteration_id, limit, cursor)


def list_versions_of_experiment(
    actor: Actor, experiment_id: str, limit: int, cursor: str | None
) -> Page[DependentVersion]:
    """List the versions that lose their file or iteration with the experiment or a part of it, by the version's id."""
    project_id = access.experiment(actor, experiment_id, Need.READ).project.id
    found = registered.list_versions_of_experiment(project_id, experiment_id)
    return page_by_id(found, experiment_id, limit, cursor)


def update_version(actor: Actor, version_id: str, changes: VersionChanges) -> ModelVersion:
    """Change a version. Moving it to PRODUCTION archives the version that was there, in the same write.

    A version without a resource may get one; Conflict if it has another one already.
    """
    return until_not_overtaken(lambda: _update(actor, version_id, changes))


def _update(actor: Actor, version_id: str, changes: VersionChanges) -> ModelVersion:
    lineage = _owner(actor, version_id, Need.UPDATE)
    before = storage.get_version(lineage.model, lineage.registry, version_id)
    after = replace(before, **label.merged(before, changes))
    if after == before:
        return before
    after = replace(after, updated_date=clock.now())
    attached = _attached(actor, lineage.project.id, before, after)
    moved = event.stage_moved(lineage, before, after, actor.site)
    if after.stage_id == before.stage_id:
        storage.describe_version(lineage.model, before, after, attached)
    elif after.stage_id is Stage.PRODUCTION:
        storage.promote_version(lineage.model, lineage.registry, before, after, attached, moved)
    else:
        storage.stage_version(lineage.model, lineage.registry, before, after, attached, moved)
    return after


def _attached(actor: Actor, project_id: str, before: ModelVersion, after: ModelVersion) -> Resource | None:
    """The resource that the version gets, None if it gets none."""
    if after.resource_id is None or after.resource_id == before.resource_id:
        return None
    if before.resource_id is not None:
        raise Conflict("This version has a resource already", field="resource_id", kind="modelversion", id=before.id)
    return _resource(actor, project_id, after.resource_id)


def _origin(actor: Actor, project_id: str, iteration_id: str | None, run_id: str | None) -> Iteration | None:
    """The iteration of a new version; None if only MLflow knows the run."""
    if iteration_id is not None:
        return _iteration(actor, project_id, iteration_id)
    found = lineage.find_iteration_lineage(run_id, actor.user.id) if run_id and run_id.isalnum() else None
    return found.iteration if found is not None and found.project.id == project_id else None


def _iteration(actor: Actor, project_id: str, iteration_id: str) -> Iteration:
    """The iteration; InvalidPayload if it does not exist in this project, also for admins."""
    found = lineage.find_iteration_lineage(iteration_id, actor.user.id)
    if found is None:
        access.refuse_deleted(actor, "iteration", iteration_id)
    if found is None or found.project.id != project_id:
        raise storage.no_such_iteration()
    return found.iteration


def _resource(actor: Actor, project_id: str, resource_id: str) -> Resource:
    found = lineage.find_resource_lineage(resource_id, actor.user.id)
    if found is None:
        access.refuse_deleted(actor, "resource", resource_id)
    if found is None or found.project.id != project_id:
        raise storage.no_such_resource()
    return found.resource


def _owner(actor: Actor, version_id: str, need: Need) -> ModelLineage:
    return access.model(actor, ids.split_id(version_id)[0], need)
