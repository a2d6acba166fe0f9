"""Blobs: bytes that a project holds once, however many resources name them.

The row counts its owners. It changes only together with the owner that comes or goes, so the count is exact; the bytes
go when the last owner has gone, and while they are going (`leaving`) nobody can become an owner.
"""

from __future__ import annotations

from dataclasses import dataclass

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from chalicelib.errors import Conflict, Unavailable
from chalicelib.storage import conditional, item, keys
from chalicelib.storage.item import Item
from chalicelib.storage.transaction import Transaction
from deardiary.shapes import Resource


class BlobRow(Item, discriminator="blob"):
    sha256 = UnicodeAttribute()
    size_bytes = NumberAttribute()
    backend = UnicodeAttribute()
    owners = NumberAttribute()
    # The store has the bytes, checked.
    ready = BooleanAttribute(null=True)
    leaving = BooleanAttribute(null=True)


@dataclass(frozen=True, slots=True)
class Blob:
    sha256: str
    size_bytes: int
    backend: str
    ready: bool


def find_blob(project_id: str, sha256: str) -> Blob | None:
    row = item.find(BlobRow, keys.blob(project_id, sha256))
    return Blob(row.sha256, int(row.size_bytes), row.backend, bool(row.ready)) if row else None


def of_resource(resource: Resource) -> Blob:
    """The blob that a resource is an owner of."""
    return Blob(resource.content_hash, resource.size_bytes, resource.backend, ready=resource.state == "ready")


def add_owner(project_id: str, blob: Blob, *, seen: Blob | None, write: Transaction) -> None:
    """One owner more, if the blob is as it was `seen`; Unavailable when its bytes are just being removed."""
    row = BlobRow(*keys.blob(project_id, blob.sha256))
    actions: list[Action] = [
        BlobRow.kind.set(BlobRow),
        BlobRow.sha256.set(blob.sha256),
        BlobRow.size_bytes.set(blob.size_bytes),
        BlobRow.backend.set(blob.backend),
        BlobRow.owners.add(1),
    ]
    same = BlobRow.ready == True if seen and seen.ready else BlobRow.ready.does_not_exist()  # noqa: E712
    write.update(row, actions, same & BlobRow.leaving.does_not_exist(), lambda: Unavailable(retry_after=1))


def remove_owner(project_id: str, sha256: str, write: Transaction) -> None:
    write.update(BlobRow(*keys.blob(project_id, sha256)), [BlobRow.owners.add(-1)], BlobRow.owners > 0, Conflict)


def mark_ready(project_id: str, sha256: str) -> None:
    """Conflict when the last owner has gone meanwhile."""
    row = BlobRow(*keys.blob(project_id, sha256))
    with conditional.otherwise(Conflict):
        row.update([BlobRow.ready.set(True)], (BlobRow.owners > 0) & BlobRow.leaving.does_not_exist())


def claim_unowned(project_id: str, sha256: str) -> bool:
    """Whether the blob has no owner, and from now on can get none: the caller removes the bytes, then the row."""
    row = BlobRow(*keys.blob(project_id, sha256))
    try:
        with conditional.otherwise(Conflict):
            row.update([BlobRow.leaving.set(True)], BlobRow.owners == 0)
    except Conflict:
        return False
    return True


def delete_blob(project_id: str, sha256: str) -> None:
    """After `claim_unowned`, when the bytes are gone."""
    row = BlobRow(*keys.blob(project_id, sha256))
    with conditional.otherwise(Conflict):
        row.delete(BlobRow.leaving == True)  # noqa: E712
