"""Large files against a store that checks: in parts, resumed, refused if wrong, removed if never finished.

In these tests, files of more than 64 KiB are large.
"""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

import deardiary
from chalicelib import artifacts, clock, config
from chalicelib.services.lifecycle import expiry, sweep
from chalicelib.storage import blob as blobs
from deardiary.http.transport import Request, Response
from deardiary.wire import limits, parts
from tests.support.emulator import Emulator
from tests.support.faults import inject
from tests.support.server import Server, server_on_emulator

KIB = 1024
PART = 16 * KIB
BYTES = random.Random(1).randbytes(10 * PART + 5)  # noqa: S311
CUT = parts.Cut(alone=64 * KIB, part=PART, most=limits.TIB)


@pytest.fixture(scope="module")
def server(emulator: Emulator) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(parts.CUTS, "s3", CUT)
        patch.setattr(parts, "MIB", KIB)
        patch.setattr(parts, "LEAST_IN_PARTS", CUT.alone)
        with server_on_emulator(emulator.environment()) as running:
            yield running


@pytest.fixture
def experiment(server: Server) -> deardiary.Experiment:
    client = server.client()
    return client.experiments.create(client.projects.create("large").id, "large")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "model.bin").write_bytes(BYTES)
    return tmp_path / "model.bin"


class Watching:
    """A transport that records the requests to the store, and lets a test interfere."""

    def __init__(self, server: Server) -> None:
        self._inner = server.transport
        self._lock = threading.Lock()
        self.puts: list[Request] = []
        self.interfere: Callable[[int, Request], Request] = lambda _number, request: request

    def send(self, request: Request) -> Response:
        if request.method == "PUT":
            with self._lock:
                self.puts.append(request)
                number = len(self.puts)
            request = self.interfere(number, request)
        return self._inner.send(request)

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    @property
    def sent_bytes(self) -> int:
        return sum(request.size_bytes for request in self.puts)


def client_over(server: Server, watching: Watching) -> deardiary.Client:
    return deardiary.connect("http://127.0.0.1:9", token=server.token(), transport=watching)


def hashes(data: bytes = BYTES) -> list[str]:
    return [hashlib.sha256(data[at : at + PART]).hexdigest() for at in range(0, len(data), PART)]


def declare(server: Server, experiment: deardiary.Experiment, data: bytes = BYTES) -> str:
    body = {"name": "model.bin", "size_bytes": len(data), "content_hash": hashlib.sha256(data).hexdigest()}
    made: str = server.call("POST", f"/experiments/{experiment.id}/resources", body).body["id"]
    return made


def ask(server: Server, resource_id: str, first: int = 1, declared: list[str] | None = None) -> Any:
    body = {"first_part": first, "part_hashes": hashes()[first - 1 :] if declared is None else declared}
    return server.call("POST", f"/resources/{resource_id}/upload", body).body["requests"]


def put(signed: Any, data: bytes) -> int:
    headers = {name: value for name, value in signed["headers"].items() if name != "Content-Length"}
    return requests.put(signed["url"], data=data, headers=headers, timeout=10).status_code


def piece(signed: Any) -> bytes:
    return BYTES[signed["offset"] : signed["offset"] + signed["size_bytes"]]


def unfinished(experiment: deardiary.Experiment) -> list[str]:
    listed = boto3.client("s3").list_multipart_uploads(Bucket=config.settings().artifact_bucket)
    return [each["Key"] for each in listed.get("Uploads", []) if experiment.project_id in each["Key"]]


def objects(experiment: deardiary.Experiment) -> list[str]:
    prefix = f"projects/{experiment.project_id}/"
    listed = boto3.client("s3").list_objects_v2(Bucket=config.settings().artifact_bucket, Prefix=prefix)
    return [each["Key"] for each in listed.get("Contents", [])]


