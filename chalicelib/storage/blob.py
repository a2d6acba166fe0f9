"""Blobs: bytes that a project holds once, however many resources and snapshots name them.

The row counts its owners. It changes only together with the owner that comes or goes, so the count is exact; the bytes
go when the last owner has gone, and while they are going (`leaving`) nobody can become an owner.
"""

from __future__ import annotations

from dataclasses import dataclass

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from chalicelib import clock
from chalicelib.errors import Conflict, Unavailable
from chalicelib.storage import conditional, item, keys
from chalicelib.storage.item import Item
from chalicelib.storage.transaction import Transaction
from deardiary.shapes import Resource

# A Lambda lives 29 seconds: whoever claimed a blob this long ago is not removing it any more.
CLAIM_MS = 60_000


class BlobRow(Item, discriminator="blob"):
    sha256 = UnicodeAttribute()
    size_bytes = NumberAttribute()
    backend = UnicodeAttribute()
    owners = NumberAttribute()
    # The store has the bytes, checked.
    ready = BooleanAttribute(null=True)
    # Who removes the bytes came to it at this time, in milliseconds since 1970.
    leaving = NumberAttribute(null=True)


@dataclass(frozen=True, slots=True)
class Blob:
    sha256: str
    size_bytes: int
    backend: str
    ready: bool
    leaving: bool = False


def find_blob(project_id: str, sha256: str) -> Blob | None:
    row = item.find(BlobRow, keys.blob(project_id, sha256))
    return Blob(row.sha256, int(row.size_bytes), row.backend, bool(row.ready), row.leaving is not None) if row else None


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


def mark_ready(project_id: str, sha256: str, size_bytes: int) -> None:
    """The bytes are there, this many, checked. Conflict when the last owner has gone meanwhile."""
    row = BlobRow(*keys.blob(project_id, sha256))
    with conditional.otherwise(Conflict):
        actions: list[Action] = [BlobRow.ready.set(True), BlobRow.size_bytes.set(size_bytes)]
        row.update(actions, (BlobRow.owners > 0) & BlobRow.leaving.does_not_exist())


def claim_unowned(project_id: str, sha256: str) -> int | None:
    """Whether the blob has no owner, and from now on can get none: the caller removes the bytes, then the row.

    The answer is what `delete_blob` wants to see. Only one has it at a time: another would remove the bytes that a new
    owner brings once the row has gone. From one that died it can be had again after a while.
    """
    now = clock.to_milliseconds(clock.now())
    row = BlobRow(*keys.blob(project_id, sha256))
    free = BlobRow.leaving.does_not_exist() | (BlobRow.leaving < now - CLAIM_MS)
    try:
        with conditional.otherwise(Conflict):
            row.update([BlobRow.leaving.set(now)], (BlobRow.owners == 0) & free)
    except Conflict:
        return None
    return now


def delete_blob(project_id: str, sha256: str, claim: int) -> None:
    """After `claim_unowned`, when the bytes are gone."""
    row = BlobRow(*keys.blob(project_id, sha256))
    with conditional.otherwise(Conflict):
        row.delete(BlobRow.leaving == claim)
