"""Register a file of an iteration as a version of a model, and find versions by name."""

from os import PathLike
from pathlib import Path

from deardiary.client import Client
from deardiary.entities import reference
from deardiary.errors import NotFound
from deardiary.wire.shapes import Iteration, ModelVersion, Resource


def register(
    client: Client,
    iteration: Iteration,
    name: str,
    resource: str | PathLike[str],
    description: str,
    id_key: str | None,
    *,
    kept: bool = False,
) -> ModelVersion:
    """Create a version of the project's model ``name``, or find the one with the same ``id_key``.

    OSError if ``resource`` is neither a resource nor a file, or, with ``kept`` (a record of a spool), no resource.
    """
    artifact = _find(client, iteration, resource)
    if artifact is None:
        if kept:
            raise FileNotFoundError(f"The iteration has no resource {resource!r}")
        artifact = client.resources.upload(iteration.experiment_id, resource, iteration_id=iteration.id, id_key=id_key)
    project_id = client.experiments.get(iteration.experiment_id).project_id
    model = client.models.find_or_create(project_id, name)
    return client.modelversions.create(
        model.id, iteration.id, resource_id=artifact.id, description=description, id_key=id_key
    )


def find_version_id(client: Client, iteration: Iteration, text: str) -> str:
    """The id of the version that a text names, by preference of the iteration's own project; an id is returned as is.

    FileNotFoundError if there is no such version.
    """
    named = reference.parse(text)
    if named is None:
        return text
    project_id = client.experiments.get(iteration.experiment_id).project_id
    try:
        model = next(client.models.list(project_id, name=named.model), None)
        if model is None:
            return client.modelversions.get(text).id
        if named.alias is not None:
            return client.models.get_alias(model.id, named.alias).id
        return client.modelversions.get(reference.version_id(model.id, named.number or 0)).id
    except NotFound as error:
        raise FileNotFoundError(f"There is no model version {text!r}") from error


def _find(client: Client, iteration: Iteration, resource: str | PathLike[str]) -> Resource | None:
    """The latest complete resource of that name, or of the file name in the path, which is an upload's default name."""
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
