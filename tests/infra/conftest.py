"""One emulator for the tests here that share nothing but its being there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.emulator import Emulator, running_emulator

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with running_emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running
