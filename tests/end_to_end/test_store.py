"""An S3-compatible store beside the AWS account: parts, keys of its own, and stores that do not check enough."""

from __future__ import annotations

import hashlib
import logging
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import deardiary
from chalicelib import artifacts, config
from chalicelib.artifacts import s3
from chalicelib.aws import clients
from chalicelib.storage import blob as blobs
from deardiary.http.transport import Request, Response
from deardiary.wire import limits, parts
from tests.support.emulator import Emulator
from tests.support.faults import Answer, Delivery, inject
from tests.support.seaweedfs import BUCKET, Store, on_store
from tests.support.server import URL, Server, server_on_emulator

PART = 5 * limits.MIB  # the least that S3 accepts of a part, and this store too
BYTES = random.Random(3).randbytes(2 * PART + 5)  # noqa: S311
CUT = parts.Cut(alone=PART, part=PART, most=limits.TIB)


@pytest.fixture(scope="module")
def server(emulator: Emulator, store: Store) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(parts.CUTS, "s3", CUT)
        with server_on_emulator(emulator.environment(), **on_store(store, emulator)) as running:
            yield running


@pytest.fixture
def experiment(server: Server) -> deardiary.Experiment:
    client = server.client()
    return client.experiments.create(client.projects.create("store").id, "store")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "model.bin").write_bytes(BYTES)
    return tmp_path / "model.bin"


class Watching:
    """A transport that counts the requests to the store, and ends the process, as it were, after some of them."""

    def __init__(self, server: Server, puts: int = 1000) -> None:
        self._inner = server.transport
        self.left = puts
        self.paths: list[str] = []

    def send(self, request: Request) -> Response:
        if request.method == "PUT":
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            self.paths.append(request.url)
        return self._inner.send(request)

    def close(self) -> None:
        """There is nothing to close."""


def hashes(data: bytes = BYTES) -> list[str]:
    return [hashlib.sha256(data[offset : offset + PART]).hexdigest() for offset in range(0, len(data), PART)]


def declare(server: Server, experiment: deardiary.Experiment, data: bytes = BYTES) -> Any:
    body = {"name": "model.bin", "size_bytes": len(data), "content_hash": hashlib.sha256(data).hexdigest()}
    return server.call("POST", f"/experiments/{experiment.id}/resources", body).body["id"]


def ask(server: Server, resource_id: str, declared: list[str]) -> Any:
    return server.call("POST", f"/resources/{resource_id}/upload", {"part_hashes": declared}).body["requests"]


def put(server: Server, signed: Any, data: bytes = BYTES) -> int:
    body = data[signed["offset"] : signed["offset"] + signed["size_bytes"]]
    request = Request(method="PUT", url=signed["url"], headers=signed["headers"], body=body)
    return server.transport.send(request).status


def stored(store: Store, experiment: deardiary.Experiment) -> list[int]:
    """The sizes of a project's objects in the store, and a zero for each upload that is not complete."""
    client, prefix = store.client(), f"projects/{experiment.project_id}/"
    uploads = client.list_multipart_uploads(Bucket=BUCKET, Prefix=prefix).get("Uploads", [])
    objects = client.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return [each["Size"] for each in objects] + [0 for _ in uploads]


def test_parts_go_into_the_store_and_come_back(
    server: Server, store: Store, experiment: deardiary.Experiment, file: Path, tmp_path: Path
) -> None:
    watching = Watching(server)
    client = deardiary.connect(URL, token=server.token(), transport=watching)
    resource = client.resources.upload(experiment.id, file)
    assert (resource.state, resource.uri.partition("/projects/")[0]) == ("ready", f"s3://{BUCKET}")
    assert len(watching.paths) == 3
    assert all(path.startswith(f"{store.endpoint_url}/{BUCKET}/projects/") for path in watching.paths)
    assert stored(store, experiment) == [len(BYTES)]
    assert client.resources.download(resource.id, tmp_path / "copy").read_bytes() == BYTES
    assert client.resources.delete(resource.id, purge=True) == len(BYTES)
    assert stored(store, experiment) == []


def test_a_part_that_arrived_is_not_asked_for_again(server: Server, experiment: deardiary.Experiment) -> None:
    resource_id = declare(server, experiment)
    first, second, last = ask(server, resource_id, hashes())
    assert put(server, first, bytes(len(BYTES))) == 400, "the store compares the SHA-256"
    assert [put(server, each) for each in (second, last)] == [200, 200]
    assert [each["part_number"] for each in ask(server, resource_id, hashes())] == [1]
    incomplete = server.call("POST", f"/resources/{resource_id}/complete", {"part_hashes": hashes()})
    assert incomplete.error == (422, "INVALID_PAYLOAD")
    assert incomplete.body["details"]["first_missing_part"] == 1
    assert put(server, ask(server, resource_id, hashes())[0]) == 200
    complete = server.call("POST", f"/resources/{resource_id}/complete", {"part_hashes": hashes()})
    assert complete.body["state"] == "ready"


