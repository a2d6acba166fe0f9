"""The health check."""

from __future__ import annotations

from chalicelib import clock
from chalicelib.routes.http.answer import Answer, ok
from chalicelib.routes.http.endpoint import Call, Routes
from deardiary.__version__ import __version__
from deardiary.wire.shapes import Health

routes = Routes(__name__)


@routes.get("/health", public=True)
def get_health(_call: Call[None, None]) -> Answer[Health]:
    """Answer without a read of the table: the check must not cost, and must not fail with the table."""
    return ok(Health(status="ok", version=__version__, server_time=clock.now()))
