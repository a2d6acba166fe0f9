"""Projects."""

from __future__ import annotations

import pytest

from tests.support.api import (
    check_refused,
    found,
    made,
    new_experiment,
    new_iteration,
    new_member,
    new_person,
    new_project,
    new_ready_resource,
    new_resource,
    objects,
    rows,
)
from tests.support.server import Server, server_on_moto


def test_a_new_project_whole(server: Server) -> None:
    project = made(server.call("POST", "/projects", {"name": "Iris", "description": "flowers ☘"}))
    assert set(project) == {"id", "name", "description", "created_by", "created_date", "labels"}
    assert (project["name"], project["description"]) == ("Iris", "flowers ☘")
    assert project["created_date"].endswith("Z")
    assert len(project["created_date"]) == len("2026-01-01T00:00:00.000Z")
    assert found(server.call("GET", f"/projects/{project['id']}")) == project


def test_a_name_is_no_key(server: Server) -> None:
    assert new_project(server, name="same") != new_project(server, name="same")


def test_a_patch_changes_the_fields_that_it_names(server: Server) -> None:
    project = new_project(server, name="old", description="text")
    assert found(server.call("PATCH", f"/projects/{project}", {"name": "new"}))["description"] == "text"
    changed = found(server.call("PATCH", f"/projects/{project}", {"description": ""}))
    assert (changed["name"], changed["description"]) == ("new", "")
    assert found(server.call("PATCH", f"/projects/{project}", {})) == changed
    assert found(server.call("GET", f"/projects/{project}")) == changed


def test_a_list_by_name_follows_a_new_name(server: Server) -> None:
    project = new_project(server, name="before")
    found(server.call("PATCH", f"/projects/{project}", {"name": "after"}))
    assert found(server.call("GET", "/projects?name=before"))["data"] == []
    assert [each["id"] for each in found(server.call("GET", "/projects?name=after"))["data"]] == [project]


def test_lists_have_the_readable_projects_and_all_for_an_admin(server: Server) -> None:
    mine, hidden, foreign = new_project(server), new_project(server), new_project(server)
    reader = new_member(server, mine, "read")
    unread = {"create_permission": True}
    found(server.call("PUT", f"/projects/{hidden}/permissions/{reader.id}", unread))
    listed = [each["id"] for each in found(server.call("GET", "/projects", token=reader.token))["data"]]
    assert listed == [mine]
    everything = [each["id"] for each in found(server.call("GET", "/projects?limit=200"))["data"]]
    assert {mine, hidden, foreign} <= set(everything)


def test_the_same_creation_key_of_the_same_user_is_the_same_project(server: Server) -> None:
    one, other = new_person(server), new_person(server)
    body = {"name": "p", "id_key": "key"}
    first = made(server.call("POST", "/projects", body, token=one.token))
    assert found(server.call("POST", "/projects", {**body, "name": "q"}, token=one.token)) == first
    assert made(server.call("POST", "/projects", body, token=other.token))["id"] != first["id"]
    assert server.call("DELETE", f"/projects/{first['id']}?purge=true", token=one.token).status == 204
    assert made(server.call("POST", "/projects", body, token=one.token))["id"] != first["id"]


def test_only_an_admin_creates_projects_where_it_is_set_so() -> None:
    with server_on_moto(DEARDIARY_PROJECT_CREATION="admin") as server:
        person = new_person(server)
        check_refused(server.call("POST", "/projects", {"name": "p"}, token=person.token), 403, "ADMIN_REQUIRED")
        new_project(server)


def _fill(server: Server, project: str, shared: bytes) -> list[str]:
    """Create one object of every kind in the project; return the paths to read them."""
    experiment = new_experiment(server, project, id_key="e")
    parent = new_iteration(server, experiment, id_key="i")
    child = new_iteration(server, experiment, parent_iteration_id=parent)
    for path in (f"/projects/{project}", f"/experiments/{experiment}", f"/iterations/{child}"):
        made(server.call("POST", f"{path}/tags", {"value": "t"}))
    flush = {"batch_id": "b", "parameters": {"k": "v"}, "metrics": [{"key": "m", "value": 1.0}], "tags": ["u"]}
    made(server.call("POST", f"/iterations/{child}/log", flush))
    ready = new_ready_resource(server, experiment, shared)["id"]
    again = new_resource(server, experiment, shared, iteration_id=child)["id"]
    pending = new_resource(server, experiment, b"never sent")["id"]
    (parameter,) = found(server.call("GET", f"/iterations/{child}/parameters"))["data"]
    things = [f"/resources/{each}" for each in (ready, again, pending)]
    things += [f"/iterations/{each}" for each in (parent, child)]
    return [*things, f"/parameters/{parameter['id']}", f"/experiments/{experiment}", f"/projects/{project}"]


def test_a_deleted_project_takes_everything_with_it_and_nothing_else(server: Server) -> None:
    keeper = new_project(server)
    kept = _fill(server, keeper, b"the same bytes")
    person = new_person(server)
    before, stored = rows(), objects()
    project = made(server.call("POST", "/projects", {"name": "p", "id_key": "p"}, token=person.token))["id"]
    found(server.call("PUT", f"/projects/{project}/permissions/{person.id}", {"read_permission": True}))
    gone = _fill(server, project, b"the same bytes")
    assert len(objects()) == len(stored) + 1
    assert server.call("DELETE", f"/projects/{project}?purge=true").status == 204
    for path in gone:
        check_refused(server.call("GET", path), 404, "NOT_FOUND")
    assert rows() == before
    assert objects() == stored
    for path in kept:
        found(server.call("GET", path))


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_project_that_is_gone(server: Server, method: str) -> None:
    project = new_project(server)
    assert server.call("DELETE", f"/projects/{project}?purge=true").status == 204
    body = {"name": "n"} if method == "PATCH" else None
    check_refused(server.call(method, f"/projects/{project}", body), 404, "NOT_FOUND")
    check_refused(server.call("POST", f"/projects/{project}/experiments", {"name": "e"}), 404, "NOT_FOUND")
