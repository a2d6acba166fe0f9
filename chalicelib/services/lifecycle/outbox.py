"""The outbox: the upkeep sends each event that no request has sent."""

from __future__ import annotations

from itertools import islice

from chalicelib.services import event
from chalicelib.services.event import NotDelivered
from chalicelib.services.lifecycle.budget import Budget
from chalicelib.storage import event as storage


def send_events(seconds: float) -> bool:
    """Send the events that are left. True if there was time for all. NotDelivered if EventBridge refuses one."""
    if not event.is_on():
        return True
    budget, left = Budget(seconds), storage.each_left()
    while some := list(islice(left, storage.PER_CALL)):
        if storage.send(some) < len(some):
            raise NotDelivered
        if budget.is_spent:
            return False
    return True
