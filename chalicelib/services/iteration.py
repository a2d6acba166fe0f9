"""Iterations: their ancestors, their lock, their end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypedDict

from chalicelib import clock, config, ids
from chalicelib.errors import Conflict, InvalidPayload, NotFound, Unavailable
from chalicelib.paging import Page
from chalicelib.retry import Retry
from chalicelib.services import access, event, label
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.label import NO_LABELS, Labels
from chalicelib.services.lifecycle import pace
from chalicelib.services.points import batch, compaction, merging
from chalicelib.storage import iteration as storage
from chalicelib.storage import label as labels_of
from chalicelib.storage import series as series_storage
from chalicelib.storage.event import Event
from chalicelib.storage.reads.lineage import IterationLineage
from deardiary.wire.shapes import Experiment, Iteration, IterationStatus

# A transaction takes 100 items, and each ancestor of a new parent is one of them.
MAX_DEPTH = 90
# Open after the end: what people say of an iteration.
_ANNOTATIONS = {"name", "notes", "labels"}


class IterationChanges(TypedDict, total=False):
    """The fields of an iteration that a PATCH may carry; those absent stay."""

    name: str
    notes: str
    end_date: datetime | None
    status_id: IterationStatus
    error_message: str
    parent_iteration_id: str | None
    python_version: str
    julia_version: str
    git_sha: str
    git_dirty: bool
    entrypoint: str
    # The labels of the PATCH; after the merge, all labels.
    labels: dict[str, Any]


def create_iteration(
    actor: Actor,
    experiment_id: str,
    *,
    name: str = "",
    notes: str,
    parent_iteration_id: str | None,
    id_key: str | None,
    created_date: datetime | None = None,
    labels: Labels = NO_LABELS,
    tags: Sequence[str] = (),
    git_sha: str = "",
    entrypoint: str = "",
    patience_s: int | None = None,
) -> tuple[Iteration, bool]:
    """Return the iteration and True if it is new: the same id_key in the same experiment finds the earlier one.

    Without a name it gets the one that follows from its id. With a `created_date` it began in the past; a later date
    becomes now. NotFound if the iteration of that key has been deleted: a repeated creation does not restore it.
    `patience_s`: it counts as lost without a heartbeat for this long.
    """
    experiment = access.experiment(actor, experiment_id, Need.CREATE).experiment
    created = _find_created(experiment_id, id_key)
    if created is not None and not _may_be_captured(experiment, id_key, tags):
        return _shown(created), False
    if created is None and parent_iteration_id is not None:
        _ancestors(experiment_id, parent_iteration_id)
    iteration = Iteration(
        id=ids.new_id(),
        experiment_id=experiment_id,
        name=name,
        notes=notes,
        created_by=actor.user.id,
        created_date=clock.past(created_date),
        parent_iteration_id=parent_iteration_id,
        status_id=IterationStatus.RUNNING,
        error_message="",
        python_version="",
        julia_version="",
        git_sha=git_sha,
        git_dirty=False,
        entrypoint=entrypoint,
        labels=label.checked(labels),
    )
    unique = list(dict.fromkeys(tags))
    if created is None:
        created, is_new = _store(actor, experiment, iteration, id_key, created_date, unique, patience_s)
    else:
        created, is_new = _shown(created), False
    if id_key is not None and _may_be_captured(experiment, id_key, tags):
        created = _joined(experiment, iteration, created, id_key, unique)
    return created, is_new


def _may_be_captured(experiment: Experiment, id_key: str | None, tags: Sequence[str]) -> bool:
    """True if the key can be the name of a SageMaker job whose iteration is in this project.

    In other projects than that of the settings, the client of a job says so by a tag: only its creations read more.
    """
    captures = config.settings().capture_sagemaker
    return id_key is not None and bool(captures) and (experiment.project_id == captures or id_key in tags)


def _joined(experiment: Experiment, given: Iteration, stored: Iteration, id_key: str, tags: list[str]) -> Iteration:
    """The iteration with what is known of its job."""
    from chalicelib.services.capture.join import join

    if not join(experiment.project_id, given, stored, id_key, tags):
        return stored
    found = storage.find_iteration(experiment.id, stored.id)
    return stored if found is None else _shown(found)


def reopen_if_lost(iteration: Iteration) -> None:
    """Open an iteration again that the server ended without heartbeats: its writer is back."""
    if iteration.end_date is not None:
        storage.reopen_if_ended_by_server(iteration)


def find_parent(experiment_id: str, iteration_id: str | None) -> str | None:
    """The id if it can be a parent in this experiment, where the caller may create iterations; else None."""
    if iteration_id is None:
        return None
    try:
        _ancestors(experiment_id, iteration_id)
    except InvalidPayload:
        return None
    return iteration_id


def get_iteration(actor: Actor, iteration_id: str) -> Iteration:
    line = access.iteration(actor, iteration_id, Need.READ)
    pace.watch_iteration(line)
    return _shown(_whole(line))


def list_children(actor: Actor, iteration_id: str, limit: int, cursor: str | None) -> Page[Iteration]:
    parent = access.iteration(actor, iteration_id, Need.READ).iteration
    return storage.list_children(parent.experiment_id, parent.id, limit, cursor)


def update_iteration(
    actor: Actor, iteration_id: str, changes: IterationChanges, *, even_ended: bool = False
) -> Iteration:
    """Update the iteration; decide again after a concurrent update, so that two equal updates both succeed.

    `even_ended`: the end locks nothing. Every status can follow it, and its time can change.
    """
    for _ in Retry():
        above = access.iteration(actor, iteration_id, Need.UPDATE)
        before = _whole(above)
        try:
            moved = _update(actor, above, before, changes, even_ended=even_ended)
        except Conflict:
            continue
        break
    if moved.end_date and not before.end_date:
        _tidy(moved)
    return _shown(moved)


def _tidy(ended: Iteration) -> None:
    """Merge the batches of a wide iteration, and compact. The end is stored already: nothing here can fail it."""
    try:
        series = series_storage.read_series(ended.experiment_id, ended.id)
    except (NotFound, Unavailable):
        return
    compaction.compact_if_many(ended, compaction.ENOUGH_AT_END, merging.settle_at_end(ended, series))


def _shown(iteration: Iteration) -> Iteration:
    """The iteration as readers see it."""
    return storage.without_hidden_parents([iteration])[0]


def _update(
    actor: Actor, above: IterationLineage, before: Iteration, changes: IterationChanges, *, even_ended: bool
) -> Iteration:
    """Conflict if the iteration has changed since it was read."""
    changes = IterationChanges(**label.merged(before, changes))  # type: ignore[typeddict-item]
    if _already_so(before, changes):
        return before
    after = _settle_end(replace(before, **changes), changes) if even_ended else _after(before, changes)
    if before.end_date and not after.end_date:
        # Refresh the heartbeat first, or the liveness sweep would end the reopened iteration at once.
        batch.record_heartbeat(before)
    return _move(before, after, event.ended(above, before, after, actor.site))


def _whole(line: IterationLineage) -> Iteration:
    return labels_of.complete(line.iteration, apart=line.labels_apart)


def _store(
    actor: Actor,
    experiment: Experiment,
    iteration: Iteration,
    id_key: str | None,
    began: datetime | None,
    tags: list[str],
    patience_s: int | None,
) -> tuple[Iteration, bool]:
    try:
        storage.create_iteration(experiment, iteration, id_key, began=began, tags=tags, patience_s=patience_s)
    except Conflict:
        created = _find_created(experiment.id, id_key)
        if created is None:
            _refuse_deleted(actor, experiment.id, id_key)
            raise
        return _shown(created), False
    return iteration, True


def _refuse_deleted(actor: Actor, experiment_id: str, id_key: str | None) -> None:
    """NotFound if the iteration of this key has been deleted."""
    deleted_id = id_key and storage.find_deleted_by_id_key(experiment_id, id_key)
    if deleted_id:
        access.refuse_deleted(actor, "iteration", deleted_id)
        raise NotFound("The iteration of this id_key has been deleted", kind="iteration", id=id_key)


def _find_created(experiment_id: str, id_key: str | None) -> Iteration | None:
    return None if id_key is None else storage.find_iteration_by_id_key(experiment_id, id_key)


def _move(before: Iteration, after: Iteration, end: Event | None) -> Iteration:
    parent, ancestors = after.parent_iteration_id, []
    if parent is not None and parent != before.parent_iteration_id:
        ancestors = _ancestors(before.experiment_id, parent)
        if any(each.id == before.id for each in ancestors):
            raise InvalidPayload("An iteration cannot be its own ancestor", field="parent_iteration_id")
    return storage.update_iteration(before, after, ancestors, end)


def _ancestors(experiment_id: str, iteration_id: str) -> list[Iteration]:
    """The iteration and its ancestors. InvalidPayload if it is not in the experiment or they are too many.

    Those above it include deleted ones: a restored one must not form a cycle.
    """
    parent = storage.find_iteration(experiment_id, iteration_id)
    if parent is None:
        raise storage.no_parent()
    ancestors = [parent]
    while above := ancestors[-1].parent_iteration_id:
        found = storage.find_even_hidden(experiment_id, above)
        if found is None:
            break
        if len(ancestors) == MAX_DEPTH:
            raise _too_deep()
        ancestors.append(found)
    return ancestors


def _too_deep() -> InvalidPayload:
    return InvalidPayload(f"An iteration has at most {MAX_DEPTH} ancestors", field="parent_iteration_id")


def _already_so(iteration: Iteration, changes: IterationChanges) -> bool:
    """True if the changes are stored already: the answer got lost, or two requests agree."""
    # An end set by the server is undone when the writer returns; a requested end is not.
    if "status_id" in changes and iteration.end_date and storage.is_ended_by_server(iteration):
        return False
    return all(getattr(iteration, name) == value for name, value in changes.items())


def _after(before: Iteration, changes: IterationChanges) -> Iteration:
    """Apply the changes. Those of its writer reopen an iteration that the server ended, for the writer is back."""
    if before.end_date is None:
        return _settle_end(replace(before, **changes), changes)
    if changes.keys() <= _ANNOTATIONS:
        return replace(before, **changes)
    if not storage.is_ended_by_server(before):
        return _resumed(before, changes)
    revived = replace(before, status_id=IterationStatus.RUNNING, end_date=None, error_message="")
    return _settle_end(replace(revived, **changes), changes)


def _resumed(locked: Iteration, changes: IterationChanges) -> Iteration:
    """Unlock an ended iteration, if the status RUNNING is the only change. Annotations are open without that."""
    after = replace(locked, **changes)
    if {name for name in changes if getattr(after, name) != getattr(locked, name)} <= _ANNOTATIONS:
        return after
    if changes != {"status_id": IterationStatus.RUNNING}:
        raise storage.locked()
    return replace(locked, status_id=IterationStatus.RUNNING, end_date=None, error_message="")


def _settle_end(iteration: Iteration, changes: IterationChanges) -> Iteration:
    """RUNNING has no end; every other status has one, by the server's clock unless another is given.

    An end alone means SUCCEEDED.
    """
    if iteration.status_id == IterationStatus.RUNNING:
        if changes.get("end_date") is not None and "status_id" not in changes:
            return replace(iteration, status_id=IterationStatus.SUCCEEDED)
        if changes.get("end_date") is not None:
            raise InvalidPayload("An iteration that is RUNNING has no end_date", field="end_date")
        return replace(iteration, end_date=None)
    return replace(iteration, end_date=iteration.end_date or clock.now())
