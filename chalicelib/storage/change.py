"""Changes of iterations: for each edit a small row with its time and the iteration, which expires after a day.

`GET /experiments/{id}/iterations/changes` finds by them which iterations to read. The row is written in the transaction
of the edit, so neither exists without the other. A flush of points writes none, for running iterations are compared by
their summaries.

Call `note_change` in each transaction that changes a field, a parameter, a tag or a label of an iteration, that ends,
deletes or restores it. Its creation needs none, for it is then running.

The change of an iteration that had ended also marks it as changed: its column block (`blocks/`) may hold it as it was.
The mark stays until the block is written again.
"""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from chalicelib import clock, ids
from chalicelib.errors import Overtaken
from chalicelib.storage.table import conditional, item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.transaction import Transaction

KEPT_S = 24 * 60 * 60


class ChangeRow(Item, discriminator="change"):
    # DynamoDB's TTL, which may be days late.
    expires_at = NumberAttribute()
    # Set where the iteration disappears or comes back: its children then show another parent.
    of_children = BooleanAttribute(null=True)


class ChangedRow(Item, discriminator="changed"):
    # `ids.stamp` of the last change.
    stamp = UnicodeAttribute()


class Change(NamedTuple):
    """`stamp` (`ids.stamp`) is the time before the write, so the change may become visible later than that.

    `of_children`: it changes what the children of the iteration show, too.
    """

    stamp: str
    iteration_id: str
    of_children: bool = False


def note_change(
    experiment_id: str, iteration_id: str, write: Transaction, *, ended: bool, of_children: bool = False
) -> None:
    """`ended`: the iteration had an end when it was read. No request lasts until a block holds one that ended since."""
    stamp = ids.stamp()
    key = keys.change(experiment_id, stamp, iteration_id)
    write.replace(ChangeRow(*key, expires_at=_expiry(), of_children=of_children or None))
    if ended:
        write.replace(ChangedRow(*keys.changed(experiment_id, iteration_id), stamp=stamp))


def note_change_alone(experiment_id: str, iteration_id: str) -> None:
    """Write both rows without a transaction, before a write of points to an ended iteration."""
    item.connection()
    stamp = ids.stamp()
    ChangedRow(*keys.changed(experiment_id, iteration_id), stamp=stamp).save()
    ChangeRow(*keys.change(experiment_id, stamp, iteration_id), expires_at=_expiry()).save()


def _expiry() -> int:
    return int(clock.now().timestamp()) + KEPT_S


def read_changes(experiment_id: str, since_us: int, *, consistent: bool = False) -> list[Change]:
    """The changes from a time on (µs since 1970), in their order.

    By default this read is eventually consistent, at half the price: the caller reads again what is a minute old.
    """
    span = keys.changes_span(experiment_id, ids.stamp(since_us))
    rows = item.raw_rows(span, ["SK", "of_children"], consistent=consistent)
    return [Change(*keys.parts_of_change(row["SK"]["S"]), "of_children" in row) for row in rows]


def read_changed(experiment_id: str, last_id: str, *, consistent: bool) -> dict[str, str]:
    """The stamps of the marks of changed iterations up to an id, by iteration."""
    rows = item.raw_rows(keys.changed_span(experiment_id, last_id), ["SK", "stamp"], consistent=consistent)
    return {keys.iteration_of_changed(row["SK"]["S"]): row["stamp"]["S"] for row in rows}


def unmark_changed(experiment_id: str, iteration_id: str, stamp: str) -> None:
    """Remove the mark with this stamp: not if the iteration has changed again."""
    item.connection()
    with suppress(Overtaken), conditional.otherwise(Overtaken):
        ChangedRow(*keys.changed(experiment_id, iteration_id)).delete(ChangedRow.stamp == stamp)


def unmark_removed(experiment_id: str, iteration_id: str) -> None:
    """Remove the mark of an iteration that does not exist any more, and that no block holds."""
    item.delete_items([keys.changed(experiment_id, iteration_id)])
