"""Rows that are scattered in a partition, on an emulator that refuses a start outside of a Query's range."""

from __future__ import annotations

import pytest

from chalicelib.storage.reads import projection
from tests.support.server import Server


@pytest.mark.parametrize("apart", [1, 2, 3, 4, 5])
def test_scattered_rows_are_found(real_server: Server, apart: int) -> None:
    """Pages of the Query can end above the next wanted row."""
    client = real_server.client()
    experiment = client.experiments.create(client.projects.create("nearby").id, f"{apart} apart").id
    every = [client.iterations.create(experiment).id for _ in range(36)]
    found, _ = projection.find_iterations_nearby(experiment, every[::apart], consistent=True)
    assert sorted(each.id for each in found) == every[::apart]