def test_a_part_that_was_declared_otherwise_is_never_joined(
    server: Server, store: Store, experiment: deardiary.Experiment
) -> None:
    """The store lists parts without checksums: only the join shows that one is another's. Then all begins anew."""
    resource_id = declare(server, experiment)
    other = bytes(PART) + BYTES[PART:]
    for each in ask(server, resource_id, hashes(other)):
        assert put(server, each, other) == 200
    assert ask(server, resource_id, hashes()) == []
    refused = server.call("POST", f"/resources/{resource_id}/complete", {"part_hashes": hashes()})
    assert (refused.error, refused.field) == ((422, "INVALID_PAYLOAD"), "part_hashes")
    assert stored(store, experiment) == []
    for each in ask(server, resource_id, hashes()):
        assert put(server, each) == 200
    complete = server.call("POST", f"/resources/{resource_id}/complete", {"part_hashes": hashes()})
    assert complete.body["state"] == "ready"


def test_an_upload_that_the_store_has_forgotten_begins_anew(server: Server, experiment: deardiary.Experiment) -> None:
    resource_id = declare(server, experiment)
    assert put(server, ask(server, resource_id, hashes())[0]) == 200
    location = artifacts.Location(experiment.project_id, hashlib.sha256(BYTES).hexdigest())
    blob = blobs.find_blob(*location)
    assert blob is not None
    assert blob.upload_id is not None
    artifacts.store("s3").abort(location, blob.upload_id)
    assert len(ask(server, resource_id, hashes())) == 3


def test_the_server_itself_writes_and_reads_parts(server: Server, experiment: deardiary.Experiment) -> None:
    """As migrate-artifacts does."""
    location = artifacts.Location(experiment.project_id, hashlib.sha256(BYTES).hexdigest())
    kept = s3.S3Store()
    with pytest.raises(ValueError, match="SHA-256"):
        kept.write(location, len(BYTES), [BYTES[:-1] + b"x"])
    assert kept.size_of(location) is None
    kept.write(location, len(BYTES), [BYTES])
    kept.verify(location, len(BYTES), [replace(part, sha256=each) for part, each in zip(cut(), hashes(), strict=True)])
    assert b"".join(kept.blocks(location)) == BYTES
    kept.delete(location)
    assert kept.size_of(location) is None


def cut() -> tuple[parts.Part, ...]:
    return parts.cut("s3", len(BYTES))


def unknown_header(delivery: Delivery) -> Answer:
    """As a store answers that knows no checksums of parts."""
    return delivery.answer(501, "NotImplemented")


def not_compared(delivery: Delivery) -> Answer:
    """As a store answers that ignores the header."""
    return delivery.answer(200, "")


@pytest.mark.parametrize("fault", [unknown_header, not_compared])
def test_a_store_that_does_not_check_parts_gets_none(
    server: Server, store: Store, experiment: deardiary.Experiment, file: Path, tmp_path: Path, fault: Any
) -> None:
    resource_id = declare(server, experiment)
    with inject(fault, {"UploadPart"}) as hit:
        refused = server.call("POST", f"/resources/{resource_id}/upload", {"part_hashes": hashes()})
    assert hit == ["UploadPart"]
    assert (refused.error, refused.field) == ((422, "INVALID_PAYLOAD"), "part_hashes")
    assert stored(store, experiment) == []
    with inject(fault, {"UploadPart"}):
        watching = Watching(server)
        client = deardiary.connect(URL, token=server.token(), transport=watching)
        resource = client.resources.upload(experiment.id, file)
    assert (resource.id, resource.state, len(watching.paths)) == (resource_id, "ready", 1)
    assert client.resources.download(resource.id, tmp_path / "copy").read_bytes() == BYTES


def without_checksum(delivery: Delivery) -> Answer:
    """As a store answers that keeps no SHA-256."""
    answer, error = delivery.deliver()
    assert answer is not None
    answer[1].pop("ChecksumSHA256")
    return answer, error


def test_bytes_without_a_stored_sha_256_never_become_ready(server: Server, experiment: deardiary.Experiment) -> None:
    data = b"small"
    resource_id = declare(server, experiment, data)
    (signed,) = server.call("POST", f"/resources/{resource_id}/upload").body["requests"]
    assert put(server, signed, data) == 200
    with inject(without_checksum, {"HeadObject"}):
        refused = server.call("POST", f"/resources/{resource_id}/complete")
    assert (refused.error, refused.field) == ((422, "INVALID_PAYLOAD"), "content_hash")
    assert "keeps no SHA-256" in refused.body["message"]
    assert server.call("GET", f"/resources/{resource_id}/download").error == (409, "CONFLICT")


def test_the_keys_are_read_once_and_never_shown(
    store: Store,
    emulator: Emulator,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen: list[str] = []
    levels = caplog.at_level(logging.INFO), caplog.at_level(logging.DEBUG, "deardiary")
    with levels[0], levels[1], server_on_emulator(emulator.environment(), **on_store(store, emulator)) as fresh:
        listen: Any = clients.session().register
        listen("before-call.ssm.GetParameter", lambda params, **_: seen.append(params["body"].decode()))
        made = fresh.client().experiments.create(fresh.client().projects.create("keys").id, "keys")
        for number in range(3):
            (tmp_path / "small").write_text(f"{number}")
            fresh.client().resources.upload(made.id, tmp_path / "small")
        shown = repr(config.settings()) + repr(s3.client()) + repr(s3.client()._request_signer._credentials)
        urls = fresh.call("POST", f"/resources/{declare(fresh, made, b'x')}/upload").body
    assert len([body for body in seen if "/tests/artifact-store" in body]) == 1
    for text in (caplog.text, shown, str(urls)):
        assert store.secret_access_key not in text
    assert store.access_key_id not in caplog.text + shown
    assert "x-amz-security-token" not in str(urls).lower()
