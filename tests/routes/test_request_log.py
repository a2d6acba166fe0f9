"""The log of the functions in the cloud: its content, and data that it never contains."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib import deadline
from chalicelib.deadline import DeadlinePassed
from chalicelib.routes.upkeep import upkeep
from chalicelib.services import project as project_service
from tests.support.server import PASSWORD, Reply, Server, server_on_moto
from tests.support.world import World, make_world

FIELDS = {"request_id", "route", "status", "duration_ms", "read_units", "write_units"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto(AWS_LAMBDA_FUNCTION_NAME="deardiary-test") as running:
        yield running


@pytest.fixture(scope="module")
def world(server: Server) -> World:
    return make_world(server)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_request_is_one_line(server: Server, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert server.call("GET", f"/projects/{world.ids['project_id']}", token=world.token).status == 200
    (line,) = lines(capsys)
    assert set(line) == FIELDS
    assert (line["route"], line["status"]) == ("GET /projects/{project_id}", 200)
    # Authentication reads one item; project and permission are one more call. moto counts no batch.
    assert line["read_units"] >= 1
    assert line["write_units"] == 0
    assert 0 < line["duration_ms"] < 60_000


def test_writes_are_counted_apart(server: Server, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    path = f"/resources/{world.ids['resource_id']}"
    # A new description is one UpdateItem. A new name is a transaction, of which moto reports no units.
    assert server.call("PATCH", path, {"description": "the best"}, token=world.token).status == 200
    (line,) = lines(capsys)
    assert line["write_units"] > 0


def test_reads_of_a_requests_threads_are_counted_as_its_own(
    server: Server, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = f"/experiments/{world.ids['experiment_id']}"
    for _ in range(3):
        iteration = server.call("POST", f"{experiment}/iterations", token=world.token).body["id"]
        server.call("POST", f"/iterations/{iteration}/metrics", {"key": "in threads", "value": 1.0}, token=world.token)
    capsys.readouterr()
    for key in ("nowhere", "in%20threads"):
        assert server.call("GET", f"{experiment}/metrics/series?key={key}", token=world.token).status == 200
    without, with_points = (line["read_units"] for line in lines(capsys))
    assert with_points >= without + 3


def test_a_refusal_has_its_status(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.token()
    capsys.readouterr()
    server.call("GET", "/projects/nothing")
    assert [line["status"] for line in lines(capsys)] == [404]


def test_the_log_holds_no_request_data_and_no_signature(
    server: Server, world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    capsys.readouterr()
    secrets = [world.token, PASSWORD, world.ids["project_id"], world.announced_id, "what a body says"]

    def remember(reply: Reply) -> None:
        secrets.extend(each["url"] for each in reply.body.get("requests", []))

    server.call("POST", "/auth", {"username": world.username, "password": PASSWORD}, token=None)
    remember(server.call("POST", f"/resources/{world.announced_id}/upload", token=world.token))
    download = server.call("GET", f"/resources/{world.ids['resource_id']}/download", token=world.token)
    secrets.append(download.body["url"])
    monkeypatch.setattr(project_service, "get_project", fail)
    server.call("GET", f"/projects/{world.ids['project_id']}?x=what+a+body+says", token=world.token)
    server.call("GET", f"/projects/{world.ids['project_id']}", token=world.token)
    said = capsys.readouterr().out
    assert [json.loads(line)["status"] for line in said.splitlines()] == [200, 200, 200, 422, 500]
    assert [secret for secret in secrets if secret in said] == []
    assert "X-Amz-Signature" not in said


def fail(*_: object, **__: object) -> None:
    raise RuntimeError("what a body says")


def test_an_unexpected_error_is_logged_with_its_type_and_position(
    server: Server, world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    capsys.readouterr()
    monkeypatch.setattr(project_service, "get_project", fail)
    server.call("GET", f"/projects/{world.ids['project_id']}", token=world.token)
    (line,) = lines(capsys)
    assert line["error"] == "RuntimeError"
    assert line["where"][-1].endswith(" fail")
    assert line["where"][-1].startswith("test_request_log.py:")


def test_a_503_says_why(server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def late() -> None:
        raise DeadlinePassed(retry_after=1)

    server.token()
    capsys.readouterr()
    monkeypatch.setattr(deadline, "check", late)
    assert server.call("POST", "/projects", {"name": "late"}).status == 503
    (line,) = lines(capsys)
    assert line["error"] == "DeadlinePassed"
    assert line["where"][-1].startswith("test_request_log.py:")


def test_upkeep_says_whether_all_is_done(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    names = ("version", "account", "region", "detail", "detail-type", "source", "time", "resources")
    upkeep(dict.fromkeys(names, "") | {"id": "event-1"}, None)
    (line,) = lines(capsys)
    assert (line["route"], line["request_id"], line["finished"]) == ("upkeep", "event-1", True)
