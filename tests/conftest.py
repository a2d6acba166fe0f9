"""Fixtures for every test: passwords hashed quickly, and the app on moto or on the emulator."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import botocore.session
import pytest

from chalicelib import security
from tests.support.emulator import Emulator, running_emulator
from tests.support.fast_moto import quick_transactions
from tests.support.server import Server, server_on_emulator, server_on_moto


@pytest.fixture(autouse=True, scope="session")
def _quick_passwords() -> Iterator[None]:
    """Bcrypt at its lowest cost; the real cost has a test of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(security, "BCRYPT_COST", 4)
        yield


@pytest.fixture(autouse=True, scope="session")
def _spools_of_our_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the tests log does not wait beside what the user of this machine does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(autouse=True, scope="session")
def _service_models_read_once() -> Iterator[None]:
    """Every botocore session would read its JSON again, which takes longer than most tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", functools.cache(botocore.session.create_loader))
        yield


@pytest.fixture(autouse=True, scope="session")
def _quick_transactions() -> Iterator[None]:
    with quick_transactions():
        yield


@pytest.fixture
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One emulator for all tests of a session that want real signatures and real races."""
    with running_emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def real_server(emulator: Emulator) -> Iterator[Server]:
    with server_on_emulator(emulator.environment()) as running:
        yield running
