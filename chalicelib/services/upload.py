"""Uploads: the requests that bring a resource's bytes past the API, and the check of what they brought."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from chalicelib import artifacts, clock, deadline
from chalicelib.artifacts import ArtifactStore, Location, UploadGone
from chalicelib.errors import InvalidPayload, NotFound, Unavailable
from chalicelib.services import access
from chalicelib.services.access import Actor, Need
from chalicelib.services.resource import finish, with_data
from chalicelib.storage import blob as blobs
from chalicelib.storage import resource as resources
from chalicelib.storage.blob import Blob
from chalicelib.storage.reads.lineage import ResourceLineage
from deardiary.wire import parts as rules
from deardiary.wire.parts import Part
from deardiary.wire.shapes import Resource, Upload

_ATTEMPTS = 5


def request_upload(actor: Actor, resource_id: str, first_part: int, hashes: Sequence[str], site: str) -> Upload:
    """The requests still to make; none when the bytes are there.

    Without hashes that is one request for all bytes. With the SHA-256 of parts (hex, from part `first_part` on) it is
    one for each of these that has not arrived, at most a hundred. `site` is this server's URL as the client reaches it.
    """
    line = access.resource(actor, resource_id, Need.CREATE)
    upload = _sign(line, first_part, hashes, site)
    # A URL signed after the resource was deleted would bring bytes after the last look for them.
    deadline.check()
    return upload


def _sign(line: ResourceLineage, first_part: int, hashes: Sequence[str], site: str) -> Upload:
    if line.resource.state == resources.READY:
        return _nothing()
    parts = _parts(line.resource, first_part, hashes)
    blob = _blob(line)
    if blob.ready:
        return _nothing()
    store = artifacts.store(blob.backend)
    if parts:
        return _request_parts(line, blob, store, parts, site)
    content_type = resources.get_content_type(line.resource)
    return store.upload(_location(line), line.resource.size_bytes, content_type, site)


def complete_resource(actor: Actor, resource_id: str, hashes: Sequence[str]) -> Resource:
    """The resource, ready. InvalidPayload when its bytes are not there exactly as declared.

    Bytes that came in parts need the SHA-256 of all these parts, in their order.
    """
    line = access.resource(actor, resource_id, Need.CREATE)
    if line.resource.state == resources.READY:
        return with_data(line.project.id, line.resource)
    parts = _parts(line.resource, 1, hashes)
    if hashes and len(parts) != len(rules.cut(line.resource.backend, line.resource.size_bytes)):
        raise InvalidPayload("To complete an upload, give the hashes of all parts", field="part_hashes")
    return _complete(line, _blob(line), parts)


def _complete(line: ResourceLineage, blob: Blob, parts: Sequence[Part]) -> Resource:
    resource = line.resource
    if not blob.ready:
        _bring_together(line, blob, parts)
        blobs.mark_ready(line.project.id, resource.content_hash, resource.size_bytes, generation=blob.generation)
    elif blob.size_bytes != resource.size_bytes:
        raise InvalidPayload(f"The bytes are {blob.size_bytes}, {resource.size_bytes} declared", field="size_bytes")
    return with_data(line.project.id, finish(resource))


def _bring_together(line: ResourceLineage, blob: Blob, parts: Sequence[Part]) -> None:
    store, location = artifacts.store(blob.backend), _location(line)
    if parts and blob.upload_id is not None:
        # Gone is what somebody else has joined, or this before it died: what is there is looked at either way.
        with suppress(UploadGone):
            store.join(location, blob.upload_id, parts)
    elif blob.upload_id is not None and store.size_of(location) is None:
        raise InvalidPayload("These bytes came in parts: give the hashes of all of them", field="part_hashes")
    store.verify(location, line.resource.size_bytes, parts)
    if not parts and blob.upload_id is not None:
        # They came in one request after all.
        store.abort(location, blob.upload_id)


def _request_parts(line: ResourceLineage, blob: Blob, store: ArtifactStore, parts: Sequence[Part], site: str) -> Upload:
    """Of one upload for all who have these bytes; a new one where the store has forgotten it."""
    location = _location(line)
    for _ in range(_ATTEMPTS):
        if blob.ready:
            return _nothing()
        if blob.upload_id is not None:
            try:
                blobs.touch_upload(line.project.id, blob.sha256, blob.upload_id)
                return store.upload_parts(location, blob.upload_id, parts, site)
            except UploadGone:
                if store.size_of(location) == line.resource.size_bytes:
                    return _nothing()
        _begin(line, blob, store)
        blob = _blob(line)
    raise Unavailable(retry_after=1)


def _begin(line: ResourceLineage, blob: Blob, store: ArtifactStore) -> None:
    """Whoever names the upload first wins; the other's is taken back, or goes by the bucket's own rule."""
    location = _location(line)
    upload_id = store.begin(location, resources.get_content_type(line.resource))
    if not blobs.set_upload(line.project.id, blob.sha256, upload_id, before=blob.upload_id):
        store.abort(location, upload_id)


def _parts(resource: Resource, first_part: int, hashes: Sequence[str]) -> list[Part]:
    """The parts that these hashes are of. InvalidPayload where the resource has no such parts."""
    if not hashes:
        return []
    cut = rules.cut(resource.backend, resource.size_bytes)
    if not cut:
        raise InvalidPayload("A resource of this size goes in one request, without part_hashes", field="part_hashes")
    named = cut[first_part - 1 : first_part - 1 + len(hashes)]
    if len(named) != len(hashes):
        size = rules.part_size(resource.backend, resource.size_bytes)
        message = f"This resource has {len(cut)} parts of {size} bytes, the last one smaller"
        raise InvalidPayload(message, field="part_hashes", parts=len(cut), part_size_bytes=size)
    return [replace(part, sha256=sha256) for part, sha256 in zip(named, hashes, strict=True)]


def _nothing() -> Upload:
    return Upload(requests=(), expires_at=clock.now())


def _location(line: ResourceLineage) -> Location:
    return Location(line.project.id, line.resource.content_hash)


def _blob(line: ResourceLineage) -> Blob:
    blob = blobs.find_blob(line.project.id, line.resource.content_hash)
    if blob is None:
        raise NotFound
    return blob
