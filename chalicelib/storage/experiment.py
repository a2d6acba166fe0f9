"""Experiments: a row in the project's partition, a REF that finds it by id, a sentinel that makes its name unique.

Older servers stored experiments without a sentinel, and several of one name. So the server checks a new name twice: a
Query finds the names of older experiments, and the sentinel lets only one of several concurrent requests use a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.errors import Conflict, DomainError, InvalidPayload, NotFound, Overtaken
from chalicelib.paging import Page
from chalicelib.storage import label, project
from chalicelib.storage.label import Labelled, Texts
from chalicelib.storage.table import conditional, idkey, item, keys
from chalicelib.storage.table.item import Item, Ref
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.mapping import row_of, shape_of
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Experiment, ExperimentStatus


class ExperimentRow(Labelled, discriminator="experiment"):
    id = UnicodeAttribute()
    project_id = UnicodeAttribute()
    status_id = NumberAttribute()
    name = UnicodeAttribute()
    description = UnicodeAttribute()
    created_by = UnicodeAttribute(null=True)
    created_date = UTCDateTimeAttribute()
    end_date = UTCDateTimeAttribute(null=True)
    id_key = UnicodeAttribute(null=True)
    # Seconds since 1970: until then a reader counts as watching. See `services/lifecycle/pace.py`.
    watched_until = NumberAttribute(null=True)
    labels = Texts(null=True)
    labels_hash = UnicodeAttribute(null=True)
    # JSON; see `alertrule.py`.
    alert_rules = UnicodeAttribute(null=True)


class ExperimentNameRow(Item, discriminator="experiment-name"):
    experiment_id = UnicodeAttribute()


ALIVE = ExperimentRow.pk.exists() & ExperimentRow.deleting.does_not_exist()
HIDDEN = ExperimentRow.deleting == True  # noqa: E712


def create_experiment(experiment: Experiment, id_key: str | None) -> None:
    """Create an experiment. NotFound without its project, Conflict if the creation key or the name is in use."""
    _refuse_taken_name(experiment)
    write = Transaction()
    project.check_alive(experiment.project_id, write)
    write.put(_row(experiment, id_key), Conflict)
    label.put_long(experiment, write)
    write.put(Ref(*keys.experiment_ref(experiment.id), project_id=experiment.project_id), Conflict)
    if id_key is not None:
        idkey.claim_id_key(_id_key(experiment.project_id, id_key), experiment.id, write, Conflict)
    _claim_name(experiment, write)
    write.commit()


def check_alive(experiment: Experiment, write: Transaction) -> None:
    write.check(ExperimentRow, keys.experiment(experiment.project_id, experiment.id), ALIVE, NotFound)


def check_open(experiment: Experiment, write: Transaction) -> None:
    """Commit only while the experiment accepts new iterations and resources."""
    key = keys.experiment(experiment.project_id, experiment.id)
    condition = ALIVE & (ExperimentRow.status_id == int(ExperimentStatus.IN_PROGRESS))

    def refusal() -> DomainError:
        """The error: the experiment has ended, or was deleted concurrently."""
        return not_in_progress() if find_experiment(experiment.project_id, experiment.id) else NotFound()

    write.check(ExperimentRow, key, condition, refusal)


def not_in_progress() -> InvalidPayload:
    return InvalidPayload("The experiment is not IN_PROGRESS: it accepts nothing new", field="experiment_id")


def find_experiment(project_id: str, experiment_id: str) -> Experiment | None:
    row = item.find(ExperimentRow, keys.experiment(project_id, experiment_id))
    return None if row is None or row.deleting else _whole(row)


def find_by_name(project_id: str, name: str) -> list[tuple[Experiment, bool]]:
    """The experiments of this name, the oldest first, and of each if it is deleted: in the trash or being removed."""
    same, partition = ExperimentRow.name == name, keys.project_partition(project_id)
    rows = item.query_even_hidden(ExperimentRow, partition, keys.EXPERIMENT, condition=same)
    return [(_whole(row), bool(row.deleting)) for row in rows]


def read_all(project_id: str) -> list[tuple[Experiment, bool]]:
    """All experiments of a project, the oldest first, and of each if it is in the trash or being removed."""
    found = list(item.query_even_hidden(ExperimentRow, keys.project_partition(project_id), keys.EXPERIMENT))
    experiments = label.whole_each([shape(row) for row in found], found)
    return [(each, bool(row.deleting)) for each, row in zip(experiments, found, strict=True)]


def list_experiments_of_project(project_id: str, limit: int, cursor: str | None, name: str | None) -> Page[Experiment]:
    named = _find_named(project_id, name) if name is not None and cursor is None else None
    if named is not None:
        return Page([named], None)
    # An experiment of an older server has no sentinel.
    condition = None if name is None else ExperimentRow.name == name
    partition = keys.project_partition(project_id)
    rows = item.page(ExperimentRow, partition, keys.EXPERIMENT, limit=limit, cursor=cursor, condition=condition)
    return Page(label.whole_each([shape(row) for row in rows.data], rows.data), rows.next_cursor)


def _find_named(project_id: str, name: str) -> Experiment | None:
    """The experiment that has the sentinel of this name. No other one has the name then."""
    holder = item.find(ExperimentNameRow, keys.experiment_name(project_id, name))
    found = find_experiment(project_id, holder.experiment_id) if holder else None
    return found if found and found.name == name else None


def update_experiment(before: Experiment, after: Experiment) -> Experiment:
    """Write the differences, and return the experiment as stored. Conflict if another experiment has the new name.

    Overtaken if another request changed the status, the labels before other labels, or the name before a rename, since
    it was read.
    """
    row = _row(after, None)
    actions = item.changes(row, before, after, ("name", "description", "status_id", "end_date"))
    if not actions and after.labels == before.labels:
        return after
    unchanged = ALIVE & (ExperimentRow.status_id == int(before.status_id))
    if after.name != before.name:
        return _rename(before, after, actions, unchanged)
    label.save(row, actions, unchanged, Overtaken, before, after)
    return find_experiment(after.project_id, after.id) or after if label.is_apart(row) else shape(row)


def hide_experiment(experiment: Experiment, write: Transaction) -> None:
    """Hide the experiment from readers and free its name, in a transaction. Overtaken if it was renamed."""
    project.check_alive(experiment.project_id, write)
    write.delete(_name_row(experiment), None, Conflict)
    row = ExperimentRow(*keys.experiment(experiment.project_id, experiment.id))
    write.update(row, [ExperimentRow.deleting.set(True)], ALIVE & (ExperimentRow.name == experiment.name), Overtaken)


def restore_experiment(project_id: str, experiment_id: str, name: str | None, write: Transaction) -> None:
    """Show a hidden experiment again, in a transaction, under this name if one is given.

    NotFound without it or its project, Conflict if another experiment has the name. It keeps its creation key unless
    another experiment has it now.
    """
    row = item.find(ExperimentRow, keys.experiment(project_id, experiment_id))
    if row is None or not row.deleting:
        raise NotFound
    restored = replace(shape(row), name=name or row.name)
    project.check_alive(project_id, write)
    _refuse_taken_name(restored)
    _claim_name(restored, write)
    actions: list[Action] = [ExperimentRow.deleting.remove(), ExperimentRow.name.set(restored.name)]
    if row.id_key and not idkey.reclaim_id_key(_id_key(project_id, row.id_key), experiment_id, write):
        actions.append(ExperimentRow.id_key.remove())
    write.update(ExperimentRow(*row.key), actions, HIDDEN, Overtaken)


def hide_experiment_of_project(project_id: str, experiment_id: str, write: Transaction) -> None:
    """Hide an experiment of a project that is being deleted; its name is removed with the project."""
    row = ExperimentRow(*keys.experiment(project_id, experiment_id))
    write.update(row, [ExperimentRow.deleting.set(True)], ALIVE, NotFound)


def each_id(project_id: str) -> Iterator[str]:
    """The ids of the project's experiments, also of hidden ones."""
    return item.each_id(keys.project_partition(project_id), keys.EXPERIMENT)


