"""Uploads to check at a later time: they may never finish, or their URLs may outlive the resource.

The rows are in one partition in the order of that time, so that a short Query finds the next ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib import clock, ids
from chalicelib.errors import Conflict
from chalicelib.storage import blob as blobs
from chalicelib.storage.blob import Blob
from chalicelib.storage.file import Owner
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
    # Of bytes that come without a hash, and have no resource yet: `sha256` is their id. See `Staged`.
    owner_id = UnicodeAttribute(null=True)
    iteration_id = UnicodeAttribute(null=True)
    path = UnicodeAttribute(null=True)
    content_type = UnicodeAttribute(null=True)
    created_by = UnicodeAttribute(null=True)
    upload_id = UnicodeAttribute(null=True)


class Due(NamedTuple):
    """An upload to check now, with the key of its row."""

    record: Key
    project_id: str
    sha256: str
    backend: str
    size_bytes: int
    experiment_id: str | None
    resource_id: str | None
    staged: Staged | None = None


class Staged(NamedTuple):
    """An upload of bytes without a hash, of a file that will be at `path` below its owner.

    `upload_id` is the store's id of an upload in parts. Without it, the bytes go to one URL, whose client never says
    when they have arrived.
    """

    record: Key
    id: str
    project_id: str
    owner: Owner
    path: str
    backend: str
    content_type: str
    created_by: str | None
    upload_id: str | None

    @property
    def token(self) -> str:
        """The id by which a client names the upload."""
        return keys.token_of_upload(self.record)


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


def put_staged(staged: Staged, write: Transaction) -> None:
    """Record an upload of bytes without a hash. Its check, when it is due, removes the bytes of an unfinished one."""
    row = UploadRow(
        *staged.record,
        project_id=staged.project_id,
        sha256=staged.id,
        backend=staged.backend,
        size_bytes=0,
        experiment_id=staged.owner.experiment_id,
        owner_id=staged.owner.id,
        iteration_id=staged.owner.iteration_id,
        path=staged.path,
        content_type=staged.content_type,
        created_by=staged.created_by,
        upload_id=staged.upload_id,
    )
    write.put(row, Conflict)


def staged_record(staged_id: str, due: datetime) -> Key:
    return keys.upload(clock.to_milliseconds(due), f"staged.{staged_id}")


def find_staged(token: str) -> Staged | None:
    """The upload that a client names; None if it is complete, aborted, expired or was never begun."""
    row = item.find(UploadRow, keys.upload_of_token(token))
    return None if row is None else _staged(row)


def _staged(row: UploadRow) -> Staged | None:
    owner_id: str | None = row.owner_id
    if owner_id is None:
        return None
    owner = Owner(row.experiment_id, owner_id, row.iteration_id)
    return shape_of(row, Staged, record=row.key, id=row.sha256, owner=owner)


def remove(record: Key) -> None:
    """Remove a row whose check is done."""
    remove_all([record])


def remove_all(records: Iterable[Key]) -> None:
    """Remove rows whose checks are done."""
    item.delete_items(records)


def each_due(now: datetime) -> Iterator[Due]:
    span = keys.uploads_due(clock.to_milliseconds(now))
    item.connection()
    rows = UploadRow.query(span.pk, UploadRow.sk.between(span.first, span.last), consistent_read=True)
    for row in rows:
        yield shape_of(row, Due, record=row.key, staged=_staged(row))


def _row(key: Key, project_id: str, resource: Resource, *, waiting: bool) -> UploadRow:
    return UploadRow(
        *key,
        project_id=project_id,
        sha256=blobs.id_of(resource),
        backend=resource.backend,
        size_bytes=resource.size_bytes,
        experiment_id=resource.experiment_id if waiting else None,
        resource_id=resource.id if waiting else None,
    )
