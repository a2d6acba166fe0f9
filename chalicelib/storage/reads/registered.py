"""The versions of models that came from an iteration: from the iteration's links, then models, then versions.

Those that depend on an experiment are found among all versions of its project: a file has no link to its versions.

A version's stage and aliases are in its model's row, which is read before the version.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from chalicelib import ids
from chalicelib.paging import Page, page_by_id
from chalicelib.storage import model, modelversion
from chalicelib.storage.model import ModelRow
from chalicelib.storage.modelversion import ModelVersionRow, VersionLinkRow
from chalicelib.storage.resource import ResourceRow
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key
from deardiary.wire.shapes import DependentVersion, ModelVersion


class _Registered(NamedTuple):
    """A version, by its id and the keys of its model and its own."""

    id: str
    model: Key
    version: Key


def list_versions_of_iteration(
    project_id: str, iteration_id: str, limit: int, cursor: str | None
) -> Page[ModelVersion]:
    """The versions by model, then by number."""
    partition = keys.iteration_partition(iteration_id)
    version_ids = {row.version_id for row in item.query(VersionLinkRow, partition, keys.VERSION)}
    version_ids.update(_without_link(project_id, iteration_id))
    named = page_by_id([_registered(project_id, each) for each in version_ids], partition, limit, cursor)
    return Page(_read(named.data), named.next_cursor)


def list_versions_of_models(project_id: str, model_ids: Sequence[str]) -> dict[str, list[ModelVersion]]:
    """All versions by the model's id, in the order of their numbers. A deleted model has none."""
    owners = item.get_many(keys.model(project_id, each) for each in model_ids)
    found: dict[str, list[ModelVersion]] = {each: [] for each in model_ids}
    for owner in owners.values():
        if isinstance(owner, ModelRow):
            registry = model.registry(owner)
            rows = item.query(ModelVersionRow, keys.model_partition(owner.id), keys.VERSION)
            found[owner.id] = modelversion.whole_each([(row, registry) for row in rows])
    return found


def list_versions_of_experiment(project_id: str, experiment_id: str) -> list[DependentVersion]:
    """The versions of the project that came from the experiment's iterations, or whose files are in it."""
    versions = [
        (owner, row)
        for owner in item.query(ModelRow, keys.project_partition(project_id), keys.MODEL)
        for row in item.query(ModelVersionRow, keys.model_partition(owner.id), keys.VERSION)
    ]
    origins = {row.id: _origin_keys(experiment_id, row) for _, row in versions}
    there = item.get_many(key for origin in origins.values() for key in origin)
    found = []
    for owner, row in versions:
        iteration, file = map(there.get, origins[row.id])
        if iteration or file:
            found.append(_dependent(owner, row, iteration, file))
    return found


def _origin_keys(experiment_id: str, row: ModelVersionRow) -> tuple[Key, Key]:
    """The keys of the version's iteration and of its file if they are in this experiment. No id, no item."""
    return keys.iteration(experiment_id, row.iteration_id or "-"), keys.resource(experiment_id, row.resource_id or "-")


def _dependent(owner: ModelRow, row: ModelVersionRow, iteration: Item | None, file: Item | None) -> DependentVersion:
    return DependentVersion(
        id=row.id,
        model_id=owner.id,
        model_name=owner.name,
        version=int(row.version),
        stage_id=modelversion.stage_of(row, model.registry(owner)),
        iteration_id=row.iteration_id if iteration else None,
        resource_id=row.resource_id if file else None,
        file_iteration_id=file.iteration_id if isinstance(file, ResourceRow) else None,
    )


def _without_link(project_id: str, iteration_id: str) -> Iterator[str]:
    """The ids of the iteration's versions in models that an older server created."""
    older = ModelRow.links_versions.does_not_exist()
    of_iteration = ModelVersionRow.iteration_id == iteration_id
    for owner in item.query(ModelRow, keys.project_partition(project_id), keys.MODEL, condition=older):
        rows = item.query(ModelVersionRow, keys.model_partition(owner.id), keys.VERSION, condition=of_iteration)
        yield from (row.id for row in rows)


def _registered(project_id: str, version_id: str) -> _Registered:
    model_id, number = ids.split_id(version_id)
    return _Registered(version_id, keys.model(project_id, model_id), keys.modelversion(model_id, number))


def _read(named: Sequence[_Registered]) -> list[ModelVersion]:
    """Read the versions, without those that are deleted or whose model is."""
    models = item.get_many(each.model for each in named)
    versions = item.get_many(each.version for each in named)
    found = ((models.get(each.model), versions.get(each.version)) for each in named)
    return modelversion.whole_each(
        [
            (row, model.registry(owner))
            for owner, row in found
            if isinstance(owner, ModelRow) and isinstance(row, ModelVersionRow)
        ]
    )
