"""Large files go to the store in parts: once, resumed, and by several clients at once."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import deardiary
from chalicelib import artifacts
from chalicelib.storage import blob as blobs
from deardiary.http.transport import Request, Response
from tests.support.faults import inject
from tests.support.parts import (
    BYTES,
    PART,
    Watching,
    ask,
    client_over,
    declare,
    hashes,
    objects,
    piece,
    put,
    unfinished,
)
from tests.support.server import Server


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


def test_urls_are_in_no_log(
    server: Server, experiment: deardiary.Experiment, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG", logger="deardiary"):
        server.client().resources.upload(experiment.id, file)
    assert "X-Amz-Signature" not in caplog.text


def _names(location: artifacts.Location) -> tuple[str, str]:
    return location.project_id, location.sha256


def test_a_file_that_changes_between_its_hashes_and_its_upload_is_refused(
    server: Server, experiment: deardiary.Experiment, file: Path
) -> None:
    class Changing(Watching):
        def send(self, request: Request) -> Response:
            if request.method == "POST" and request.url.endswith("/resources"):
                file.write_bytes(BYTES[:-1] + b"x")
            return super().send(request)

    with pytest.raises(deardiary.ClientError, match="STORE_REFUSED"):
        client_over(server, Changing(server)).resources.upload(experiment.id, file)
    (pending,) = server.client().resources.list(experiment.id)
    assert pending.state == "pending"
