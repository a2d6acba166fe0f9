"""An entity with its ancestors and the calling user's permission: one REF, then one BatchGetItem.

If any ancestor is missing or being deleted, the lineage is None: its descendants count as deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from chalicelib.storage import (
    experiment,
    iteration,
    label,
    loggedmodel,
    model,
    permission,
    project,
    resource,
    series,
    trash,
)
from chalicelib.storage.experiment import ExperimentRow
from chalicelib.storage.iteration import IterationRow, Marks
from chalicelib.storage.loggedmodel import LoggedModelRow
from chalicelib.storage.model import ModelRow, Registry
from chalicelib.storage.permission import PermissionRow
from chalicelib.storage.project import ProjectRow
from chalicelib.storage.resource import ResourceRow
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item, Ref
from chalicelib.storage.table.keys import Key
from deardiary.wire.shapes import Experiment, Iteration, LoggedModel, Model, Project, Resource, UserPermission


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class ProjectLineage:
    project: Project
    permission: UserPermission | None
    # True if the labels of the entity itself are long: then they are missing in its shape. See `label.complete`.
    labels_apart: bool = False


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class ExperimentLineage(ProjectLineage):
    """`watched_until`: a reader watches the experiment until then, in seconds since 1970."""

    experiment: Experiment
    watched_until: int = 0


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class IterationLineage(ExperimentLineage):
    """`of_batch`: the rows of a batch that the same call has read, for `series.read_series_and_chunk`.

    `alert_rules`: those of the project and of the experiment, as `alertrule.py` stores them.
    """

    iteration: Iteration
    marks: Marks
    of_batch: Mapping[Key, Item] | None = None
    alert_rules: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class ResourceLineage(ExperimentLineage):
    resource: Resource


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class LoggedModelLineage(ExperimentLineage):
    loggedmodel: LoggedModel


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class ModelLineage(ProjectLineage):
    model: Model
    registry: Registry


def find_project_lineage(project_id: str, user_id: str) -> ProjectLineage | None:
    found = _read(project_id, user_id)
    match found:
        case [ProjectRow() as above, mine]:
            apart = label.is_apart(above)
            return ProjectLineage(project=project.shape(above), permission=_permission(mine), labels_apart=apart)
        case _:
            return None


def find_deleted_project_lineage(project_id: str, user_id: str) -> ProjectLineage | None:
    """Like `find_project_lineage`, also of a project in the trash or being deleted."""
    found = project.find_even_hidden(project_id)
    if found is None:
        return None
    return ProjectLineage(project=found, permission=permission.find_permission(user_id, project_id))


def find_experiment_lineage(experiment_id: str, user_id: str) -> ExperimentLineage | None:
    ancestors = _ancestors(keys.experiment_ref(experiment_id))
    if ancestors is None:
        return None
    return _experiment_lineage(
        _read(ancestors.project_id, user_id, keys.experiment(ancestors.project_id, experiment_id))
    )


def find_trashed_experiment_lineage(experiment_id: str, user_id: str) -> ExperimentLineage | None:
    """Like `find_experiment_lineage`, of an experiment in the trash, in a project that is not."""
    ancestors = _ancestors(keys.experiment_ref(experiment_id))
    if ancestors is None:
        return None
    own = keys.experiment(ancestors.project_id, experiment_id)
    return _experiment_lineage(_read_trashed(ancestors, user_id, own))


def find_trashed_iteration_lineage(iteration_id: str, user_id: str) -> IterationLineage | None:
    """Like `find_iteration_lineage`, of an iteration that is in the trash, or its experiment is."""
    ancestors = _ancestors(keys.iteration_ref(iteration_id))
    if ancestors is None:
        return None
    above = keys.experiment(ancestors.project_id, ancestors.experiment_id)
    own = keys.iteration(ancestors.experiment_id, iteration_id)
    return _iteration_lineage(_read_trashed(ancestors, user_id, above, own))


def _experiment_lineage(found: Sequence[Item | None]) -> ExperimentLineage | None:
    match found:
        case [ProjectRow() as above, mine, ExperimentRow() as row]:
            return ExperimentLineage(
                project=project.shape(above),
                permission=_permission(mine),
                experiment=experiment.shape(row),
                watched_until=experiment.watched_until(row),
                labels_apart=label.is_apart(row),
            )
    return None


def find_iteration_lineage(
    iteration_id: str, user_id: str, *, batch_hash: str | None = None
) -> IterationLineage | None:
    """With `batch_hash`, read the series and the chunk of this batch in the same call."""
    ancestors = _ancestors(keys.iteration_ref(iteration_id))
    if ancestors is None:
        return None
    wanted = _keys_of_lineage(ancestors, iteration_id, user_id)
    found = item.get_expected([*wanted, *_keys_of_batch(ancestors, iteration_id, batch_hash)])
    line = _iteration_lineage([found.get(key) for key in wanted])
    if line is not None and batch_hash:
        line.of_batch = found
    return line


def keys_of_iteration_lineage(iteration_id: str, user_id: str, *, batch_hash: str | None = None) -> list[Key]:
    """The keys of the rows that `find_iteration_lineage` reads; none for an iteration that does not exist."""
    ancestors = _ancestors(keys.iteration_ref(iteration_id))
    if ancestors is None:
        return []
    own = _keys_of_lineage(ancestors, iteration_id, user_id)
    return [*own, *_keys_of_batch(ancestors, iteration_id, batch_hash)]


def _keys_of_lineage(ancestors: _Ancestors, iteration_id: str, user_id: str) -> list[Key]:
    project_id, experiment_id = ancestors
    above, own = keys.experiment(project_id, experiment_id), keys.iteration(experiment_id, iteration_id)
    return [keys.project(project_id), keys.permission(user_id, project_id), above, own]


def _keys_of_batch(ancestors: _Ancestors, iteration_id: str, batch_hash: str | None) -> Sequence[Key]:
    return series.rows_of_batch(ancestors.experiment_id, iteration_id, batch_hash) if batch_hash else ()


def _iteration_lineage(found: Sequence[Item | None]) -> IterationLineage | None:
    match found:
        case [ProjectRow() as above, mine, ExperimentRow() as middle, IterationRow() as row]:
            return IterationLineage(
                project=project.shape(above),
                permission=_permission(mine),
                experiment=experiment.shape(middle),
                watched_until=experiment.watched_until(middle),
                iteration=iteration.shape(row),
                marks=iteration.marks(row),
                labels_apart=label.is_apart(row),
                alert_rules=tuple(filter(None, (above.alert_rules, middle.alert_rules))),
            )
    return None


def find_resource_lineage(resource_id: str, user_id: str) -> ResourceLineage | None:
    ancestors = _ancestors(keys.resource_ref(resource_id))
    if ancestors is None:
        return None
    match _read_below(ancestors, user_id, keys.resource(ancestors.experiment_id, resource_id)):
        case [ProjectRow() as above, mine, ExperimentRow() as middle, ResourceRow() as row] if _has_iteration(row):
            return ResourceLineage(
                project=project.shape(above),
                permission=_permission(mine),
                experiment=experiment.shape(middle),
                resource=resource.shape(row),
            )
    return None


def find_loggedmodel_lineage(loggedmodel_id: str, user_id: str) -> LoggedModelLineage | None:
    ancestors = _ancestors(keys.loggedmodel_ref(loggedmodel_id))
    if ancestors is None:
        return None
    match _read_below(ancestors, user_id, keys.loggedmodel(ancestors.experiment_id, loggedmodel_id)):
        case [ProjectRow() as above, mine, ExperimentRow() as middle, LoggedModelRow() as row]:
            return LoggedModelLineage(
                project=project.shape(above),
                permission=_permission(mine),
                experiment=experiment.shape(middle),
                loggedmodel=loggedmodel.shape(row),
                labels_apart=label.is_apart(row),
            )
    return None


def experiment_of_loggedmodel(iteration: Iteration, loggedmodel_id: str) -> str | None:
    """The experiment of a logged model, if it is in the iteration's project."""
    of_model = _ancestors(keys.loggedmodel_ref(loggedmodel_id))
    of_iteration = _ancestors(keys.iteration_ref(iteration.id))
    same = of_model and of_iteration and of_model.project_id == of_iteration.project_id
    return of_model.experiment_id if of_model and same else None


