"""An iteration that a test starts on a fake server."""

from __future__ import annotations

from typing import Any

import deardiary
from deardiary import ActiveIteration
from tests.support.transports import FakeServer, client_of

LOG = "POST /iterations/i1/log"
CREATE = "POST /experiments/e1/iterations"
END = "PATCH /iterations/i1"


def begin(server: FakeServer, **options: Any) -> ActiveIteration:
    """Start an iteration, and wait until the server has created or refused it."""
    active = deardiary.start("Iris", "sweep", client=client_of(server), **options)
    assert active.id
    return active
