"""The real server, and two copies of a run that was logged offline."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import deardiary
import deardiary.client
from deardiary import Client
from tests.support.server import Server, server_on_moto

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One server for all tests of the file; each logs into an experiment of its own."""
    with server_on_moto() as running:
        yield running


@pytest.fixture
def client(server: Server) -> Client:
    return server.client()


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> list[Path]:
    """Two copies of the folder of an offline run, as on two machines."""
    monkeypatch.setenv("DEARDIARY_DIR", str(tmp_path / "one"))
    monkeypatch.setenv("DEARDIARY_OFFLINE", "1")
    (tmp_path / "back\\slash ü.txt").write_text("weights")
    with deardiary.start("Offline", request.node.name, parameters={"lr": 1}, tags=["t"]) as iteration:
        iteration.log({"loss": 1.0})
        iteration.set_snapshot(python_version="3.12.1", manifest_toml="torch==2.9\n")
        iteration.log_resource(tmp_path / "back\\slash ü.txt", "weights.txt")
        iteration.register_model(request.node.name, "weights.txt")
    monkeypatch.delenv("DEARDIARY_OFFLINE")
    shutil.copytree(tmp_path / "one", tmp_path / "other")
    return [tmp_path / "one", tmp_path / "other"]
