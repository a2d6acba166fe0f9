"""Errors name the object or the permission, and tell a stranger only that nothing is visible."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.routes.http.face import API
from chalicelib.routes.http.parse import kind_of
from tests.support.api import (
    check_refused,
    made,
    new_experiment,
    new_iteration,
    new_member,
    new_person,
    new_project,
    new_resource,
)
from tests.support.server import Server

ABSENT = "0" * 24


def named(reply: Any) -> tuple[str, str, str]:
    details = reply.body["details"]
    return reply.body["message"], details["kind"], details["id"]


@pytest.fixture
def ids(server: Server) -> dict[str, str]:
    """One object of each kind, by the name that its id has in a path."""
    project = new_project(server)
    experiment = new_experiment(server, project)
    iteration = new_iteration(server, experiment)
    parameter = made(server.call("POST", f"/iterations/{iteration}/parameters", {"key": "lr", "value": "1"}))
    model = made(server.call("POST", f"/projects/{project}/models", {"name": "net"}))
    version = made(server.call("POST", f"/models/{model['id']}/versions", {"iteration_id": iteration}))
    return {
        "project_id": project,
        "experiment_id": experiment,
        "iteration_id": iteration,
        "parameter_id": parameter["id"],
        "model_id": model["id"],
        "version_id": version["id"],
    }


@pytest.mark.parametrize(
    ("path", "name", "said"),
    [
        ("/projects/{}", "project_id", "Project"),
        ("/projects/{}/experiments", "project_id", "Project"),
        ("/projects/{}/permissions", "project_id", "Project"),
        ("/experiments/{}", "experiment_id", "Experiment"),
        ("/iterations/{}", "iteration_id", "Iteration"),
        ("/iterations/{}/metrics/summary", "iteration_id", "Iteration"),
        ("/models/{}", "model_id", "Model"),
    ],
)
def test_a_missing_and_an_invisible_object_have_the_same_error(
    server: Server, ids: dict[str, str], path: str, name: str, said: str
) -> None:
    stranger = new_person(server)
    for object_id, token in ((ids[name], stranger.token), (ABSENT, stranger.token), (ABSENT, server.token())):
        reply = server.call("GET", path.format(object_id), token=token)
        assert reply.error == (404, "NOT_FOUND")
        assert named(reply) == (f"{said} not found, or not visible to you", kind_of(name), object_id)


def test_every_get_by_an_id_names_the_missing_object(server: Server) -> None:
    paths = {each.path for each in API.operations if each.method == "GET" and "{" in each.path and not each.public}
    assert len(paths) > 20
    for path in sorted(paths):
        replies = [server.call("GET", _filled(path, object_id)) for object_id in (ABSENT, f"{ABSENT}.{ABSENT}", "..x!")]
        for reply in replies:
            if reply.status == 422:  # it wants a query
                continue
            assert reply.error == (404, "NOT_FOUND"), path
            assert reply.body["details"]["kind"], path
            assert reply.body["details"]["id"] in (ABSENT, f"{ABSENT}.{ABSENT}", "..x!"), path
            assert reply.body["message"][0].isupper(), path
            assert "not found, or not visible to you" in reply.body["message"], path


def _filled(path: str, object_id: str) -> str:
    head, _, rest = path.partition("{")
    return path if not rest else f"{head}{object_id}{_filled(rest.partition('}')[2], object_id)}"


def test_the_error_for_a_part_names_the_missing_object(server: Server, ids: dict[str, str]) -> None:
    gone = f"{ids['parameter_id'].partition('.')[0]}.{ABSENT}"
    parameter = server.call("GET", f"/parameters/{gone}")
    assert named(parameter) == ("Parameter not found, or not visible to you", "parameter", gone)
    tag = server.call("DELETE", f"/iterations/{ids['iteration_id']}/tags/{ABSENT}")
    assert named(tag) == ("Tag not found, or not visible to you", "tag", ABSENT)
    person = server.call("PUT", f"/projects/{ids['project_id']}/permissions/{ABSENT}", {})
    assert named(person) == ("User not found, or not visible to you", "user", ABSENT)


def test_a_conflict_names_the_object(server: Server, ids: dict[str, str]) -> None:
    iteration = ids["iteration_id"]
    clash = server.call("POST", f"/iterations/{iteration}/parameters", {"key": "lr", "value": "2"})
    check_refused(clash, 409, "CONFLICT", "lr")
    assert named(clash) == ("The parameter 'lr' is '1' already", "parameter", ids["parameter_id"])


def test_a_conflict_in_a_flush_names_the_parameter_where_it_stands(server: Server, ids: dict[str, str]) -> None:
    flush = {"batch_id": "b", "parameters": {"fine": "1", "lr": "2"}}
    clash = server.call("POST", f"/iterations/{ids['iteration_id']}/log", flush)
    check_refused(clash, 409, "CONFLICT", "parameters.lr")
    assert clash.body["details"]["key"] == "lr"
    assert named(clash) == ("The parameter 'lr' is '1' already", "parameter", ids["parameter_id"])


def test_bytes_that_have_not_arrived_name_the_resource(server: Server, ids: dict[str, str]) -> None:
    resource = new_resource(server, ids["experiment_id"], b"content")["id"]
    early = server.call("POST", f"/resources/{resource}/complete")
    check_refused(early, 422, "INVALID_PAYLOAD", "content_hash")
    assert named(early) == (f"The bytes have not arrived, for resource {resource}", "resource", resource)


def test_a_token_that_may_only_read_says_so(server: Server, ids: dict[str, str]) -> None:
    token = made(server.call("POST", "/auth/tokens", {"name": "reader", "read_only": True}))["token"]
    refused = server.call("PATCH", f"/projects/{ids['project_id']}", {"name": "n"}, token=token)
    check_refused(refused, 403, "PROJECT_PERMISSION_REQUIRED")
    assert refused.body["details"] == {"read_only": True}


@pytest.mark.parametrize(
    ("method", "path", "body", "missing"),
    [
        ("GET", "/projects/{project_id}", None, "read"),
        ("PATCH", "/projects/{project_id}", {"name": "n"}, "update"),
        ("POST", "/projects/{project_id}/experiments", {"name": "n"}, "create"),
        ("DELETE", "/iterations/{iteration_id}", None, "delete"),
    ],
)
def test_a_refusal_names_the_permission_and_the_project(
    server: Server, ids: dict[str, str], method: str, path: str, body: Any, missing: str
) -> None:
    others = [each for each in ("create", "read", "update", "delete") if each != missing]
    member = new_member(server, ids["project_id"], *others)
    reply = server.call(method, path.format(**ids), body, token=member.token)
    assert reply.error == (403, "PROJECT_PERMISSION_REQUIRED")
    assert reply.body["message"] == f"You lack the {missing} permission on project {ids['project_id']}"
    assert reply.body["details"] == {"permission": f"{missing}_permission", "project_id": ids["project_id"]}


@pytest.mark.parametrize(
    ("method", "path", "body", "action"),
    [
        ("GET", "/users", None, "list all users"),
        ("POST", "/users", {"username": "new", "password": "long enough"}, "create users"),
        ("PATCH", "/users/{own}", {"is_admin": True}, "make or unmake admins"),
    ],
)
def test_a_refusal_names_the_operation_for_admins(
    server: Server, method: str, path: str, body: Any, action: str
) -> None:
    person = new_person(server)
    reply = server.call(method, path.format(own=person.id), body, token=person.token)
    assert reply.error == (403, "ADMIN_REQUIRED")
    assert reply.body["message"] == f"Only an admin may {action}"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/users/{}", None),
        ("GET", "/users/{}/permissions", None),
        ("PATCH", "/users/{}", {"first_name": "Eve"}),
        ("DELETE", "/users/{}", None),
    ],
)
def test_a_refusal_names_the_user_who_may_do_it(server: Server, method: str, path: str, body: Any) -> None:
    stranger, user = new_person(server), new_person(server)
    for user_id in (user.id, ABSENT):
        reply = server.call(method, path.format(user_id), body, token=stranger.token)
        assert reply.error == (403, "SAME_USER_REQUIRED")
        assert named(reply) == (f"Only user {user_id} or an admin may do this", "user", user_id)


def test_a_refusal_to_share_names_the_project(server: Server, ids: dict[str, str]) -> None:
    member = new_member(server, ids["project_id"], "read")
    reply = server.call("PUT", f"/projects/{ids['project_id']}/permissions/{ABSENT}", {}, token=member.token)
    assert reply.error == (403, "PROJECT_PERMISSION_REQUIRED")
    assert reply.body["message"] == (
        f"Only an admin or a holder of all four permissions may change permissions on project {ids['project_id']}"
    )
