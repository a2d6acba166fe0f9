from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from chalicelib import clock


@pytest.fixture
def a_minute_passes(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    ahead, now = [timedelta(0)], clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + ahead[0])

    def advance() -> None:
        ahead[0] += timedelta(seconds=61)

    return advance
