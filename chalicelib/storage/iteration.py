"""Iterations: a row in the experiment's partition, a REF by id, a CHILD row in the parent's partition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from pynamodb.attributes import (
    BooleanAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib import clock
from chalicelib.errors import Conflict, InvalidPayload, NotFound, Overtaken
from chalicelib.paging import Page
from chalicelib.retry import Retry
from chalicelib.storage import change, label, running, series, tag
from chalicelib.storage import event as events
from chalicelib.storage import experiment as experiments
from chalicelib.storage.event import Event
from chalicelib.storage.label import Labelled, Texts
from chalicelib.storage.series import Series
from chalicelib.storage.table import conditional, idkey, item, keys
from chalicelib.storage.table.item import Item, Ref
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.mapping import row_of, shape_of
from chalicelib.storage.table.transaction import Otherwise, Transaction
from deardiary.wire.names import name_of
from deardiary.wire.shapes import Experiment, Iteration, IterationStatus


class IterationRow(Labelled, discriminator="iteration"):
    id = UnicodeAttribute()
    experiment_id = UnicodeAttribute()
    # Null: the name is derived from the id.
    name = UnicodeAttribute(null=True)
    notes = UnicodeAttribute()
    created_by = UnicodeAttribute(null=True)
    created_date = UTCDateTimeAttribute()
    end_date = UTCDateTimeAttribute(null=True)
    parent_iteration_id = UnicodeAttribute(null=True)
    status_id = NumberAttribute()
    error_message = UnicodeAttribute()
    python_version = UnicodeAttribute()
    julia_version = UnicodeAttribute()
    git_sha = UnicodeAttribute()
    git_dirty = BooleanAttribute()
    entrypoint = UnicodeAttribute()
    id_key = UnicodeAttribute(null=True)
    # True: the liveness sweep ended it without heartbeats; a late batch reopens it.
    ended_by_server = BooleanAttribute(null=True)
    # True beside it: its job has ended, so that no late batch reopens it. Its writer can still end it otherwise.
    ended_by_job = BooleanAttribute(null=True)
    # The hashes of commands that the writer has not acknowledged: a flush reads this row anyway. See `command.py`.
    commands = UnicodeSetAttribute(null=True)
    # Seconds since 1970: until then a reader counts as watching. See `services/lifecycle/pace.py`.
    watched_until = NumberAttribute(null=True)
    labels = Texts(null=True)
    labels_hash = UnicodeAttribute(null=True)
    # True: all its resources have rows by their paths (`file.py`). Older servers wrote none.
    has_files = BooleanAttribute(null=True)
    # The hashes of alert rules that have fired: a flush reads this row anyway. See `services/alertrule.py`.
    fired_rules = UnicodeSetAttribute(null=True)


class ChildRow(Item, discriminator="child"):
    child_id = UnicodeAttribute()


class Marks(NamedTuple):
    """What requests learn from the iteration's row beside its shape.

    Hashes of open commands, until when a reader watches (s), and whether its resources have rows by their paths,
    and hashes of alert rules that have fired.
    """

    commands: frozenset[str]
    watched_until: int
    has_files: bool = False
    fired: frozenset[str] = frozenset()


ALIVE = IterationRow.pk.exists() & IterationRow.deleting.does_not_exist()
HIDDEN = IterationRow.deleting == True  # noqa: E712
LOST = IterationRow.ended_by_server == True  # noqa: E712
UNLOCKED = ALIVE & (IterationRow.end_date.does_not_exist() | LOST)


# All fields that a PATCH can change. `_STATE`: a write fails if one of these has changed since it was read.
_STATE = ("end_date", "status_id", "parent_iteration_id")
_ENVIRONMENT = ("python_version", "julia_version", "git_sha", "git_dirty", "entrypoint")
_PLAIN = (*_STATE, *_ENVIRONMENT, "name", "notes", "error_message")
_CHANGEABLE = (*_PLAIN, "labels")


def create_iteration(
    experiment: Experiment,
    iteration: Iteration,
    id_key: str | None,
    *,
    began: datetime | None = None,
    tags: Sequence[str] = (),
    patience_s: int | None = None,
) -> None:
    """Create an iteration with its tags, at most 50.

    NotFound without its experiment, Conflict if the creation key is taken. InvalidPayload if the experiment is not
    IN_PROGRESS, or without the parent. `began`: see `claim_id_key`. `patience_s`: see `SeriesRow`.
    """
    write = Transaction()
    experiments.check_open(experiment, write)
    row = _row(iteration, id_key)
    row.has_files = True
    write.put(row, Conflict)
    label.put_long(iteration, write)
    tag.add_tags(iteration, list(tags), write)
    ref = Ref(*keys.iteration_ref(iteration.id), project_id=experiment.project_id, experiment_id=experiment.id)
    ref.links_resources = True
    write.put(ref, Conflict)
    series.create_series(experiment.id, iteration.id, clock.now(), write, patience_s=patience_s)
    running.mark_running(experiment.id, iteration.id, write)
    if iteration.parent_iteration_id is not None:
        parent_key = keys.iteration(experiment.id, iteration.parent_iteration_id)
        write.check(IterationRow, parent_key, ALIVE, no_parent)
        _link(iteration.parent_iteration_id, iteration.id, write)
    if id_key is not None:
        idkey.claim_id_key(_id_key(experiment.id, id_key), iteration.id, write, Conflict, began=began)
    write.commit()


def check_alive(experiment_id: str, iteration_id: str, write: Transaction) -> None:
    write.check(IterationRow, keys.iteration(experiment_id, iteration_id), ALIVE, NotFound)


def check_unlocked(iteration: Iteration, write: Transaction) -> None:
    """Commit only while the iteration has not ended."""
    write.check(IterationRow, keys.iteration(iteration.experiment_id, iteration.id), UNLOCKED, _refusal(iteration))


def check_writable(iteration: Iteration, write: Transaction, *, even_ended: bool) -> None:
    """Commit only while the iteration exists and, unless `even_ended`, has not ended."""
    if even_ended:
        check_alive(iteration.experiment_id, iteration.id, write)
    else:
        check_unlocked(iteration, write)


def no_parent() -> InvalidPayload:
    return InvalidPayload("There is no such iteration in this experiment", field="parent_iteration_id")


def set_environment(iteration: Iteration, given: Mapping[str, str | bool], write: Transaction) -> None:
    """Write fields of the environment, named as in the shape, while the iteration has not ended.

    If it had ended when it was read: Conflict unless its end and these fields are unchanged.
    """
    key = keys.iteration(iteration.experiment_id, iteration.id)
    condition, refusal = UNLOCKED, _refusal(iteration)
    if iteration.end_date is not None:
        condition, refusal = ALIVE & (IterationRow.end_date == iteration.end_date), Conflict
        for name in given:
            condition &= getattr(IterationRow, name) == getattr(iteration, name)
    if not given:
        write.check(IterationRow, key, condition, refusal)
        return
    actions: list[Action] = [getattr(IterationRow, name).set(value) for name, value in given.items()]
    write.update(IterationRow(*key), actions, condition, refusal)
    change.note_change(iteration.experiment_id, iteration.id, write, ended=iteration.end_date is not None)


def has_environment(iteration: Iteration) -> bool:
    return any(getattr(iteration, name) for name in _ENVIRONMENT)


def locked() -> InvalidPayload:
    return InvalidPayload(
        "The iteration has ended and is locked; set status_id to RUNNING to resume it", field="end_date"
    )


def find_iteration(experiment_id: str, iteration_id: str) -> Iteration | None:
    row = item.find(IterationRow, keys.iteration(experiment_id, iteration_id))
    return None if row is None or row.deleting else label.whole(shape(row), row)


def is_hidden(experiment_id: str, iteration_id: str) -> bool:
    """True if the iteration is deleted and its row still there."""
    row = item.find(IterationRow, keys.iteration(experiment_id, iteration_id))
    return row is not None and bool(row.deleting)


def find_even_hidden(experiment_id: str, iteration_id: str) -> Iteration | None:
    """The iteration, also one in the trash or being deleted."""
    row = item.find(IterationRow, keys.iteration(experiment_id, iteration_id))
    return None if row is None else shape(row)


def without_hidden_parents(iterations: Sequence[Iteration]) -> list[Iteration]:
    """The iterations as readers see them: a parent that is deleted counts as none.

    The rows keep that parent until it is purged, so that restoring it restores its children too.
    """
    present = {each.id for each in iterations}
    parents = {each.id: _parent_key(each) for each in iterations if each.parent_iteration_id not in {None, *present}}
    found = item.get_many(parents.values())
    hidden = {own_id for own_id, key in parents.items() if key not in found}
    return [replace(each, parent_iteration_id=None) if each.id in hidden else each for each in iterations]


def _parent_key(iteration: Iteration) -> Key:
    return keys.iteration(iteration.experiment_id, str(iteration.parent_iteration_id))


def list_iterations_of_experiment(experiment_id: str, limit: int, cursor: str | None) -> Page[Iteration]:
    partition = keys.experiment_partition(experiment_id)
    rows = item.page(IterationRow, partition, keys.ITERATION, limit=limit, cursor=cursor)
    return Page(whole_each(rows.data), rows.next_cursor)


def find_iterations_by_id_prefix(experiment_id: str, prefix: str) -> list[Iteration]:
    """Every iteration of the experiment whose id starts with `prefix`."""
    rows = item.query(IterationRow, keys.experiment_partition(experiment_id), f"{keys.ITERATION}{prefix}")
    return [shape(row) for row in rows]


def list_children(experiment_id: str, parent_id: str, limit: int, cursor: str | None) -> Page[Iteration]:
    rows = item.page(ChildRow, keys.iteration_partition(parent_id), keys.CHILD, limit=limit, cursor=cursor)
    child_keys = [keys.iteration(experiment_id, row.child_id) for row in rows.data]
    found = item.get_many(child_keys)
    children = whole_each([row for row in map(found.get, child_keys) if isinstance(row, IterationRow)])
    # A child may have been moved between the two reads.
    return Page([child for child in children if child.parent_iteration_id == parent_id], rows.next_cursor)


def read_child_ids(parent_id: str) -> list[str]:
    """The ids of the children, also of a hidden parent."""
    return [row.child_id for row in item.query(ChildRow, keys.iteration_partition(parent_id), keys.CHILD)]


def update_iteration(
    before: Iteration, after: Iteration, ancestors: Sequence[Iteration] = (), end: Event | None = None
) -> Iteration:
    """Write the differences and return the iteration as stored.

    Conflict if end, status or parent are not as `before`, or before other labels those stored.

    `ancestors` are those of a new parent; their parents must be unchanged, or two concurrent moves could form a cycle.
    `end` is the event of its end.
    """
    row = _row(after, None)
    actions = item.changes(row, before, after, _PLAIN)
    if all(getattr(before, name) == getattr(after, name) for name in _STATE):
        _save(row, actions, ALIVE & _same_state(before), Conflict, before, after)
        return find_iteration(after.experiment_id, after.id) or after
    write = Transaction()
    events.post(end, write)
    change.note_change(after.experiment_id, after.id, write, ended=before.end_date is not None)
    for ancestor in ancestors:
        key = keys.iteration(ancestor.experiment_id, ancestor.id)
        # Those above the parent may be in the trash.
        there = ALIVE if ancestor.id == after.parent_iteration_id else IterationRow.pk.exists()
        write.check(IterationRow, key, there & _same_parent(ancestor), Conflict)
    actions = [*actions, *label.changes(row, before, after)]
    actions += [IterationRow.ended_by_server.remove(), IterationRow.ended_by_job.remove()]
    if after.end_date != before.end_date:
        # Open commands lapse: they were meant for the work that ended, not for a later resumption.
        actions.append(IterationRow.commands.remove())
    write.update(row, actions, label.unchanged(row, before, after, ALIVE & _same_state(before)), Conflict)
    label.move(before, after, write)
    if after.end_date is None and before.end_date is not None:
        running.mark_running(after.experiment_id, after.id, write)
    elif after.end_date is not None and before.end_date is None:
        running.unmark_running(after.experiment_id, after.id, write)
    if before.parent_iteration_id != after.parent_iteration_id:
        _unlink_from_parent(before, write)
        if after.parent_iteration_id is not None:
            _link(after.parent_iteration_id, after.id, write)
    write.commit()
    return after


def set_labels(before: Iteration, after: Iteration) -> None:
    """Write the labels, also after the end. Overtaken if the stored ones are not as `before`."""
    if before.labels != after.labels:
        _save(_row(after, None), [], ALIVE, Overtaken, before, after)


def _save(
    row: IterationRow,
    actions: list[Action],
    condition: Condition,
    otherwise: Otherwise,
    before: Iteration,
    after: Iteration,
) -> None:
    """Update the row with its labels, and note the change. `otherwise()` as of `label.save`."""
    write = Transaction()
    change.note_change(after.experiment_id, after.id, write, ended=before.end_date is not None)
    label.move(before, after, write)
    condition = label.unchanged(row, before, after, condition)
    write.update(row, [*actions, *label.changes(row, before, after)], condition, otherwise)
    write.commit()


def reopen_if_ended_by_server(iteration: Iteration) -> datetime | None:
    """Reopen an iteration that the server ended, unless another writer has done so since it was read.

    Return None if it is open now, else the end that a person or the client has set. NotFound when it is gone.
    The end of its job stays: a late batch is stored, and changes no status.
    """
    for _ in Retry():
        row = item.get(IterationRow, keys.iteration(iteration.experiment_id, iteration.id))
        if row.end_date is None or not row.ended_by_server:
            return row.end_date
        if row.ended_by_job:
            return None
        try:
            _reopen(iteration)
        except Conflict:
            continue
        break
    return None


def _reopen(iteration: Iteration) -> None:
    """Conflict if it is no longer an iteration that the server ended."""
    actions: list[Action] = [
        IterationRow.end_date.remove(),
        IterationRow.error_message.set(""),
        IterationRow.status_id.set(int(IterationStatus.RUNNING)),
        IterationRow.ended_by_server.remove(),
    ]
    write = Transaction()
    write.update(IterationRow(*keys.iteration(iteration.experiment_id, iteration.id)), actions, ALIVE & LOST, Conflict)
    running.mark_running(iteration.experiment_id, iteration.id, write)
    change.note_change(iteration.experiment_id, iteration.id, write, ended=True)
    write.commit()


def is_locked(iteration: Iteration) -> bool:
    """True if a person or the client has ended it: the server's own end does not lock it. NotFound when it is gone.

    An ended iteration is read again, for it may have been reopened since.
    """
    if iteration.end_date is None:
        return False
    row = item.get(IterationRow, keys.iteration(iteration.experiment_id, iteration.id))
    return row.end_date is not None and not row.ended_by_server


def is_ended_by_server(iteration: Iteration) -> bool:
    """True if the liveness sweep ended it without heartbeats, or its job has ended, so that it is not locked.

    Conflict if its end has changed since it was read.
    """
    row = item.get(IterationRow, keys.iteration(iteration.experiment_id, iteration.id))
    if row.end_date != iteration.end_date:
        raise Conflict
    return bool(row.ended_by_server)


def end_as_lost(
    iteration: Iteration, end_date: datetime, message: str, seen: Series, event: Event | None = None
) -> None:
    """Set it to KILLED by the server. Conflict if it ended, changed or had a heartbeat since it was read."""
    actions: list[Action] = [
        IterationRow.end_date.set(end_date),
        IterationRow.error_message.set(message),
        IterationRow.status_id.set(int(IterationStatus.KILLED)),
        IterationRow.ended_by_server.set(True),
    ]
    write = Transaction()
    row = IterationRow(*keys.iteration(iteration.experiment_id, iteration.id))
    write.update(row, actions, ALIVE & _same_state(iteration), Conflict)
    events.post(event, write)
    series.check_series(iteration.experiment_id, iteration.id, seen, write)
    running.unmark_running(iteration.experiment_id, iteration.id, write)
    change.note_change(iteration.experiment_id, iteration.id, write, ended=False)
    write.commit()


def end_with_job(before: Iteration, after: Iteration, end_date: datetime, event: Event | None) -> None:
    """End it as its job has ended, unless its writer has ended it. Conflict if it is not as `before` any more."""
    row = item.get(IterationRow, keys.iteration(before.experiment_id, before.id))
    if row.end_date is not None and (row.ended_by_job or not row.ended_by_server):
        return
    actions: list[Action] = [
        IterationRow.end_date.set(end_date),
        IterationRow.error_message.set(after.error_message),
        IterationRow.status_id.set(int(after.status_id)),
        IterationRow.ended_by_server.set(True),
        IterationRow.ended_by_job.set(True),
        IterationRow.commands.remove(),
    ]
    write = Transaction()
    write.update(IterationRow(*row.key), actions, ALIVE & _same_state(before), Conflict)
    events.post(event, write)
    running.unmark_running(before.experiment_id, before.id, write)
    change.note_change(before.experiment_id, before.id, write, ended=before.end_date is not None)
    write.commit()


def adopt(iteration: Iteration, given: Iteration, creator_id: str) -> None:
    """Give a captured iteration to the writer that has now begun to log: its name, notes and creator.

    Conflict if another request has done so.
    """
    actions: list[Action] = [IterationRow.created_by.set(given.created_by or "")]
    actions += [IterationRow.notes.set(given.notes)] if given.notes else []
    actions += [IterationRow.name.set(given.name)] if given.name != name_of(given.id) else []
    write = Transaction()
    row = IterationRow(*keys.iteration(iteration.experiment_id, iteration.id))
    write.update(row, actions, ALIVE & (IterationRow.created_by == creator_id), Conflict)
    change.note_change(iteration.experiment_id, iteration.id, write, ended=iteration.end_date is not None)
    write.commit()


def unmark_ended(iteration: Iteration) -> None:
    """Remove the RUNNING row of an ended iteration, which a server of another version left. Conflict if it runs."""
    write = Transaction()
    key = keys.iteration(iteration.experiment_id, iteration.id)
    write.check(IterationRow, key, IterationRow.end_date.exists(), Conflict)
    running.unmark_running(iteration.experiment_id, iteration.id, write)
    write.commit()


def move_running_row(experiment_id: str, iteration_id: str) -> None:
    """Move the RUNNING row of an older server to its present key, or remove it if the iteration has ended."""
    write = Transaction()
    is_running = ALIVE & IterationRow.end_date.does_not_exist()
    write.check(IterationRow, keys.iteration(experiment_id, iteration_id), is_running, Conflict)
    running.mark_running(experiment_id, iteration_id, write)
    with suppress(Conflict):
        write.commit()
    running.remove_of_older_servers(iteration_id)


def hide_iteration(experiment_id: str, iteration_id: str, write: Transaction) -> None:
    row = IterationRow(*keys.iteration(experiment_id, iteration_id))
    write.update(row, [IterationRow.deleting.set(True)], ALIVE, NotFound)


def hide_iteration_on_request(experiment: Experiment, iteration: Iteration, write: Transaction) -> None:
    """Hide it; the liveness sweep does not watch it any more. NotFound without its experiment."""
    experiments.check_alive(experiment, write)
    hide_iteration(experiment.id, iteration.id, write)
    running.unmark_running(experiment.id, iteration.id, write)
    change.note_change(experiment.id, iteration.id, write, ended=iteration.end_date is not None, of_children=True)


def restore_iteration(experiment: Experiment, iteration_id: str, name: str | None, write: Transaction) -> None:
    """Show a hidden iteration again, in a transaction, under this name if one is given.

    NotFound without it or its experiment. It keeps its creation key unless another iteration has it now.
    """
    row = item.find(IterationRow, keys.iteration(experiment.id, iteration_id))
    if row is None or not row.deleting:
        raise NotFound
    experiments.check_alive(experiment, write)
    actions: list[Action] = [IterationRow.deleting.remove()]
    actions += [] if name is None else [IterationRow.name.set(name)]
    if row.id_key and not idkey.reclaim_id_key(_id_key(experiment.id, row.id_key), iteration_id, write):
        actions.append(IterationRow.id_key.remove())
    if shape(row).end_date is None:
        running.mark_running(experiment.id, iteration_id, write)
    # Its deletion has marked it as changed; a block that was written since does not hold it.
    change.note_change(experiment.id, iteration_id, write, ended=False, of_children=True)
    write.update(IterationRow(*row.key), actions, HIDDEN, Overtaken)


def unlink_hidden_iteration(experiment_id: str, iteration_id: str) -> None:
    """Remove the CHILD row of an iteration that is being deleted; no request moves it any more."""
    row = item.find(IterationRow, keys.iteration(experiment_id, iteration_id))
    if row is not None and row.parent_iteration_id is not None:
        item.delete_items([keys.child(row.parent_iteration_id, iteration_id)])


def _unlink_from_parent(iteration: Iteration, write: Transaction) -> None:
    if iteration.parent_iteration_id is not None:
        write.delete(ChildRow(*keys.child(iteration.parent_iteration_id, iteration.id)), None, Conflict)


def orphan_children(experiment_id: str, parent_id: str) -> None:
    """Remove the parent from each child that still names it."""
    for link in list(item.query(ChildRow, keys.iteration_partition(parent_id), keys.CHILD)):
        for _ in Retry():
            if _orphan(experiment_id, parent_id, link):
                break


def _orphan(experiment_id: str, parent_id: str, link: ChildRow) -> bool:
    """Remove the parent from one child. False if another request moved or removed the child concurrently."""
    write = Transaction()
    child = IterationRow(*keys.iteration(experiment_id, link.child_id))
    found = item.find(IterationRow, child.key)
    if found is not None and found.parent_iteration_id == parent_id:
        still = IterationRow.parent_iteration_id == parent_id
        write.update(child, [IterationRow.parent_iteration_id.remove()], still, Conflict)
        change.note_change(experiment_id, link.child_id, write, ended=found.end_date is not None)
    write.delete(link, None, Conflict)
    try:
        write.commit()
    except Conflict:
        return False
    return True


def each_id(experiment_id: str) -> Iterator[str]:
    """The ids of the experiment's iterations, also of hidden ones."""
    return item.each_id(keys.experiment_partition(experiment_id), keys.ITERATION)


