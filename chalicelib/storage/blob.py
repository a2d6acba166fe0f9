"""Blobs: bytes that a project stores once, for any number of resources and snapshots.

The row counts its owners. One transaction adds or removes an owner and changes the count, so the count is exact. The
bytes are removed after the last owner; during the removal (`leaving`) no owner can be added.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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

# Longer than the deadline of a request (`chalicelib/deadline.py`): a claim this old removes no bytes any more.
CLAIM_MS = 60_000
_SHA256_DIGITS = 64


class BlobRow(Item, discriminator="blob"):
    sha256 = UnicodeAttribute()
    size_bytes = NumberAttribute()
    backend = UnicodeAttribute()
    owners = NumberAttribute()
    # New whenever a removed blob is declared again. Rows of older servers have none.
    generation = UnicodeAttribute(null=True)
    # True: the store has the bytes, and they were checked.
    ready = BooleanAttribute(null=True)
    # Time of the claim to remove the bytes, in milliseconds since 1970.
    leaving = NumberAttribute(null=True)
    # Nonce of the last claim to remove bytes: only its holder may continue; the SDK may repeat the claim.
    claim = UnicodeAttribute(null=True)
    # The store's id of an upload in parts, which any client that has the bytes resumes.
    upload_id = UnicodeAttribute(null=True)
    # Time of the last call for requests for its parts, in milliseconds since 1970.
    upload_at = NumberAttribute(null=True)
    # The store from which the bytes were moved, and which still has them.
    moved_from = UnicodeAttribute(null=True)
    # The store to which a migration copies the bytes; it may have some of them already.
    moving_to = UnicodeAttribute(null=True)
    # Time since which a migration removes the bytes from `moved_from`, in milliseconds since 1970.
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

    @property
    def is_hashed(self) -> bool:
        """False if `sha256` is another id: the bytes came without a hash, and are too many to be hashed here."""
        return len(self.sha256) == _SHA256_DIGITS


class Claim(NamedTuple):
    """A claimed blob, to which no request can add an owner; `nonce` identifies the claim."""

    blob: Blob
    nonce: str


def find_blob(project_id: str, sha256: str) -> Blob | None:
    row = item.find(BlobRow, keys.blob(project_id, sha256))
    return _shape(row) if row else None


def find_blobs(project_id: str, sha256s: Iterable[str]) -> dict[str, Blob]:
    """The blobs with these hashes, by hash."""
    rows = item.get_many(keys.blob(project_id, each) for each in sha256s)
    return {row.sha256: _shape(row) for row in rows.values() if isinstance(row, BlobRow)}


def each_blob(project_id: str) -> Iterator[Blob]:
    return (_shape(row) for row in item.query(BlobRow, keys.project_partition(project_id), keys.BLOB))


def each_sha256(project_id: str) -> Iterator[str]:
    """The hashes of the project's blobs."""
    return item.each_id(keys.project_partition(project_id), keys.BLOB)


def id_of(resource: Resource) -> str:
    """The id of the resource's blob: the SHA-256 of its bytes. While that is unknown, the last part of its URI."""
    return resource.content_hash or resource.uri.rpartition("/")[2]


def of_resource(resource: Resource) -> Blob:
    """The blob of which a resource is an owner."""
    return Blob(id_of(resource), resource.size_bytes, resource.backend, ready=resource.state == "ready")


def add_owner(project_id: str, blob: Blob, *, seen: Blob | None, write: Transaction) -> None:
    """Add an owner if the blob is still as `seen`. Unavailable if it changed, or if its bytes are being removed."""
    row = BlobRow(*keys.blob(project_id, blob.sha256))
    actions: list[Action] = [
        BlobRow.kind.set(BlobRow),
        BlobRow.sha256.set(blob.sha256),
        BlobRow.size_bytes.set(blob.size_bytes),
        BlobRow.backend.set(blob.backend),
        BlobRow.owners.add(1),
        BlobRow.generation.set(BlobRow.generation | (blob.generation or ids.new_id())),
    ]
    same = BlobRow.ready == True if seen and seen.ready else BlobRow.ready.does_not_exist()  # noqa: E712
    # Fail if the bytes were moved meanwhile, or if another request declared them first, in another store.
    same &= BlobRow.backend.does_not_exist() | (BlobRow.backend == blob.backend)
    write.update(row, actions, same & BlobRow.leaving.does_not_exist(), lambda: Unavailable(retry_after=1))


def remove_owner(project_id: str, sha256: str, write: Transaction) -> None:
    write.update(BlobRow(*keys.blob(project_id, sha256)), [BlobRow.owners.add(-1)], BlobRow.owners > 0, Conflict)


def mark_ready(project_id: str, sha256: str, size_bytes: int, *, generation: str | None) -> None:
    """Record that the store has the bytes, of this size, checked for this `generation`.

    NotFound if the last owner was removed meanwhile, also if other requests have declared the blob again after that.
    None is the generation of a row of an older server.
    """
    with conditional.otherwise(NotFound):
        BlobRow(*keys.blob(project_id, sha256)).update(_ready(size_bytes), _same_generation(generation))


def add_ready(project_id: str, blob: Blob, size_bytes: int, write: Transaction) -> None:
    """Like `mark_ready`, in a transaction, for the generation of this blob."""
    row = BlobRow(*keys.blob(project_id, blob.sha256))
    write.update(row, _ready(size_bytes), _same_generation(blob.generation), NotFound)


