"""Alerts of an iteration: a row for each, beside its points but outside of their span."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute, UTCDateTimeAttribute

from chalicelib import ids
from chalicelib.errors import Conflict
from chalicelib.storage import event as events
from chalicelib.storage import iteration as iterations
from chalicelib.storage.event import Event
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.mapping import row_of, shape_of
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Alert, Iteration


class AlertRow(Item, discriminator="alert"):
    id = UnicodeAttribute()
    iteration_id = UnicodeAttribute()
    title = UnicodeAttribute()
    text = UnicodeAttribute()
    level = UnicodeAttribute()
    created_by = UnicodeAttribute(null=True)
    created_date = UTCDateTimeAttribute()


def new_alert_id(iteration_id: str, alert_hash: str) -> str:
    return f"{iteration_id}.{ids.stamp()}.{alert_hash}"


def create_alert(owner: Iteration, alert: Alert, event: Event | None, *, fired: str | None = None) -> None:
    """Create an alert with its event, also after the end. Conflict if its hash exists, NotFound without `owner`.

    `fired`: the hash of the rule that makes it.
    """
    write = Transaction()
    if fired is None:
        iterations.check_alive(owner.experiment_id, owner.id, write)
    else:
        iterations.mark_fired(owner, fired, write)
    key = keys.alert(owner.id, ids.split_id(alert.id)[-1])
    write.put(row_of(AlertRow, key, alert), Conflict)
    events.post(event, write)
    write.commit()


def find_alert(iteration_id: str, alert_hash: str) -> Alert | None:
    row = item.find(AlertRow, keys.alert(iteration_id, alert_hash))
    return None if row is None else shape_of(row, Alert)


def list_alerts(iteration_id: str) -> list[Alert]:
    rows = item.query(AlertRow, keys.iteration_partition(iteration_id), keys.ALERT)
    return sorted((shape_of(row, Alert) for row in rows), key=lambda each: each.id)
