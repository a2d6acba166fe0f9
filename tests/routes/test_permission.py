"""Permissions on a project: the matrix of verbs and permissions, strangers, and changes of permissions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.api import (
    ALL,
    Person,
    check_invalid,
    check_refused,
    found,
    made,
    new_experiment,
    new_iteration,
    new_member,
    new_person,
    new_project,
    new_resource,
    rows,
)
from tests.support.server import Server

Ids = dict[str, str]
People = Callable[[str, tuple[str, ...]], Person]

POINT = {"key": "loss", "value": 1.0}
RESOURCE = {"name": "r", "size_bytes": 1, "content_hash": "0" * 64}

# Method, path, body and the permission that they need.
OPERATIONS: list[tuple[str, str, Any, str]] = [
    ("GET", "/projects/{project}", None, "read"),
    ("PATCH", "/projects/{project}", {"name": "n"}, "update"),
    ("GET", "/projects/{project}/permissions", None, "read"),
    ("GET", "/projects/{project}/experiments", None, "read"),
    ("POST", "/projects/{project}/experiments", {"name": "e"}, "create"),
    ("GET", "/projects/{project}/tags", None, "read"),
    ("POST", "/projects/{project}/tags", {"value": "t"}, "create"),
    ("DELETE", "/projects/{project}/tags/{project_tag}", None, "delete"),
    ("GET", "/experiments/{experiment}", None, "read"),
    ("PATCH", "/experiments/{experiment}", {"name": "n"}, "update"),
    ("GET", "/experiments/{experiment}/tags", None, "read"),
    ("POST", "/experiments/{experiment}/tags", {"value": "t"}, "create"),
    ("DELETE", "/experiments/{experiment}/tags/{experiment_tag}", None, "delete"),
    ("GET", "/experiments/{experiment}/iterations", None, "read"),
    ("POST", "/experiments/{experiment}/iterations", {}, "create"),
    ("GET", "/experiments/{experiment}/resources", None, "read"),
    ("POST", "/experiments/{experiment}/resources", RESOURCE, "create"),
    ("GET", "/iterations/{iteration}", None, "read"),
    ("PATCH", "/iterations/{iteration}", {"notes": "n"}, "update"),
    ("GET", "/iterations/{iteration}/children", None, "read"),
    ("GET", "/iterations/{iteration}/tags", None, "read"),
    ("POST", "/iterations/{iteration}/tags", {"value": "t"}, "create"),
    ("DELETE", "/iterations/{iteration}/tags/{iteration_tag}", None, "delete"),
    ("GET", "/iterations/{iteration}/parameters", None, "read"),
    ("POST", "/iterations/{iteration}/parameters", {"key": "k", "value": "v"}, "create"),
    ("GET", "/parameters/{parameter}", None, "read"),
    ("PATCH", "/parameters/{parameter}", {"value": "v"}, "update"),
    ("DELETE", "/parameters/{parameter}", None, "delete"),
    ("GET", "/iterations/{iteration}/metrics", None, "read"),
    ("POST", "/iterations/{iteration}/metrics", POINT, "create"),
    ("POST", "/iterations/{iteration}/metrics/batch", {"batch_id": "b", "metrics": [POINT]}, "create"),
    ("GET", "/iterations/{iteration}/metrics/summary", None, "read"),
    ("POST", "/iterations/{iteration}/log", {"batch_id": "l", "metrics": [POINT]}, "create"),
    ("GET", "/resources/{resource}", None, "read"),
    ("PATCH", "/resources/{resource}", {"name": "n"}, "update"),
    ("POST", "/resources/{resource}/upload", None, "create"),
    ("POST", "/resources/{resource}/complete", None, "create"),
    ("GET", "/resources/{resource}/download", None, "read"),
    ("DELETE", "/resources/{resource}", None, "delete"),
    ("DELETE", "/iterations/{iteration}", None, "delete"),
    ("DELETE", "/experiments/{experiment}", None, "delete"),
    ("DELETE", "/projects/{project}", None, "delete"),
]

operations = pytest.mark.parametrize(
    ("method", "path", "body", "need"), OPERATIONS, ids=[f"{each[0]} {each[1]}" for each in OPERATIONS]
)


def _world(server: Server) -> Ids:
    """A project with one object of each kind."""
    project = new_project(server)
    experiment = new_experiment(server, project)
    iteration = new_iteration(server, experiment)
    ids = {"project": project, "experiment": experiment, "iteration": iteration}
    for level in ("project", "experiment", "iteration"):
        ids[f"{level}_tag"] = made(server.call("POST", f"/{level}s/{ids[level]}/tags", {"value": "x"}))["id"]
    body = {"key": "lr", "value": "1"}
    ids["parameter"] = made(server.call("POST", f"/iterations/{iteration}/parameters", body))["id"]
    ids["resource"] = new_resource(server, experiment, b"bytes")["id"]
    return ids


@pytest.fixture(scope="module")
def world(server: Server) -> Ids:
    """One world for all tests that delete nothing."""
    return _world(server)


@pytest.fixture(scope="module")
def people(server: Server) -> People:
    """Return a person with exactly these permissions on a project, the same one each time, to keep the table small."""
    known: dict[tuple[str, ...], Person] = {}

    def member(project: str, may: tuple[str, ...]) -> Person:
        person = known.setdefault(may, known.get(may) or new_person(server))
        record = {f"{what}_permission": True for what in may}
        found(server.call("PUT", f"/projects/{project}/permissions/{person.id}", record))
        return person

    return member


@operations
def test_one_permission_is_needed_and_enough(
    server: Server, world: Ids, people: People, method: str, path: str, body: Any, need: str
) -> None:
    ids = _world(server) if method == "DELETE" else world
    without = people(ids["project"], tuple(each for each in ALL if each != need))
    reply = server.call(method, path.format(**ids), body, token=without.token)
    check_refused(reply, 403, "PROJECT_PERMISSION_REQUIRED")
    assert reply.body["details"] == {"permission": f"{need}_permission", "project_id": ids["project"]}
    just = people(ids["project"], (need,))
    # A 409 or 422 also shows that the permission was sufficient.
    assert server.call(method, path.format(**ids), body, token=just.token).status in {200, 201, 204, 409, 422}


@pytest.fixture(scope="module")
def stranger(server: Server) -> Person:
    return new_person(server)


@operations
def test_to_a_stranger_nothing_is_there(
    server: Server, world: Ids, stranger: Person, method: str, path: str, body: Any, need: str
) -> None:
    before = rows()
    asked = path.format(**world)
    reply = server.call(method, asked, body, token=stranger.token)
    check_refused(reply, 404, "NOT_FOUND")
    absent = server.call(method, path.format_map(_Absent()), body, token=stranger.token)
    # The answers differ only in the id that the stranger sent.
    assert reply.body["details"].pop("id") in asked
    assert absent.body["details"].pop("id") == _ABSENT
    assert (absent.status, absent.body) == (reply.status, reply.body)
    assert rows() == before


_ABSENT = "0" * 24


class _Absent(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return _ABSENT


def test_a_record_that_allows_nothing_is_still_a_member(server: Server) -> None:
    project = new_project(server)
    nobody = new_member(server, project)
    check_refused(server.call("GET", f"/projects/{project}", token=nobody.token), 403, "PROJECT_PERMISSION_REQUIRED")
    assert found(server.call("GET", "/projects", token=nobody.token))["data"] == []


def test_the_creator_holds_all_four(server: Server) -> None:
    person = new_person(server)
    project = made(server.call("POST", "/projects", {"name": "own"}, token=person.token))["id"]
    record = found(server.call("GET", f"/projects/{project}/permissions/{person.id}", token=person.token))
    names = {"username": person.username, "first_name": "", "last_name": ""}
    assert found(server.call("GET", f"/projects/{project}/permissions", token=person.token))["data"] == [record | names]
    assert {record[f"{each}_permission"] for each in ALL} == {True}
    assert (record["user_id"], record["project_id"]) == (person.id, project)
    assert found(server.call("GET", f"/users/{person.id}/permissions", token=person.token))["data"] == [record]


@pytest.mark.parametrize("held", [(), ("read",), ("create", "read", "update"), ("read", "update", "delete")])
@pytest.mark.parametrize(
    ("method", "body"), [("PUT", {"read_permission": True}), ("PATCH", {"read_permission": True}), ("DELETE", None)]
)
def test_less_than_all_four_changes_no_permission(
    server: Server, held: tuple[str, ...], method: str, body: Any
) -> None:
    project = new_project(server)
    member = new_member(server, project, *held)
    reply = server.call(method, f"/projects/{project}/permissions/{member.id}", body, token=member.token)
    check_refused(reply, 403, "PROJECT_PERMISSION_REQUIRED")


def test_a_holder_of_all_four_changes_permissions(server: Server) -> None:
    project, other = new_project(server), new_person(server)
    holder = new_member(server, project, *ALL)
    path = f"/projects/{project}/permissions/{other.id}"
    first = found(server.call("PUT", path, {"read_permission": True}, token=holder.token))
    assert [first[f"{each}_permission"] for each in ALL] == [False, True, False, False]
    second = found(server.call("PUT", path, {"update_permission": True}, token=holder.token))
    assert [second[f"{each}_permission"] for each in ALL] == [False, False, True, False]
    assert second["id"] == first["id"]
    assert server.call("DELETE", path, token=holder.token).status == 204
    check_refused(server.call("DELETE", path, token=holder.token), 404, "NOT_FOUND")
    check_refused(server.call("GET", f"/projects/{project}", token=other.token), 404, "NOT_FOUND")


def test_a_patch_changes_the_given_permissions_only(server: Server) -> None:
    project, other = new_project(server), new_person(server)
    holder = new_member(server, project, *ALL)
    path = f"/projects/{project}/permissions/{other.id}"
    patch = {"update_permission": True}
    check_refused(server.call("PATCH", path, patch, token=holder.token), 404, "NOT_FOUND")
    first = found(server.call("PUT", path, {"read_permission": True}, token=holder.token))
    assert found(server.call("PATCH", path, patch, token=holder.token)) == {**first, **patch}
    revoked = {"read_permission": False}
    assert found(server.call("PATCH", path, revoked)) == {**first, **patch, **revoked}
    assert found(server.call("PATCH", path, {})) == {**first, **patch, **revoked}
    assert found(server.call("GET", path)) == {**first, **patch, **revoked}
    assert {**first, **patch, **revoked}.items() <= _listed(server, project, other).items()
    api_token = server.client(holder.username).tokens.create("ci").token
    check_refused(server.call("PATCH", path, patch, token=api_token), 403, "SAME_USER_REQUIRED")
    check_refused(server.call("PATCH", path, patch, token=other.token), 403, "PROJECT_PERMISSION_REQUIRED")
    check_invalid(server.call("PATCH", path, {"admin": True}), "admin")


def _listed(server: Server, project: str, person: Person) -> dict[str, Any]:
    """The member in the list of the project's members, which reads the other of the two rows."""
    members = found(server.call("GET", f"/projects/{project}/permissions"))["data"]
    (member,) = (each for each in members if each["user_id"] == person.id)
    return dict(member)