def _ready(size_bytes: int) -> list[Action]:
    return [
        BlobRow.ready.set(True),
        BlobRow.size_bytes.set(size_bytes),
        BlobRow.upload_id.remove(),
        BlobRow.upload_at.remove(),
    ]


def _same_generation(generation: str | None) -> Condition:
    same: Condition = (BlobRow.owners > 0) & BlobRow.leaving.does_not_exist()
    return same if generation is None else same & (BlobRow.generation == generation)


def set_upload(project_id: str, sha256: str, upload_id: str, *, before: str | None) -> bool:
    """Name the upload that all clients resume. False if another request has named another one since `before`."""
    unchanged = BlobRow.upload_id.does_not_exist() if before is None else BlobRow.upload_id == before
    # Accept the SDK's repetition after a lost answer: the row names this upload already.
    unchanged |= BlobRow.upload_id == upload_id
    alive = (BlobRow.owners > 0) & BlobRow.leaving.does_not_exist() & BlobRow.ready.does_not_exist()
    try:
        with conditional.otherwise(Conflict):
            BlobRow(*keys.blob(project_id, sha256)).update([BlobRow.upload_id.set(upload_id)], alive & unchanged)
    except Conflict:
        return False
    return True


def touch_upload(project_id: str, sha256: str, upload_id: str) -> None:
    """Record that a client resumes this upload now, which keeps it for another day."""
    now = clock.to_milliseconds(clock.now())
    with suppress(Conflict), conditional.otherwise(Conflict):
        BlobRow(*keys.blob(project_id, sha256)).update([BlobRow.upload_at.set(now)], BlobRow.upload_id == upload_id)


def begin_move(project_id: str, blob: Blob, backend: str) -> bool:
    """Record the target of a copy, so that the removal of the blob removes it too. False if the blob changed."""
    free = BlobRow.moving_to.does_not_exist() | (BlobRow.moving_to == backend)
    return _move(project_id, blob, [BlobRow.moving_to.set(backend)], free)


def move(project_id: str, blob: Blob, backend: str) -> bool:
    """Switch to the copy in the other store, which is complete. False if the blob changed.

    A repetition after a lost answer finds the move done, and returns True.
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
    """Mark a complete or partial copy in `backend` for removal, like the old bytes after a move.

    False if they are the blob's own bytes, or if the blob is being removed or in another move.
    """
    actions: list[Action] = [BlobRow.moved_from.set(backend), BlobRow.moving_to.remove()]
    same = (BlobRow.backend != backend) & (BlobRow.moved_from.does_not_exist() | (BlobRow.moved_from == backend))
    same &= BlobRow.moving_to.does_not_exist() | (BlobRow.moving_to == backend)
    return _update_alive(project_id, blob, actions, same)


def begin_clearing(project_id: str, blob: Blob) -> bool:
    """Claim the removal of the bytes that a move left behind. If True, the row stays until `end_move`."""
    now, nonce = clock.to_milliseconds(clock.now()), ids.nonce()
    same = (BlobRow.backend == blob.backend) & (BlobRow.moved_from == blob.moved_from)
    free = _is_not_cleared(now) | (BlobRow.claim == nonce)
    return _update_alive(project_id, blob, [BlobRow.clearing.set(now), BlobRow.claim.set(nonce)], same & free)


def _update_alive(project_id: str, blob: Blob, actions: list[Action], condition: Condition) -> bool:
    """Update a blob that has an owner and meets the condition; False, without a change, for any other."""
    alive = (BlobRow.owners > 0) & BlobRow.leaving.does_not_exist()
    try:
        with conditional.otherwise(Conflict):
            BlobRow(*keys.blob(project_id, blob.sha256)).update(actions, alive & condition)
    except Conflict:
        return False
    return True


def _is_not_cleared(now: int) -> Condition:
    """Condition: no migration is removing bytes. One that died counts for CLAIM_MS only."""
    free: Condition = BlobRow.clearing.does_not_exist() | (BlobRow.clearing < now - CLAIM_MS)
    return free


def check_moved(project_id: str, blob: Blob, write: Transaction) -> None:
    """Commit only during this move: NotFound if another run has ended it."""
    same = (BlobRow.backend == blob.backend) & (BlobRow.moved_from == blob.moved_from)
    write.check(BlobRow, keys.blob(project_id, blob.sha256), same, NotFound)


def end_move(project_id: str, blob: Blob) -> None:
    """Record that the old store does not have the bytes any more."""
    with suppress(Conflict), conditional.otherwise(Conflict):
        row = BlobRow(*keys.blob(project_id, blob.sha256))
        row.update([BlobRow.moved_from.remove(), BlobRow.clearing.remove()], BlobRow.moved_from == blob.moved_from)


def claim_absent(project_id: str, sha256: str, size_bytes: int, backend: str) -> str | None:
    """Like `claim_unowned`, without a row: a request that was signed long ago may have uploaded bytes since.

    Return the nonce of the claim, None if the blob has a row.
    """
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
    """Claim a blob without owners, so that none can be added: the caller removes the bytes, then the row.

    None if it has an owner, or another claim: two claimants could remove the bytes that a new owner uploads after the
    row is gone. The claim of a process that died expires after CLAIM_MS.
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
    """Delete the row after `claim_unowned` and the removal of the bytes. Without a row, an earlier attempt did it."""
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