def remove_iteration(experiment_id: str, iteration_id: str) -> Iterator[None]:
    """Remove the rows of the iteration, its own at last. Yield before each call."""
    own, ref = keys.iteration(experiment_id, iteration_id), keys.iteration_ref(iteration_id)
    yield from item.remove_partition(own.pk, keys.parameters_prefix(iteration_id))
    yield from item.remove_partition(own.pk, keys.tags_prefix(iteration_id))
    yield from item.remove_partition(own.pk, keys.files_prefix(iteration_id))
    yield from item.remove_partition(own.pk, keys.logged_links_prefix(iteration_id))
    yield from item.remove_partition(ref.pk, keep=[ref])
    marks = running.every_key(experiment_id, iteration_id)
    beside = [*marks, keys.series(experiment_id, iteration_id), keys.labels(own, iteration_id)]
    item.delete_items([*beside, ref, own])


def find_iteration_by_id_key(experiment_id: str, id_key: str) -> Iteration | None:
    iteration_id = idkey.find_id_key(_id_key(experiment_id, id_key))
    return None if iteration_id is None else find_iteration(experiment_id, iteration_id)


def find_all_by_id_key(experiment_ids: Sequence[str], id_key: str) -> list[Iteration]:
    """The iterations of this creation key in these experiments, without long labels."""
    claims = {_id_key(each, id_key): each for each in experiment_ids}
    targets = idkey.find_id_keys(claims)
    found = item.get_many(keys.iteration(claims[key], target_id) for key, target_id in targets.items())
    return [shape(row) for row in found.values() if isinstance(row, IterationRow)]


