"""A fake server that lets an iteration start, log and end."""

from __future__ import annotations

import pytest

from tests.support.active import CREATE, END, LOG
from tests.support.transports import FakeServer, experiment, iteration, page, project, taken


@pytest.fixture(autouse=True)
def _no_output(_no_settings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Capture nothing: a warning of another test's thread would be sent with the requests that a test counts."""
    monkeypatch.setenv("DEARDIARY_CAPTURE", "none")


@pytest.fixture
def server() -> FakeServer:
    server = FakeServer()
    server.answers = {
        "GET /projects": (200, page(project())),
        "GET /projects/p1": (200, project()),
        "GET /projects/p1/experiments": (200, page(experiment())),
        "GET /experiments/e1": (200, experiment()),
        CREATE: (201, iteration()),
        LOG: taken,
        "GET /iterations/i1": (200, iteration()),
        END: (200, iteration()),
    }
    return server
