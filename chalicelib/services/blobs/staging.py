"""Uploads whose size and SHA-256 are unknown until the bytes have arrived.

The bytes go to a staged location of their own. The server then lets the store hash them, and copies them to the
location of that hash, where a project stores each content once. The copy of a resource begins and ends like every
upload. Each step can be repeated: the resource has the upload's token as its creation key. A row in UPLOADS records
the staged bytes from before the first URL until they are removed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from chalicelib import artifacts, clock, config, deadline, ids
from chalicelib.artifacts import STAGED_LIFE, URL_LIFE, Location, StagingStore, UploadGone
from chalicelib.errors import InvalidPayload, NotFound, NotSupported, Overtaken, Unavailable
from chalicelib.retry import Retry
from chalicelib.services.resource import finish, remove_resource
from chalicelib.storage import blob as blobs
from chalicelib.storage import file as files
from chalicelib.storage import resource as resources
from chalicelib.storage import upload as uploads
from chalicelib.storage.file import Owner
from chalicelib.storage.table.transaction import Transaction
from chalicelib.storage.upload import Staged
from deardiary.wire.limits import MIB
from deardiary.wire.shapes import Experiment, Resource

# The store hashes and copies so many bytes well within a request. A larger file stays where it is, without a hash.
MAX_HASHED_BYTES = 512 * MIB
# After the last URL has expired, a transfer may still run.
_PARTS_LIFE, _PUT_LIFE = STAGED_LIFE + timedelta(hours=23), URL_LIFE + timedelta(minutes=15)

# Stores the bytes at a location of a backend.
Fill = Callable[[str, Location], None]


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that a user stores at a path below its owner."""

    experiment: Experiment
    owner: Owner
    path: str
    content_type: str
    created_by: str | None


def begin_parts(new: NewFile, number: int) -> tuple[Staged, list[str]]:
    """Begin an upload in parts. Return it and the URLs of its parts. NotSupported by stores behind this server."""
    backend, store = _staging()
    location = _new_location(new)
    # If the process dies after this line, the bucket's own rule ends the upload, of which no client knows.
    upload_id = store.begin(location, new.content_type)
    staged = _staged(new, location, backend, upload_id, _PARTS_LIFE)
    write = Transaction()
    uploads.put_staged(staged, write)
    write.commit()
    urls = store.part_urls(location, upload_id, number)
    deadline.check()
    return staged, urls


def begin_put(new: NewFile) -> str:
    """A URL for all bytes in one request. The file appears when a later request finds the bytes."""
    backend, store = _staging()
    location = _new_location(new)
    staged = _staged(new, location, backend, None, _PUT_LIFE)
    write = Transaction()
    uploads.put_staged(staged, write)
    files.put_arriving(new.owner, new.path, staged.token, write)
    write.commit()
    url = store.put_url(location)
    deadline.check()
    return url


def complete(experiment: Experiment, owner: Owner, path: str, token: str, etags: Mapping[int, str]) -> Resource:
    """Join the parts and make them the file. The same again returns the same; NotFound for another upload."""
    staged = uploads.find_staged(token)
    # Read this second: a concurrent request removes the record of the upload last.
    created = resources.find_resource_by_id_key(experiment.id, token)
    if staged is None:
        if created is None or files.path_below(owner, created) != path:
            raise NotFound("There is no such upload", kind="upload", id=token)
        return created
    if (staged.owner, staged.path) != (owner, path) or staged.upload_id is None:
        raise NotFound("There is no such upload at this path", kind="upload", id=token)
    ready = created if created is not None and created.state == resources.READY else None
    if ready is None:
        _join(staged, etags)
    resource = _make_file(experiment, staged, ready)
    if resource is None:
        raise InvalidPayload("The parts have not arrived", field="parts")
    return resource


