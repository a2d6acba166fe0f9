"""The app answers the benchmark's event exactly as it answers the same event of the API Gateway."""

from __future__ import annotations

import pytest

from benchmarks.kit import first_request
from tests.support.server import Server


def test_the_event_is_answered(server: Server) -> None:
    from app import app

    first_request._ask(app, first_request._event(server.token()))
    with pytest.raises(SystemExit, match="TOKEN_INVALID"):
        first_request._ask(app, first_request._event("another"))