def remove_experiment(project_id: str, experiment_id: str) -> Iterator[None]:
    """Remove the rows of the experiment, its own at last. Yield before each call."""
    ref = keys.experiment_ref(experiment_id)
    yield from item.remove_partition(ref.pk, keep=[ref])
    yield from item.remove_partition(keys.project_partition(project_id), keys.tags_prefix(experiment_id))
    own = keys.experiment(project_id, experiment_id)
    item.delete_items([ref, keys.labels(own, experiment_id), own])


def find_experiment_by_id_key(project_id: str, id_key: str) -> Experiment | None:
    experiment_id = idkey.find_id_key(_id_key(project_id, id_key))
    return None if experiment_id is None else find_experiment(project_id, experiment_id)


def release_id_key(experiment: Experiment, write: Transaction) -> None:
    """Free the creation key of the experiment, if it has one."""
    row = item.find(ExperimentRow, keys.experiment(experiment.project_id, experiment.id))
    if row is not None and row.id_key is not None:
        idkey.release_id_key(_id_key(experiment.project_id, row.id_key), write)


def mark_watched(experiment: Experiment, until: int) -> None:
    """Note that a reader watches the experiment until this time (seconds since 1970), if the table allows it now."""
    row = ExperimentRow(*keys.experiment(experiment.project_id, experiment.id))
    with conditional.best_effort():
        row.update([ExperimentRow.watched_until.set(until)], ALIVE)