def find_model_lineage(model_id: str, user_id: str) -> ModelLineage | None:
    ancestors = _ancestors(keys.model_ref(model_id))
    if ancestors is None:
        return None
    match _read(ancestors.project_id, user_id, keys.model(ancestors.project_id, model_id)):
        case [ProjectRow() as above, mine, ModelRow() as row]:
            return ModelLineage(
                project=project.shape(above),
                permission=_permission(mine),
                model=model.shape(row),
                registry=model.registry(row),
                labels_apart=label.is_apart(row),
            )
    return None


class _Ancestors(NamedTuple):
    project_id: str
    experiment_id: str


def _ancestors(ref: Key) -> _Ancestors | None:
    try:
        return _cached_ancestors(ref)
    except KeyError:
        return None


@lru_cache(maxsize=4096)
def _cached_ancestors(ref: Key) -> _Ancestors:
    """Cache a REF, which never changes. Its absence (KeyError) is not cached."""
    row = item.find(Ref, ref)
    if row is None:
        raise KeyError(ref)
    return _Ancestors(row.project_id, row.experiment_id or "")


def _read(project_id: str, user_id: str, *below: Key) -> Sequence[Item | None]:
    item_keys = [keys.project(project_id), keys.permission(user_id, project_id), *below]
    found = item.get_many(item_keys)
    return [found.get(key) for key in item_keys]


def _read_trashed(ancestors: _Ancestors, user_id: str, *below: Key) -> Sequence[Item | None]:
    """Like `_read`, with those of `below` that are in the trash. Those being removed count as missing."""
    first = [keys.project(ancestors.project_id), keys.permission(user_id, ancestors.project_id)]
    found = item.get_even_hidden([*first, *below])
    rows = [found.get(key) for key in (*first, *below)]
    return [row if row is not None and (not row.deleting or _is_trashed(row)) else None for row in rows]


def _is_trashed(row: Item) -> bool:
    if isinstance(row, ExperimentRow):
        return trash.find_entry_of_experiment(row.project_id, row.id) is not None
    if isinstance(row, IterationRow):
        project_id = _ancestors_of(row).project_id
        return trash.find_entry("iteration", row.id, project_id, row.experiment_id) is not None
    return False


def _ancestors_of(row: IterationRow) -> _Ancestors:
    return _cached_ancestors(keys.iteration_ref(row.id))


def _read_below(ancestors: _Ancestors, user_id: str, below: Key) -> Sequence[Item | None]:
    return _read(ancestors.project_id, user_id, keys.experiment(ancestors.project_id, ancestors.experiment_id), below)


def _has_iteration(row: ResourceRow) -> bool:
    """False if the resource's iteration is deleted or being deleted, which makes the resource absent too."""
    return not row.iteration_id or iteration.find_iteration(row.experiment_id, row.iteration_id) is not None


def _permission(row: Item | None) -> UserPermission | None:
    return permission.shape(row) if isinstance(row, PermissionRow) else None
