"""The SERIES row: a write that leaves the summaries as they were read stores the same bytes without packing them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

import deardiary
from chalicelib.storage import series
from chalicelib.storage.points import summary
from tests.support.server import Server, server_on_moto


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture
def iteration(server: Server) -> deardiary.Iteration:
    client = server.client()
    made = client.iterations.create(client.experiments.create(client.projects.create("series").id, "e").id)
    client.iterations.log_columns(made.id, {"a": {"step": [0], "value": [1.5]}}, batch_id="first")
    return made


def test_unchanged_summaries_are_not_packed_again(
    iteration: deardiary.Iteration, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed: list[object] = []
    monkeypatch.setattr(summary, "pack_summaries", packed.append)
    place = iteration.experiment_id, iteration.id
    before = series.read_series(*place)
    series.write_series(*place, replace(before, heartbeat_us=before.heartbeat_us + 1))
    assert packed == []
    assert series.read_series(*place).summaries == before.summaries


def test_changed_summaries_are_stored(iteration: deardiary.Iteration) -> None:
    place = iteration.experiment_id, iteration.id
    before = series.read_series(*place)
    changed = {**before.summaries, "b": before.summaries["a"]}
    stored = series.write_series(*place, replace(before, summaries=changed))
    series.write_series(*place, replace(stored, heartbeat_us=stored.heartbeat_us + 1))
    assert series.read_series(*place).summaries == changed
