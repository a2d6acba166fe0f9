"""Behaviour of every backend: one suite over all of them, and over a second S3."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import boto3
import pytest

import deardiary
from chalicelib import clock, config
from chalicelib.artifacts import s3
from chalicelib.services.lifecycle import expiry
from deardiary.http.transport import Request, Response
from deardiary.wire import limits, parts
from tests.support.emulator import Emulator
from tests.support.seaweedfs import on_store
from tests.support.server import URL, Reply, Server, server_on_emulator

KIB = 1024
BYTES = random.Random(2).randbytes(200 * KIB)  # noqa: S311
BACKENDS = ("s3", "filesystem", "inline", "seaweedfs")
# Small parts, so that 200 KiB need several.
SMALL = parts.Cut(alone=64 * KIB, part=64 * KIB, most=limits.TIB)


@pytest.fixture(scope="module", params=BACKENDS)
def server(request: pytest.FixtureRequest, emulator: Emulator, tmp_path_factory: Any) -> Iterator[Server]:
    root = str(tmp_path_factory.mktemp("disk"))
    settings = {"DEARDIARY_ARTIFACT_FS_ROOT": root, "DEARDIARY_ARTIFACT_BACKEND": request.param}
    if request.param == "seaweedfs":
        settings |= on_store(request.getfixturevalue("store"), emulator)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(parts.CUTS, "s3", SMALL)
        patch.setitem(parts.CUTS, "filesystem", SMALL)
        with server_on_emulator(emulator.environment(), **settings) as running:
            yield running


@pytest.fixture
def experiment(server: Server) -> deardiary.Experiment:
    client = server.client()
    return client.experiments.create(client.projects.create("artifacts").id, "artifacts")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "model.bin").write_bytes(BYTES)
    return tmp_path / "model.bin"


def declare(server: Server, experiment: deardiary.Experiment, data: bytes, **body: Any) -> Reply:
    given = {"name": "model.bin", "size_bytes": len(data), "content_hash": hashlib.sha256(data).hexdigest(), **body}
    return server.call("POST", f"/experiments/{experiment.id}/resources", given)


def asked(server: Server, resource: Any, data: bytes) -> Any:
    """Request an upload, whole or in parts as required; return its requests."""
    cut = parts.cut(resource["backend"], len(data))
    hashes = [hashlib.sha256(data[each.offset : each.offset + each.size_bytes]).hexdigest() for each in cut]
    body = {"part_hashes": hashes} if cut else {}
    return body, server.call("POST", f"/resources/{resource['id']}/upload", body).body["requests"]


def put(server: Server, signed: Any, data: bytes) -> int:
    headers = {**signed["headers"], "Content-Length": str(len(data))}
    return server.transport.send(Request(method="PUT", url=signed["url"], headers=headers, body=data)).status


def stored(experiment: deardiary.Experiment) -> int:
    """All objects of a project in any store."""
    prefix, root = f"projects/{experiment.project_id}/", config.settings().artifact_root
    listed = s3.client().list_objects_v2(Bucket=config.settings().artifact_bucket, Prefix=prefix)
    files = [path for path in (root or Path()).glob(f"{prefix}**/*") if path.is_file()]
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=config.settings().table)
    keys = [row["PK"]["S"] for page in pages for row in page["Items"]]
    rows = [key for key in keys if key.startswith(f"BYTES#{experiment.project_id}")]
    return len(listed.get("Contents", [])) + len(files) + len(rows)


@pytest.mark.parametrize("data", [BYTES, b"", b"\x00\xff" * 7], ids=["200 KiB", "nothing", "14 bytes"])
def test_bytes_go_up_and_come_back(
    server: Server, experiment: deardiary.Experiment, tmp_path: Path, data: bytes
) -> None:
    (tmp_path / "x").write_bytes(data)
    client = server.client()
    resource = client.resources.upload(experiment.id, tmp_path / "x", "a/näme with spaces.bin")
    assert (resource.state, resource.backend) == ("ready", config.settings().artifact_backend)
    assert resource.uri.partition(":")[0] == {"filesystem": "file"}.get(resource.backend, resource.backend)
    done: list[tuple[int, int]] = []
    copy = client.resources.download(resource.id, tmp_path, progress=lambda *now: done.append(now))
    assert (copy, copy.read_bytes()) == (tmp_path / "näme with spaces.bin", data)
    assert done[-1] == (len(data), len(data))


@pytest.mark.parametrize("sign", ["\U0001f600", "é", '"', "\\x", "a"])
def test_a_name_of_255_characters_of_any_kind_is_downloaded(
    server: Server, experiment: deardiary.Experiment, tmp_path: Path, sign: str
) -> None:
    name = (sign * 255)[:255]
    resource = declare(server, experiment, b"data", name=name).body
    _, (signed,) = asked(server, resource, b"data")
    assert put(server, signed, b"data") == 200
    assert server.call("POST", f"/resources/{resource['id']}/complete").body["state"] == "ready"
    url = server.call("GET", f"/resources/{resource['id']}/download").body["url"]
    assert len(url) < 8000
    answer = server.transport.send(Request(method="GET", url=url, headers={}))
    assert answer.status == 200
    given = {key.lower(): value for key, value in answer.headers.items()}["content-disposition"]
    last = name.replace("\\", "/").rpartition("/")[2] or "download"
    assert unquote(given.partition("filename*=UTF-8''")[2]) == last
    assert server.client().resources.download(resource["id"], tmp_path / "copy").read_bytes() == b"data"


@pytest.mark.parametrize(
    "wrong",
    [lambda data: data[:-1] + b"X", lambda data: data[:-1], lambda data: data + b"X", lambda data: b""],
    ids=["a flipped byte", "cut short", "too long", "nothing"],
)
def test_other_bytes_than_declared_never_become_ready(
    server: Server, experiment: deardiary.Experiment, wrong: Callable[[bytes], bytes]
) -> None:
    resource = declare(server, experiment, BYTES).body
    body, requests = asked(server, resource, BYTES)
    for each in requests:
        data = BYTES[each["offset"] : each["offset"] + each["size_bytes"]]
        assert put(server, each, wrong(data)) in (400, 403, 422)
    refused = server.call("POST", f"/resources/{resource['id']}/complete", body)
    assert refused.error == (422, "INVALID_PAYLOAD")
    assert server.call("GET", f"/resources/{resource['id']}/download").error == (409, "CONFLICT")


def test_the_same_bytes_are_stored_once_and_go_with_their_last_resource(
    server: Server, experiment: deardiary.Experiment, file: Path, tmp_path: Path
) -> None:
    client = server.client()
    one = client.resources.upload(experiment.id, file)
    other = declare(server, experiment, BYTES).body
    assert other["state"] == "ready"
    before = stored(experiment)
    assert client.resources.delete(one.id, purge=True) == 0
    assert stored(experiment) == before
    assert client.resources.download(other["id"], tmp_path / "copy").read_bytes() == BYTES
    assert client.resources.delete(other["id"], purge=True) == len(BYTES)
    assert stored(experiment) == 0
    assert declare(server, experiment, BYTES).body["state"] == "pending"


def test_a_project_that_goes_takes_its_bytes_with_it(
    server: Server, experiment: deardiary.Experiment, file: Path
) -> None:
    client = server.client()
    client.resources.upload(experiment.id, file)
    half = declare(server, experiment, BYTES[::-1]).body
    put(server, asked(server, half, BYTES[::-1])[1][0], BYTES[::-1][: parts.CUTS[half["backend"]].alone])
    client.projects.delete(experiment.project_id, purge=True)
    assert stored(experiment) == 0


def test_another_project_gains_nothing_by_the_hash(
    server: Server, experiment: deardiary.Experiment, file: Path
) -> None:
    client = server.client()
    client.resources.upload(experiment.id, file)
    elsewhere = client.experiments.create(client.projects.create("other").id, "other")
    assert declare(server, elsewhere, BYTES).body["state"] == "pending"


def test_a_late_put_leaves_nothing(
    server: Server, experiment: deardiary.Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = BYTES[: 10 * KIB]
    resource = declare(server, experiment, data).body
    _, (signed,) = asked(server, resource, data)
    assert put(server, signed, data) == 200
    assert server.call("POST", f"/resources/{resource['id']}/complete").body["state"] == "ready"
    assert server.call("DELETE", f"/resources/{resource['id']}?purge=true").headers["x-freed-bytes"] == str(len(data))
    put(server, signed, data)
    tomorrow = clock.now() + timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: tomorrow)
    assert expiry.sweep_uploads(60)
    assert stored(experiment) == 0


def test_a_url_is_for_one_thing(server: Server, experiment: deardiary.Experiment, file: Path) -> None:
    resource = server.client().resources.upload(experiment.id, file)
    url = server.call("GET", f"/resources/{resource.id}/download").body["url"]
    assert url.startswith("http://")

    def send(method: str, url: str, body: bytes = b"") -> int:
        headers = {"Range": "bytes=0-9", "Content-Type": "application/octet-stream"}
        return server.transport.send(Request(method=method, url=url, headers=headers, body=body)).status

    assert send("GET", url) == 206
    changed = url[:-9] + ("A" if url[-9] != "A" else "B") + url[-8:]
    assert send("GET", changed) in (401, 403)
    assert send("PUT", url, b"something else") in (401, 403)
    assert send("GET", url.partition("?")[0]) in (403, 404, 422) or resource.backend == "s3"


def test_a_broken_download_goes_on_where_it_ended(
    server: Server, experiment: deardiary.Experiment, file: Path, tmp_path: Path
) -> None:
    resource = server.client().resources.upload(experiment.id, file)
    torn = Tearing(server, after=70 * KIB)
    client = deardiary.connect(URL, token=server.token(), transport=torn)
    with pytest.raises(KeyboardInterrupt):
        client.resources.download(resource.id, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    torn.after = len(BYTES)
    torn.ranges.clear()
    assert client.resources.download(resource.id, tmp_path / "copy").read_bytes() == BYTES
    assert torn.ranges[0] == f"bytes={70 * KIB}-"
    assert {path.name for path in tmp_path.iterdir()} == {"copy", "model.bin"}


class Tearing:
    """A transport that kills the process after this many bytes of a download."""

    def __init__(self, server: Server, after: int) -> None:
        self._inner = server.transport
        self.after = after
        self.ranges: list[str] = []

    def send(self, request: Request) -> Response:
        if "Range" in request.headers:
            self.ranges.append(request.headers["Range"])
        answer = self._inner.send(request)
        return Response(answer.status, answer.headers, _Torn(answer, self)) if request.streamed else answer

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


class _Torn:
    def __init__(self, answer: Response, tearing: Tearing) -> None:
        self._stream = answer.stream
        self._tearing = tearing

    def read(self, size: int = -1, /) -> bytes:
        if not self._tearing.after:
            raise KeyboardInterrupt
        data = self._stream.read(min(size, self._tearing.after) if size > 0 else size)
        self._tearing.after -= len(data)
        return data

    def close(self) -> None:
        self._stream.close()


def test_folders_come_back_as_the_tree_that_they_were(
    server: Server, experiment: deardiary.Experiment, tmp_path: Path
) -> None:
    tree = {"a.txt": b"a", "sub dir/b ü.bin": BYTES, "sub dir/deeper/c": b"", "sub dir/d": b"a"}
    for name, data in tree.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(data)
    client = server.client()
    iteration = client.iterations.create(experiment.id)
    logged = client.resources.upload_folder(experiment.id, tmp_path / "in", iteration_id=iteration.id)
    assert {each.name for each in logged} == set(tree)
    done: list[tuple[int, int]] = []
    client.resources.download_all(
        experiment.id, tmp_path / "out", iteration_id=iteration.id, progress=lambda *now: done.append(now)
    )
    found = {path.relative_to(tmp_path / "out").as_posix(): path for path in (tmp_path / "out").rglob("*")}
    assert {name: path.read_bytes() for name, path in found.items() if path.is_file()} == tree
    assert done[-1] == (sum(map(len, tree.values())),) * 2
    again = client.resources.upload_folder(experiment.id, tmp_path / "in", "below")
    assert {each.name for each in again} == {f"below/{name}" for name in tree}


def test_small_texts_of_the_server_itself(server: Server, experiment: deardiary.Experiment) -> None:
    """A snapshot keeps its texts in the same store, whatever their size."""
    iteration = server.client().iterations.create(experiment.id)
    diff = "+ line\n" * 100_000
    assert server.call("PUT", f"/iterations/{iteration.id}/snapshot", {"git_diff": diff}).status == 200
    assert server.call("GET", f"/iterations/{iteration.id}/snapshot").body["git_diff"] == diff
    server.client().iterations.delete(iteration.id, purge=True)
    assert stored(experiment) == 0