def abort(owner: Owner, path: str, token: str) -> None:
    """End an upload and remove its parts, if it exists."""
    staged = uploads.find_staged(token)
    if staged is not None and (staged.owner, staged.path) == (owner, path):
        _remove_parts(staged)
        _remove_bytes(staged)
        uploads.remove(staged.record)


def settle(experiment: Experiment, owner: Owner, path: str, token: str) -> Resource | None:
    """Make the bytes of a plain URL the file, if they have arrived."""
    staged = uploads.find_staged(token)
    if staged is None:
        files.remove_arriving(owner, path, token)
        return None
    return _make_file(experiment, staged, _find_ready(staged))


def expire(experiment: Experiment | None, staged: Staged) -> None:
    """Settle an upload that is due: bytes of a plain URL become a file, those of unfinished parts are removed."""
    if staged.upload_id is None:
        if experiment is not None:
            # Without its owner, or in an experiment that has ended, there can be no file.
            with suppress(NotFound, InvalidPayload):
                _make_file(experiment, staged, _find_ready(staged))
        files.remove_arriving(staged.owner, staged.path, staged.token)
    _remove_parts(staged)
    _remove_bytes(staged)


def store_file(new: NewFile, size_bytes: int, sha256: str, fill: Fill) -> Resource:
    """Store a file whose bytes `fill` can write; a project stores the same bytes once. Remove its older versions."""
    resource = _store(new, size_bytes, sha256, fill, None)
    _remove_older(new, resource)
    return resource


def _store(new: NewFile, size_bytes: int, sha256: str, fill: Fill, id_key: str | None) -> Resource:
    resource = _declare(new, size_bytes, sha256, id_key)
    return resource if resource.state == resources.READY else _fill(new.experiment.project_id, resource, fill)


def _make_file(experiment: Experiment, staged: Staged, ready: Resource | None) -> Resource | None:
    """The file of the staged bytes; None if they have not arrived. The process may die after each step.

    `ready` is the resource that an earlier attempt has stored, if one has.
    """
    new = NewFile(experiment, staged.owner, staged.path, staged.content_type, staged.created_by)
    resource = ready or _from_staged(new, staged)
    if resource is None:
        return None
    _remove_older(new, resource)
    if resource.content_hash:
        artifacts.store(staged.backend).delete(Location(staged.project_id, staged.id))
    if staged.upload_id is None:
        # The record stays until the URL has expired, for its client may send the bytes once more.
        files.remove_arriving(staged.owner, staged.path, staged.token)
    else:
        uploads.remove(staged.record)
    return resource


def _find_ready(staged: Staged) -> Resource | None:
    """The resource, if an earlier attempt or a concurrent request has stored it with its bytes."""
    created = resources.find_resource_by_id_key(staged.owner.experiment_id, staged.token)
    return created if created is not None and created.state == resources.READY else None


def _from_staged(new: NewFile, staged: Staged) -> Resource | None:
    store, location = _store_of(staged), Location(staged.project_id, staged.id)
    size = store.size_of(location)
    try:
        if size is None:
            raise NotFound
        sha256 = store.hash_of(location, staged.content_type) if size <= MAX_HASHED_BYTES else ""
        return _store(new, size, sha256, _copier(staged, store, location, size), staged.token)
    except NotFound:
        # A concurrent request may have made the file, and removed the staged bytes.
        found = _find_ready(staged)
        if found is None and size is not None:
            raise
        return found


def _copier(staged: Staged, store: StagingStore, location: Location, size_bytes: int) -> Fill:
    def fill(backend: str, target: Location) -> None:
        if backend == staged.backend:
            store.copy(location, target, staged.content_type)
        else:
            # Another request has declared the same bytes before the server's store was changed.
            artifacts.store(backend).write(target, size_bytes, artifacts.store(staged.backend).blocks(location))

    return fill


