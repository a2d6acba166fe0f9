"""Registering what an iteration made as a version of a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    from deardiary.client import Client
    from deardiary.shapes import Iteration, ModelVersion, Resource


def register(
    client: Client, iteration: Iteration, name: str, resource: str | PathLike[str], description: str
) -> ModelVersion:
    """A new version of the project's model ``name``. OSError when ``resource`` is neither a resource nor a file."""
    artifact = _find(client, iteration, resource) or client.resources.upload(
        iteration.experiment_id, resource, iteration_id=iteration.id
    )
    project_id = client.experiments.get(iteration.experiment_id).project_id
    model = client.models.find_or_create(project_id, name)
    return client.modelversions.create(model.id, iteration.id, resource_id=artifact.id, description=description)


def register_once(client: Client, iteration: Iteration, name: str, resource: str, description: str) -> None:
    """As `register`, of a resource that is there, and nothing when that version is there too."""
    artifact = _find(client, iteration, resource)
    if artifact is None:
        raise FileNotFoundError(f"The iteration has no resource {resource!r}")
    project_id = client.experiments.get(iteration.experiment_id).project_id
    model = client.models.find_or_create(project_id, name)
    same = (iteration.id, artifact.id, description)
    versions = client.modelversions.list(model.id)
    if not any((each.iteration_id, each.resource_id, each.description) == same for each in versions):
        client.modelversions.create(model.id, iteration.id, resource_id=artifact.id, description=description)


def _find(client: Client, iteration: Iteration, resource: str | PathLike[str]) -> Resource | None:
    """The latest that is complete; a file was stored under the last part of its path, unless told otherwise."""
    mine = [
        each
        for each in client.resources.list(iteration.experiment_id, iteration_id=iteration.id)
        if each.state == "ready"
    ]
    path = Path(resource)
    for name in (str(resource), path.name):
        named = [each for each in mine if each.name == name]
        if named:
            return named[-1]
    return None
