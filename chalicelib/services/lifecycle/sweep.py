"""The sweep: remove everything below a hidden entity in interruptible steps.

Each step finds its work in the table, so resuming after a crash is the same as starting. Hide each entity below before
emptying it, so that it accepts nothing new. Remove the record of the deletion last; `resume_deletions` finishes the
recorded ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

from chalicelib import clock, ids
from chalicelib.errors import Conflict, NotFound
from chalicelib.services.blobs.release import release_blob
from chalicelib.services.lifecycle.budget import Budget, OutOfTime, all_done
from chalicelib.services.points.merging import STALE_AFTER, now_us
from chalicelib.services.resource import remove_resource
from chalicelib.services.snapshot import release_texts
from chalicelib.storage import (
    blob,
    change,
    experiment,
    group,
    identity,
    iteration,
    loggedmodel,
    model,
    modelversion,
    permission,
    project,
    resource,
    series,
    share,
    snapshot,
    trash,
    user,
)
from chalicelib.storage import deletion as storage
from chalicelib.storage import input as inputs
from chalicelib.storage.blocks import head, request
from chalicelib.storage.deletion import Deletion
from chalicelib.storage.points import chunk
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Resource


def resume_deletions(seconds: float) -> bool:
    """Resume all recorded deletions. True if none is left, else False."""
    budget = Budget(seconds)
    return all_done((partial(sweep, deletion, budget) for deletion in list(storage.each_deletion())), budget)


def sweep(deletion: Deletion, budget: Budget) -> bool:
    """Remove everything of a hidden entity. True if nothing is left, False if a later call has to finish."""
    try:
        _remove(deletion, budget)
    except OutOfTime:
        return False
    storage.remove_record(deletion)
    return True


def _remove(deletion: Deletion, budget: Budget) -> None:
    match deletion:
        case Deletion(kind="project"):
            _sweep_project(deletion.id, budget)
        case Deletion(kind="experiment", project_id=str(project_id)):
            _sweep_experiment(project_id, deletion.id, budget)
        case Deletion(kind="iteration" | "loggedmodel", project_id=str(project_id), experiment_id=str(experiment_id)):
            sweep_one = _sweep_iteration if deletion.kind == "iteration" else _sweep_loggedmodel
            sweep_one(project_id, experiment_id, deletion.id, budget)
        case Deletion(kind="model", project_id=str(project_id)):
            _sweep_model(project_id, deletion.id, budget)
        case Deletion(kind="user"):
            _sweep_user(deletion.id, budget)
        case Deletion(kind="modelversion"):
            _run(inputs.remove_uses_of_version(deletion.id), budget)
        case Deletion(kind="blob", project_id=str(project_id)):
            _finish_resource(project_id, deletion.id, budget)


def _sweep_project(project_id: str, budget: Budget) -> None:
    for experiment_id in experiment.each_id(project_id):
        _sweep_experiment(project_id, experiment_id, budget)
    for model_id in model.each_id(project_id):
        _sweep_model(project_id, model_id, budget)
    _run(trash.remove_entries_of_project(project_id), budget)
    _run(identity.remove_identities_of_project(project_id), budget)
    for user_id in permission.each_member_id(project_id):
        budget.check()
        permission.remove_permission(user_id, project_id)
    _run(group.remove_groups_of_project(project_id), budget)
    for sha256 in blob.each_sha256(project_id):
        budget.check()
        _release(project_id, sha256)
    _run(project.remove_project(project_id), budget)


def _sweep_experiment(project_id: str, experiment_id: str, budget: Budget) -> None:
    _hide(lambda write: experiment.hide_experiment_of_project(project_id, experiment_id, write))
    _wait_for_packer(experiment_id)
    _remove_resources(project_id, resource.each_resource_of_experiment(experiment_id), budget)
    for iteration_id in iteration.each_id(experiment_id):
        _remove_iteration(project_id, experiment_id, iteration_id, budget)
    for loggedmodel_id in loggedmodel.each_id(experiment_id):
        _remove_loggedmodel(experiment_id, loggedmodel_id, budget)
    _run(trash.remove_entries_of_experiment(project_id, experiment_id), budget)
    _run(share.remove_shares_of(project_id, experiment_id), budget)
    _run(experiment.remove_experiment(project_id, experiment_id), budget)


def _wait_for_packer(experiment_id: str) -> None:
    """OutOfTime while a packer may write columns: a hidden experiment gets no new lease."""
    leased_us = head.read_head(experiment_id).leased_us
    if leased_us is not None and now_us() - leased_us <= STALE_AFTER:
        raise OutOfTime


def _sweep_iteration(project_id: str, experiment_id: str, iteration_id: str, budget: Budget) -> None:
    iteration.unlink_hidden_iteration(experiment_id, iteration_id)
    iteration.orphan_children(experiment_id, iteration_id)
    _remove_resources(project_id, resource.each_resource_of_iteration(experiment_id, iteration_id), budget)
    _run(share.remove_shares_of(project_id, iteration_id), budget)
    _remove_iteration(project_id, experiment_id, iteration_id, budget)
    _remove_from_blocks(experiment_id, iteration_id)


def _remove_iteration(project_id: str, experiment_id: str, iteration_id: str, budget: Budget) -> None:
    budget.check()
    _hide(lambda write: iteration.hide_iteration(experiment_id, iteration_id, write))
    _close_series(experiment_id, iteration_id)
    _remove_snapshot(project_id, experiment_id, iteration_id)
    _run(inputs.remove_inputs(experiment_id, iteration_id), budget)
    _run(iteration.remove_iteration(experiment_id, iteration_id), budget)


def _remove_from_blocks(experiment_id: str, iteration_id: str) -> None:
    """Ask for a block without the iteration. If no block holds it, remove its mark, which only blocks need."""
    stored = head.read_head(experiment_id)
    if stored.leased_us is not None or (stored.blocks and iteration_id <= stored.blocks[-1].last):
        request.request(experiment_id)
    else:
        change.unmark_removed(experiment_id, iteration_id)


def _sweep_loggedmodel(project_id: str, experiment_id: str, loggedmodel_id: str, budget: Budget) -> None:
    _remove_resources(project_id, resource.each_resource_of_loggedmodel(experiment_id, loggedmodel_id), budget)
    _remove_loggedmodel(experiment_id, loggedmodel_id, budget)


def _remove_loggedmodel(experiment_id: str, loggedmodel_id: str, budget: Budget) -> None:
    budget.check()
    _hide(lambda write: loggedmodel.hide_loggedmodel_of_experiment(experiment_id, loggedmodel_id, write))
    _run(loggedmodel.remove_loggedmodel(experiment_id, loggedmodel_id), budget)


def _sweep_model(project_id: str, model_id: str, budget: Budget) -> None:
    budget.check()
    _hide(lambda write: model.hide_model_of_project(project_id, model_id, write))
    _run(modelversion.remove_links(model_id), budget)
    _run(model.remove_model(project_id, model_id), budget)


def _sweep_user(user_id: str, budget: Budget) -> None:
    for project_id in permission.each_project_id(user_id):
        budget.check()
        permission.remove_permission(user_id, project_id)
    _run(user.remove_user(user_id), budget)


def _finish_resource(project_id: str, deletion_id: str, budget: Budget) -> None:
    """Remove what a deleted resource has left: its uses, and its bytes if they have no other owner."""
    sha256, resource_id = ids.split_id(deletion_id)
    _run(inputs.remove_uses_of_resource(resource_id), budget)
    _release(project_id, sha256)


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
    # The batches of a wide iteration stay announced when their chunks are there.
    stored = chunk.find_stored(iteration_id, closed.unmerged) if closed.wide else set()
    started = [each.accepted_us for each in closed.unmerged - stored] + [closed.compacting or 0]
    if any(now - start_us <= STALE_AFTER for start_us in started):
        raise OutOfTime


def _remove_snapshot(project_id: str, experiment_id: str, iteration_id: str) -> None:
    """Remove the snapshot. OutOfTime while a text may be in flight: its bytes would arrive after the removal."""
    stored = snapshot.read_texts(experiment_id, iteration_id)
    if not stored.version:
        return
    now = clock.to_milliseconds(clock.now())
    if any(1000 * (now - start_ms) <= STALE_AFTER for start_ms in stored.coming.values()):
        raise OutOfTime
    if stored.owned:
        try:
            stored = snapshot.empty_texts(project_id, experiment_id, iteration_id, stored)
        except Conflict:
            raise OutOfTime from None
    if not release_texts(project_id, stored):
        raise OutOfTime
    snapshot.remove_snapshot(experiment_id, iteration_id)


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


def _run(steps: Iterable[None], budget: Budget) -> None:
    """Run the steps of a removal as long as there is time."""
    for _ in steps:
        budget.check()