def test_parts_go_up_once_and_come_back(
    server: Server, experiment: deardiary.Experiment, file: Path, tmp_path: Path
) -> None:
    watching = Watching(server)
    client = client_over(server, watching)
    seen: list[tuple[int, int]] = []
    resource = client.resources.upload(experiment.id, file, progress=lambda done, total: seen.append((done, total)))
    assert resource.state == "ready"
    assert (len(watching.puts), watching.sent_bytes) == (11, len(BYTES))
    assert seen[-1] == (len(BYTES), len(BYTES))
    assert client.resources.download(resource.id, tmp_path / "copy").read_bytes() == BYTES
    again = client.resources.upload(experiment.id, file, "again")
    assert (again.state, again.id != resource.id, watching.sent_bytes) == ("ready", True, len(BYTES))
    assert unfinished(experiment) == []


def test_a_killed_upload_resumes_with_the_missing_parts(
    server: Server, experiment: deardiary.Experiment, file: Path
) -> None:
    def die(number: int, request: Request) -> Request:
        if number > 6:
            raise KeyboardInterrupt
        return request

    dying = Watching(server)
    dying.interfere = die
    with pytest.raises(KeyboardInterrupt):
        client_over(server, dying).resources.upload(experiment.id, file)
    (begun,) = server.client().resources.list(experiment.id)
    assert begun.state == "pending"
    second = Watching(server)
    finished = client_over(server, second).resources.upload(experiment.id, file)
    assert (finished.id, finished.state) == (begun.id, "ready")
    assert len(second.puts) == 5


def test_an_expired_url_is_asked_for_again(server: Server, experiment: deardiary.Experiment, file: Path) -> None:
    def late(number: int, request: Request) -> Request:
        """The same request an hour after it was signed."""
        if number > 4:
            return request
        return replace(request, url=request.url.replace("X-Amz-Date=20", "X-Amz-Date=19"))

    watching = Watching(server)
    watching.interfere = late
    done: list[int] = []
    resource = client_over(server, watching).resources.upload(
        experiment.id, file, progress=lambda sent, _total: done.append(sent)
    )
    assert resource.state == "ready"
    assert len(watching.puts) == 15
    assert done[-1] == len(BYTES)


@pytest.mark.parametrize("wrong", [lambda data: b"x" + data[1:], lambda data: data[:-1]], ids=["flipped", "cut"])
def test_a_wrong_part_is_refused_and_nothing_becomes_ready(
    server: Server, experiment: deardiary.Experiment, wrong: Callable[[bytes], bytes]
) -> None:
    resource_id = declare(server, experiment)
    signed = ask(server, resource_id)
    assert [each["part_number"] for each in signed] == list(range(1, 12))
    assert [put(each, piece(each)) for each in signed[1:]] == [200] * 10
    assert put(signed[0], wrong(piece(signed[0]))) in (400, 403)
    refused = server.call("POST", f"/resources/{resource_id}/complete", {"part_hashes": hashes()})
    assert (refused.error, refused.field) == ((422, "INVALID_PAYLOAD"), "part_hashes")
    assert refused.body["details"]["first_missing_part"] == 1
    assert server.call("GET", f"/resources/{resource_id}/download").error == (409, "CONFLICT")
    assert [each["part_number"] for each in ask(server, resource_id)] == [1]


def test_a_file_that_changes_while_it_is_sent_is_refused(
    server: Server, experiment: deardiary.Experiment, file: Path
) -> None:
    def change(number: int, request: Request) -> Request:
        if number == 1:
            file.write_bytes(bytes(len(BYTES)))
        return request

    watching = Watching(server)
    watching.interfere = change
    with pytest.raises(deardiary.ClientError):
        client_over(server, watching).resources.upload(experiment.id, file)
    (resource,) = server.client().resources.list(experiment.id)
    assert resource.state == "pending"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"part_hashes": hashes()[:-1]}, "part_hashes"),
        ({"part_hashes": [*hashes(), "0" * 64]}, "part_hashes"),
        ({"part_hashes": ["0" * 63]}, "part_hashes[0]"),
        ({"part_hashes": ["0" * 64, *hashes()[1:]]}, "part_hashes"),
        ({}, "part_hashes"),
    ],
)
def test_a_completion_that_does_not_fit(
    server: Server, experiment: deardiary.Experiment, body: dict[str, Any], field: str
) -> None:
    resource_id = declare(server, experiment)
    for each in ask(server, resource_id):
        assert put(each, piece(each)) == 200
    refused = server.call("POST", f"/resources/{resource_id}/complete", body)
    assert (refused.error, refused.field) == ((422, "INVALID_PAYLOAD"), field)
    right = {"part_hashes": hashes()}
    assert server.call("POST", f"/resources/{resource_id}/complete", right).body["state"] == "ready"
    assert server.call("POST", f"/resources/{resource_id}/complete", right).body["state"] == "ready"


