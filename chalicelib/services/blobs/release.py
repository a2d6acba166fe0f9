"""Release: remove the bytes of a blob after its last owner."""

from __future__ import annotations

from typing import NamedTuple

from chalicelib import artifacts
from chalicelib.artifacts import Location
from chalicelib.retry import Retry
from chalicelib.storage import blob as blobs
from chalicelib.storage.blob import Blob


class Released(NamedTuple):
    """True if nothing is left to do for the bytes of a removed owner, and the number of bytes removed."""

    finished: bool
    freed_bytes: int = 0


def release_blob(project_id: str, sha256: str) -> Released:
    """Remove bytes that have no owner. Resume the removal of a process that died, a minute after its claim.

    Not finished while another process, which may die, is removing them.
    """
    for _ in Retry():
        blob = blobs.find_blob(project_id, sha256)
        if blob is None or blob.owned:
            break
        claim = blobs.claim_unowned(project_id, sha256)
        if claim is not None:
            remove_bytes(project_id, claim.blob)
            blobs.delete_blob(project_id, sha256, claim.nonce)
            return Released(finished=True, freed_bytes=blob.size_bytes if blob.ready else 0)
        if blob.leaving or blob.clearing:
            return Released(finished=False)
    return Released(finished=True)


def remove_stray_bytes(project_id: str, blob: Blob) -> bool:
    """Remove bytes for which the project has no blob. True if they are gone, else False.

    Bytes with a blob have an owner, or `release_blob` removes them.
    """
    claim = blobs.claim_absent(project_id, blob.sha256, blob.size_bytes, blob.backend)
    if claim is None:
        return release_blob(project_id, blob.sha256).finished
    remove_bytes(project_id, blob)
    blobs.delete_blob(project_id, blob.sha256, claim)
    return True


def remove_bytes(project_id: str, blob: Blob) -> None:
    """Remove from all stores what they may have of a claimed blob, to which no owner can be added."""
    location = Location(project_id, blob.sha256)
    store = artifacts.store(blob.backend)
    if blob.upload_id is not None:
        store.abort(location, blob.upload_id)
    store.delete(location)
    for backend in {blob.moved_from, blob.moving_to} - {None, blob.backend}:
        artifacts.store(str(backend)).delete(location)
