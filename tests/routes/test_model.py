"""Models."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import (
    ALL,
    check_invalid,
    check_refused,
    found,
    made,
    new_experiment,
    new_iteration,
    new_member,
    new_person,
    new_project,
    new_ready_resource,
    objects,
    pages,
    rows,
)
from tests.support.server import Server


def new_model(server: Server, project_id: str, name: str = "iris", **body: Any) -> Any:
    return made(server.call("POST", f"/projects/{project_id}/models", {"name": name, **body}))


def named(server: Server, project_id: str, name: str) -> list[str]:
    listed = found(server.call("GET", f"/projects/{project_id}/models?name={name}"))
    assert listed["next_cursor"] is None
    return [each["id"] for each in listed["data"]]


def test_a_new_model_whole(server: Server) -> None:
    project = new_project(server)
    model = new_model(server, project, "Iris ☘", description="petals")
    assert set(model) == {
        "id",
        "project_id",
        "name",
        "description",
        "created_by",
        "created_date",
        "updated_date",
        "labels",
        "aliases",
    }
    assert (model["project_id"], model["name"], model["description"]) == (project, "Iris ☘", "petals")
    assert model["updated_date"] is None
    assert found(server.call("GET", f"/models/{model['id']}")) == model


def test_a_name_is_there_once_in_its_project(server: Server) -> None:
    project = new_project(server)
    model = new_model(server, project)
    again = server.call("POST", f"/projects/{project}/models", {"name": "iris"})
    check_refused(again, 409, "CONFLICT", "name")
    new_model(server, new_project(server))
    new_model(server, project, "Iris")
    assert named(server, project, "iris") == [model["id"]]


def test_a_new_name_frees_the_old_one(server: Server) -> None:
    project = new_project(server)
    model = new_model(server, project, "before")
    changed = found(server.call("PATCH", f"/models/{model['id']}", {"name": "after"}))
    assert changed["updated_date"] is not None
    assert (named(server, project, "before"), named(server, project, "after")) == ([], [model["id"]])
    other = new_model(server, project, "before")
    check_refused(server.call("PATCH", f"/models/{other['id']}", {"name": "after"}), 409, "CONFLICT", "name")
    assert found(server.call("GET", f"/models/{other['id']}")) == other


def test_a_patch_changes_the_fields_that_it_names(server: Server) -> None:
    model = new_model(server, new_project(server), description="old")
    assert found(server.call("PATCH", f"/models/{model['id']}", {})) == model
    assert found(server.call("PATCH", f"/models/{model['id']}", {"name": "iris"})) == model
    changed = found(server.call("PATCH", f"/models/{model['id']}", {"description": ""}))
    assert (changed["name"], changed["description"]) == ("iris", "")


@pytest.mark.parametrize("name", ["", "n" * 256, 7, None])
def test_a_name_has_1_to_255_characters(server: Server, name: Any) -> None:
    project = new_project(server)
    check_invalid(server.call("POST", f"/projects/{project}/models", {"name": name}), "name")


def test_lists_have_pages(server: Server) -> None:
    project = new_project(server)
    ids = [new_model(server, project, f"model {number}")["id"] for number in range(5)]
    assert [each["id"] for each in pages(server, f"/projects/{project}/models", 2)] == ids
    check_invalid(server.call("GET", f"/projects/{project}/models?cursor=x"), "cursor")


def test_the_permissions_of_each_operation(server: Server) -> None:
    project = new_project(server)
    path = f"/models/{new_model(server, project)['id']}"
    stranger = new_person(server).token
    calls: list[tuple[str, str, Any, str]] = [
        ("POST", f"/projects/{project}/models", {"name": "another"}, "create"),
        ("GET", f"/projects/{project}/models", None, "read"),
        ("GET", path, None, "read"),
        ("PATCH", path, {"description": "x"}, "update"),
        ("DELETE", path, None, "delete"),
    ]
    for method, target, body, need in calls:
        check_refused(server.call(method, target, body, token=stranger), 404, "NOT_FOUND")
        without = new_member(server, project, *(each for each in ALL if each != need)).token
        check_refused(server.call(method, target, body, token=without), 403, "PROJECT_PERMISSION_REQUIRED")
        holder = new_member(server, project, need).token
        assert server.call(method, target, body, token=holder).status < 300


def test_a_deleted_model_leaves_nothing_but_the_artifacts(server: Server) -> None:
    project = new_project(server)
    experiment = new_experiment(server, project)
    iteration = new_iteration(server, experiment)
    resource = new_ready_resource(server, experiment, b"weights")
    server.token()  # the first sign-in writes a row
    before, bytes_before = set(rows()), objects()
    model = new_model(server, project)
    for _ in range(3):
        body = {"iteration_id": iteration, "resource_id": resource["id"]}
        version = made(server.call("POST", f"/models/{model['id']}/versions", body))
    assert server.call("DELETE", f"/models/{model['id']}?purge=true").status == 204
    assert (set(rows()), objects()) == (before, bytes_before)
    for path in (f"/models/{model['id']}", f"/models/{model['id']}/versions", f"/modelversions/{version['id']}"):
        check_refused(server.call("GET", path), 404, "NOT_FOUND")
    check_refused(server.call("DELETE", f"/models/{model['id']}?purge=true"), 404, "NOT_FOUND")
    new_model(server, project)


def test_a_deleted_project_takes_its_models_along(server: Server) -> None:
    server.token()  # the first sign-in writes a row
    before = set(rows())
    project = new_project(server)
    iteration = new_iteration(server, new_experiment(server, project))
    model = new_model(server, project)
    made(server.call("POST", f"/models/{model['id']}/versions", {"iteration_id": iteration}))
    assert server.call("DELETE", f"/projects/{project}?purge=true").status == 204
    assert set(rows()) == before
    check_refused(server.call("GET", f"/models/{model['id']}"), 404, "NOT_FOUND")