@pytest.mark.parametrize(
    "body",
    [
        {"first_part": 0, "part_hashes": hashes()},
        {"first_part": 2, "part_hashes": hashes()},
        {"first_part": 12, "part_hashes": ["0" * 64]},
        {"part_hashes": ["0" * 64] * 101},
    ],
)
def test_parts_that_the_resource_does_not_have(
    server: Server, experiment: deardiary.Experiment, body: dict[str, Any]
) -> None:
    refused = server.call("POST", f"/resources/{declare(server, experiment)}/upload", body)
    assert (refused.error, refused.field in ("part_hashes", "first_part")) == ((422, "INVALID_PAYLOAD"), True)


def test_a_small_resource_has_no_parts(server: Server, experiment: deardiary.Experiment) -> None:
    small = declare(server, experiment, BYTES[:PART])
    refused = server.call("POST", f"/resources/{small}/upload", {"part_hashes": hashes()[:1]})
    assert (refused.error, refused.field) == ((422, "INVALID_PAYLOAD"), "part_hashes")


def test_a_large_resource_may_still_come_in_one_request(server: Server, experiment: deardiary.Experiment) -> None:
    resource_id = declare(server, experiment)
    assert put(ask(server, resource_id)[0], BYTES[:PART]) == 200
    (signed,) = server.call("POST", f"/resources/{resource_id}/upload").body["requests"]
    assert put(signed, BYTES[:-1] + b"x") == 400
    assert put(signed, BYTES) == 200
    assert server.call("POST", f"/resources/{resource_id}/complete").body["state"] == "ready"
    assert unfinished(experiment) == []


def test_two_uploads_of_the_same_new_bytes_at_once(
    server: Server, experiment: deardiary.Experiment, file: Path
) -> None:
    start = threading.Barrier(4)

    def upload(number: int) -> deardiary.Resource:
        start.wait()
        return server.client().resources.upload(experiment.id, file, f"copy {number}")

    server.client()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(upload, range(4)))
    assert {each.state for each in found} == {"ready"}
    assert len(objects(experiment)) == 1
    assert unfinished(experiment) == []


def test_an_upload_that_the_store_has_forgotten_begins_anew(
    server: Server, experiment: deardiary.Experiment, file: Path
) -> None:
    resource_id = declare(server, experiment)
    first = ask(server, resource_id)
    assert put(first[0], piece(first[0])) == 200
    location = artifacts.Location(experiment.project_id, hashlib.sha256(BYTES).hexdigest())
    blob = blobs.find_blob(*_names(location))
    assert blob is not None
    assert blob.upload_id is not None
    artifacts.store("s3").abort(location, blob.upload_id)
    assert len(ask(server, resource_id)) == 11
    assert server.client().resources.upload(experiment.id, file).id == resource_id


