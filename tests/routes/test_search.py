"""`GET /search`: names, tags and prefixes of ids, only of objects that the caller may read."""

from __future__ import annotations

import pytest

import deardiary
from chalicelib.services.search import everywhere
from tests.support.server import Server


@pytest.fixture
def client(server: Server) -> deardiary.Client:
    return server.client()


def found(client: deardiary.Client, text: str) -> list[tuple[str, str]]:
    return [(each.kind, each.id) for each in client.search(text)]


def test_it_finds_names_and_tags_in_any_case_and_anything_by_its_id(client: deardiary.Client) -> None:
    project = client.projects.create("Iris")
    experiment = client.experiments.create(project.id, "Sweep of rates")
    iteration = client.iterations.create(experiment.id, name="one")
    resource = client.resources.create(experiment.id, name="notes.txt", size_bytes=1, content_hash="0" * 64)
    model = client.models.create(project.id, "iris-classifier")
    client.tags.create("experiment", experiment.id, "Baseline")
    assert found(client, "iris") == [("project", project.id), ("model", model.id)]
    assert found(client, "RATES") == [("experiment", experiment.id)]
    assert found(client, "baseline") == [("experiment", experiment.id)]
    ids = {"project": project.id, "experiment": experiment.id, "iteration": iteration.id, "resource": resource.id}
    for kind, own_id in ids.items():
        assert (kind, own_id) in found(client, own_id[:12])
    assert found(client, iteration.id) == [("iteration", iteration.id)]
    assert [each.name for each in client.search(iteration.id)] == [iteration.name]
    assert found(client, "tulip") == []


def test_it_finds_iterations_by_their_names(client: deardiary.Client) -> None:
    experiment = client.experiments.create(client.projects.create("Names of runs").id, "sweep")
    named = client.iterations.create(experiment.id, name="Resnet50 warm-up")
    unnamed = client.iterations.create(experiment.id)
    gone = client.iterations.create(experiment.id, name="resnet gone")
    client.iterations.delete(gone.id)
    assert [(each.kind, each.id, each.name, each.experiment_id) for each in client.search("RESNET")] == [
        ("iteration", named.id, "Resnet50 warm-up", experiment.id)
    ]
    # The server derives the name of an iteration that was given none.
    assert found(client, str(unnamed.name)) == [("iteration", unnamed.id)]
    assert found(client, "re") == [], "two characters would find almost all"


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        ("MOST_EXPERIMENTS", ["new 1", "new 2", "new 3"]),
        ("MOST_ITERATIONS", ["old 3", "new 3"]),
        ("MOST_NAMED", ["old 3", "new 3"]),
    ],
)
def test_names_of_iterations_are_searched_in_the_newest_ones(
    client: deardiary.Client, monkeypatch: pytest.MonkeyPatch, bound: str, expected: list[str]
) -> None:
    project = client.projects.create(f"Newest {bound}")
    for age in ("old", "new"):
        experiment = client.experiments.create(project.id, age)
        for number in (1, 2, 3):
            client.iterations.create(experiment.id, name=f"{age} {number} {bound}")
    monkeypatch.setattr(everywhere, bound, 1)
    names = [each.name for each in client.search(bound) if each.kind == "iteration"]
    assert names == [f"{each} {bound}" for each in expected]


def test_it_finds_nothing_in_projects_that_the_caller_may_not_read(server: Server, client: deardiary.Client) -> None:
    project = client.projects.create("Hidden iris")
    iteration = client.iterations.create(client.experiments.create(project.id, "sweep").id, name="hidden run")
    stranger = server.newcomer("stranger")
    writer = server.newcomer("writer")
    client.permissions.put(project.id, writer.whoami().id, create_permission=True)
    for caller in (stranger, writer):
        assert found(caller, "hidden") == []
        assert found(caller, iteration.id[:10]) == []


def test_pages_go_on_where_the_last_one_ended(server: Server, client: deardiary.Client) -> None:
    wanted = []
    for number in range(3):
        project = client.projects.create(f"Page {number}")
        wanted += [project.id, *(client.experiments.create(project.id, f"page {each}").id for each in range(3))]
    got: list[str] = []
    cursor = ""
    while True:
        page = server.call("GET", f"/search?q=page&limit=2{cursor}").body
        assert len(page["data"]) <= 2
        got += [each["id"] for each in page["data"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert got == wanted


@pytest.mark.parametrize(
    ("query", "field"), [("", "q"), ("?q=", "q"), ("?q=" + "x" * 256, "q"), ("?q=a&cursor=x", "cursor")]
)
def test_a_bad_query_names_its_field(server: Server, query: str, field: str) -> None:
    answer = server.call("GET", f"/search{query}")
    assert (answer.error, answer.field) == ((422, "INVALID_PAYLOAD"), field)