def watched_until(row: ExperimentRow) -> int:
    return int(row.watched_until or 0)


def shape(row: ExperimentRow) -> Experiment:
    """The shape, without long labels."""
    return shape_of(row, Experiment, labels=row.labels or {})


def _whole(row: ExperimentRow) -> Experiment:
    return label.whole(shape(row), row)


def _rename(before: Experiment, after: Experiment, actions: list[Action], unchanged: Condition) -> Experiment:
    """Claim the new name and free the old one together with the update."""
    _refuse_taken_name(after)
    write = Transaction()
    # Unconditional: an older experiment has no sentinel.
    write.delete(_name_row(before), None, Conflict)
    _claim_name(after, write)
    row = _row(after, None)
    unchanged = label.unchanged(row, before, after, unchanged & (ExperimentRow.name == before.name))
    write.update(row, [*actions, *label.changes(row, before, after)], unchanged, Overtaken)
    label.move(before, after, write)
    write.commit()
    return find_experiment(after.project_id, after.id) or after


def _refuse_taken_name(experiment: Experiment) -> None:
    """Conflict if another experiment of the project has this name. No other check finds an older experiment."""
    other = (ExperimentRow.name == experiment.name) & (ExperimentRow.id != experiment.id)
    partition = keys.project_partition(experiment.project_id)
    for row in item.query(ExperimentRow, partition, keys.EXPERIMENT, condition=other):
        raise _name_taken(row.id)


def _claim_name(experiment: Experiment, write: Transaction) -> None:
    row = _name_row(experiment)
    row.experiment_id = experiment.id
    # Accept the experiment's own claim: of two identical concurrent renames, neither refuses the other.
    free = ExperimentNameRow.pk.does_not_exist() | (ExperimentNameRow.experiment_id == experiment.id)

    def refusal() -> Conflict:
        holder = item.find(ExperimentNameRow, row.key)
        return _name_taken(holder.experiment_id if holder else None)

    write.put(row, refusal, free)


def _name_taken(experiment_id: str | None) -> Conflict:
    """The error. It names no id if the other experiment has given up the name since."""
    known = {} if experiment_id is None else {"id": experiment_id}
    return Conflict("The project has an experiment of this name already", field="name", kind="experiment", **known)


def _id_key(project_id: str, id_key: str) -> Key:
    return keys.id_key(keys.project_partition(project_id), id_key)


def _name_row(experiment: Experiment) -> ExperimentNameRow:
    return ExperimentNameRow(*keys.experiment_name(experiment.project_id, experiment.name))


def _row(experiment: Experiment, id_key: str | None) -> ExperimentRow:
    key = keys.experiment(experiment.project_id, experiment.id)
    return row_of(ExperimentRow, key, experiment, id_key=id_key, **label.attributes(experiment.labels))
