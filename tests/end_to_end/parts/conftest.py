"""A server on a store that checks signatures, with small parts, and a large file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import deardiary
from deardiary.wire import parts
from tests.support.emulator import Emulator
from tests.support.parts import BYTES, CUT, KIB
from tests.support.server import Server, server_on_emulator


@pytest.fixture(scope="module")
def server(emulator: Emulator) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(parts.CUTS, "s3", CUT)
        patch.setattr(parts, "MIB", KIB)
        patch.setattr(parts, "LEAST_IN_PARTS", CUT.alone)
        with server_on_emulator(emulator.environment()) as running:
            yield running


@pytest.fixture
def experiment(server: Server) -> deardiary.Experiment:
    client = server.client()
    return client.experiments.create(client.projects.create("large").id, "large")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "model.bin").write_bytes(BYTES)
    return tmp_path / "model.bin"