def find_deleted_by_id_key(experiment_id: str, id_key: str) -> str | None:
    """The id of the deleted iteration of this creation key; None if the key is free or was used again."""
    return idkey.find_retired(_id_key(experiment_id, id_key))


def retire_id_key(iteration: Iteration, write: Transaction) -> None:
    """Mark the creation key of the iteration, if it has one, as that of a deleted iteration."""
    row = item.find(IterationRow, keys.iteration(iteration.experiment_id, iteration.id))
    if row is not None and row.id_key is not None:
        idkey.retire_id_key(_id_key(iteration.experiment_id, row.id_key), write)


def mark_watched(iteration: Iteration, until: int) -> None:
    """Note that a reader watches the iteration until this time (seconds since 1970), if the table allows it now."""
    row = IterationRow(*keys.iteration(iteration.experiment_id, iteration.id))
    with conditional.best_effort():
        row.update([IterationRow.watched_until.set(until)], ALIVE)


def mark_fired(iteration: Iteration, rule_hash: str, write: Transaction) -> None:
    """Note that an alert rule has fired. NotFound without the iteration."""
    row = IterationRow(*keys.iteration(iteration.experiment_id, iteration.id))
    write.update(row, [IterationRow.fired_rules.add({rule_hash})], ALIVE, NotFound)


