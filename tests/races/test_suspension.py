"""A process suspended for more than a minute, at each of its writes, undoes no write of other processes."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

import deardiary
from chalicelib import deadline
from chalicelib.routes import upkeep
from chalicelib.services.points import compaction
from tests.support.consistency import check_consistency
from tests.support.server import Server
from tests.support.suspension import Clocks, each_suspension, suspended

CHUNKS = 4


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    return Clocks(monkeypatch)


@pytest.fixture
def experiment(real_server: Server) -> deardiary.Experiment:
    client = real_server.client()
    return client.experiments.create(client.projects.create("suspension").id, "e")


def send(server: Server, iteration: deardiary.Iteration, number: int) -> Any:
    columns = {"a": {"value": [number, number + 0.5]}, "b": {"value": [-number], "step": [number]}}
    body = {"batch_id": f"batch-{number}", "metrics": columns}
    return server.call("POST", f"/iterations/{iteration.id}/log", body)


def logged(server: Server, iteration: deardiary.Iteration) -> Any:
    """All points, and the summary."""
    path = f"/iterations/{iteration.id}/metrics"
    return [server.call("GET", f"{path}{rest}").body["data"] for rest in ("?limit=200", "/summary")]


@pytest.mark.parametrize("enough", [1, CHUNKS + 1], ids=["the other moves too", "the other only cleans up"])
@pytest.mark.parametrize("in_window", [False, True], ids=["before the check", "after the check"])
def test_compaction_loses_no_point(
    real_server: Server, experiment: deardiary.Experiment, clocks: Clocks, *, in_window: bool, enough: int
) -> None:
    """After the check too: packed rows that a chunk may still come to name are never removed."""

    def run(number: int) -> bool:
        iteration = real_server.client().iterations.create(experiment.id)
        for each in range(CHUNKS):
            send(real_server, iteration, each)
        before = logged(real_server, iteration)

        meanwhile = partial(compaction.compact, iteration, enough)
        with suspended(number, meanwhile, clocks, in_window=in_window) as suspension, deadline.begun():
            compaction.compact_if_many(iteration, 1)
        assert logged(real_server, iteration) == before, number
        return suspension.happened

    # The lease, a packed row for each of two keys, the chunks, the lease.
    assert each_suspension(run) == 1 + 2 + CHUNKS + 1


@pytest.mark.parametrize("in_window", [False, True], ids=["before the check", "after the check"])
def test_a_batch_is_taken_once_with_steps_of_its_own(
    real_server: Server, experiment: deardiary.Experiment, clocks: Clocks, either_way: str, *, in_window: bool
) -> None:
    """The other writer finds the sleeper's announcement stale, drops it and assigns its steps again."""

    def run(number: int) -> bool:
        iteration = real_server.client().iterations.create(experiment.id)
        meanwhile = partial(send, real_server, iteration, 2)
        with suspended(number, meanwhile, clocks, in_window=in_window) as suspension:
            answer = send(real_server, iteration, 1)
        if suspension.happened:
            assert answer.error == (503, "UNAVAILABLE"), number
            answer = send(real_server, iteration, 1)
            assert [point["step"] for point in logged(real_server, iteration)[0] if point["key"] == "a"] == [0, 1, 2, 3]
        assert answer.status == 201
        check_consistency()
        return suspension.happened

    # The announcement, the chunk, the summary; or all of it at once.
    assert each_suspension(run) == (3 if either_way == "three writes" else 1)


@pytest.mark.usefixtures("three_writes")
@pytest.mark.parametrize("work", ["batch", "end"])
def test_nothing_comes_into_an_iteration_that_was_deleted(
    real_server: Server, experiment: deardiary.Experiment, clocks: Clocks, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    """Its deletion waits for batches and compactions, but only for a minute."""
    monkeypatch.setattr(compaction, "ENOUGH_AT_END", 1)

    def run(number: int) -> bool:
        path = f"/iterations/{(iteration := real_server.client().iterations.create(experiment.id)).id}"
        for each in range(CHUNKS):
            send(real_server, iteration, each)

        def meanwhile() -> None:
            assert real_server.call("DELETE", f"{path}?purge=true").status in (202, 204)
            upkeep.run(60)

        with suspended(number, meanwhile, clocks) as suspension:
            if work == "batch":
                send(real_server, iteration, CHUNKS)
            else:
                real_server.call("PATCH", path, {"status_id": 2})
        check_consistency()
        real_server.call("DELETE", f"{path}?purge=true")
        return suspension.happened

    assert each_suspension(run) > 1
