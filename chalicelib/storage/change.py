"""Changes of iterations: for each edit a small row with its time and the iteration, which expires after a day.

`GET /experiments/{id}/iterations/changes` finds by them which iterations to read. The row is written in the transaction
of the edit, so neither exists without the other. A flush of points writes none, for running iterations are compared by
their summaries.

Call `note_change` in each transaction that changes a field, a parameter, a tag or a label of an iteration, that ends,
deletes or restores it. Its creation needs none, for it is then running.
"""

from __future__ import annotations

from typing import NamedTuple

from pynamodb.attributes import BooleanAttribute, NumberAttribute

from chalicelib import clock, ids
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.transaction import Transaction

KEPT_S = 24 * 60 * 60


class ChangeRow(Item, discriminator="change"):
    # DynamoDB's TTL, which may be days late.
    expires_at = NumberAttribute()
    # Set where the iteration disappears or comes back: its children then show another parent.
    of_children = BooleanAttribute(null=True)


class Change(NamedTuple):
    """`stamp` (`ids.stamp`) is the time before the write, so the change may become visible later than that.

    `of_children`: it changes what the children of the iteration show, too.
    """

    stamp: str
    iteration_id: str
    of_children: bool = False


def note_change(experiment_id: str, iteration_id: str, write: Transaction, *, of_children: bool = False) -> None:
    key = keys.change(experiment_id, ids.stamp(), iteration_id)
    write.replace(ChangeRow(*key, expires_at=_expiry(), of_children=of_children or None))


def note_change_alone(experiment_id: str, iteration_id: str) -> None:
    """Write the row without a transaction, before a write of points to an ended iteration."""
    item.connection()
    ChangeRow(*keys.change(experiment_id, ids.stamp(), iteration_id), expires_at=_expiry()).save()


def _expiry() -> int:
    return int(clock.now().timestamp()) + KEPT_S


def read_changes(experiment_id: str, since_us: int) -> list[Change]:
    """The changes from a time on (µs since 1970), in their order.

    This read is eventually consistent, at half the price: the caller reads again what is a minute old.
    """
    rows = item.raw_rows(keys.changes_span(experiment_id, ids.stamp(since_us)), ["SK", "of_children"], consistent=False)
    return [Change(*keys.parts_of_change(row["SK"]["S"]), "of_children" in row) for row in rows]
