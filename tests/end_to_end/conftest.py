"""A server process, and settings that point this process and its children to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.live import LiveServer, live_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deardiary import Client
    from tests.support.emulator import Emulator


@pytest.fixture(scope="module")
def live(emulator: Emulator) -> Iterator[LiveServer]:
    with live_server(emulator) as server:
        yield server


@pytest.fixture
def settings(live: LiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The settings of the processes that a test starts, and of this process."""
    settings = {"DEARDIARY_URL": live.url, "DEARDIARY_DIR": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return settings


@pytest.fixture
def client(live: LiveServer) -> Iterator[Client]:
    with live.client() as client:
        yield client
