"""A table that the server of commit 3a2c7e2 wrote is read, written on and tidied by this server."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from chalicelib import config
from chalicelib.routes import upkeep
from chalicelib.storage import running
from chalicelib.storage.iteration import move_running_row
from tests.support.consistency import find_faults
from tests.support.server import Reply, Server, server_on_moto

DUMP: dict[str, Any] = json.loads(
    gzip.decompress((Path(__file__).parent / "older" / "table_3a2c7e2.json.gz").read_bytes())
)
IDS: dict[str, str] = DUMP["ids"]


@pytest.fixture(scope="module")
def old() -> Iterator[Server]:
    """The server on that table and bucket."""
    with server_on_moto() as server:
        fill()
        yield server


@pytest.fixture
def own() -> Iterator[Server]:
    """A server for one test that writes."""
    with server_on_moto() as server:
        fill()
        yield server


def fill() -> None:
    settings = config.settings()
    table = dynamodb_backends[DEFAULT_ACCOUNT_ID][settings.region].get_table(settings.table)
    table.items.clear()
    for row in DUMP["rows"]:
        table.put_item({name: decoded(value) for name, value in row.items()})
    store = boto3.client("s3")
    for path, data in DUMP["objects"].items():
        body = base64.b64decode(data)
        store.put_object(Bucket=settings.artifact_bucket, Key=path, Body=body, ChecksumAlgorithm="SHA256")


def decoded(value: dict[str, Any]) -> dict[str, Any]:
    """An attribute's value as moto keeps it."""
    ((kind, content),) = value.items()
    if kind == "M":
        return {"M": {name: decoded(each) for name, each in content.items()}}
    if kind == "L":
        return {"L": [decoded(each) for each in content]}
    return {"B": base64.b64decode(content)} if kind == "B" else value


def call(server: Server, method: str, path: str, body: Any = None) -> Reply:
    return server.call(method, path, body, token=token(server))


def token(server: Server) -> str:
    if IDS["username"] not in server.tokens:
        given = {"username": IDS["username"], "password": DUMP["password"]}
        server.tokens[IDS["username"]] = server.call("POST", "/auth", given, token=None).body["access_token"]
    return server.tokens[IDS["username"]]


def check_consistency() -> None:
    """The older server claimed no names of experiments; a claim comes with the next change of a name.

    It keyed RUNNING rows otherwise: the scheduled function moves them.
    """
    for experiment_id, iteration_id in running.each_of_older_servers():
        move_running_row(experiment_id, iteration_id)
    assert [fault for fault in find_faults() if "EXPERIMENTNAME#" not in fault] == []


def without_new_fields(answer: Any, old: Any) -> Any:
    """The answer without the fields that the older server did not have."""
    if isinstance(answer, dict) and isinstance(old, dict):
        return {name: without_new_fields(answer[name], old[name]) for name in answer.keys() & old.keys()}
    if isinstance(answer, list) and isinstance(old, list):
        pairs = zip(answer, old, strict=False)
        return [without_new_fields(*pair) for pair in pairs] + answer[len(old) :]
    return answer


@pytest.mark.parametrize("path", DUMP["answers"])
def test_everything_reads_as_before(old: Server, path: str) -> None:
    reply, expected = call(old, "GET", path), DUMP["answers"][path]
    assert reply.status == 200, reply
    assert without_new_fields(reply.body, expected) == expected


def test_an_api_token_still_signs_in(old: Server) -> None:
    assert old.call("GET", "/auth/me", token=IDS["secret"]).body["username"] == IDS["username"]


@pytest.mark.parametrize("kind", ["gone_project", "gone_experiment", "gone_iteration"])
def test_an_entity_that_is_being_deleted_is_absent(old: Server, kind: str) -> None:
    assert call(old, "GET", IDS[kind]).status == 404


def test_bytes_come_back_from_the_table_and_from_s3(old: Server, tmp_path: Path) -> None:
    with old.client(IDS["username"], DUMP["password"]) as client:
        assert client.resources.download(IDS["inline"], tmp_path / "note").read_bytes() == b"kept in the table"
        size = client.resources.get(IDS["resource_id"]).size_bytes
        assert len(client.resources.download(IDS["resource_id"], tmp_path / "model").read_bytes()) == size


def summary(server: Server, iteration: str) -> Any:
    return call(server, "GET", f"/iterations/{iteration}/metrics/summary").body["data"]["loss"]


@pytest.mark.parametrize("name", ["compacted_and_on", "edited", "plain_summary"])
def test_points_are_logged_changed_and_deleted_on(own: Server, name: str) -> None:
    iteration = IDS[name]
    before, path = summary(own, iteration), f"/iterations/{iteration}"
    columns = {"loss": {"step": [9000, 9001], "value": [-5.0, 7.0]}}
    assert call(own, "POST", f"{path}/log", {"batch_id": "new", "metrics": columns}).status == 201
    expected = before | {
        "count": before["count"] + 2,
        "min": -5.0,
        "max": max(before["max"], 7.0),
        "last": 7.0,
        "last_step": 9001,
    }
    assert summary(own, iteration) == expected
    old_point = call(own, "GET", f"{path}/metrics?key=loss&limit=1").body["data"][0]
    assert call(own, "PATCH", f"/metrics/{old_point['id']}", {"value": 5000.0}).status == 200
    assert summary(own, iteration)["max"] == 5000.0
    assert call(own, "DELETE", f"/metrics/{old_point['id']}").status == 204
    assert summary(own, iteration)["count"] == before["count"] + 1
    assert call(own, "PATCH", path, {"status_id": 2}).status == 200
    check_consistency()


def test_an_id_key_finds_its_entity(own: Server) -> None:
    again = call(own, "POST", f"/experiments/{IDS['experiment_id']}/iterations", {"id_key": "edited"})
    assert again.body["id"] == IDS["edited"]


def test_begun_deletions_are_finished_and_everything_else_can_be_deleted(own: Server) -> None:
    assert upkeep.run(60)
    check_consistency()
    for path in (f"/models/{IDS['model_id']}", f"/iterations/{IDS['edited']}", f"/projects/{IDS['project_id']}"):
        assert call(own, "DELETE", f"{path}?purge=true").status in (202, 204), path
    assert upkeep.run(60)
    check_consistency()
    assert call(own, "GET", "/projects").body["data"] == []
