"""Blobs: bytes that a project holds once, however many resources and snapshots name them.

The row counts its owners. It changes only together with the owner that comes or goes, so the count is exact; the bytes
go when the last owner has gone, and while they are going (`leaving`) nobody can become an owner.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib import clock, ids
from chalicelib.errors import Conflict, NotFound, Unavailable
from chalicelib.storage.table import conditional, item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Resource

# The deadline of a request (`chalicelib/deadline.py`) is shorter: no bytes are removed this long after the claim.
CLAIM_MS = 60_000


class BlobRow(Item, discriminator="blob"):
    sha256 = UnicodeAttribute()
    size_bytes = NumberAttribute()
    backend = UnicodeAttribute()
    owners = NumberAttribute()
    # A blob that is removed and declared again gets another one. Rows of older servers have none.
    generation = UnicodeAttribute(null=True)
    # The store has the bytes, checked.
    ready = BooleanAttribute(null=True)
    # Who removes the bytes came to it at this time, in milliseconds since 1970.
    leaving = NumberAttribute(null=True)
    # The nonce of the last claim to remove bytes: only its holder goes on, and the claim itself may be repeated.
    claim = UnicodeAttribute(null=True)
    # The store's id of an upload in parts, which everybody who has the bytes goes on with.
    upload_id = UnicodeAttribute(null=True)
    # When requests for its parts were last asked for, in milliseconds since 1970.
    upload_at = NumberAttribute(null=True)
    # The store that still has the bytes from before they were moved.
    moved_from = UnicodeAttribute(null=True)
    # The store that a migration copies the bytes to, which may have some of them already.
    moving_to = UnicodeAttribute(null=True)
    # Since this time, in milliseconds since 1970, a migration removes the bytes from `moved_from`.
    clearing = NumberAttribute(null=True)


class Blob(NamedTuple):
    sha256: str
    size_bytes: int
    backend: str
    ready: bool
    leaving: bool = False
    upload_id: str | None = None
    upload_at: int | None = None
    moved_from: str | None = None
    generation: str | None = None
    moving_to: str | None = None
    clearing: bool = False
    owned: bool = True


class Claim(NamedTuple):
    """A blob that no request can become an owner of, as it is since; `nonce` says whose claim it is."""

    blob: Blob
    nonce: str


def find_blob(project_id: str, sha256: str) -> Blob | None:
    row = item.find(BlobRow, keys.blob(project_id, sha256))
    return _shape(row) if row else None


def each_blob(project_id: str) -> Iterator[Blob]:
    return (_shape(row) for row in item.query(BlobRow, keys.project_partition(project_id), keys.BLOB))


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
        BlobRow.generation.set(BlobRow.generation | ids.new_id()),
    ]
    same = BlobRow.ready == True if seen and seen.ready else BlobRow.ready.does_not_exist()  # noqa: E712
    # Not if the bytes were moved meanwhile, nor if somebody else was the first to name another store.
    same &= BlobRow.backend.does_not_exist() | (BlobRow.backend == blob.backend)
    write.update(row, actions, same & BlobRow.leaving.does_not_exist(), lambda: Unavailable(retry_after=1))


def remove_owner(project_id: str, sha256: str, write: Transaction) -> None:
    write.update(BlobRow(*keys.blob(project_id, sha256)), [BlobRow.owners.add(-1)], BlobRow.owners > 0, Conflict)


def mark_ready(project_id: str, sha256: str, size_bytes: int, *, generation: str | None = None) -> None:
    """The bytes are there, this many, checked.

    NotFound when the last owner has gone meanwhile; also when others have declared the blob again after that, if the
    `generation` is given for which the bytes were checked.
    """
    row = BlobRow(*keys.blob(project_id, sha256))
    with conditional.otherwise(NotFound):
        actions: list[Action] = [
            BlobRow.ready.set(True),
            BlobRow.size_bytes.set(size_bytes),
            BlobRow.upload_id.remove(),
            BlobRow.upload_at.remove(),
        ]
        same = (BlobRow.owners > 0) & BlobRow.leaving.does_not_exist()
        row.update(actions, same if generation is None else same & (BlobRow.generation == generation))


def set_upload(project_id: str, sha256: str, upload_id: str, *, before: str | None) -> bool:
    """Name the upload that everybody goes on with; False when somebody else has named another since `before`."""
    unchanged = BlobRow.upload_id.does_not_exist() if before is None else BlobRow.upload_id == before
    # Repeated because the answer was lost: that is this upload already.
    unchanged |= BlobRow.upload_id == upload_id
    alive = (BlobRow.owners > 0) & BlobRow.leaving.does_not_exist() & BlobRow.ready.does_not_exist()
    try:
        with conditional.otherwise(Conflict):
            BlobRow(*keys.blob(project_id, sha256)).update([BlobRow.upload_id.set(upload_id)], alive & unchanged)
    except Conflict:
        return False
    return True


def touch_upload(project_id: str, sha256: str, upload_id: str) -> None:
    """Somebody goes on with this upload now, which keeps it for another day."""
    now = clock.to_milliseconds(clock.now())
    with suppress(Conflict), conditional.otherwise(Conflict):
        BlobRow(*keys.blob(project_id, sha256)).update([BlobRow.upload_at.set(now)], BlobRow.upload_id == upload_id)


def begin_move(project_id: str, blob: Blob, backend: str) -> bool:
    """Note where a copy comes to be, so that the removal of the blob removes it too. False when the blob changed."""
    free = BlobRow.moving_to.does_not_exist() | (BlobRow.moving_to == backend)
    return _move(project_id, blob, [BlobRow.moving_to.set(backend)], free)


def move(project_id: str, blob: Blob, backend: str) -> bool:
    """Whether the bytes, which are in both stores, now count as those of the other one.

    A repetition whose first answer was lost finds the move done.
    """
    actions: list[Action] = [
        BlobRow.backend.set(backend),
        BlobRow.moved_from.set(blob.backend),
        BlobRow.moving_to.remove(),
    ]
    done = (BlobRow.backend == backend) & (BlobRow.moved_from == blob.backend) & BlobRow.moving_to.does_not_exist()
    return _move(project_id, blob, actions, BlobRow.moving_to == backend, done)


def _move(
    project_id: str, blob: Blob, actions: list[Action], condition: Condition, done: Condition | None = None
) -> bool:
    same = (BlobRow.backend == blob.backend) & (BlobRow.ready == True) & BlobRow.moved_from.does_not_exist()  # noqa: E712
    same &= condition
    return _update_alive(project_id, blob, actions, same if done is None else same | done)


def give_up_copy(project_id: str, blob: Blob, backend: str) -> bool:
    """Let the bytes in `backend`, of which a copy is there or half there, be removed like those of a move that ended.

    False when they are those of the blob itself, or the blob is on its way out, or in another move.
    """
    actions: list[Action] = [BlobRow.moved_from.set(backend), BlobRow.moving_to.remove()]
    same = (BlobRow.backend != backend) & (BlobRow.moved_from.does_not_exist() | (BlobRow.moved_from == backend))
    same &= BlobRow.moving_to.does_not_exist() | (BlobRow.moving_to == backend)
    return _update_alive(project_id, blob, actions, same)


def begin_clearing(project_id: str, blob: Blob) -> bool:
    """Whether the caller alone may remove the bytes that a move has left behind: until `end_move` the row stays."""
    now, nonce = clock.to_milliseconds(clock.now()), ids.nonce()
    same = (BlobRow.backend == blob.backend) & (BlobRow.moved_from == blob.moved_from)
    free = _is_not_cleared(now) | (BlobRow.claim == nonce)
    return _update_alive(project_id, blob, [BlobRow.clearing.set(now), BlobRow.claim.set(nonce)], same & free)


def _update_alive(project_id: str, blob: Blob, actions: list[Action], condition: Condition) -> bool:
    """Whether the blob has an owner and is so, and has been changed."""
    alive = (BlobRow.owners > 0) & BlobRow.leaving.does_not_exist()
    try:
        with conditional.otherwise(Conflict):
            BlobRow(*keys.blob(project_id, blob.sha256)).update(actions, alive & condition)
    except Conflict:
        return False
    return True


def _is_not_cleared(now: int) -> Condition:
    """A migration that died while it removed bytes holds up a removal for a while only."""
    free: Condition = BlobRow.clearing.does_not_exist() | (BlobRow.clearing < now - CLAIM_MS)
    return free


def check_moved(project_id: str, blob: Blob, write: Transaction) -> None:
    """Commit only while this move is under way: NotFound when another run has ended it."""
    same = (BlobRow.backend == blob.backend) & (BlobRow.moved_from == blob.moved_from)
    write.check(BlobRow, keys.blob(project_id, blob.sha256), same, NotFound)


def end_move(project_id: str, blob: Blob) -> None:
    """The store that had the bytes has them no more."""
    with suppress(Conflict), conditional.otherwise(Conflict):
        row = BlobRow(*keys.blob(project_id, blob.sha256))
        row.update([BlobRow.moved_from.remove(), BlobRow.clearing.remove()], BlobRow.moved_from == blob.moved_from)


def claim_absent(project_id: str, sha256: str, size_bytes: int, backend: str) -> str | None:
    """Like `claim_unowned`, where there is no row at all: a request signed long ago may have brought bytes since."""
    claim = ids.nonce()
    row = BlobRow(
        *keys.blob(project_id, sha256),
        sha256=sha256,
        size_bytes=size_bytes,
        backend=backend,
        owners=0,
        leaving=clock.to_milliseconds(clock.now()),
        claim=claim,
    )
    try:
        with conditional.otherwise(Conflict):
            row.save(BlobRow.pk.does_not_exist() | (BlobRow.claim == claim))
    except Conflict:
        return None
    return claim


def claim_unowned(project_id: str, sha256: str) -> Claim | None:
    """Whether the blob has no owner, and from now on can get none: the caller removes the bytes, then the row.

    Only one has it at a time: another would remove the bytes that a new
    owner brings once the row has gone. From one that died it can be had again after a while.
    """
    now, nonce = clock.to_milliseconds(clock.now()), ids.nonce()
    row = BlobRow(*keys.blob(project_id, sha256))
    free = BlobRow.leaving.does_not_exist() | (BlobRow.leaving < now - CLAIM_MS) | (BlobRow.claim == nonce)
    try:
        with conditional.otherwise(Conflict):
            actions: list[Action] = [BlobRow.leaving.set(now), BlobRow.claim.set(nonce)]
            row.update(actions, (BlobRow.owners == 0) & free & _is_not_cleared(now))
    except Conflict:
        return None
    return Claim(_shape(row), nonce)


def delete_blob(project_id: str, sha256: str, claim: str) -> None:
    """After `claim_unowned`, when the bytes are gone. No row is fine: then the answer to the deletion was lost."""
    row = BlobRow(*keys.blob(project_id, sha256))
    with conditional.otherwise(Conflict):
        row.delete(BlobRow.pk.does_not_exist() | (BlobRow.claim == claim))


def _shape(row: BlobRow) -> Blob:
    return Blob(
        row.sha256,
        int(row.size_bytes),
        row.backend,
        ready=bool(row.ready),
        leaving=row.leaving is not None,
        upload_id=row.upload_id,
        upload_at=None if row.upload_at is None else int(row.upload_at),
        moved_from=row.moved_from,
        generation=row.generation,
        moving_to=row.moving_to,
        clearing=row.clearing is not None,
        owned=row.owners > 0,
    )
