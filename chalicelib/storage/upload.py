"""Uploads to check at a later time: they may never finish, or their URLs may outlive the resource.

The rows are in one partition in the order of that time, so that a short Query finds the next ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib import clock, ids
from chalicelib.errors import Conflict
from chalicelib.storage.blob import Blob
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key
from chalicelib.storage.table.mapping import shape_of
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Resource

# Time for bytes to arrive, counted from the last request for URLs.
UPLOAD_LIFE = timedelta(days=1)


class UploadRow(Item, discriminator="upload"):
    project_id = UnicodeAttribute()
    sha256 = UnicodeAttribute()
    backend = UnicodeAttribute()
    size_bytes = NumberAttribute()
    # The resource that waits for the bytes; None if its resource is deleted and bytes may still arrive.
    experiment_id = UnicodeAttribute(null=True)
    resource_id = UnicodeAttribute(null=True)


class Due(NamedTuple):
    """An upload to check now, with the key of its row."""

    record: Key
    project_id: str
    sha256: str
    backend: str
    size_bytes: int
    experiment_id: str | None
    resource_id: str | None


def pending(resource: Resource) -> Key:
    """The row of a resource that waits for its bytes, due a day after its creation, not its `created_date`."""
    created = max(resource.created_date, clock.from_milliseconds(ids.created_us(resource.id) // 1000))
    return keys.upload(clock.to_milliseconds(created + UPLOAD_LIFE), resource.id)


def expect_bytes(project_id: str, resource: Resource, write: Transaction) -> None:
    """Schedule a check, in a day, that the bytes have arrived."""
    key = pending(resource)
    write.put(_row(key, project_id, resource, waiting=True), Conflict)


def expect_bytes_until(project_id: str, resource: Resource, due: datetime) -> None:
    """Schedule another check at the time `due`."""
    item.connection()
    _row(keys.upload(clock.to_milliseconds(due), resource.id), project_id, resource, waiting=True).save()


def expect_late_bytes(project_id: str, resource: Resource, due: datetime, write: Transaction) -> None:
    """Schedule a check for bytes that arrive after the deletion of the resource, once its URLs have expired."""
    key = keys.upload(clock.to_milliseconds(due), f"late.{resource.id}")
    write.put(_row(key, project_id, resource, waiting=False), Conflict)


def expect_stray_bytes(project_id: str, blob: Blob) -> Key:
    """Schedule a check, in a day, for a stray copy: its blob may be removed during the copy, or the copier may die."""
    item.connection()
    key = keys.upload(clock.to_milliseconds(clock.now() + UPLOAD_LIFE), f"late.{project_id}.{blob.sha256}")
    row = UploadRow(*key, project_id=project_id, sha256=blob.sha256, backend=blob.backend, size_bytes=blob.size_bytes)
    row.save()
    return key


def remove(record: Key) -> None:
    """Remove a row whose check is done."""
    item.delete_items([record])


def each_due(now: datetime) -> Iterator[Due]:
    span = keys.uploads_due(clock.to_milliseconds(now))
    item.connection()
    rows = UploadRow.query(span.pk, UploadRow.sk.between(span.first, span.last), consistent_read=True)
    for row in rows:
        yield shape_of(row, Due, record=row.key)


def _row(key: Key, project_id: str, resource: Resource, *, waiting: bool) -> UploadRow:
    return UploadRow(
        *key,
        project_id=project_id,
        sha256=resource.content_hash,
        backend=resource.backend,
        size_bytes=resource.size_bytes,
        experiment_id=resource.experiment_id if waiting else None,
        resource_id=resource.id if waiting else None,
    )
