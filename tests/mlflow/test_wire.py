"""The wire of the MLflow face: sign-in, errors, parsing, unknown endpoints, the project of a request."""

from __future__ import annotations

import base64
import subprocess
import sys
from typing import Any

import pytest

from chalicelib import security
from tests.support.api import found, made, new_member, new_person, new_project
from tests.support.mlflow import Mlflow, refusal
from tests.support.server import PASSWORD, Server


def test_a_cold_start_imports_no_operation_of_the_face() -> None:
    code = (
        "import app, sys; from chalicelib.routes.mlflow.door import FACE; "
        "print(FACE.operations, [name for name in sys.modules if 'routes.mlflow.' in name])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert answer.stdout.split() == ["[]", "['chalicelib.routes.mlflow.door']"]


def test_an_unknown_endpoint_is_named_as_such(mlflow: Mlflow) -> None:
    for method, path in [
        ("GET", "artifacts/list"),
        ("POST", "experiments/get"),
        ("GET", "experiments"),
        ("POST", "experiments/create/x"),
    ]:
        assert refusal(mlflow.send(method, path))[:2] == (404, "ENDPOINT_NOT_FOUND")


def test_the_path_of_mlflows_web_pages_is_an_alias(mlflow: Mlflow) -> None:
    created = found(mlflow.send("POST", "/ajax-api/2.0/mlflow/experiments/create", {"name": "by alias"}))
    assert found(mlflow.get("experiments/get", **created))["experiment"]["name"] == "by alias"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Missing value for required parameter 'name'."),
        ({"name": ""}, "Missing value for required parameter 'name'."),
        ({"name": None}, "Missing value for required parameter 'name'."),
        ({"name": 31}, "Invalid value 31 for parameter 'name' supplied:"),
        ({"name": {"b": 1, "a": []}}, """Invalid value {"a":[],"b":1} for parameter 'name' supplied:"""),
        ([], "Invalid value [] for parameter 'body' supplied:"),
        (b"{", "The body is not valid JSON."),
        (b"\xff", "The body is not valid JSON."),
    ],
)
def test_bad_input_names_the_parameter(mlflow: Mlflow, body: Any, message: str) -> None:
    status, code, text = refusal(mlflow.send("POST", "experiments/create", body))
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert text.startswith(message)


def test_unknown_fields_are_ignored_and_a_body_may_be_a_text_of_json(mlflow: Mlflow) -> None:
    found(mlflow.post("experiments/create", name="with more", unknown={"x": [1]}))
    found(mlflow.send("POST", "experiments/create", b'"{\\"name\\": \\"twice encoded\\"}"'))
    assert found(mlflow.get("experiments/get-by-name", experiment_name="twice encoded", unknown=1))


# Sign-in.


def _basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


