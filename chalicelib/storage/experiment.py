"""Experiments: a row in the project's partition, and a REF that finds it by id."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute

from chalicelib.errors import Conflict, DomainError, InvalidPayload, NotFound
from chalicelib.paging import Page
from chalicelib.storage import project
from chalicelib.storage.table import conditional, idkey, item, keys
from chalicelib.storage.table.item import Item, Ref
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Experiment, ExperimentStatus


class ExperimentRow(Item, discriminator="experiment"):
    id = UnicodeAttribute()
    project_id = UnicodeAttribute()
    status_id = NumberAttribute()
    name = UnicodeAttribute()
    description = UnicodeAttribute()
    created_date = UTCDateTimeAttribute()
    end_date = UTCDateTimeAttribute(null=True)
    id_key = UnicodeAttribute(null=True)


ALIVE = ExperimentRow.pk.exists() & ExperimentRow.deleting.does_not_exist()


def create_experiment(experiment: Experiment, id_key: str | None) -> None:
    """NotFound when the project is gone, Conflict when the creation key is taken."""
    write = Transaction()
    project.check_alive(experiment.project_id, write)
    write.put(_row(experiment, id_key), Conflict)
    write.put(Ref(*keys.experiment_ref(experiment.id), project_id=experiment.project_id), Conflict)
    if id_key is not None:
        idkey.claim_id_key(
            keys.id_key(keys.project_partition(experiment.project_id), id_key), experiment.id, write, Conflict
        )
    write.commit()


def check_alive(experiment: Experiment, write: Transaction) -> None:
    write.check(ExperimentRow, keys.experiment(experiment.project_id, experiment.id), ALIVE, NotFound)


def check_open(experiment: Experiment, write: Transaction) -> None:
    """Commit only while the experiment takes new iterations and resources."""
    key = keys.experiment(experiment.project_id, experiment.id)
    condition = ALIVE & (ExperimentRow.status_id == int(ExperimentStatus.IN_PROGRESS))

    def refusal() -> DomainError:
        """It has ended, or been deleted this very moment."""
        return not_in_progress() if find_experiment(experiment.project_id, experiment.id) else NotFound()

    write.check(ExperimentRow, key, condition, refusal)


def not_in_progress() -> InvalidPayload:
    return InvalidPayload("The experiment is not IN_PROGRESS: it takes nothing new", field="experiment_id")


def find_experiment(project_id: str, experiment_id: str) -> Experiment | None:
    row = item.find(ExperimentRow, keys.experiment(project_id, experiment_id))
    return None if row is None or row.deleting else shape(row)


def list_experiments_of_project(project_id: str, limit: int, cursor: str | None, name: str | None) -> Page[Experiment]:
    where = None if name is None else ExperimentRow.name == name
    partition = keys.project_partition(project_id)
    rows = item.page(ExperimentRow, partition, keys.EXPERIMENT, limit=limit, cursor=cursor, where=where)
    return Page([shape(row) for row in rows.data], rows.next_cursor)


def update_experiment(before: Experiment, after: Experiment) -> Experiment:
    """Write what differs; the experiment as then stored. Conflict when somebody else changed its status meanwhile."""
    row = _row(after, None)
    actions = item.changes(row, before, after, ("name", "description", "status_id", "end_date"))
    if not actions:
        return after
    with conditional.otherwise(Conflict):
        row.update(actions, ALIVE & (ExperimentRow.status_id == int(before.status_id)))
    return shape(row)


def hide_experiment(project_id: str, experiment_id: str, write: Transaction) -> None:
    row = ExperimentRow(*keys.experiment(project_id, experiment_id))
    write.update(row, [ExperimentRow.deleting.set(True)], ALIVE, NotFound)


def find_id_key_of_experiment(project_id: str, experiment_id: str) -> str | None:
    row = item.find(ExperimentRow, keys.experiment(project_id, experiment_id))
    return row.id_key if row else None


def shape(row: ExperimentRow) -> Experiment:
    return Experiment(
        id=row.id,
        project_id=row.project_id,
        status_id=ExperimentStatus(int(row.status_id)),
        name=row.name,
        description=row.description,
        created_date=row.created_date,
        end_date=row.end_date,
    )


def _row(experiment: Experiment, id_key: str | None) -> ExperimentRow:
    return ExperimentRow(
        *keys.experiment(experiment.project_id, experiment.id),
        id=experiment.id,
        project_id=experiment.project_id,
        status_id=int(experiment.status_id),
        name=experiment.name,
        description=experiment.description,
        created_date=experiment.created_date,
        end_date=experiment.end_date,
        id_key=id_key,
    )
