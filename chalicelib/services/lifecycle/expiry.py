"""Expiry of unfinished uploads, and removal of bytes that arrive after their upload was deleted."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from chalicelib import clock
from chalicelib.errors import NotFound
from chalicelib.services.blobs import staging
from chalicelib.services.blobs.release import remove_stray_bytes
from chalicelib.services.lifecycle.budget import Budget, all_done
from chalicelib.services.resource import remove_resource
from chalicelib.storage import blob as blobs
from chalicelib.storage import experiment as experiments
from chalicelib.storage import resource as resources
from chalicelib.storage import upload as storage
from chalicelib.storage.blob import Blob
from chalicelib.storage.upload import Due
from deardiary.wire.shapes import Resource


def sweep_uploads(seconds: float) -> bool:
    """Inspect every due upload. True if there was time for all, else False; the next call resumes."""
    return all_done((partial(_inspect, due) for due in storage.each_due(clock.now())), Budget(seconds))


def _inspect(due: Due) -> bool:
    """Inspect one due record, and remove it once it is settled. Otherwise the next call inspects it again."""
    if _sweep(due):
        storage.remove(due.record)
    return True


def _sweep(due: Due) -> bool:
    """True if the record is settled, else False."""
    if due.staged is not None:
        staging.expire(experiments.find_experiment(due.project_id, due.staged.owner.experiment_id), due.staged)
        return True
    if due.experiment_id is None or due.resource_id is None:
        return remove_stray_bytes(due.project_id, Blob(due.sha256, due.size_bytes, due.backend, ready=False))
    resource = resources.find_even_hidden(due.experiment_id, due.resource_id)
    if resource is not None and resource.state == resources.PENDING:
        _expire(due, resource)
    return True


def _expire(due: Due, resource: Resource) -> None:
    """Remove an upload without progress for a day."""
    blob = blobs.find_blob(due.project_id, due.sha256)
    if blob is not None and blob.upload_at is not None:
        until = clock.from_milliseconds(blob.upload_at) + storage.UPLOAD_LIFE
        if until > clock.now():
            storage.expect_bytes_until(due.project_id, resource, until)
            return
    # Another request may finish or delete the resource at this moment.
    with suppress(NotFound):
        remove_resource(due.project_id, resource, only_pending=True)
