"""Deletions: the thing vanishes in one transaction, what hangs below it is removed in steps that can be cut anywhere.

Each step finds its work in the table, so that going on after a crash is the same as starting. Below the thing, whatever
could still take something new is hidden before it is emptied. The record of the deletion goes last;
`resume_deletions` picks up whatever is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from itertools import islice

from chalicelib import clock
from chalicelib.errors import Conflict, NotFound
from chalicelib.retry import Patience
from chalicelib.services import access
from chalicelib.services.access import Actor, Need
from chalicelib.services.lifecycle.budget import Budget, OutOfTime, all_done, unless_overloaded
from chalicelib.services.points.batch import STALE_AFTER, now_us
from chalicelib.services.resource import release_blob, remove_resource
from chalicelib.services.snapshot import release_texts
from chalicelib.storage import deletion as storage
from chalicelib.storage import experiment, iteration, model, permission, project, resource, series, snapshot, user
from chalicelib.storage.deletion import Deletion
from chalicelib.storage.iteration import Moved
from chalicelib.storage.model import Overtaken
from chalicelib.storage.table import idkey, item, keys
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Iteration, Resource

# What a request spends on removing before it answers 202 and leaves the rest to the next step.
REQUEST_SECONDS = 10.0
_PER_BATCH = 25


def delete_project(actor: Actor, project_id: str) -> bool:
    """Like each of these: whether everything is removed already; otherwise the rest follows."""
    access.project(actor, project_id, Need.DELETE)
    write = Transaction()
    project.hide_project(project_id, write)
    origin = project.find_origin(project_id)
    if origin is not None:
        idkey.release_id_key(keys.id_key(keys.user_partition(origin.owner_id), origin.id_key), write)
    return _start(Deletion(kind="project", id=project_id), write)


def delete_experiment(actor: Actor, experiment_id: str) -> bool:
    project_id = access.experiment(actor, experiment_id, Need.DELETE).project.id
    write = Transaction()
    experiment.hide_experiment(project_id, experiment_id, write)
    id_key = experiment.find_id_key_of_experiment(project_id, experiment_id)
    if id_key is not None:
        idkey.release_id_key(keys.id_key(keys.project_partition(project_id), id_key), write)
    return _start(Deletion(kind="experiment", id=experiment_id, project_id=project_id), write)


def delete_iteration(actor: Actor, iteration_id: str) -> bool:
    patience = Patience()
    while True:
        line = access.iteration(actor, iteration_id, Need.DELETE)
        try:
            return _delete_iteration(line.project.id, line.iteration)
        except Moved:
            patience.wait()


def _delete_iteration(project_id: str, found: Iteration) -> bool:
    write = Transaction()
    iteration.hide_and_unlink_iteration(found, write)
    id_key = iteration.find_id_key_of_iteration(found.experiment_id, found.id)
    if id_key is not None:
        idkey.retire_id_key(keys.id_key(keys.experiment_partition(found.experiment_id), id_key), write)
    deletion = Deletion(kind="iteration", id=found.id, project_id=project_id, experiment_id=found.experiment_id)
    return _start(deletion, write)


def delete_model(actor: Actor, model_id: str) -> bool:
    """The artifacts that its versions name stay."""
    patience = Patience()
    while True:
        line = access.model(actor, model_id, Need.DELETE)
        write = Transaction()
        model.hide_model(line.model, write)
        try:
            return _start(Deletion(kind="model", id=model_id, project_id=line.project.id), write)
        except Overtaken:
            patience.wait()


def delete_user(actor: Actor, user_id: str) -> bool:
    access.require_admin(actor)
    access.require_session(actor)
    account = user.find_account(user_id)
    if account is None:
        raise NotFound
    write = Transaction()
    user.hide_account(account, write)
    return _start(Deletion(kind="user", id=user_id), write)


def resume_deletions(seconds: float) -> bool:
    """Go on with everything that is left; whether nothing is left now."""
    budget = Budget(seconds)
    return all_done((partial(_sweep, deletion, budget) for deletion in list(storage.each_deletion())), budget)


def _start(deletion: Deletion, write: Transaction) -> bool:
    storage.record_deletion(deletion, write, NotFound)
    write.commit()
    # It is gone for everybody, whatever becomes of the rest now.
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
                _release(project_id, deletion.id.partition(".")[0])
    except OutOfTime:
        return False
    storage.delete_items([keys.deletion(deletion.id)])
    return True


def _sweep_project(project_id: str, budget: Budget) -> None:
    partition, own = keys.project_partition(project_id), keys.project(project_id)
    for place in item.raw_keys(partition, keys.EXPERIMENT):
        _sweep_experiment(project_id, place.sk.removeprefix(keys.EXPERIMENT), budget)
    for place in item.raw_keys(partition, keys.MODEL):
        _sweep_model(project_id, place.sk.removeprefix(keys.MODEL), budget)
    for place in item.raw_keys(partition, keys.MEMBER):
        budget.check()
        permission.remove_permission(place.sk.removeprefix(keys.MEMBER), project_id)
    for place in item.raw_keys(partition, keys.BLOB):
        budget.check()
        _release(project_id, place.sk.removeprefix(keys.BLOB))
    _remove((place for place in item.raw_keys(partition) if place != own), budget)
    storage.delete_items([own])


def _sweep_experiment(project_id: str, experiment_id: str, budget: Budget) -> None:
    _hide(lambda write: experiment.hide_experiment(project_id, experiment_id, write))
    partition, ref = keys.experiment_partition(experiment_id), keys.experiment_ref(experiment_id)
    _remove_resources(project_id, resource.each_resource_of_experiment(experiment_id), budget)
    for place in item.raw_keys(partition, keys.ITERATION):
        _empty_iteration(project_id, experiment_id, place.sk.removeprefix(keys.ITERATION), budget)
    _remove((place for place in item.raw_keys(partition) if place != ref), budget)
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
    _remove((place for place in item.raw_keys(ref.pk) if place != ref), budget)
    series_row, own = keys.series(experiment_id, iteration_id), keys.iteration(experiment_id, iteration_id)
    storage.delete_items([keys.running(iteration_id), ref, series_row, own])


def _sweep_model(project_id: str, model_id: str, budget: Budget) -> None:
    budget.check()
    _hide(lambda write: model.hide_model_of_project(project_id, model_id, write))
    ref = keys.model_ref(model_id)
    _remove((place for place in item.raw_keys(ref.pk) if place != ref), budget)
    storage.delete_items([ref, keys.model(project_id, model_id)])


def _sweep_user(user_id: str, budget: Budget) -> None:
    partition, own = keys.user_partition(user_id), keys.user(user_id)
    for place in item.raw_keys(partition, keys.PERMISSION):
        budget.check()
        permission.remove_permission(user_id, place.sk.removeprefix(keys.PERMISSION))
    _remove((place for place in item.raw_keys(partition) if place != own), budget)
    storage.delete_items([own])


def _release(project_id: str, sha256: str) -> None:
    """OutOfTime while somebody else, who may die, is at it."""
    if not release_blob(project_id, sha256).finished:
        raise OutOfTime


def _hide(add: Callable[[Transaction], None]) -> None:
    """So that nothing new comes in below; a step that was cut may have done it before."""
    write = Transaction()
    add(write)
    try:
        write.commit()
    except (NotFound, Conflict):
        return


def _close_series(experiment_id: str, iteration_id: str) -> None:
    """OutOfTime while a batch may still be on its way: its chunk would come after the chunks were removed."""
    try:
        closed = series.close_series(experiment_id, iteration_id)
    except NotFound:
        return
    now = now_us()
    started = [one.at for one in closed.announced.values()] + [closed.compacting or 0]
    if any(now - at <= STALE_AFTER for at in started):
        raise OutOfTime


def _remove_snapshot(project_id: str, experiment_id: str, iteration_id: str) -> None:
    """OutOfTime while a text may still be on its way: its bytes would come after those were removed."""
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
    """OutOfTime while the bytes of one are still to be removed."""
    finished = True
    for each in list(found):
        budget.check()
        # Another step may be at the same work.
        with suppress(NotFound):
            finished = remove_resource(project_id, each).finished and finished
    if not finished:
        raise OutOfTime


def _remove(places: Iterable[Key], budget: Budget) -> None:
    """Rows of any kind, also of those that this version of the server does not know."""
    rest = iter(places)
    while batch := list(islice(rest, _PER_BATCH)):
        budget.check()
        storage.delete_items(batch)
