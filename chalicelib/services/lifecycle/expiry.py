"""What becomes of uploads that nobody finishes, and of bytes that come when nobody waits for them any more."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from chalicelib import clock
from chalicelib.errors import NotFound
from chalicelib.services.lifecycle.budget import Budget, all_done
from chalicelib.services.resource import remove_resource, remove_stray_bytes
from chalicelib.storage import blob as blobs
from chalicelib.storage import resource as resources
from chalicelib.storage import upload as storage
from chalicelib.storage.blob import Blob
from chalicelib.storage.deletion import delete_items
from chalicelib.storage.upload import Due
from deardiary.wire.shapes import Resource


def sweep_uploads(seconds: float) -> bool:
    """Look at every upload that is due; whether there was time for all. Cut anywhere, the next call goes on."""
    return all_done((partial(_look_at, due) for due in storage.each_due(clock.now())), Budget(seconds))


def _look_at(due: Due) -> bool:
    """One that is not done with is looked at again the next time."""
    if _sweep(due):
        delete_items([due.place])
    return True


def _sweep(due: Due) -> bool:
    """Whether that one is done with."""
    if due.experiment_id is None or due.resource_id is None:
        return remove_stray_bytes(due.project_id, Blob(due.sha256, due.size_bytes, due.backend, ready=False))
    resource = resources.find_resource(due.experiment_id, due.resource_id)
    if resource is not None and resource.state == resources.PENDING:
        _expire(due, resource)
    return True


def _expire(due: Due, resource: Resource) -> None:
    """Remove what nobody has gone on with for a day."""
    blob = blobs.find_blob(due.project_id, due.sha256)
    if blob is not None and blob.upload_at is not None:
        until = clock.from_milliseconds(blob.upload_at) + storage.PATIENCE
        if until > clock.now():
            storage.expect_bytes_until(due.project_id, resource, until)
            return
    # It may be finished, or be deleted, at this very moment.
    with suppress(NotFound):
        remove_resource(due.project_id, resource, only_pending=True)
