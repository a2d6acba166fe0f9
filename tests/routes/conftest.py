"""One app on moto for all tests of a file: each test works in projects of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.server import Server, server_on_moto


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running
