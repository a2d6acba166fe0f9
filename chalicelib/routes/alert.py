"""Alerts of iterations."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, structs

from chalicelib.paging import Page
from chalicelib.routes.http.answer import Answer, created, listed
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import Body, IdKey, PageQuery
from chalicelib.services import alert as service
from deardiary.wire import limits
from deardiary.wire.shapes import Alert

routes = Routes(__name__)


class NewAlert(Body):
    title: Annotated[str, Meta(min_length=1, max_length=limits.MAX_NAME_CHARACTERS)]
    text: Annotated[str, Meta(max_length=limits.MAX_ALERT_CHARACTERS)] = ""
    level: Literal["info", "warning", "error"] = "warning"
    id_key: IdKey | None = None


@routes.get("/iterations/{iteration_id}/alerts", query=PageQuery)
def list_alerts(call: Call[None, PageQuery], iteration_id: str) -> Answer[Page[Alert]]:
    return listed(service.list_alerts(call.actor, iteration_id, call.query.limit, call.query.cursor))


@routes.post("/iterations/{iteration_id}/alerts", body=NewAlert)
def create_alert(call: Call[NewAlert, None], iteration_id: str) -> Answer[Alert]:
    alert, new = service.create_alert(call.actor, iteration_id, **structs.asdict(call.body))
    return created(alert, new=new)