def test_basic_signs_in_with_a_password_or_an_api_token(server: Server) -> None:
    person = new_person(server)
    api_token = made(server.call("POST", "/auth/tokens", {"name": "x"}, token=person.token))["token"]
    caller = Mlflow(server, token=None)
    for given in (
        _basic(person.username, PASSWORD),
        _basic("token", api_token),
        {"Authorization": f"Bearer {api_token}"},
    ):
        reply = caller.send("GET", "experiments/get-by-name?experiment_name=none", **given)
        assert refusal(reply)[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
    # The REST face has no Basic.
    assert server.call("GET", "/auth/me", token=None, headers=_basic(person.username, PASSWORD)).status == 401


@pytest.mark.parametrize(
    "header", [None, "Basic", "Basic x", "Basic " + base64.b64encode(b"\xff:\xff").decode(), "Bearer x", "Digest x"]
)
def test_others_are_refused(server: Server, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    reply = Mlflow(server, token=None).send("GET", "experiments/get?experiment_id=0", **headers)
    assert refusal(reply)[:2] == (401, "UNAUTHENTICATED")


def test_a_process_checks_the_same_password_once_until_it_changes(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, check = new_person(server), security.check_password
    checks: list[str] = []

    def counted(password: str, kept: str | None) -> bool:
        checks.append(password)
        return check(password, kept)

    monkeypatch.setattr(security, "check_password", counted)
    caller = Mlflow(server, token=None)

    def ask(password: str) -> int:
        return caller.send("GET", "experiments/get?experiment_id=none", **_basic(person.username, password)).status

    assert [ask(PASSWORD) for _ in range(3)] == [404] * 3
    assert len(checks) == 1
    assert ask("wrong password") == 401
    change = {"password": "a new password", "current_password": PASSWORD}
    found(server.call("PATCH", f"/users/{person.id}", change, token=person.token))
    assert [ask(PASSWORD), ask("a new password"), ask("a new password")] == [401, 404, 404]


def test_wrong_passwords_are_counted(server: Server) -> None:
    person, caller = new_person(server), Mlflow(server, token=None)
    given = _basic(person.username, "wrong password")
    statuses = [caller.send("GET", "experiments/get?experiment_id=0", **given).status for _ in range(12)]
    assert set(statuses) == {401, 429}


# The project of a request.


def test_without_a_workspace_the_default_project_is_created_once(server: Server) -> None:
    person = new_person(server)
    caller = Mlflow(server, person.token)
    created = found(caller.post("experiments/create", name="first"))["experiment_id"]
    found(caller.post("experiments/create", name="second"))
    (project,) = found(server.call("GET", "/projects", token=person.token))["data"]
    experiment = found(server.call("GET", f"/experiments/{created}", token=person.token))
    assert (project["name"], experiment["project_id"]) == ("MLflow", project["id"])
    found_again = found(caller.get("experiments/get-by-name", experiment_name="first"))["experiment"]
    assert found_again["experiment_id"] == created


def test_a_default_project_that_is_deleted_is_created_again(server: Server) -> None:
    person = new_person(server)
    caller = Mlflow(server, person.token)
    found(caller.post("experiments/create", name="first"))
    (project,) = found(server.call("GET", "/projects", token=person.token))["data"]
    assert server.call("DELETE", f"/projects/{project['id']}", token=person.token).status == 204
    assert caller.get("experiments/get-by-name", experiment_name="first").status == 404
    found(caller.post("experiments/create", name="first"))


def test_a_workspace_is_a_project(server: Server) -> None:
    one, other = new_project(server), new_project(server)
    created = found(Mlflow(server, workspace=one).post("experiments/create", name="here"))["experiment_id"]
    assert found(server.call("GET", f"/experiments/{created}"))["project_id"] == one
    foreign = Mlflow(server, workspace=other)
    for reply in (
        foreign.get("experiments/get", experiment_id=created),
        foreign.get("experiments/get-by-name", experiment_name="here"),
        Mlflow(server, workspace="unknown").get("experiments/get-by-name", experiment_name="here"),
    ):
        assert refusal(reply)[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
    assert Mlflow(server, workspace="default").get("experiments/get", experiment_id=created).status == 200


def test_a_token_for_one_project_names_the_project(server: Server) -> None:
    project = new_project(server)
    token = made(server.call("POST", "/auth/tokens", {"name": "x", "project_id": project}))["token"]
    created = found(Mlflow(server, token).post("experiments/create", name="of the token"))["experiment_id"]
    assert found(server.call("GET", f"/experiments/{created}"))["project_id"] == project


def test_a_member_who_may_not_read_is_refused(server: Server) -> None:
    project = new_project(server)
    writer = new_member(server, project, "create", "update")
    reply = Mlflow(server, writer.token, project).post("experiments/create", name="blind")
    assert refusal(reply)[:2] == (403, "PERMISSION_DENIED")


def test_a_token_that_may_only_read_creates_nothing(server: Server) -> None:
    person = new_person(server)
    token = made(server.call("POST", "/auth/tokens", {"name": "x", "read_only": True}, token=person.token))["token"]
    caller = Mlflow(server, token)
    for reply in (
        caller.get("experiments/get", experiment_id="0"),
        caller.get("experiments/get-by-name", experiment_name="Default"),
        caller.post("experiments/search"),
    ):
        assert refusal(reply)[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
    assert refusal(caller.post("experiments/create", name="x"))[:2] == (403, "PERMISSION_DENIED")
    assert found(server.call("GET", "/projects", token=person.token))["data"] == []


def test_a_member_who_may_only_read_sees_a_project_without_a_default_experiment(server: Server) -> None:
    owner = new_person(server)
    caller = Mlflow(server, owner.token)
    caller.new_experiment(name="there")
    (project,) = found(server.call("GET", "/projects", token=owner.token))["data"]
    experiment = found(caller.get("experiments/get-by-name", experiment_name="there"))["experiment"]["experiment_id"]
    reader = Mlflow(server, new_member(server, project["id"], "read").token)
    listed = found(reader.post("experiments/search"))["experiments"]
    assert [each["experiment_id"] for each in listed] == [experiment]
    for reply in (
        reader.get("experiments/get", experiment_id="0"),
        reader.get("experiments/get-by-name", experiment_name="Default"),
    ):
        assert refusal(reply)[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
    assert reader.search("0") == []
