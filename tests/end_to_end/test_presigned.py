"""Artifacts against a store that checks signatures, expiry, size and hash."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

import deardiary
from tests.support.server import Reply, Server

BYTES = b"the weights of a model" * 1000


@pytest.fixture
def experiment(real_server: Server) -> deardiary.Experiment:
    client = real_server.client()
    return client.experiments.create(client.projects.create("artifacts").id, "artifacts")


def declare(server: Server, experiment: deardiary.Experiment, data: bytes = BYTES, **other: Any) -> Reply:
    body = {"name": "model.bin", "size_bytes": len(data), "content_hash": hashlib.sha256(data).hexdigest(), **other}
    return server.call("POST", f"/experiments/{experiment.id}/resources", body)


def put(upload: Any, data: bytes, **headers: str) -> int:
    given = {name: value for name, value in (upload["headers"] | headers).items() if name != "Content-Length"}
    return requests.request(upload["method"], upload["url"], headers=given, data=data, timeout=60).status_code


def test_bytes_go_up_and_come_back(real_server: Server, experiment: deardiary.Experiment, tmp_path: Path) -> None:
    (tmp_path / "näme with spaces.bin").write_bytes(BYTES)
    client = real_server.client()
    resource = client.resources.upload(experiment.id, tmp_path / "näme with spaces.bin")
    assert resource.state == "ready"
    copy = client.resources.download(resource.id, tmp_path / "copy")
    assert copy.read_bytes() == BYTES


@pytest.mark.parametrize(
    "sent",
    [BYTES[:-1] + b"X", BYTES[:-1], BYTES + b"X", b""],
    ids=["a flipped byte", "cut short", "too long", "nothing"],
)
def test_other_bytes_than_declared_never_become_ready(
    real_server: Server, experiment: deardiary.Experiment, sent: bytes
) -> None:
    resource = declare(real_server, experiment).body
    upload = real_server.call("POST", f"/resources/{resource['id']}/upload").body["requests"][0]
    assert put(upload, sent) in (400, 403)
    refused = real_server.call("POST", f"/resources/{resource['id']}/complete")
    assert refused.error == (422, "INVALID_PAYLOAD")
    assert refused.field == "content_hash"
    assert real_server.call("GET", f"/resources/{resource['id']}/download").error == (409, "CONFLICT")


@pytest.mark.parametrize("header", ["Content-Type", "x-amz-checksum-sha256"])
def test_signed_headers_cannot_be_changed(real_server: Server, experiment: deardiary.Experiment, header: str) -> None:
    resource = declare(real_server, experiment).body
    upload = real_server.call("POST", f"/resources/{resource['id']}/upload").body["requests"][0]
    other = {"Content-Type": "text/html", "x-amz-checksum-sha256": "A" * 43 + "="}[header]
    assert put(upload, BYTES, **{header: other}) in (400, 403)


def test_a_presigned_url_is_for_one_object(real_server: Server, experiment: deardiary.Experiment) -> None:
    resource = declare(real_server, experiment).body
    upload = real_server.call("POST", f"/resources/{resource['id']}/upload").body["requests"][0]
    path = urlsplit(upload["url"]).path
    elsewhere = upload | {"url": upload["url"].replace(path, path[:-4] + "beef")}
    assert put(elsewhere, BYTES) == 403


def test_the_same_bytes_are_stored_once_and_outlive_one_owner(
    real_server: Server, experiment: deardiary.Experiment, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(BYTES)
    client = real_server.client()
    first = client.resources.upload(experiment.id, tmp_path / "a")
    second = declare(real_server, experiment).body
    assert second["state"] == "ready"
    assert real_server.call("POST", f"/resources/{second['id']}/upload").body["requests"] == []
    client.resources.delete(first.id, purge=True)
    assert client.resources.download(second["id"], tmp_path / "b").read_bytes() == BYTES
    client.resources.delete(second["id"], purge=True)
    assert declare(real_server, experiment).body["state"] == "pending"


def test_a_hash_gives_another_project_no_access(
    real_server: Server, experiment: deardiary.Experiment, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(BYTES)
    real_server.client().resources.upload(experiment.id, tmp_path / "a")
    stranger = real_server.newcomer("stranger")
    other = stranger.experiments.create(stranger.projects.create("other").id, "other")
    assert declare(real_server, other).body["state"] == "pending"


def test_a_download_is_an_attachment(real_server: Server, experiment: deardiary.Experiment, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(BYTES)
    name = 'x";filename=evil.html\r\n<b>ü.html'
    resource = real_server.client().resources.upload(experiment.id, tmp_path / "a", name)
    redirect = real_server.call("GET", f"/resources/{resource.id}/download?redirect=1")
    assert redirect.status == 302
    answer = requests.get(redirect.headers["location"], timeout=60)
    assert answer.content == BYTES
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="')
    assert answer.headers["Content-Disposition"].count('"') == 2
