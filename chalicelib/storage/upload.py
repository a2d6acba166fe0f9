"""Uploads to look at again at a time: one that may never be finished, or one whose URLs outlive its resource.

The rows stand in one partition in the order of that time, so that the next ones are a short Query.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib import clock
from chalicelib.errors import Conflict
from chalicelib.storage.blob import Blob
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Resource

# For as long bytes may be missing, counted from the last request for URLs.
PATIENCE = timedelta(days=1)


class UploadRow(Item, discriminator="upload"):
    project_id = UnicodeAttribute()
    sha256 = UnicodeAttribute()
    backend = UnicodeAttribute()
    size_bytes = NumberAttribute()
    # The resource that waits for bytes; none, for bytes that may come when nobody waits any more.
    experiment_id = UnicodeAttribute(null=True)
    resource_id = UnicodeAttribute(null=True)


class Due(NamedTuple):
    """Something to look at now, and the place of its row."""

    place: Key
    project_id: str
    sha256: str
    backend: str
    size_bytes: int
    experiment_id: str | None
    resource_id: str | None


def pending(resource: Resource) -> Key:
    """The row of a resource that waits for its bytes."""
    return keys.upload(clock.to_milliseconds(resource.created_date + PATIENCE), resource.id)


def expect_bytes(project_id: str, resource: Resource, write: Transaction) -> None:
    """Look after a day whether the bytes have come."""
    place = pending(resource)
    write.put(_row(place, project_id, resource, waiting=True), Conflict)


def expect_bytes_until(project_id: str, resource: Resource, due: datetime) -> None:
    """Look once more, later."""
    item.connection()
    _row(keys.upload(clock.to_milliseconds(due), resource.id), project_id, resource, waiting=True).save()


def expect_late_bytes(project_id: str, resource: Resource, due: datetime, write: Transaction) -> None:
    """The resource goes; look, when its URLs have died, whether they have brought bytes after that."""
    place = keys.upload(clock.to_milliseconds(due), f"late.{resource.id}")
    write.put(_row(place, project_id, resource, waiting=False), Conflict)


def expect_stray_bytes(project_id: str, blob: Blob) -> Key:
    """Look in a day whether a copy was left behind: its blob may go while it is made, and the copier may die."""
    item.connection()
    place = keys.upload(clock.to_milliseconds(clock.now() + PATIENCE), f"late.{project_id}.{blob.sha256}")
    row = UploadRow(*place, project_id=project_id, sha256=blob.sha256, backend=blob.backend, size_bytes=blob.size_bytes)
    row.save()
    return place


def each_due(now: datetime) -> Iterator[Due]:
    span = keys.uploads_due(clock.to_milliseconds(now))
    item.connection()
    rows = UploadRow.query(span.pk, UploadRow.sk.between(span.first, span.last), consistent_read=True)
    for row in rows:
        yield Due(
            place=row.key,
            project_id=row.project_id,
            sha256=row.sha256,
            backend=row.backend,
            size_bytes=int(row.size_bytes),
            experiment_id=row.experiment_id,
            resource_id=row.resource_id,
        )


def _row(place: Key, project_id: str, resource: Resource, *, waiting: bool) -> UploadRow:
    return UploadRow(
        *place,
        project_id=project_id,
        sha256=resource.content_hash,
        backend=resource.backend,
        size_bytes=resource.size_bytes,
        experiment_id=resource.experiment_id if waiting else None,
        resource_id=resource.id if waiting else None,
    )
