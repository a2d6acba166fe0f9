"""Logged models: models that MLflow's clients log in an experiment, before or without a registration."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypedDict

from chalicelib import clock, ids, limits
from chalicelib.errors import InvalidPayload, NotFound, not_found
from chalicelib.retry import until_not_overtaken
from chalicelib.services import access, label
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.label import NO_LABELS, LabelChanges, Labels
from chalicelib.storage import label as labels_of
from chalicelib.storage import loggedmodel as storage
from chalicelib.storage.loggedmodel import LoggedLink as LoggedLink
from chalicelib.storage.loggedmodel import LoggedPoint as LoggedPoint
from chalicelib.storage.reads import lineage
from deardiary.wire.names import name_of
from deardiary.wire.shapes import Iteration, LoggedModel, LoggedModelStatus


class LoggedModelChanges(TypedDict, total=False):
    """The changes of a logged model; fields that are absent stay. Parameters are added to those that it has."""

    status_id: LoggedModelStatus
    parameters: Mapping[str, str]
    labels: LabelChanges


def create_loggedmodel(
    actor: Actor,
    experiment_id: str,
    *,
    name: str | None = None,
    model_type: str | None = None,
    run_id: str | None = None,
    parameters: Mapping[str, str] | None = None,
    labels: Labels = NO_LABELS,
) -> LoggedModel:
    """Create a logged model, PENDING. Without a name it gets one that follows from its id."""
    experiment = access.experiment(actor, experiment_id, Need.CREATE).experiment
    now, new_id = clock.now(), f"m-{ids.new_id()}"
    model = LoggedModel(
        id=new_id,
        experiment_id=experiment_id,
        name=name or name_of(new_id),
        model_type=model_type,
        run_id=run_id,
        status_id=LoggedModelStatus.PENDING,
        parameters=_added({}, parameters or {}),
        created_by=actor.user.id,
        created_date=now,
        updated_date=now,
        labels=label.checked(labels),
    )
    storage.create_loggedmodel(experiment, model)
    return model


def find_loggedmodel(actor: Actor, loggedmodel_id: str, *, even_deleted: bool = False) -> tuple[LoggedModel, str]:
    """The logged model, and the id of its project; with `even_deleted` also one in the trash."""
    if even_deleted:
        return _find_even_deleted(actor, loggedmodel_id)
    line = access.loggedmodel(actor, loggedmodel_id, Need.READ)
    return labels_of.complete(line.loggedmodel, apart=line.labels_apart), line.project.id


def list_loggedmodels(actor: Actor, experiment_ids: Iterable[str]) -> list[LoggedModel]:
    """The logged models of those of these experiments that the caller may read."""
    found: list[LoggedModel] = []
    for experiment_id in dict.fromkeys(experiment_ids):
        with suppress(NotFound):
            access.experiment(actor, experiment_id, Need.READ)
            found += storage.list_loggedmodels_of_experiment(experiment_id)
    return found


def update_loggedmodel(
    actor: Actor, loggedmodel_id: str, change: Callable[[LoggedModel], LoggedModelChanges]
) -> LoggedModel:
    """Change a logged model as `change` says of its present state. InvalidPayload for another value of a parameter."""

    def update() -> LoggedModel:
        before = _whole(actor, loggedmodel_id, Need.UPDATE)
        changes = change(before)
        given = label.merged(before, changes)
        if "parameters" in changes:
            given["parameters"] = _added(before.parameters, changes["parameters"])
        after = replace(before, **given)
        if after != before:
            after = replace(after, updated_date=clock.now())
            storage.update_loggedmodel(before, after)
        return after

    return until_not_overtaken(update)


def read_points(models: Iterable[LoggedModel]) -> dict[str, list[LoggedPoint]]:
    """The points of logged models that the caller may read, by the model's id."""
    of_experiment: dict[str, set[str]] = {}
    for model in models:
        of_experiment.setdefault(model.experiment_id, set()).add(model.id)
    found: dict[str, list[LoggedPoint]] = {}
    for experiment_id, loggedmodel_ids in of_experiment.items():
        found |= storage.read_points(experiment_id, loggedmodel_ids)
    return found


def record_points(iteration: Iteration, points: Mapping[str, Sequence[LoggedPoint]]) -> None:
    """Store points by the id of their logged model, which is in the iteration's project.

    A model that is absent or deleted gets none: its deletion must not end the training. The caller has checked the
    permission on the iteration.
    """
    for loggedmodel_id, own in points.items():
        experiment_id = lineage.experiment_of_loggedmodel(iteration, loggedmodel_id)
        if experiment_id is not None and own:
            with suppress(NotFound):
                storage.put_points(experiment_id, loggedmodel_id, own)


def link_iteration(iteration: Iteration, links: Iterable[LoggedLink]) -> None:
    """Store which logged models an iteration has read or written. The caller has checked the permission."""
    storage.link_iteration(iteration, links)


def read_links(experiment_id: str, iteration_ids: Collection[str]) -> dict[str, list[LoggedLink]]:
    """The logged models that iterations have read and written, by the iteration's id."""
    return storage.read_links(experiment_id, iteration_ids)


def _find_even_deleted(actor: Actor, loggedmodel_id: str) -> tuple[LoggedModel, str]:
    target = access.deleted(actor, loggedmodel_id, Need.READ)
    found = None
    if target.kind == "loggedmodel" and target.experiment_id is not None:
        found = storage.find_even_hidden(target.experiment_id, loggedmodel_id)
    if found is None:
        raise not_found("loggedmodel", loggedmodel_id)
    return found, target.project_id


def _whole(actor: Actor, loggedmodel_id: str, need: Need) -> LoggedModel:
    line = access.loggedmodel(actor, loggedmodel_id, need)
    return labels_of.complete(line.loggedmodel, apart=line.labels_apart)


def _added(before: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """All parameters. InvalidPayload if one gets another value, or if they are too many or too long."""
    for key, value in new.items():
        if before.get(key, value) != value:
            raise InvalidPayload(f"The parameter {key!r} of this model has another value already", field="params")
    both = {**before, **new}
    if len(both) > limits.MAX_LOGGED_MODEL_PARAMETERS:
        most = limits.MAX_LOGGED_MODEL_PARAMETERS
        raise InvalidPayload(f"A logged model has at most {most} parameters", field="params")
    if labels_of.bytes_of(both) > limits.MAX_LOGGED_MODEL_PARAMETERS_BYTES:
        most = limits.MAX_LOGGED_MODEL_PARAMETERS_BYTES
        raise InvalidPayload(f"All parameters of a model together have at most {most} bytes in UTF-8", field="params")
    return both