def _declare(new: NewFile, size_bytes: int, sha256: str, id_key: str | None) -> Resource:
    """Create the resource; return it, or the one that an earlier attempt has created with this key."""
    for _ in Retry():
        # Bytes without a hash stay at the location that their token names.
        blob_id = sha256 or str(id_key).rpartition(".")[2]
        seen = blobs.find_blob(new.experiment.project_id, blob_id)
        backend = seen.backend if seen else config.settings().artifact_backend
        resource = Resource(
            id=ids.new_id(),
            experiment_id=new.experiment.id,
            iteration_id=new.owner.iteration_id,
            name=new.owner.name_of(new.path),
            description="",
            content_type=new.content_type,
            created_by=new.created_by,
            created_date=clock.now(),
            backend=backend,
            uri=artifacts.store(backend).uri(Location(new.experiment.project_id, blob_id)),
            size_bytes=size_bytes,
            content_hash=sha256,
            state=resources.READY if seen and seen.ready else resources.PENDING,
        )
        try:
            resources.create_resource(new.experiment, resource, id_key, seen)
        except Overtaken:
            created = None if id_key is None else resources.find_resource_by_id_key(new.experiment.id, id_key)
            if created is not None:
                return created
        except Unavailable:
            # The blob changed, or its bytes are being removed at this moment.
            continue
        else:
            break
    return resource


def _fill(project_id: str, resource: Resource, fill: Fill) -> Resource:
    """Store the bytes of a pending resource, unless they are there already, and mark it ready."""
    blob = blobs.find_blob(project_id, blobs.id_of(resource))
    if blob is None:
        raise NotFound
    if not blob.ready:
        if blob.is_hashed:
            fill(blob.backend, Location(project_id, blob.sha256))
        blobs.mark_ready(project_id, blob.sha256, resource.size_bytes, generation=blob.generation)
    return finish(resource)


def _remove_older(new: NewFile, newest: Resource) -> None:
    """Remove earlier versions of the file. If the process dies before this, the next version removes them."""
    for file in list(files.each_file(new.owner, new.path)):
        if file.resource_id is not None and file.resource_id < newest.id:
            older = resources.find_resource(new.owner.experiment_id, file.resource_id)
            if older is not None:
                with suppress(NotFound):
                    remove_resource(new.experiment.project_id, older)


def _join(staged: Staged, etags: Mapping[int, str]) -> None:
    # Another request, or an earlier attempt, may have joined the parts.
    with suppress(UploadGone):
        _store_of(staged).join(Location(staged.project_id, staged.id), str(staged.upload_id), etags)


def _remove_parts(staged: Staged) -> None:
    if staged.upload_id is not None:
        _store_of(staged).abort(Location(staged.project_id, staged.id), staged.upload_id)


def _remove_bytes(staged: Staged) -> None:
    """Remove the staged bytes, unless they are those of a file without a hash."""
    if blobs.find_blob(staged.project_id, staged.id) is None:
        artifacts.store(staged.backend).delete(Location(staged.project_id, staged.id))


def _staging() -> tuple[str, StagingStore]:
    backend = config.settings().artifact_backend
    store = artifacts.staging_store(backend)
    if store is None:
        raise NotSupported(f"The artifact backend of this server is {backend}: send the bytes themselves")
    return backend, store


def _store_of(staged: Staged) -> StagingStore:
    store = artifacts.staging_store(staged.backend)
    if store is None:
        raise NotSupported(f"The artifact backend {staged.backend} has no staged bytes")
    return store


def _new_location(new: NewFile) -> Location:
    return Location(new.experiment.project_id, ids.new_id())


def _staged(new: NewFile, location: Location, backend: str, upload_id: str | None, life: timedelta) -> Staged:
    return Staged(
        record=uploads.staged_record(location.sha256, clock.now() + life),
        id=location.sha256,
        project_id=location.project_id,
        owner=new.owner,
        path=new.path,
        backend=backend,
        content_type=new.content_type,
        created_by=new.created_by,
        upload_id=upload_id,
    )
