"""Resources: declared, uploaded directly to the store, checked, and only then downloadable."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypedDict

from chalicelib import artifacts, clock, config, ids
from chalicelib.artifacts import URL_LIFE, Location
from chalicelib.artifacts.served import check
from chalicelib.errors import Conflict, InvalidPayload, NotFound, Overtaken
from chalicelib.paging import Page
from chalicelib.retry import until_not_overtaken
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.blobs.release import Released, release_blob
from chalicelib.services.lifecycle.budget import unless_overloaded
from chalicelib.storage import blob as blobs
from chalicelib.storage import experiment as experiments
from chalicelib.storage import input as inputs
from chalicelib.storage import iteration as iterations
from chalicelib.storage import resource as storage
from chalicelib.storage import upload as uploads
from chalicelib.storage.blob import Blob
from chalicelib.storage.event import Event
from deardiary.wire.parts import CUTS
from deardiary.wire.shapes import Download, Experiment, ExperimentStatus, Resource

# A transfer that begins just before its URL expires may take this long.
_TRANSFER = timedelta(minutes=5)


class ResourceChanges(TypedDict, total=False):
    """The fields of a resource that a PATCH may carry; its bytes never change."""

    name: str
    description: str


def create_resource(actor: Actor, experiment_id: str, **given: Any) -> tuple[Resource, bool]:
    """Return the resource, with its bytes if it is inline, and True if it is new, like `create_in`."""
    experiment = access.experiment(actor, experiment_id, Need.CREATE).experiment
    resource, is_new = create_in(actor, experiment, **given)
    return with_data(experiment.project_id, resource), is_new


def create_in(
    actor: Actor,
    experiment: Experiment,
    *,
    name: str,
    size_bytes: int,
    content_hash: str,
    description: str,
    iteration_id: str | None,
    content_type: str,
    id_key: str | None = None,
    data: str | None = None,
    created_date: datetime | None = None,
) -> tuple[Resource, bool]:
    """Return the resource and True if it is new: the same id_key in the same experiment finds the earlier one.

    It is pending until its upload is complete, unless the project has these bytes already or `data` holds them as
    base64. Conflict if that key created a resource of other bytes.
    """
    created = _find_created(experiment, id_key, content_hash)
    if created is None and experiment.status_id != ExperimentStatus.IN_PROGRESS:
        raise experiments.not_in_progress()
    seen = blobs.find_blob(experiment.project_id, content_hash)
    backend = _backend(seen, size_bytes)
    content = None if data is None else _decoded(backend, data, size_bytes, content_hash)
    resource = created or make(
        actor,
        experiment,
        seen,
        name=name,
        size_bytes=size_bytes,
        content_hash=content_hash,
        description=description,
        iteration_id=iteration_id,
        content_type=content_type,
        created_date=created_date,
    )
    stored = created or _store(actor, experiment, resource, id_key, seen)
    # An earlier process may have died before this.
    if content is not None and stored.state == storage.PENDING:
        stored = _keep(experiment.project_id, stored, content)
    return stored, stored.id == resource.id and created is None


def make(
    actor: Actor,
    experiment: Experiment,
    seen: Blob | None,
    *,
    name: str,
    size_bytes: int,
    content_hash: str,
    description: str,
    iteration_id: str | None,
    content_type: str,
    created_date: datetime | None = None,
) -> Resource:
    """A new resource, which is not stored yet; `seen` is the blob of its bytes. InvalidPayload for a wrong size."""
    backend = _backend(seen, size_bytes)
    return Resource(
        id=ids.new_id(),
        experiment_id=experiment.id,
        iteration_id=iteration_id,
        name=name,
        description=description,
        content_type=content_type,
        created_by=actor.user.id,
        created_date=clock.past(created_date),
        backend=backend,
        uri=artifacts.store(backend).uri(Location(experiment.project_id, content_hash)),
        size_bytes=size_bytes,
        content_hash=content_hash,
        state=storage.READY if seen and seen.ready else storage.PENDING,
    )


def _backend(seen: Blob | None, size_bytes: int) -> str:
    """The backend of the bytes. InvalidPayload if it does not take that many, or has them with another size."""
    # Until the bytes are uploaded the declared size is unproven: a wrong declaration must not block later uploaders.
    if seen is not None and seen.ready and seen.size_bytes != size_bytes:
        raise InvalidPayload("Bytes with this SHA-256 have another size", field="size_bytes")
    backend = seen.backend if seen else config.settings().artifact_backend
    _check_size(backend, size_bytes)
    return backend


def _keep(project_id: str, resource: Resource, content: bytes) -> Resource:
    """Store the bytes in the table; return the resource, ready."""
    blob = blobs.find_blob(project_id, resource.content_hash)
    if blob is None:
        raise NotFound
    artifacts.store(resource.backend).write(Location(project_id, resource.content_hash), len(content), [content])
    blobs.mark_ready(project_id, resource.content_hash, len(content), generation=blob.generation)
    return finish(resource)


def finish(resource: Resource) -> Resource:
    """Mark the resource ready, for its bytes are stored and checked."""
    finished = replace(resource, updated_date=clock.now())
    ready = until_not_overtaken(lambda: storage.mark_ready(finished))
    # If the process dies before this, the check in a day finds the upload finished.
    uploads.remove(uploads.pending(resource))
    return ready


def with_data(project_id: str, resource: Resource) -> Resource:
    """Add the bytes of an inline resource; lists leave them out."""
    if resource.backend != "inline" or resource.state != storage.READY:
        return resource
    content = b"".join(artifacts.store("inline").blocks(Location(project_id, resource.content_hash)))
    return replace(resource, data=base64.b64encode(content).decode())


def get_resource(actor: Actor, resource_id: str) -> Resource:
    lineage = access.resource(actor, resource_id, Need.READ)
    return with_data(lineage.project.id, lineage.resource)


def list_resources_of_experiment(
    actor: Actor, experiment_id: str, limit: int, cursor: str | None, iteration_id: str | None
) -> Page[Resource]:
    experiment = access.experiment(actor, experiment_id, Need.READ).experiment
    if iteration_id is None:
        return storage.list_resources_of_experiment(experiment, limit, cursor)
    return storage.list_resources_of_iteration(experiment, iteration_id, limit, cursor)


def update_resource(actor: Actor, resource_id: str, changes: ResourceChanges) -> Resource:
    def update() -> Resource:
        lineage = access.resource(actor, resource_id, Need.UPDATE)
        after = replace(lineage.resource, **changes, updated_date=clock.now())
        return with_data(lineage.project.id, storage.update_resource(lineage.resource, after))

    return until_not_overtaken(update)


def request_download(actor: Actor, resource_id: str, site: str) -> Download:
    """Sign a download. Conflict while the bytes have not been checked.

    `site` is this server's URL as the client reaches it.
    """
    lineage = access.resource(actor, resource_id, Need.READ)
    if lineage.resource.state != storage.READY:
        raise Conflict("The bytes of this resource have not all been uploaded yet", state=lineage.resource.state)
    location = Location(lineage.project.id, blobs.id_of(lineage.resource))
    return artifacts.store(lineage.resource.backend).download(location, lineage.resource, site)


def remove_resource(
    project_id: str,
    resource: Resource,
    *,
    only_pending: bool = False,
    only_hidden: bool = False,
    event: Event | None = None,
) -> Released:
    """Remove a resource, also one in the trash, and its bytes unless another one of the project shares them.

    NotFound if another request was faster. With `only_pending` also if it is not pending any more, with `only_hidden`
    if it was restored from the trash.
    """
    late = _last_url(resource)
    until_not_overtaken(
        lambda: storage.delete_resource(
            project_id, resource, late=late, only_pending=only_pending, only_hidden=only_hidden, event=event
        )
    )
    # No reader sees it any more. The upkeep completes an unfinished removal.
    return unless_overloaded(partial(_remove_rest, project_id, resource), otherwise=Released(finished=False))


def _remove_rest(project_id: str, resource: Resource) -> Released:
    for _ in inputs.remove_uses_of_resource(resource.id):
        pass
    released = release_blob(project_id, blobs.id_of(resource))
    storage.remove_records(project_id, resource, bytes_are_gone=released.finished)
    return released


def _find_created(experiment: Experiment, id_key: str | None, content_hash: str) -> Resource | None:
    created = None if id_key is None else storage.find_resource_by_id_key(experiment.id, id_key)
    if created is not None and created.content_hash != content_hash:
        raise Conflict("This id_key has created a resource of other bytes", kind="resource", id=created.id)
    return created


def _store(actor: Actor, experiment: Experiment, resource: Resource, id_key: str | None, seen: Blob | None) -> Resource:
    """Store the resource; return it, or the one that another request has just created with this id_key."""
    iteration_id = resource.iteration_id
    if iteration_id is not None and iterations.find_iteration(experiment.id, iteration_id) is None:
        access.refuse_deleted(actor, "iteration", iteration_id)
        raise InvalidPayload("There is no such iteration in this experiment", field="iteration_id")
    try:
        storage.create_resource(experiment, resource, id_key, seen)
    except Overtaken:
        created = _find_created(experiment, id_key, resource.content_hash)
        if created is None:
            raise
        return created
    return resource


def _last_url(resource: Resource) -> datetime | None:
    """The time until which a signed URL of this resource can upload bytes; None if all have expired."""
    now = clock.now()
    signed = (resource.updated_date or resource.created_date) if resource.state == storage.READY else now
    end = signed + URL_LIFE + _TRANSFER
    return end if end > now else None


def _check_size(backend: str, size_bytes: int) -> None:
    most = CUTS[backend].most
    if size_bytes > most:
        raise InvalidPayload(f"A resource has at most {most} bytes in {backend}", field="size_bytes")


def _decoded(backend: str, data: str, size_bytes: int, sha256: str) -> bytes:
    """Decode `data`. InvalidPayload if it differs from the declaration, or the backend is not inline."""
    if backend != "inline":
        raise InvalidPayload(
            f"The backend of these bytes is {backend}: leave out data and request an upload", field="data"
        )
    try:
        content = base64.b64decode(data, validate=True)
    except ValueError:
        raise InvalidPayload("data is not base64", field="data") from None
    check(content, size_bytes, sha256)
    return content
