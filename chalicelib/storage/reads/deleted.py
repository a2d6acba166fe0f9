"""Objects found by their ids alone, also those in the trash: an object keeps its REF until it is purged."""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.storage import resource, trash
from chalicelib.storage.table import item, keys
from chalicelib.storage.trash import Entry

_REFS = {
    "experiment": keys.experiment_ref,
    "iteration": keys.iteration_ref,
    "resource": keys.resource_ref,
    "model": keys.model_ref,
    "loggedmodel": keys.loggedmodel_ref,
}


class Target(NamedTuple):
    """An object that can be in the trash, and the project and the experiment above it."""

    kind: str
    id: str
    project_id: str
    experiment_id: str | None = None


def find_target(object_id: str) -> Target | None:
    refs = {ref(object_id): kind for kind, ref in _REFS.items()}
    own = keys.project(object_id)
    found = item.raw_many([own, *refs], ["project_id", "experiment_id"])
    if own in found:
        return Target("project", object_id, object_id)
    for key, row in found.items():
        above = {name: row[name]["S"] for name in ("project_id", "experiment_id") if "S" in row.get(name, {})}
        return Target(refs[key], object_id, **above)
    return None


def find_entry(target: Target) -> Entry | None:
    """The entry of the object in the trash."""
    return trash.find_entry(target.kind, target.id, target.project_id, target.experiment_id)


def find_topmost_entry(target: Target) -> Entry | None:
    """The entry of the topmost object in the trash among this one and those above it."""
    path = [Target("project", target.project_id, target.project_id)]
    if target.experiment_id is not None:
        path.append(Target("experiment", target.experiment_id, target.project_id))
        iteration_id = _iteration_id_of(target)
        path += [target._replace(kind="iteration", id=iteration_id)] if iteration_id else []
    return next(filter(None, map(find_entry, [*path, target])), None)


def _iteration_id_of(target: Target) -> str | None:
    if target.kind != "resource" or target.experiment_id is None:
        return None
    found = resource.find_even_hidden(target.experiment_id, target.id)
    return None if found is None else found.iteration_id
