"""Deletions: hide the entity in one transaction, then remove everything below it in interruptible steps.

Each step finds its work in the table, so resuming after a crash is the same as starting. Hide each entity below before
emptying it, so that it accepts nothing new. Remove the record of the deletion last; `resume_deletions` finishes the
recorded ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from itertools import islice

from chalicelib import clock, ids
from chalicelib.errors import Conflict, NotFound
from chalicelib.retry import until_not_overtaken
from chalicelib.services import access
from chalicelib.services.access import Actor, Need
from chalicelib.services.lifecycle.budget import Budget, OutOfTime, all_done, unless_overloaded
from chalicelib.services.points.batch import STALE_AFTER, now_us
from chalicelib.services.resource import release_blob, remove_resource
from chalicelib.services.snapshot import release_texts
from chalicelib.storage import deletion as storage
from chalicelib.storage import experiment, iteration, model, permission, project, resource, series, snapshot, user
from chalicelib.storage.deletion import Deletion
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Experiment, Iteration, Resource

# Time for the sweep within a request; afterwards it answers 202 and the scheduled function finishes.
REQUEST_SECONDS = 10.0
_PER_BATCH = 25


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


def delete_user(actor: Actor, user_id: str) -> bool:
    access.require_admin(actor, "delete users")
    access.require_session(actor)
    account = user.find_account(user_id)
    if account is None:
        raise NotFound
    write = Transaction()
    user.hide_account(account, write)
    return _start(Deletion(kind="user", id=user_id), write)


def resume_deletions(seconds: float) -> bool:
    """Resume all recorded deletions. True if none is left, else False."""
    budget = Budget(seconds)
    return all_done((partial(_sweep, deletion, budget) for deletion in list(storage.each_deletion())), budget)


def _start(deletion: Deletion, write: Transaction) -> bool:
    storage.record_deletion(deletion, write, NotFound)
    write.commit()
    # The entity is hidden from all callers from here on, even if the sweep fails.
    return unless_overloaded(partial(_sweep, deletion, Budget(REQUEST_SECONDS)), otherwise=False)


def _sweep(deletion: Deletion, budget: Budget) -> bool:
    try:
        match deletion:
            case Deletion(kind="project"):
                _sweep_project(deletion.id, budget)
            case Deletion(kind="experiment", project_id=str(project_id)):
                _sweep_experiment(project_id, deletion.id, budget)
            case Deletion(kind="iteration", project_id=str(project_id), experiment_id=str(experiment_id)):
                _sweep_iteration(project_id, experiment_id, deletion.id, budget)
            case Deletion(kind="model", project_id=str(project_id)):
                _sweep_model(project_id, deletion.id, budget)
            case Deletion(kind="user"):
                _sweep_user(deletion.id, budget)
            case Deletion(kind="blob", project_id=str(project_id)):
                _release(project_id, ids.split_id(deletion.id)[0])
    except OutOfTime:
        return False
    storage.delete_items([keys.deletion(deletion.id)])
    return True


def _sweep_project(project_id: str, budget: Budget) -> None:
    partition, own = keys.project_partition(project_id), keys.project(project_id)
    for key in item.raw_keys(partition, keys.EXPERIMENT):
        _sweep_experiment(project_id, key.sk.removeprefix(keys.EXPERIMENT), budget)
    for key in item.raw_keys(partition, keys.MODEL):
        _sweep_model(project_id, key.sk.removeprefix(keys.MODEL), budget)
    for key in item.raw_keys(partition, keys.MEMBER):
        budget.check()
        permission.remove_permission(key.sk.removeprefix(keys.MEMBER), project_id)
    for key in item.raw_keys(partition, keys.BLOB):
        budget.check()
        _release(project_id, key.sk.removeprefix(keys.BLOB))
    _remove((key for key in item.raw_keys(partition) if key != own), budget)
    storage.delete_items([own])


def _sweep_experiment(project_id: str, experiment_id: str, budget: Budget) -> None:
    _hide(lambda write: experiment.hide_experiment_of_project(project_id, experiment_id, write))
    partition, ref = keys.experiment_partition(experiment_id), keys.experiment_ref(experiment_id)
    _remove_resources(project_id, resource.each_resource_of_experiment(experiment_id), budget)
    for key in item.raw_keys(partition, keys.ITERATION):
        _empty_iteration(project_id, experiment_id, key.sk.removeprefix(keys.ITERATION), budget)
    _remove((key for key in item.raw_keys(partition) if key != ref), budget)
    _remove(item.raw_keys(keys.project_partition(project_id), keys.tags_prefix(experiment_id)), budget)
    storage.delete_items([ref, keys.experiment(project_id, experiment_id)])


def _sweep_iteration(project_id: str, experiment_id: str, iteration_id: str, budget: Budget) -> None:
    iteration.orphan_children(experiment_id, iteration_id)
    _remove_resources(project_id, resource.each_resource_of_iteration(experiment_id, iteration_id), budget)
    _empty_iteration(project_id, experiment_id, iteration_id, budget)


def _empty_iteration(project_id: str, experiment_id: str, iteration_id: str, budget: Budget) -> None:
    budget.check()
    _hide(lambda write: iteration.hide_iteration(experiment_id, iteration_id, write))
    _close_series(experiment_id, iteration_id)
    _remove_snapshot(project_id, experiment_id, iteration_id)
    partition, ref = keys.experiment_partition(experiment_id), keys.iteration_ref(iteration_id)
    _remove(item.raw_keys(partition, keys.parameters_prefix(iteration_id)), budget)
    _remove(item.raw_keys(partition, keys.tags_prefix(iteration_id)), budget)
    _remove((key for key in item.raw_keys(ref.pk) if key != ref), budget)
    series_row, own = keys.series(experiment_id, iteration_id), keys.iteration(experiment_id, iteration_id)
    storage.delete_items([keys.running(iteration_id), ref, series_row, own])


def _sweep_model(project_id: str, model_id: str, budget: Budget) -> None:
    budget.check()
    _hide(lambda write: model.hide_model_of_project(project_id, model_id, write))
    ref = keys.model_ref(model_id)
    _remove((key for key in item.raw_keys(ref.pk) if key != ref), budget)
    storage.delete_items([ref, keys.model(project_id, model_id)])


def _sweep_user(user_id: str, budget: Budget) -> None:
    partition, own = keys.user_partition(user_id), keys.user(user_id)
    for key in item.raw_keys(partition, keys.PERMISSION):
        budget.check()
        permission.remove_permission(user_id, key.sk.removeprefix(keys.PERMISSION))
    _remove((key for key in item.raw_keys(partition) if key != own), budget)
    storage.delete_items([own])


def _release(project_id: str, sha256: str) -> None:
    """Remove a blob. OutOfTime while another process, which may die, is removing it."""
    if not release_blob(project_id, sha256).finished:
        raise OutOfTime


def _hide(add: Callable[[Transaction], None]) -> None:
    """Hide an entity, so that it accepts nothing new. An interrupted step may have hidden it before."""
    write = Transaction()
    add(write)
    try:
        write.commit()
    except (NotFound, Conflict):
        return


def _close_series(experiment_id: str, iteration_id: str) -> None:
    """Close SERIES. OutOfTime while a batch may be in flight: its chunk would arrive after the removal of chunks."""
    try:
        closed = series.close_series(experiment_id, iteration_id)
    except NotFound:
        return
    now = now_us()
    started = [one.at for one in closed.announced.values()] + [closed.compacting or 0]
    if any(now - at <= STALE_AFTER for at in started):
        raise OutOfTime


def _remove_snapshot(project_id: str, experiment_id: str, iteration_id: str) -> None:
    """Remove the snapshot. OutOfTime while a text may be in flight: its bytes would arrive after the removal."""
    stored = snapshot.read_texts(experiment_id, iteration_id)
    if not stored.version:
        return
    now = clock.to_milliseconds(clock.now())
    if any(1000 * (now - at) <= STALE_AFTER for at in stored.coming.values()):
        raise OutOfTime
    if stored.owned:
        try:
            stored = snapshot.empty_texts(project_id, experiment_id, iteration_id, stored)
        except Conflict:
            raise OutOfTime from None
    if not release_texts(project_id, stored):
        raise OutOfTime
    storage.delete_items([keys.snapshot(experiment_id, iteration_id)])


def _remove_resources(project_id: str, found: Iterable[Resource], budget: Budget) -> None:
    """Remove the resources. OutOfTime if the bytes of one remain."""
    finished = True
    for each in list(found):
        budget.check()
        # Another step may do the same work.
        with suppress(NotFound):
            finished = remove_resource(project_id, each).finished and finished
    if not finished:
        raise OutOfTime


def _remove(row_keys: Iterable[Key], budget: Budget) -> None:
    """Remove rows of any kind, even kinds unknown to this version of the server."""
    rest = iter(row_keys)
    while batch := list(islice(rest, _PER_BATCH)):
        budget.check()
        storage.delete_items(batch)
