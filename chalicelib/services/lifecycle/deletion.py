"""Deletions as requested: into the trash, or at once.

Every caller sees the object as deleted after one transaction. In the trash, nothing below it is touched. Otherwise the
transaction records the deletion, and `sweep.py` removes everything below the object, now or later.
"""

from __future__ import annotations

from functools import partial

from chalicelib import clock, config, ids
from chalicelib.errors import NotFound
from chalicelib.retry import until_not_overtaken
from chalicelib.services import access, event
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.blobs.release import Released
from chalicelib.services.lifecycle.budget import Budget, unless_overloaded
from chalicelib.services.lifecycle.sweep import sweep
from chalicelib.services.resource import remove_resource
from chalicelib.storage import deletion as storage
from chalicelib.storage import event as events
from chalicelib.storage import experiment, iteration, loggedmodel, model, modelversion, project, resource, trash, user
from chalicelib.storage.deletion import Deletion
from chalicelib.storage.reads.lineage import ExperimentLineage, IterationLineage, ModelLineage, ResourceLineage
from chalicelib.storage.table.transaction import Transaction
from chalicelib.storage.trash import Entry

# Time for the sweep within a request; afterwards it answers 202 and the scheduled function finishes.
REQUEST_SECONDS = 10.0


def delete_project(actor: Actor, project_id: str, *, purge: bool = False) -> bool:
    """Delete a project: into the trash, unless `purge`.

    Like the functions below: True if nothing is left to do, False if upkeep has to finish.
    """
    found = access.project(actor, project_id, Need.DELETE).project
    write = Transaction()
    project.hide_project(project_id, write)
    project.release_id_key(project_id, write)
    return _delete(actor, Deletion(kind="project", id=project_id), found.name, write, purge=purge)


def delete_experiment(actor: Actor, experiment_id: str, *, purge: bool = False) -> bool:
    def delete() -> bool:
        return _delete_experiment(actor, access.experiment(actor, experiment_id, Need.DELETE), purge=purge)

    return until_not_overtaken(delete)


def _delete_experiment(actor: Actor, lineage: ExperimentLineage, *, purge: bool) -> bool:
    found = lineage.experiment
    write = Transaction()
    experiment.hide_experiment(found, write)
    experiment.release_id_key(found, write)
    deletion = Deletion(kind="experiment", id=found.id, project_id=found.project_id)
    return _delete(actor, deletion, found.name, write, purge=purge)


def delete_iteration(actor: Actor, iteration_id: str, *, purge: bool = False) -> bool:
    return _delete_iteration(actor, access.iteration(actor, iteration_id, Need.DELETE), purge=purge)


def discard_iteration(actor: Actor, iteration_id: str) -> None:
    """Delete an iteration at once. The upkeep removes its rows."""
    deletion, write = _hiding(access.iteration(actor, iteration_id, Need.DELETE))
    storage.record_deletion(deletion, write, NotFound)
    write.commit()


def _delete_iteration(actor: Actor, lineage: IterationLineage, *, purge: bool) -> bool:
    deletion, write = _hiding(lineage)
    return _delete(actor, deletion, lineage.iteration.name, write, purge=purge)


def _hiding(lineage: IterationLineage) -> tuple[Deletion, Transaction]:
    """The deletion of an iteration, and the transaction that hides it."""
    found = lineage.iteration
    write = Transaction()
    iteration.hide_iteration_on_request(lineage.experiment, found, write)
    iteration.retire_id_key(found, write)
    return Deletion("iteration", found.id, lineage.project.id, found.experiment_id), write


def delete_resource(actor: Actor, resource_id: str, *, purge: bool = False) -> Released:
    """Delete a resource. No bytes are freed while it is in the trash, or another one of the project shares them."""

    def delete() -> Released:
        lineage = access.resource(actor, resource_id, Need.DELETE)
        if purge or config.settings().undo is None:
            found = lineage.resource
            object_ = Deletion("resource", found.id, lineage.project.id, found.experiment_id)
            end = event.deleted(object_, found.name, is_purged=True, actor=actor)
            return remove_resource(lineage.project.id, found, event=end)
        _hide_resource(actor, lineage)
        return Released(finished=True)

    return until_not_overtaken(delete)


def _hide_resource(actor: Actor, lineage: ResourceLineage) -> None:
    found = lineage.resource
    write = Transaction()
    resource.hide_resource(lineage.experiment, found, write)
    deletion = Deletion("resource", found.id, lineage.project.id, found.experiment_id)
    _delete(actor, deletion, found.name, write, purge=False, iteration_id=found.iteration_id)