def test_an_upload_joined_before_the_process_died_is_finished(
    server: Server, experiment: deardiary.Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource_id = declare(server, experiment)
    for each in ask(server, resource_id):
        assert put(each, piece(each)) == 200

    def die(*_arguments: Any, **_options: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(blobs, "mark_ready", die)
        with pytest.raises(KeyboardInterrupt):
            server.call("POST", f"/resources/{resource_id}/complete", {"part_hashes": hashes()})
    assert ask(server, resource_id) == []
    finished = server.call("POST", f"/resources/{resource_id}/complete", {"part_hashes": hashes()})
    assert finished.body["state"] == "ready"


def test_parts_remain_if_s3_refuses_to_join_them(server: Server, experiment: deardiary.Experiment) -> None:
    """As it does if another client sends a part of an encrypted bucket again between list and join."""
    resource_id = declare(server, experiment)
    for each in ask(server, resource_id):
        assert put(each, piece(each)) == 200
    body = {"part_hashes": hashes()}
    with inject(lambda delivery: delivery.answer(400, "InvalidPart"), {"CompleteMultipartUpload"}):
        assert server.call("POST", f"/resources/{resource_id}/complete", body).status == 500
    assert server.call("POST", f"/resources/{resource_id}/complete", body).body["state"] == "ready"


def test_a_deletion_removes_the_parts_and_reports_the_bytes_freed(
    server: Server, experiment: deardiary.Experiment, file: Path
) -> None:
    client = server.client()
    resource_id = declare(server, experiment)
    signed = ask(server, resource_id)
    assert put(signed[0], piece(signed[0])) == 200
    assert len(unfinished(experiment)) == 1
    assert client.resources.delete(resource_id) == 0
    assert unfinished(experiment) == []
    one, other = (client.resources.upload(experiment.id, file, name) for name in "ab")
    assert client.resources.delete(one.id) == 0
    assert client.resources.delete(other.id) == len(BYTES)
    assert objects(experiment) == []


def test_an_upload_unfinished_for_a_day_is_removed_with_its_parts(
    server: Server, experiment: deardiary.Experiment, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = server.client()
    kept = client.resources.upload(experiment.id, file)
    stale, active = (declare(server, experiment, data) for data in (BYTES[:-1], BYTES[:-2]))
    for each, size in ((stale, -1), (active, -2)):
        ask(server, each, 1, hashes(BYTES[:size]))
    moment = clock.now()
    at(monkeypatch, moment + timedelta(hours=23))
    assert expiry.sweep_uploads(60)
    assert {each.id for each in client.resources.list(experiment.id)} == {kept.id, stale, active}
    ask(server, active, 1, hashes(BYTES[:-2]))
    at(monkeypatch, moment + timedelta(hours=25))
    assert not expiry.sweep_uploads(-1), "no time, nothing done"
    assert expiry.sweep_uploads(60)
    assert {each.id for each in client.resources.list(experiment.id)} == {kept.id, active}
    assert len(unfinished(experiment)) == 1
    at(monkeypatch, moment + timedelta(hours=48))
    assert expiry.sweep_uploads(60)
    assert [each.id for each in client.resources.list(experiment.id)] == [kept.id]
    assert unfinished(experiment) == []


@pytest.mark.parametrize("ready", [True, False])
def test_bytes_that_come_after_a_deletion_are_removed(
    server: Server, experiment: deardiary.Experiment, monkeypatch: pytest.MonkeyPatch, *, ready: bool
) -> None:
    resource_id = declare(server, experiment)
    (signed,) = server.call("POST", f"/resources/{resource_id}/upload").body["requests"]
    if ready:
        assert put(signed, BYTES) == 200
        assert server.call("POST", f"/resources/{resource_id}/complete").status == 200
    assert server.call("DELETE", f"/resources/{resource_id}").status == 204
    assert put(signed, BYTES) == 200
    assert len(objects(experiment)) == 1
    at(monkeypatch, clock.now() + timedelta(minutes=10))
    assert expiry.sweep_uploads(60)
    assert len(objects(experiment)) == 1, "the URL lives still"
    at(monkeypatch, clock.now() + timedelta(minutes=30))
    assert expiry.sweep_uploads(60)
    assert objects(experiment) == []


def test_bytes_that_have_an_owner_again_are_not_late(
    server: Server, experiment: deardiary.Experiment, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = server.client()
    client.resources.delete(client.resources.upload(experiment.id, file).id)
    again = client.resources.upload(experiment.id, file)
    at(monkeypatch, clock.now() + timedelta(days=2))
    assert expiry.sweep_uploads(60)
    assert sweep.resume_deletions(60)
    assert len(objects(experiment)) == 1
    assert client.resources.get(again.id).state == "ready"


def test_urls_are_in_no_log(
    server: Server, experiment: deardiary.Experiment, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG", logger="deardiary"):
        server.client().resources.upload(experiment.id, file)
    assert "X-Amz-Signature" not in caplog.text


def at(monkeypatch: pytest.MonkeyPatch, moment: Any) -> None:
    monkeypatch.setattr(clock, "now", lambda: moment)


def _names(location: artifacts.Location) -> tuple[str, str]:
    return location.project_id, location.sha256
