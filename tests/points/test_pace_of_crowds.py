"""Many iterations that log at once are asked for a longer pace."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from chalicelib.services.lifecycle import pace
from chalicelib.services.lifecycle.pace import Crowd
from tests.support.server import Server, server_on_moto


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


def test_the_pace_grows_with_the_iterations_of_an_experiment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a budget of one flush a second for an experiment, and of three seconds for two in a project."""
    monkeypatch.setattr(pace, "_crowd", Crowd())
    monkeypatch.setattr(pace, "PER_EXPERIMENT", 1)
    monkeypatch.setattr(pace, "PER_PROJECT", 1.5)
    client, numbers = server.client(), count()
    project = client.projects.create("crowds").id
    first, second = (client.experiments.create(project, name).id for name in ("first", "second"))

    def flush(iteration_id: str) -> float:
        body = {"batch_id": f"b{next(numbers)}", "metrics": {"a": {"value": [1]}}}
        answer = server.call("POST", f"/iterations/{iteration_id}/log", body).body["flush_after_seconds"]
        return float(answer)

    iterations = [client.iterations.create(first).id for _ in range(8)]
    assert [flush(each) for each in iterations] == [5, 5, 5, 5, 5, 6, 7, 8]
    assert flush(iterations[0]) == 8
    others = [client.iterations.create(second).id for _ in range(4)]
    assert [flush(each) for each in others] == [6, 6.7, 7.3, 8]


def test_a_crowd_is_of_this_minute_or_of_the_one_before() -> None:
    crowd = Crowd()
    assert [crowd.count("e", name, minute=7) for name in "aabc"] == [1, 1, 2, 3]
    assert crowd.count("other", "a", minute=7) == 1
    assert crowd.count("e", "a", minute=8) == 3
    assert crowd.count("e", "a", minute=9) == 1
    assert crowd.count("e", "b", minute=11) == 1
