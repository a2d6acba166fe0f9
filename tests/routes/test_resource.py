"""Resources: declared, uploaded past the API, checked, shared within a project."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import requests

from tests.support.api import (
    check_invalid,
    check_refused,
    end,
    found,
    made,
    new_experiment,
    new_iteration,
    new_project,
    new_ready_resource,
    new_resource,
    objects,
    rows,
    upload,
)
from tests.support.server import Server

SHA256 = "0" * 64


def _get(server: Server, resource: Any, what: str = "") -> Any:
    return server.call("GET", f"/resources/{resource['id']}{what}")


def _complete(server: Server, resource: Any) -> Any:
    return server.call("POST", f"/resources/{resource['id']}/complete")


def test_from_declared_to_downloaded(server: Server) -> None:
    experiment = new_experiment(server)
    content = b"\0\1model\xff"
    resource = new_resource(server, experiment, content, description="the best", content_type="text/plain")
    assert (resource["state"], resource["backend"]) == ("pending", "s3")
    assert "data" not in resource
    assert resource["content_type"] == "text/plain"
    assert (resource["experiment_id"], resource["iteration_id"]) == (experiment, None)
    check_refused(_get(server, resource, "/download"), 409, "CONFLICT")
    check_invalid(_complete(server, resource), "content_hash")
    upload(server, resource["id"], content)
    check_refused(_get(server, resource, "/download"), 409, "CONFLICT")
    ready = found(_complete(server, resource))
    assert (ready["state"], ready["content_hash"]) == ("ready", hashlib.sha256(content).hexdigest())
    assert found(_get(server, resource)) == ready
    assert found(_complete(server, resource)) == ready
    assert found(server.call("POST", f"/resources/{resource['id']}/upload"))["requests"] == []
    download = found(_get(server, resource, "/download"))
    assert (download["size_bytes"], download["content_hash"]) == (len(content), ready["content_hash"])
    answer = requests.get(download["url"], timeout=10)
    assert (answer.content, answer.headers["content-type"]) == (content, "text/plain")
    (listed,) = found(server.call("GET", f"/experiments/{experiment}/resources"))["data"]
    assert (listed, listed["content_type"]) == (ready, "text/plain")


def test_a_download_can_redirect(server: Server) -> None:
    resource = new_ready_resource(server, new_experiment(server), b"redirected")
    reply = _get(server, resource, "/download?redirect=1")
    assert reply.status == 302
    assert requests.get(reply.headers["location"], timeout=10).content == b"redirected"
    assert found(_get(server, resource, "/download?redirect=0"))["url"]


@pytest.mark.parametrize(("sent", "field"), [(b"longer than said", "size_bytes"), (b"12346", "content_hash")])
def test_bytes_that_are_not_those_declared(server: Server, sent: bytes, field: str) -> None:
    resource = new_resource(server, new_experiment(server), b"12345")
    (request,) = found(server.call("POST", f"/resources/{resource['id']}/upload"))["requests"]
    checksum = {"x-amz-sdk-checksum-algorithm": "SHA256"}
    requests.put(request["url"], data=sent, headers=checksum, timeout=10)
    check_invalid(_complete(server, resource), field)
    check_refused(_get(server, resource, "/download"), 409, "CONFLICT")
    assert found(_get(server, resource))["state"] == "pending"


def test_nothing_can_be_a_resource(server: Server) -> None:
    resource = new_ready_resource(server, new_experiment(server), b"")
    assert (resource["state"], resource["size_bytes"]) == ("ready", 0)


def test_the_same_bytes_in_a_project_are_stored_once(server: Server) -> None:
    project, before = new_project(server), objects()
    content = b"stored once"
    one = new_ready_resource(server, new_experiment(server, project), content)
    other = new_resource(server, new_experiment(server, project), content, name="again")
    assert other["state"] == "ready"
    assert len(objects() - before) == 1
    assert server.call("DELETE", f"/resources/{one['id']}?purge=true").status == 204
    check_refused(_get(server, one), 404, "NOT_FOUND")
    check_refused(server.call("DELETE", f"/resources/{one['id']}?purge=true"), 404, "NOT_FOUND")
    download = found(_get(server, other, "/download"))
    assert requests.get(download["url"], timeout=10).content == content
    assert server.call("DELETE", f"/resources/{other['id']}?purge=true").status == 204
    assert objects() == before


def test_two_pending_resources_share_one_upload(server: Server) -> None:
    experiment = new_experiment(server)
    one, other = (new_resource(server, experiment, b"twice declared") for _ in range(2))
    upload(server, one["id"], b"twice declared")
    for each in (one, other):
        assert found(_complete(server, each))["state"] == "ready"


def test_a_wrong_size_of_bytes_does_not_block_later_uploads(server: Server) -> None:
    experiment = new_experiment(server)
    body = {"name": "r", "size_bytes": 3, "content_hash": hashlib.sha256(b"true").hexdigest()}
    wrong = made(server.call("POST", f"/experiments/{experiment}/resources", body))
    right = new_ready_resource(server, experiment, b"true")
    assert right["state"] == "ready"
    check_invalid(_complete(server, wrong), "size_bytes")
    check_invalid(server.call("POST", f"/experiments/{experiment}/resources", body), "size_bytes")
    assert server.call("DELETE", f"/resources/{wrong['id']}?purge=true").headers["x-freed-bytes"] == "0"
    assert requests.get(found(_get(server, right, "/download"))["url"], timeout=10).content == b"true"


def test_another_project_knows_nothing_of_the_bytes(server: Server) -> None:
    new_ready_resource(server, new_experiment(server), b"somebody's secret")
    other = new_resource(server, new_experiment(server), b"somebody's secret")
    assert other["state"] == "pending"
    check_invalid(_complete(server, other), "content_hash")
    check_refused(_get(server, other, "/download"), 409, "CONFLICT")


def test_an_upload_can_be_asked_for_again(server: Server) -> None:
    resource = new_resource(server, new_experiment(server), b"again")
    found(server.call("POST", f"/resources/{resource['id']}/upload"))
    upload(server, resource["id"], b"again")
    assert found(_complete(server, resource))["state"] == "ready"


def test_a_patch_changes_name_and_description_only(server: Server) -> None:
    resource = new_ready_resource(server, new_experiment(server), b"patched")
    path = f"/resources/{resource['id']}"
    changed = found(server.call("PATCH", path, {"name": "new"}))
    assert (changed["name"], changed["description"], changed["state"]) == ("new", "", "ready")
    assert changed["updated_date"] >= resource["updated_date"]
    assert found(server.call("GET", path)) == changed
    check_invalid(server.call("PATCH", path, {"content_hash": SHA256}), "content_hash")


def test_an_id_key_finds_what_it_created(server: Server) -> None:
    experiment = new_experiment(server)
    new_iteration(server, experiment, id_key="key")
    before = set(rows())
    path = f"/experiments/{experiment}/resources"
    body = {"name": "r", "size_bytes": 2, "content_hash": SHA256, "id_key": "key"}
    first = made(server.call("POST", path, body))
    found(server.call("PATCH", f"/resources/{first['id']}", {"name": "renamed"}))
    again = found(server.call("POST", path, body | {"description": "another"}))
    assert (again["id"], again["name"], again["description"]) == (first["id"], "renamed", "")
    check_refused(server.call("POST", path, body | {"content_hash": "1" * 64}), 409, "CONFLICT")
    assert made(server.call("POST", f"/experiments/{new_experiment(server)}/resources", body))["id"] != first["id"]
    assert server.call("DELETE", f"/resources/{first['id']}?purge=true").status == 204
    assert {key for key in set(rows()) - before if experiment in "".join(key)} == set()
    assert made(server.call("POST", path, body))["id"] != first["id"]


def test_resources_of_an_iteration(server: Server) -> None:
    experiment = new_experiment(server)
    iteration = new_iteration(server, experiment)
    own = new_resource(server, experiment, b"own", iteration_id=iteration)
    new_resource(server, experiment, b"not own")
    path = f"/experiments/{experiment}/resources"
    assert found(server.call("GET", f"{path}?iteration_id={iteration}"))["data"] == [own]
    assert len(found(server.call("GET", path))["data"]) == 2
    for absent in (new_iteration(server), "nope"):
        body = {"name": "r", "size_bytes": 1, "content_hash": SHA256, "iteration_id": absent}
        check_invalid(server.call("POST", path, body), "iteration_id")
    end(server, iteration)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "n" * 256),
        ("size_bytes", -1),
        ("size_bytes", "1"),
        ("size_bytes", 1.5),
        ("size_bytes", 5 * 2**40 + 1),
        ("content_hash", "A" * 64),
        ("content_hash", "0" * 63),
        ("content_hash", "0" * 64 + "\n"),
        ("content_type", "text"),
        ("content_type", "text/html\r\nx: y"),
        ("state", "ready"),
        ("uri", "s3://elsewhere/key"),
    ],
)
def test_an_invalid_declaration_is_refused(server: Server, field: str, value: Any) -> None:
    body = {"name": "r", "size_bytes": 1, "content_hash": SHA256, field: value}
    check_invalid(server.call("POST", f"/experiments/{new_experiment(server)}/resources", body), field)


@pytest.mark.parametrize("name", ["a/../../b", 'quote".pkl', "line\r\nbreak", "ünïcödé ☃.bin", "\\", "n" * 255])
def test_any_name_can_be_downloaded(server: Server, name: str) -> None:
    resource = new_ready_resource(server, new_experiment(server), b"named", name=name)
    assert resource["name"] == name
    assert requests.get(found(_get(server, resource, "/download"))["url"], timeout=10).content == b"named"
