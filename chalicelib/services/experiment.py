"""Experiments; only those that are IN_PROGRESS accept new iterations and resources."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TypedDict

from chalicelib import clock, ids
from chalicelib.errors import Conflict, InvalidPayload, Overtaken
from chalicelib.paging import Page
from chalicelib.retry import Retry
from chalicelib.services import access, label
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.label import NO_LABELS, LabelChanges, Labels
from chalicelib.storage import experiment as storage
from chalicelib.storage import label as labels_of
from chalicelib.storage import trash
from chalicelib.storage.reads.lineage import ExperimentLineage
from deardiary.wire.shapes import Experiment, ExperimentStatus


class ExperimentChanges(TypedDict, total=False):
    """The fields of an experiment that a PATCH may carry; those absent stay."""

    name: str
    description: str
    status_id: ExperimentStatus
    end_date: datetime | None
    labels: LabelChanges


def create_experiment(
    actor: Actor,
    project_id: str,
    *,
    name: str,
    description: str,
    id_key: str | None,
    created_date: datetime | None = None,
    labels: Labels = NO_LABELS,
) -> tuple[Experiment, bool]:
    """Return the experiment and True if it is new: the same id_key in the same project finds the earlier one.

    Conflict if another experiment of the project has this name.
    """
    access.project(actor, project_id, Need.CREATE)
    created = _find_created(project_id, id_key)
    if created is not None:
        return created, False
    experiment = Experiment(
        id=ids.new_id(),
        project_id=project_id,
        status_id=ExperimentStatus.IN_PROGRESS,
        name=name,
        description=description,
        created_by=actor.user.id,
        created_date=clock.past(created_date),
        labels=label.checked(labels),
    )
    try:
        storage.create_experiment(experiment, id_key)
    except Conflict:
        # A concurrent repetition of this request may have created this experiment with this name.
        created = _find_created(project_id, id_key)
        if created is None:
            raise
        return created, False
    return experiment, True


def get_experiment(actor: Actor, experiment_id: str) -> Experiment:
    return whole(access.experiment(actor, experiment_id, Need.READ))


def find_by_name(actor: Actor, project_id: str, name: str) -> tuple[Experiment, bool] | None:
    """The experiment of this name, and if it is in the trash; a visible one comes first."""
    access.project(actor, project_id, Need.READ)
    found = sorted(storage.find_by_name(project_id, name), key=lambda each: each[1])
    known = (each for each in found if not each[1] or trash.find_entry_of_experiment(project_id, each[0].id))
    return next(known, None)


def read_all(actor: Actor, project_id: str, *, trashed: bool) -> list[tuple[Experiment, bool]]:
    """All experiments of a project, and of each if it is in the trash; those only if `trashed`."""
    access.project(actor, project_id, Need.READ)
    found = storage.read_all(project_id)
    deleted = {each.id for each, hidden in found if hidden} if trashed else set()
    restorable = {each for each in deleted if trash.find_entry_of_experiment(project_id, each)}
    return [(each, hidden) for each, hidden in found if not hidden or each.id in restorable]


def list_experiments_of_project(
    actor: Actor, project_id: str, limit: int, cursor: str | None, name: str | None
) -> Page[Experiment]:
    access.project(actor, project_id, Need.READ)
    return storage.list_experiments_of_project(project_id, limit, cursor, name)


def update_experiment(actor: Actor, experiment_id: str, changes: ExperimentChanges) -> Experiment:
    """Change the experiment; decide again after a concurrent update. Conflict if its new name is in use."""
    for _ in Retry():
        before = whole(access.experiment(actor, experiment_id, Need.UPDATE))
        after = _settle_end(replace(before, **label.merged(before, changes)), changes)
        try:
            updated = storage.update_experiment(before, after)
        except Overtaken:
            continue
        break
    return updated


def whole(line: ExperimentLineage) -> Experiment:
    """The experiment with its long labels."""
    return labels_of.complete(line.experiment, apart=line.labels_apart)


def _settle_end(experiment: Experiment, changes: ExperimentChanges) -> Experiment:
    """IN_PROGRESS has no end; STOPPED and FINISHED have one, by the server's clock unless another is given."""
    if experiment.status_id == ExperimentStatus.IN_PROGRESS:
        if changes.get("end_date") is not None:
            raise InvalidPayload("An experiment that is IN_PROGRESS has no end_date", field="end_date")
        return replace(experiment, end_date=None)
    return replace(experiment, end_date=experiment.end_date or clock.now())


def _find_created(project_id: str, id_key: str | None) -> Experiment | None:
    return None if id_key is None else storage.find_experiment_by_id_key(project_id, id_key)
