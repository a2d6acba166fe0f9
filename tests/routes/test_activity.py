"""`GET /activity`: what happened in the caller's projects, newest first."""

from __future__ import annotations

import re
from typing import Any

import pytest

import deardiary
from deardiary.wire.shapes import ExperimentStatus, IterationStatus
from tests.support.server import Server


def told(server: Server, username: str, **query: Any) -> list[tuple[str, str, str]]:
    """Kind, event and name of all activity, read in pages."""
    found, cursor = [], ""
    while True:
        limit = f"limit={query.get('limit', 50)}" + (f"&cursor={cursor}" if cursor else "")
        page = server.call("GET", f"/activity?{limit}", token=server.token(username)).body
        assert len(page["data"]) <= query.get("limit", 50)
        found += page["data"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [each["date"] for each in found] == sorted((each["date"] for each in found), reverse=True)
    return [(each["kind"], each["event"], each["name"]) for each in found]


@pytest.fixture
def person(server: Server, request: pytest.FixtureRequest) -> tuple[str, deardiary.Client]:
    """The name of a new user, and a client."""
    name = re.sub(r"\W", "-", request.node.name)
    return name, server.newcomer(name)


@pytest.mark.parametrize("limit", [1, 3, 50])
def test_all_kinds_come_newest_first(server: Server, person: tuple[str, deardiary.Client], limit: int) -> None:
    name, client = person
    project = client.projects.create("Iris")
    experiment = client.experiments.create(project.id, "sweep")
    one = client.iterations.create(experiment.id, name="one")
    client.iterations.update(one.id, status_id=IterationStatus.FAILED)
    model = client.models.create(project.id, "classifier")
    client.modelversions.create(model.id, one.id)
    client.iterations.create(experiment.id, name="two")
    client.experiments.update(experiment.id, status_id=ExperimentStatus.FINISHED)
    assert told(server, name, limit=limit) == [
        ("experiment", "finished", "sweep"),
        ("iteration", "started", "two"),
        ("modelversion", "created", "classifier 1"),
        ("model", "created", "classifier"),
        ("iteration", "failed", "one"),
        ("iteration", "started", "one"),
        ("experiment", "created", "sweep"),
        ("project", "created", "Iris"),
    ]


def test_pages_reach_the_first_of_many_iterations(server: Server, person: tuple[str, deardiary.Client]) -> None:
    name, client = person
    project = client.projects.create("p")
    wanted = [("project", "created", "p")]
    experiments = [client.experiments.create(project.id, each).id for each in ("a", "b")]
    wanted += [("experiment", "created", each) for each in ("a", "b")]
    for number in range(23):
        client.iterations.create(experiments[number % 5 == 0], name=str(number))
        wanted.append(("iteration", "started", str(number)))
    client.iterations.delete(next(client.iterations.list(experiments[1])).id)
    wanted.remove(("iteration", "started", "0"))
    for limit in (4, 50):
        assert told(server, name, limit=limit) == wanted[::-1]


def test_it_tells_nothing_of_the_projects_of_others(server: Server, person: tuple[str, deardiary.Client]) -> None:
    name, client = person
    server.client().projects.create("of the admin")
    project = client.projects.create("own")
    assert told(server, name) == [("project", "created", "own")]
    assert [each.id for each in client.activity()] == [project.id]
    assert ("project", "created", "own") in told(server, "admin")
    client.projects.delete(project.id)
    assert told(server, name) == []


def test_a_damaged_cursor_is_refused(server: Server) -> None:
    assert server.call("GET", "/activity?cursor=nonsense").field == "cursor"
