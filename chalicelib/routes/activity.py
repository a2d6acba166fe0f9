"""The newest activity in all projects of the caller."""

from __future__ import annotations

from chalicelib.paging import Page
from chalicelib.routes.http.answer import Answer, listed
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import PageQuery
from deardiary.wire.shapes import Activity

routes = Routes(__name__)


@routes.get("/activity", query=PageQuery)
def list_activity(call: Call[None, PageQuery]) -> Answer[Page[Activity]]:
    from chalicelib.services import activity  # most cold starts do not need it

    return listed(activity.list_activity(call.actor, call.query.limit, call.query.cursor))
