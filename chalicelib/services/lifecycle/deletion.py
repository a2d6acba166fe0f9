"""Deletions as requested: hide the entity and record its deletion in one transaction, then sweep as time allows.

Every caller sees the entity as deleted after the transaction. `sweep.py` removes everything below it, now or later.
"""

from __future__ import annotations

from functools import partial

from chalicelib import ids
from chalicelib.errors import NotFound
from chalicelib.retry import until_not_overtaken
from chalicelib.services import access
from chalicelib.services.access import Actor, Need
from chalicelib.services.lifecycle.budget import Budget, unless_overloaded
from chalicelib.services.lifecycle.sweep import sweep
from chalicelib.storage import deletion as storage
from chalicelib.storage import experiment, iteration, model, modelversion, project, user
from chalicelib.storage.deletion import Deletion
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Experiment, Iteration

# Time for the sweep within a request; afterwards it answers 202 and the scheduled function finishes.
REQUEST_SECONDS = 10.0


def delete_project(actor: Actor, project_id: str) -> bool:
    """Delete a project. Like the functions below: True if everything is gone, False if upkeep has to finish."""
    access.project(actor, project_id, Need.DELETE)
    write = Transaction()
    project.hide_project(project_id, write)
    project.release_id_key(project_id, write)
    return _start(Deletion(kind="project", id=project_id), write)


def delete_experiment(actor: Actor, experiment_id: str) -> bool:
    return until_not_overtaken(
        lambda: _delete_experiment(access.experiment(actor, experiment_id, Need.DELETE).experiment)
    )


def _delete_experiment(found: Experiment) -> bool:
    write = Transaction()
    experiment.hide_experiment(found, write)
    experiment.release_id_key(found, write)
    return _start(Deletion(kind="experiment", id=found.id, project_id=found.project_id), write)


def delete_iteration(actor: Actor, iteration_id: str) -> bool:
    def delete() -> bool:
        lineage = access.iteration(actor, iteration_id, Need.DELETE)
        return _delete_iteration(lineage.project.id, lineage.iteration)

    return until_not_overtaken(delete)


def _delete_iteration(project_id: str, found: Iteration) -> bool:
    write = Transaction()
    iteration.hide_and_unlink_iteration(found, write)
    iteration.retire_id_key(found, write)
    deletion = Deletion(kind="iteration", id=found.id, project_id=project_id, experiment_id=found.experiment_id)
    return _start(deletion, write)


def delete_model(actor: Actor, model_id: str) -> bool:
    """Delete a model. The artifacts of its versions stay."""

    def delete() -> bool:
        lineage = access.model(actor, model_id, Need.DELETE)
        write = Transaction()
        model.hide_model(lineage.model, write)
        return _start(Deletion(kind="model", id=model_id, project_id=lineage.project.id), write)

    return until_not_overtaken(delete)


def delete_version(actor: Actor, version_id: str) -> bool:
    """Delete a model version. Its number is not assigned again, and its resource stays."""

    def delete() -> bool:
        lineage = access.model(actor, ids.split_id(version_id)[0], Need.DELETE)
        version = modelversion.get_version(lineage.model, lineage.registry, version_id)
        write = Transaction()
        modelversion.delete_version(lineage.model, lineage.registry, version, write)
        return _start(Deletion(kind="modelversion", id=version_id, project_id=lineage.project.id), write)

    return until_not_overtaken(delete)


def delete_user(actor: Actor, user_id: str) -> bool:
    """Delete a user, oneself included. InvalidPayload for the last admin."""
    access.require_self_or_admin(actor, user_id)
    access.require_session(actor)
    account = user.find_account(user_id)
    if account is None:
        raise NotFound
    write = Transaction()
    user.hide_account(account, write)
    return _start(Deletion(kind="user", id=user_id), write)


def _start(deletion: Deletion, write: Transaction) -> bool:
    storage.record_deletion(deletion, write, NotFound)
    write.commit()
    # The entity is hidden from all callers from here on, even if the sweep fails.
    return unless_overloaded(partial(sweep, deletion, Budget(REQUEST_SECONDS)), otherwise=False)