def test_a_stranger_gets_404_for_the_permissions_of_a_project(server: Server) -> None:
    project, stranger = new_project(server), new_person(server)
    path = f"/projects/{project}/permissions/{stranger.id}"
    check_refused(server.call("PUT", path, {"read_permission": True}, token=stranger.token), 404, "NOT_FOUND")
    check_refused(server.call("DELETE", path, token=stranger.token), 404, "NOT_FOUND")
    check_refused(server.call("GET", path, token=stranger.token), 404, "NOT_FOUND")


@pytest.mark.parametrize("value", ["true", 1, None])
def test_a_permission_is_true_or_false(server: Server, value: Any) -> None:
    project, person = new_project(server), new_person(server)
    for method in ("PUT", "PATCH"):
        reply = server.call(method, f"/projects/{project}/permissions/{person.id}", {"read_permission": value})
        check_invalid(reply, "read_permission")


def test_the_client_gives_and_takes_permissions(server: Server) -> None:
    client = server.client()
    project, user = client.projects.create("shared"), client.users.create("of-the-client", "long enough")
    given = client.permissions.create(project.id, user.id, read_permission=True)
    assert (given.user_id, given.read_permission, given.update_permission) == (user.id, True, False)
    changed = client.permissions.update(project.id, user.id, update_permission=True)
    assert (changed.id, changed.read_permission, changed.update_permission) == (given.id, True, True)
    changed = client.permissions.put(project.id, user.id, update_permission=True)
    assert (changed.id, changed.read_permission, changed.update_permission) == (given.id, False, True)
    assert client.permissions.get(project.id, user.id) == changed
    (listed,) = (each for each in client.permissions.list(project.id) if each.user_id == user.id)
    assert (listed.id, listed.update_permission, listed.username) == (changed.id, True, user.username)
    assert list(client.permissions.list_of_user(user.id)) == [changed]
    client.permissions.delete(project.id, user.id)
    assert list(client.permissions.list_of_user(user.id)) == []


def test_a_reader_sees_the_names_of_the_members(server: Server) -> None:
    project = new_project(server)
    reader, writer = new_member(server, project, "read"), new_member(server, project, "create")
    path = f"/projects/{project}/permissions"
    members = {each["user_id"]: each for each in found(server.call("GET", path, token=reader.token))["data"]}
    assert members[writer.id]["username"] == writer.username
    assert members[reader.id]["read_permission"] is True
    assert not {"password_hash", "tokens", "is_admin"} & set(members[writer.id])
    check_refused(server.call("GET", path, token=writer.token), 403, "PROJECT_PERMISSION_REQUIRED")
    found(server.call("PATCH", f"/users/{writer.id}", {"username": f"{writer.username}-renamed"}))
    names = [each["username"] for each in found(server.call("GET", path, token=reader.token))["data"]]
    assert f"{writer.username}-renamed" in names