def delete_loggedmodel(actor: Actor, loggedmodel_id: str, *, purge: bool = False) -> bool:
    """Delete a logged model. Versions that were registered from it stay."""
    lineage = access.loggedmodel(actor, loggedmodel_id, Need.DELETE)
    found = lineage.loggedmodel
    write = Transaction()
    loggedmodel.hide_loggedmodel(lineage.experiment, found.id, write)
    deletion = Deletion("loggedmodel", found.id, lineage.project.id, found.experiment_id)
    return _delete(actor, deletion, found.name, write, purge=purge)


def delete_model(actor: Actor, model_id: str, *, purge: bool = False) -> bool:
    """Delete a model. The artifacts of its versions stay."""

    def delete() -> bool:
        return _delete_model(actor, access.model(actor, model_id, Need.DELETE), purge=purge)

    return until_not_overtaken(delete)


def _delete_model(actor: Actor, lineage: ModelLineage, *, purge: bool) -> bool:
    found = lineage.model
    write = Transaction()
    model.hide_model(found, write)
    deletion = Deletion(kind="model", id=found.id, project_id=lineage.project.id)
    return _delete(actor, deletion, found.name, write, purge=purge)


def delete_version(actor: Actor, version_id: str) -> bool:
    """Delete a model version. Its number is not assigned again, and its resource stays."""

    def delete() -> bool:
        lineage = access.model(actor, ids.split_id(version_id)[0], Need.DELETE)
        version = modelversion.get_version(lineage.model, lineage.registry, version_id)
        write = Transaction()
        modelversion.delete_version(lineage.model, lineage.registry, version, write)
        deletion = Deletion(kind="modelversion", id=version_id, project_id=lineage.project.id)
        name = f"{lineage.model.name}/{version.version}"
        events.post(event.deleted(deletion, name, is_purged=True, actor=actor), write)
        return _start(deletion, write, Budget(REQUEST_SECONDS))

    return until_not_overtaken(delete)


def delete_user(actor: Actor, user_id: str) -> bool:
    """Delete a user, oneself included. InvalidPayload for the last admin."""
    actor.require_self_or_admin(user_id)
    actor.require_session()
    account = user.find_account(user_id)
    if account is None:
        raise NotFound
    write = Transaction()
    user.hide_account(account, write)
    deletion = Deletion(kind="user", id=user_id)
    events.post(event.deleted(deletion, account.user.username, is_purged=True, actor=actor), write)
    return _start(deletion, write, Budget(REQUEST_SECONDS))


def _delete(
    actor: Actor, deletion: Deletion, name: str, write: Transaction, *, purge: bool, iteration_id: str | None = None
) -> bool:
    """Complete the transaction that hides the object: put it into the trash, or remove everything."""
    undo = config.settings().undo
    events.post(event.deleted(deletion, name, is_purged=purge or undo is None, actor=actor), write)
    if purge or undo is None:
        return _start(deletion, write, Budget(REQUEST_SECONDS))
    now = clock.now()
    entry = Entry(
        target_kind=deletion.kind,
        target_id=deletion.id,
        project_id=deletion.project_id or deletion.id,
        experiment_id=deletion.experiment_id,
        iteration_id=iteration_id,
        name=name,
        deleted_by=actor.user.id,
        deleted_date=now,
        purge_date=now + undo,
    )
    trash.put_entry(entry, write)
    write.commit()
    return True


def purge_entry(entry: Entry, budget: Budget) -> bool:
    """Remove an object in the trash with everything below it. Overtaken if another request restores or purges it."""
    if entry.target_kind == "resource" and entry.experiment_id is not None:
        return _purge_resource(entry, entry.experiment_id)
    write = Transaction()
    trash.take_entry(entry, write)
    owner_id = None if entry.target_kind == "project" else entry.project_id
    return _start(Deletion(entry.target_kind, entry.target_id, owner_id, entry.experiment_id), write, budget)


def _purge_resource(entry: Entry, experiment_id: str) -> bool:
    found = resource.find_even_hidden(experiment_id, entry.target_id)
    if found is None:
        # A sweep that did not know the trash has removed it.
        write = Transaction()
        trash.take_entry(entry, write)
        write.commit()
        return True
    return remove_resource(entry.project_id, found, only_hidden=True).finished


def _start(deletion: Deletion, write: Transaction, budget: Budget) -> bool:
    storage.record_deletion(deletion, write, NotFound)
    write.commit()
    # The object is hidden from all callers from here on, even if the sweep fails.
    return unless_overloaded(partial(sweep, deletion, budget), otherwise=False)
