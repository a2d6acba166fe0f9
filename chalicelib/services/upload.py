"""Uploads: the requests that upload the bytes of a resource to the store, and the check of these bytes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from chalicelib import artifacts, clock, deadline
from chalicelib.artifacts import ArtifactStore, Location, UploadGone
from chalicelib.errors import InvalidPayload, NotFound, Unavailable
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.resource import finish, with_data
from chalicelib.storage import blob as blobs
from chalicelib.storage import resource as resources
from chalicelib.storage.blob import Blob
from chalicelib.storage.reads.lineage import ExperimentLineage, ResourceLineage
from deardiary.wire import parts as rules
from deardiary.wire.parts import Part
from deardiary.wire.shapes import Resource, Upload

_ATTEMPTS = 5


def request_upload(actor: Actor, resource_id: str, first_part: int, hashes: Sequence[str], site: str) -> Upload:
    """The requests that the client still has to send; none if the bytes are stored.

    Without hashes it is one request for all bytes. With the SHA-256 of parts (hex, from part `first_part` on) it is one
    for each missing part, at most a hundred. `site` is this server's URL as the client reaches it.
    """
    return sign(access.resource(actor, resource_id, Need.CREATE), first_part, hashes, site)


def within(lineage: ExperimentLineage, resource: Resource) -> ResourceLineage:
    """The lineage of a resource of this experiment."""
    return ResourceLineage(
        project=lineage.project,
        permission=lineage.permission,
        labels_apart=lineage.labels_apart,
        experiment=lineage.experiment,
        resource=resource,
    )


def sign(lineage: ResourceLineage, first_part: int, hashes: Sequence[str], site: str) -> Upload:
    """Like `request_upload`, for a resource that the caller may write."""
    upload = _sign(lineage, first_part, hashes, site)
    # A URL signed after the deletion of the resource could upload bytes after the last check for them.
    deadline.check()
    return upload


def _sign(lineage: ResourceLineage, first_part: int, hashes: Sequence[str], site: str) -> Upload:
    if lineage.resource.state == resources.READY:
        return _nothing()
    parts = _parts(lineage.resource, first_part, hashes)
    blob = _blob(lineage)
    if blob.ready:
        return _nothing()
    store = artifacts.store(blob.backend)
    if parts:
        return _request_parts(lineage, blob, store, parts, site)
    return _request_whole(lineage, store, site)


def sign_whole(lineage: ResourceLineage, blob: Blob | None, site: str) -> Upload:
    """Like `sign`, for all bytes in one request; `blob` was read after the resource was created."""
    if blob is None:
        raise NotFound
    ready = blob.ready or lineage.resource.state == resources.READY
    upload = _nothing() if ready else _request_whole(lineage, artifacts.store(blob.backend), site)
    deadline.check()
    return upload


def _request_whole(lineage: ResourceLineage, store: ArtifactStore, site: str) -> Upload:
    resource = lineage.resource
    return store.upload(_location(lineage), resource.size_bytes, resource.content_type, site)


def complete_resource(actor: Actor, resource_id: str, hashes: Sequence[str]) -> Resource:
    """Check the bytes and mark the resource ready. InvalidPayload unless they are exactly as declared.

    Bytes that were uploaded in parts need the SHA-256 of all parts in their order.
    """
    lineage = access.resource(actor, resource_id, Need.CREATE)
    return with_data(lineage.project.id, complete(lineage, hashes))


def complete(lineage: ResourceLineage, hashes: Sequence[str]) -> Resource:
    """Like `complete_resource`, for a resource that the caller may write, and without the bytes of an inline one."""
    if lineage.resource.state == resources.READY:
        return lineage.resource
    parts = _parts(lineage.resource, 1, hashes)
    if hashes and len(parts) != len(rules.cut(lineage.resource.backend, lineage.resource.size_bytes)):
        raise InvalidPayload("To complete an upload, give the hashes of all parts", field="part_hashes")
    return _complete(lineage, _blob(lineage), parts)


def _complete(lineage: ResourceLineage, blob: Blob, parts: Sequence[Part]) -> Resource:
    resource = lineage.resource
    if not blob.ready:
        _join(lineage, blob, parts)
        blobs.mark_ready(lineage.project.id, resource.content_hash, resource.size_bytes, generation=blob.generation)
    elif blob.size_bytes != resource.size_bytes:
        raise InvalidPayload(f"{blob.size_bytes} bytes are stored, {resource.size_bytes} declared", field="size_bytes")
    return finish(resource)


def _join(lineage: ResourceLineage, blob: Blob, parts: Sequence[Part]) -> None:
    store, location = artifacts.store(blob.backend), _location(lineage)
    if parts and blob.upload_id is not None:
        # Another request, or an earlier attempt, may have joined the parts; `verify` checks the bytes anyway.
        with suppress(UploadGone):
            store.join(location, blob.upload_id, parts)
    elif blob.upload_id is not None and store.size_of(location) is None:
        raise InvalidPayload("These bytes were uploaded in parts: send the hashes of all parts", field="part_hashes")
    _verify(store, lineage, parts)
    if not parts and blob.upload_id is not None:
        # The bytes were uploaded in one request.
        store.abort(location, blob.upload_id)


def _verify(store: ArtifactStore, lineage: ResourceLineage, parts: Sequence[Part]) -> None:
    """InvalidPayload, naming the resource, unless the store has the bytes as declared."""
    try:
        store.verify(_location(lineage), lineage.resource.size_bytes, parts)
    except InvalidPayload as error:
        named = {"kind": "resource", "id": lineage.resource.id}
        raise InvalidPayload(f"{error.message}, for resource {lineage.resource.id}", **error.details, **named) from None


def _request_parts(
    lineage: ResourceLineage, blob: Blob, store: ArtifactStore, parts: Sequence[Part], site: str
) -> Upload:
    """Requests for parts of the one upload of these bytes; of a new one if the store no longer has it."""
    location = _location(lineage)
    for _ in range(_ATTEMPTS):
        if blob.ready:
            return _nothing()
        if blob.upload_id is not None:
            try:
                blobs.touch_upload(lineage.project.id, blob.sha256, blob.upload_id)
                return store.upload_parts(location, blob.upload_id, parts, site)
            except UploadGone:
                if store.size_of(location) == lineage.resource.size_bytes:
                    return _nothing()
        _begin(lineage, blob, store)
        blob = _blob(lineage)
    raise Unavailable(retry_after=1)


def _begin(lineage: ResourceLineage, blob: Blob, store: ArtifactStore) -> None:
    """Begin an upload. If another request was faster, abort this one; the bucket's own rule removes what remains."""
    location = _location(lineage)
    upload_id = store.begin(location, lineage.resource.content_type)
    if not blobs.set_upload(lineage.project.id, blob.sha256, upload_id, before=blob.upload_id):
        store.abort(location, upload_id)


def _parts(resource: Resource, first_part: int, hashes: Sequence[str]) -> list[Part]:
    """The parts with these hashes. InvalidPayload if the resource has no such parts."""
    if not hashes:
        return []
    cut = rules.cut(resource.backend, resource.size_bytes)
    if not cut:
        raise InvalidPayload(
            "A resource of this size is uploaded in one request, without part_hashes", field="part_hashes"
        )
    named = cut[first_part - 1 : first_part - 1 + len(hashes)]
    if len(named) != len(hashes):
        size = rules.part_size(resource.backend, resource.size_bytes)
        message = f"This resource has {len(cut)} parts of {size} bytes, the last one smaller"
        raise InvalidPayload(message, field="part_hashes", parts=len(cut), part_size_bytes=size)
    return [replace(part, sha256=sha256) for part, sha256 in zip(named, hashes, strict=True)]


def _nothing() -> Upload:
    return Upload(requests=(), expires_at=clock.now())


def _location(lineage: ResourceLineage) -> Location:
    return Location(lineage.project.id, lineage.resource.content_hash)


def _blob(lineage: ResourceLineage) -> Blob:
    blob = blobs.find_blob(lineage.project.id, lineage.resource.content_hash)
    if blob is None:
        raise NotFound
    return blob
