"""Shares: read-only links, as rows in the partition of their project. A row has only a hash of the link's secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute

from chalicelib import clock
from chalicelib.errors import Conflict, NotFound
from chalicelib.paging import Page
from chalicelib.storage import project
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Share


class ShareRow(Item, discriminator="share"):
    id = UnicodeAttribute()
    project_id = UnicodeAttribute()
    experiment_id = UnicodeAttribute(null=True)
    # The id of the experiment by that of the iteration.
    iterations = JSONAttribute()
    fingerprint = UnicodeAttribute()
    created_by = UnicodeAttribute()
    epoch = NumberAttribute()
    created_date = UTCDateTimeAttribute()
    # DynamoDB's TTL, which may be days late, so readers check the time themselves.
    expires_at = NumberAttribute()


class StoredShare(NamedTuple):
    """A share with private fields. It ends when its creator's tokens end: `epoch` is the creator's."""

    share: Share
    iterations: Mapping[str, str]
    fingerprint: str
    epoch: int


def create_share(stored: StoredShare) -> None:
    """Create a share. NotFound without the project."""
    share, write = stored.share, Transaction()
    project.check_alive(share.project_id, write)
    row = ShareRow(
        *keys.share(share.project_id, share.id),
        id=share.id,
        project_id=share.project_id,
        experiment_id=share.experiment_id,
        iterations=dict(stored.iterations),
        fingerprint=stored.fingerprint,
        created_by=share.created_by,
        epoch=stored.epoch,
        created_date=share.created_date,
        expires_at=int(share.expires_at.timestamp()),
    )
    write.put(row, Conflict)
    write.commit()


def find_share(project_id: str, share_id: str) -> StoredShare | None:
    row = item.find(ShareRow, keys.share(project_id, share_id))
    return None if row is None else StoredShare(_shape(row), row.iterations, row.fingerprint, int(row.epoch))


def list_shares(project_id: str, limit: int, cursor: str | None) -> Page[Share]:
    """The shares that have not expired."""
    unexpired = ShareRow.expires_at > clock.now().timestamp()
    partition = keys.project_partition(project_id)
    rows = item.page(ShareRow, partition, keys.SHARE, limit=limit, cursor=cursor, condition=unexpired)
    return Page([_shape(row) for row in rows.data], rows.next_cursor)


def delete_share(project_id: str, share_id: str) -> None:
    """Delete a share, in a transaction: a repetition after a lost answer succeeds too."""
    write = Transaction()
    write.delete(ShareRow(*keys.share(project_id, share_id)), ShareRow.pk.exists(), NotFound)
    write.commit()


def remove_shares_of(project_id: str, removed_id: str) -> Iterator[None]:
    """Remove the shares of nothing else than this experiment or iteration. Yield before each call."""
    rows = item.query(ShareRow, keys.project_partition(project_id), keys.SHARE)
    return item.remove_items(row.key for row in list(rows) if _shows_only(row, removed_id))


def _shows_only(row: ShareRow, removed_id: str) -> bool:
    experiment_ids = {row.experiment_id} if row.experiment_id else set(row.iterations.values())
    return experiment_ids == {removed_id} or set(row.iterations) == {removed_id}


def _shape(row: ShareRow) -> Share:
    return Share(
        id=row.id,
        project_id=row.project_id,
        experiment_id=row.experiment_id,
        iteration_ids=tuple(row.iterations),
        created_by=row.created_by,
        created_date=row.created_date,
        expires_at=clock.from_milliseconds(1000 * int(row.expires_at)),
    )
