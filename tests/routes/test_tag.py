"""Tags on projects, experiments and iterations."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import (
    check_invalid,
    check_refused,
    found,
    made,
    new_experiment,
    new_iteration,
    new_project,
    rows,
)
from tests.support.server import Server

levels = pytest.mark.parametrize("level", ["projects", "experiments", "iterations"])


@pytest.fixture(scope="module")
def owners(server: Server) -> dict[str, str]:
    project = new_project(server)
    experiment = new_experiment(server, project)
    return {"projects": project, "experiments": experiment, "iterations": new_iteration(server, experiment)}


@levels
def test_a_tag_is_there_once_or_not_at_all(server: Server, owners: dict[str, str], level: str) -> None:
    path = f"/{level}/{owners[level]}/tags"
    tag = made(server.call("POST", path, {"value": "best"}))
    assert tag == {"id": tag["id"], "value": "best"}
    assert found(server.call("POST", path, {"value": "best"})) == tag
    assert found(server.call("GET", path))["data"] == [tag]
    assert server.call("DELETE", f"{path}/{tag['id']}").status == 204
    check_refused(server.call("DELETE", f"{path}/{tag['id']}"), 404, "NOT_FOUND")
    assert found(server.call("GET", path))["data"] == []


@levels
def test_a_tag_is_not_removed_from_another_owner(server: Server, owners: dict[str, str], level: str) -> None:
    tag = made(server.call("POST", f"/{level}/{owners[level]}/tags", {"value": "mine"}))
    for other in {"projects", "experiments", "iterations"} - {level}:
        check_refused(server.call("DELETE", f"/{other}/{owners[other]}/tags/{tag['id']}"), 404, "NOT_FOUND")
    assert tag in found(server.call("GET", f"/{level}/{owners[level]}/tags"))["data"]


@pytest.mark.parametrize("value", ["t", "t" * 250, "😀" * 250, "a b/c#%", "Best"])
def test_values_that_fit(server: Server, owners: dict[str, str], value: str) -> None:
    assert made(server.call("POST", f"/iterations/{owners['iterations']}/tags", {"value": value}))["value"] == value


@pytest.mark.parametrize("value", ["", "t" * 251, None, 1])
def test_values_that_do_not_fit(server: Server, owners: dict[str, str], value: Any) -> None:
    path = f"/iterations/{owners['iterations']}"
    check_invalid(server.call("POST", f"{path}/tags", {"value": value}), "value")
    check_invalid(server.call("POST", f"{path}/log", {"batch_id": "b", "tags": ["ok", value]}), "tags[1]")


def test_tags_of_a_flush_are_there_once(server: Server) -> None:
    path = f"/iterations/{new_iteration(server)}"
    made(server.call("POST", f"{path}/tags", {"value": "a"}))
    for _ in range(2):
        made(server.call("POST", f"{path}/log", {"batch_id": "b", "tags": ["b", "a", "b", *map(str, range(100))]}))
    values = [each["value"] for each in found(server.call("GET", f"{path}/tags?limit=200"))["data"]]
    assert values == ["a", "b", *map(str, range(100))]


def test_an_iteration_is_created_with_its_tags(server: Server) -> None:
    experiment = new_experiment(server)
    path, new = f"/experiments/{experiment}/iterations", {"tags": ["best", "é", "best"], "id_key": "k"}
    iteration = made(server.call("POST", path, new))["id"]
    # A repetition finds the iteration, and adds no tag.
    assert found(server.call("POST", path, {**new, "tags": ["late"]}))["id"] == iteration
    tags = found(server.call("GET", f"/iterations/{iteration}/tags"))["data"]
    assert [tag["value"] for tag in tags] == ["best", "é"]
    assert server.call("DELETE", f"/iterations/{iteration}/tags/{tags[0]['id']}").status == 204
    other = server.client().iterations.create(experiment, tags=["a", "b"]).id
    assert [each.value for each in server.client().tags.list("iteration", other)] == ["a", "b"]
    many = [str(number) for number in range(51)]
    check_invalid(server.call("POST", path, {"tags": many}), "tags")
    reply = server.call("POST", path, {"tags": many[:50], "parent_iteration_id": iteration, "id_key": "m"})
    child = made(reply)["id"]
    assert len(found(server.call("GET", f"/iterations/{child}/tags"))["data"]) == 50


def test_an_iteration_that_is_not_created_leaves_no_tags(server: Server) -> None:
    experiment = new_experiment(server)
    found(server.call("PATCH", f"/experiments/{experiment}", {"status_id": 3}))
    before = rows()
    check_invalid(server.call("POST", f"/experiments/{experiment}/iterations", {"tags": ["a"]}), "experiment_id")
    assert rows() == before
