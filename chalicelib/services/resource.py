"""Resources: declared, uploaded past the API, checked, and only then there for readers to download."""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict

from chalicelib import artifacts, clock, config, ids
from chalicelib.artifacts import Location
from chalicelib.errors import Conflict, InvalidPayload, NotFound
from chalicelib.page import Page
from chalicelib.services import access
from chalicelib.services.access import Actor, Need
from chalicelib.storage import blob as blobs
from chalicelib.storage import experiment as experiments
from chalicelib.storage import iteration as iterations
from chalicelib.storage import keys
from chalicelib.storage import resource as storage
from chalicelib.storage.blob import Blob
from chalicelib.storage.deletion import delete_items
from chalicelib.storage.lineage import ResourceLineage
from deardiary.shapes import Download, ExperimentStatus, Resource, Upload


class ResourceChanges(TypedDict, total=False):
    """The fields of a resource that a PATCH may carry; its bytes never change."""

    name: str
    description: str


def create_resource(
    actor: Actor,
    experiment_id: str,
    *,
    name: str,
    size_bytes: int,
    content_hash: str,
    description: str,
    iteration_id: str | None,
    content_type: str,
) -> Resource:
    """Pending until `complete_resource`, unless the project has these bytes already."""
    experiment = access.experiment(actor, experiment_id, Need.CREATE).experiment
    if experiment.status_id != ExperimentStatus.IN_PROGRESS:
        raise experiments.not_in_progress()
    seen = blobs.find_blob(experiment.project_id, content_hash)
    if seen is not None and seen.size_bytes != size_bytes:
        raise InvalidPayload("Bytes with this SHA-256 have another size", field="size_bytes")
    backend = seen.backend if seen else config.settings().artifact_backend
    resource = Resource(
        id=ids.new_id(),
        experiment_id=experiment_id,
        iteration_id=iteration_id,
        name=name,
        description=description,
        created_date=clock.now(),
        backend=backend,
        uri=artifacts.store(backend).uri(Location(experiment.project_id, content_hash)),
        size_bytes=size_bytes,
        content_hash=content_hash,
        state=storage.READY if seen and seen.ready else storage.PENDING,
    )
    if iteration_id is not None and iterations.find_iteration(experiment_id, iteration_id) is None:
        raise InvalidPayload("There is no such iteration in this experiment", field="iteration_id")
    storage.create_resource(experiment, resource, content_type, seen)
    return resource


def get_resource(actor: Actor, resource_id: str) -> Resource:
    return access.resource(actor, resource_id, Need.READ).resource


def list_resources_of_experiment(
    actor: Actor, experiment_id: str, limit: int, cursor: str | None, iteration_id: str | None
) -> Page[Resource]:
    access.experiment(actor, experiment_id, Need.READ)
    return storage.list_resources_of_experiment(experiment_id, limit, cursor, iteration_id)


def update_resource(actor: Actor, resource_id: str, changes: ResourceChanges) -> Resource:
    before = access.resource(actor, resource_id, Need.UPDATE).resource
    after = replace(before, **changes, updated_date=clock.now())
    storage.update_resource(after)
    return after


def request_upload(actor: Actor, resource_id: str) -> Upload:
    """The requests still to make; none when the bytes are there."""
    line = access.resource(actor, resource_id, Need.CREATE)
    resource = line.resource
    if resource.state == storage.READY or _blob(line).ready:
        return Upload(requests=(), expires_at=clock.now())
    content_type = storage.get_content_type(resource)
    return artifacts.store(resource.backend).upload(_location(line), resource.size_bytes, content_type)


def complete_resource(actor: Actor, resource_id: str) -> Resource:
    """The resource, ready. InvalidPayload when its bytes are not there exactly as declared."""
    line = access.resource(actor, resource_id, Need.CREATE)
    resource = line.resource
    if resource.state == storage.READY:
        return resource
    blob = _blob(line)
    if not blob.ready:
        artifacts.store(resource.backend).verify(_location(line), resource.size_bytes)
        blobs.mark_ready(line.project.id, resource.content_hash, resource.size_bytes)
    elif blob.size_bytes != resource.size_bytes:
        raise InvalidPayload(f"The bytes are {blob.size_bytes}, {resource.size_bytes} declared", field="size_bytes")
    ready = replace(resource, state=storage.READY, updated_date=clock.now())
    storage.mark_ready(ready)
    return ready


def request_download(actor: Actor, resource_id: str) -> Download:
    """Conflict while the bytes have not been checked."""
    line = access.resource(actor, resource_id, Need.READ)
    if line.resource.state != storage.READY:
        raise Conflict("The bytes of this resource have not all arrived yet", state=line.resource.state)
    content_type = storage.get_content_type(line.resource)
    return artifacts.store(line.resource.backend).download(_location(line), line.resource, content_type)


def delete_resource(actor: Actor, resource_id: str) -> None:
    line = access.resource(actor, resource_id, Need.DELETE)
    remove_resource(line.project.id, line.resource)


def remove_resource(project_id: str, resource: Resource) -> None:
    """The resource goes; its bytes go with it when no other resource of the project shares them.

    NotFound when somebody else was faster. Should this die in between, the scheduled function goes on.
    """
    storage.delete_resource(project_id, resource)
    if release_blob(project_id, resource.content_hash):
        delete_items([keys.deletion(storage.blob_deletion(project_id, resource).id)])


def release_blob(project_id: str, sha256: str) -> bool:
    """Remove bytes that nobody owns any more. Also goes on with a removal that died, a minute later.

    Whether nothing is left to do: not while somebody else, who may die, is at it.
    """
    blob = blobs.find_blob(project_id, sha256)
    claim = blobs.claim_unowned(project_id, sha256) if blob else None
    if blob is None or claim is None:
        return blob is None or not blob.leaving
    artifacts.store(blob.backend).delete(Location(project_id, sha256))
    blobs.delete_blob(project_id, sha256, claim)
    return True


def _location(line: ResourceLineage) -> Location:
    return Location(line.project.id, line.resource.content_hash)


def _blob(line: ResourceLineage) -> Blob:
    blob = blobs.find_blob(line.project.id, line.resource.content_hash)
    if blob is None:
        raise NotFound
    return blob
