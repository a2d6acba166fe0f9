"""Whether the server answers."""

from __future__ import annotations

from chalicelib.routes.answer import Answer, ok
from chalicelib.routes.endpoint import Call, Routes

routes = Routes(__name__)


@routes.get("/health", public=True)
def get_health(_call: Call[None, None]) -> Answer:
    return ok({"status": "ok"})
