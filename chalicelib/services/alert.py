"""Alerts: what a program, or a rule on its metrics, wants people to know now. Each becomes an event."""

from __future__ import annotations

from chalicelib import clock, ids, limits
from chalicelib.errors import Conflict, InvalidPayload
from chalicelib.paging import Page, page_by_id
from chalicelib.services import access, event
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.storage import alert as storage
from chalicelib.storage.event import Event
from chalicelib.storage.reads.lineage import IterationLineage
from deardiary.wire.shapes import Alert


def create_alert(
    actor: Actor, iteration_id: str, *, title: str, text: str, level: str, id_key: str | None
) -> tuple[Alert, bool]:
    """The alert, and True if it is new: the same id_key in the same iteration finds the earlier one.

    InvalidPayload if the iteration has too many. Requests at the same time may exceed the limit by a few.
    """
    above = access.iteration(actor, iteration_id, Need.CREATE)
    alert_hash = ids.hash_texts(id_key or ids.new_id())
    known = storage.list_alerts(iteration_id)
    there = next((each for each in known if ids.split_id(each.id)[-1] == alert_hash), None)
    if there is not None:
        return there, False
    if len(known) >= limits.MAX_ALERTS:
        raise InvalidPayload(f"An iteration has at most {limits.MAX_ALERTS} alerts", field="alerts")
    alert = Alert(
        id=storage.new_alert_id(iteration_id, alert_hash),
        iteration_id=iteration_id,
        title=title,
        text=text,
        level=level,
        created_by=actor.user.id,
        created_date=clock.now(),
    )
    try:
        storage.create_alert(above.iteration, alert, event_of(above, alert, actor.site))
    except Conflict:
        # Another request with this id_key was faster.
        earlier = storage.find_alert(iteration_id, alert_hash)
        if earlier is None:
            raise
        return earlier, False
    return alert, True


def list_alerts(actor: Actor, iteration_id: str, limit: int, cursor: str | None) -> Page[Alert]:
    access.iteration(actor, iteration_id, Need.READ)
    return page_by_id(storage.list_alerts(iteration_id), iteration_id, limit, cursor)


def event_of(above: IterationLineage, alert: Alert, site: str, *, rule: str | None = None) -> Event | None:
    if not event.is_on():
        return None
    reason = event.line(f"{alert.title}: {alert.text}" if alert.text else alert.title)
    about = {"id": alert.id, "title": alert.title, "text": event.line(alert.text), "level": alert.level, "rule": rule}
    return event.of_iteration(
        above, above.iteration, "alert", "DearDiary Iteration Alert", reason, site, fields={"alert": about}
    )
