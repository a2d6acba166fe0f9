"""The outbox: an event that has to go to EventBridge, written in the transaction of the change that it reports.

The request that wrote the row sends the event and removes the row. Until then the row is claimed for that request: the
upkeep sends it only after the claim's end, when the request has passed its deadline (`deadline.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute

from chalicelib import clock, config, ids, outgoing
from chalicelib.aws.events import PER_CALL as PER_CALL
from chalicelib.aws.events import put_events
from chalicelib.errors import Overtaken
from chalicelib.storage.table import conditional, item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.mapping import row_of, shape_of
from chalicelib.storage.table.transaction import Transaction

# More than `deadline.SECONDS` and the time in which a request that passed the check arrives.
CLAIM_S = 60
# An event that EventBridge refuses for so long is dropped by the table.
KEPT_S = 14 * 24 * 60 * 60


class EventRow(Item, discriminator="event"):
    id = UnicodeAttribute()
    detail_type = UnicodeAttribute()
    time = UTCDateTimeAttribute()
    detail = UnicodeAttribute()
    # Seconds since 1970: until then only the claim's holder sends it. `claim` is the nonce of the last claim.
    claimed_until = NumberAttribute()
    claim = UnicodeAttribute(null=True)
    # DynamoDB's TTL.
    expires_at = NumberAttribute()


class Event(NamedTuple):
    """An event; `detail` is its JSON."""

    id: str
    detail_type: str
    time: datetime
    detail: str


def post(event: Event | None, write: Transaction) -> None:
    """Write the event in the transaction of its change, if there is one."""
    if event is None:
        return
    committed, now = outgoing.current(), _now_s()
    claimed_until = 0 if committed is None else now + CLAIM_S
    row = row_of(EventRow, keys.event(event.id), event, claimed_until=claimed_until, expires_at=now + KEPT_S)
    write.replace(row)
    if committed is not None:
        write.then(partial(committed.append, event))


def each_left() -> Iterator[Event]:
    """Claim and yield each event that no request is going to send, the oldest first."""
    for row in item.query(EventRow, keys.OUTBOX, condition=EventRow.claimed_until <= _now_s()):
        try:
            _claim(row)
        except Overtaken:
            continue
        yield shape_of(row, Event)


def _claim(row: EventRow) -> None:
    """Overtaken if another process has claimed or sent the event."""
    nonce = ids.nonce()
    unclaimed = (EventRow.claimed_until == row.claimed_until) | (EventRow.claim == nonce)
    with conditional.otherwise(Overtaken):
        row.update([EventRow.claimed_until.set(_now_s() + CLAIM_S), EventRow.claim.set(nonce)], unclaimed)


def send(events: Sequence[Event]) -> int:
    """Send at most ten events, and remove those that EventBridge has accepted. Return their number."""
    entries = [{"DetailType": each.detail_type, "Detail": each.detail, "Time": each.time} for each in events]
    results = put_events(config.settings().event_bus, entries)
    accepted = [each for each, is_accepted in zip(events, results, strict=True) if is_accepted]
    item.delete_items([keys.event(each.id) for each in accepted])
    return len(accepted)


def _now_s() -> int:
    return int(clock.now().timestamp())
