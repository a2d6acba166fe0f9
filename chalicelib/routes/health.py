"""The health check."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.routes.http.answer import Answer, ok
from chalicelib.routes.http.endpoint import Call, Routes

routes = Routes(__name__)


@dataclass(frozen=True, slots=True)
class Health:
    status: str


@routes.get("/health", public=True)
def get_health(_call: Call[None, None]) -> Answer[Health]:
    return ok(Health(status="ok"))