def marks(row: IterationRow) -> Marks:
    return Marks(
        frozenset(row.commands or ()),
        int(row.watched_until or 0),
        bool(row.has_files),
        frozenset(row.fired_rules or ()),
    )


def shape(row: IterationRow) -> Iteration:
    """The shape, without long labels."""
    return shape_of(row, Iteration, labels=row.labels or {})


def whole_each(rows: Sequence[IterationRow]) -> list[Iteration]:
    return label.whole_each([shape(row) for row in rows], rows)


def _id_key(experiment_id: str, id_key: str) -> Key:
    return keys.id_key(keys.experiment_partition(experiment_id), id_key)


def _refusal(iteration: Iteration) -> Otherwise:
    """The error of a write that requires UNLOCKED: the iteration has ended, or was deleted concurrently."""
    return lambda: locked() if find_iteration(iteration.experiment_id, iteration.id) else NotFound()


def _link(parent_id: str, child_id: str, write: Transaction) -> None:
    write.put(ChildRow(*keys.child(parent_id, child_id), child_id=child_id), Conflict)


def _same_parent(iteration: Iteration) -> Condition:
    parent = iteration.parent_iteration_id
    attribute = IterationRow.parent_iteration_id
    same: Condition = attribute.does_not_exist() if parent is None else attribute == parent
    return same


def _same_state(iteration: Iteration) -> Condition:
    end = iteration.end_date
    same: Condition = _same_parent(iteration)
    same &= IterationRow.end_date.does_not_exist() if end is None else IterationRow.end_date == end
    same &= IterationRow.status_id == int(iteration.status_id)
    return same


def _row(iteration: Iteration, id_key: str | None) -> IterationRow:
    name = None if iteration.name == name_of(iteration.id) else iteration.name
    key = keys.iteration(iteration.experiment_id, iteration.id)
    return row_of(IterationRow, key, iteration, name=name, id_key=id_key, **label.attributes(iteration.labels))
