"""Preferences of the caller."""

from __future__ import annotations

from typing import Any

from chalicelib.routes.http.answer import Answer, ok
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.parse import AnyObject
from chalicelib.services import preferences as service

routes = Routes(__name__)


@routes.get("/auth/me/preferences")
def get_preferences(call: Call[None, None]) -> Answer[dict[str, Any]]:
    return ok(service.get_preferences(call.actor))


@routes.put("/auth/me/preferences", body=AnyObject)
def put_preferences(call: Call[AnyObject, None]) -> Answer[dict[str, Any]]:
    return ok(service.put_preferences(call.actor, call.body.content))
