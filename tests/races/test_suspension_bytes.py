"""A process suspended while it stores or removes bytes: those of new resources stay, and no others remain."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib import deadline
from chalicelib.routes import upkeep
from chalicelib.services.lifecycle import expiry
from deardiary.http.transport import Request
from deardiary.wire import limits, parts
from tests.support.consistency import check_consistency
from tests.support.emulator import Emulator
from tests.support.server import Server, server_on_emulator
from tests.support.suspension import Clocks, each_suspension, suspended

BACKENDS = ("s3", "filesystem", "inline")
KIB = 1024
# Text, because a snapshot can store the same bytes.
BYTES = random.Random(3).randbytes(10 * KIB).hex().encode()  # noqa: S311
SHA256 = hashlib.sha256(BYTES).hexdigest()
# Small parts, so that 20 KiB need several.
SMALL = parts.Cut(alone=8 * KIB, part=8 * KIB, most=limits.TIB)
MINUTES = 60.0
DAYS = 24 * 60 * MINUTES


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, emulator: Emulator, tmp_path_factory: Any) -> Iterator[Server]:
    root = str(tmp_path_factory.mktemp("disk"))
    settings = {"DEARDIARY_ARTIFACT_BACKEND": request.param, "DEARDIARY_ARTIFACT_FS_ROOT": root}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(parts.CUTS, "s3", SMALL)
        patch.setitem(parts.CUTS, "filesystem", SMALL)
        with server_on_emulator(emulator.environment(), **settings) as running:
            yield running


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    return Clocks(monkeypatch)


class World:
    """An experiment, and requests of its users with the same bytes."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.client, self.folder = server, server.client(), folder
        self.project = self.client.projects.create("suspension")
        self.experiment = self.client.experiments.create(self.project.id, "e")
        (folder / "bytes").write_bytes(BYTES)

    def upload(self) -> str:
        return self.client.resources.upload(self.experiment.id, self.folder / "bytes", "bytes").id

    def declare(self, **body: Any) -> Any:
        given = {"name": "bytes", "size_bytes": len(BYTES), "content_hash": SHA256, **body}
        return self.server.call("POST", f"/experiments/{self.experiment.id}/resources", given)

    def bring(self, resource: Any) -> dict[str, list[str]]:
        """Upload the bytes by the presigned requests; return the body that completes the resource."""
        body = hashes_of_parts(resource)
        for each in self.server.call("POST", f"/resources/{resource['id']}/upload", body).body["requests"]:
            data = BYTES[each["offset"] :][: each["size_bytes"]]
            headers = {**each["headers"], "Content-Length": str(len(data))}
            request = Request(method="PUT", url=each["url"], headers=headers, body=data)
            assert self.server.transport.send(request).status < 300
        return body

    def complete(self, resource: Any) -> None:
        body = self.bring(resource)
        assert self.server.call("POST", f"/resources/{resource['id']}/complete", body).status == 200

    def delete_all(self) -> None:
        """Purge every resource and iteration, and finish all unfinished deletions."""
        for each in self.client.resources.list(self.experiment.id):
            self.client.resources.delete(each.id, purge=True)
        for iteration in self.client.iterations.list(self.experiment.id):
            self.client.iterations.delete(iteration.id, purge=True)
        upkeep.run(60)

    def check_ready(self, resource_id: str) -> None:
        copy = self.client.resources.download(resource_id, self.folder / "copy")
        assert copy.read_bytes() == BYTES
        copy.unlink()


def hashes_of_parts(resource: Any) -> dict[str, list[str]]:
    """The hashes of the parts as a body; empty if one request holds all bytes."""
    cut = parts.cut(resource["backend"], len(BYTES))
    hashes = [hashlib.sha256(BYTES[each.offset :][: each.size_bytes]).hexdigest() for each in cut]
    return {"part_hashes": hashes} if cut else {}


Work = Callable[[], object]


def deleting(world: World, _clocks: Clocks) -> Work:
    resource_id = world.upload()
    return lambda: world.server.call("DELETE", f"/resources/{resource_id}?purge=true")


def deleting_all(world: World, _clocks: Clocks) -> Work:
    other = world.client.experiments.find_or_create(world.project.id, "other")
    world.client.resources.upload(other.id, world.folder / "bytes", "bytes")
    return lambda: world.server.call("DELETE", f"/experiments/{other.id}?purge=true")


def completing(world: World, _clocks: Clocks) -> Work:
    resource = world.declare().body
    body = world.bring(resource)
    return lambda: world.server.call("POST", f"/resources/{resource['id']}/complete", body)


def asking_to_upload(world: World, _clocks: Clocks) -> Work:
    """Request an upload in parts, which every client that has these bytes resumes."""
    resource = world.declare().body
    return lambda: world.server.call("POST", f"/resources/{resource['id']}/upload", hashes_of_parts(resource))


def declaring(world: World, _clocks: Clocks) -> Work:
    """Declare a resource with the bytes in the request."""
    return lambda: world.declare(data=base64.b64encode(BYTES).decode())


def describing(world: World, _clocks: Clocks) -> Work:
    """Store the bytes as a text of a snapshot."""
    path = f"/iterations/{world.client.iterations.create(world.experiment.id).id}/snapshot"
    return lambda: world.server.call("PUT", path, {"git_diff": BYTES.decode()})


def looking_for_late_bytes(world: World, clocks: Clocks) -> Work:
    """Check for bytes that arrived by a URL after the deletion of their resource."""
    resource = world.declare().body
    world.bring(resource)
    world.client.resources.delete(resource["id"], purge=True)
    clocks.ahead += 21 * MINUTES
    return lambda: expiry.sweep_uploads(60)


@pytest.mark.parametrize(
    ("server", "begin"),
    [
        *((backend, work) for backend in BACKENDS for work in (deleting, completing)),
        # The backends differ in the lines above only.
        ("s3", asking_to_upload),
        ("s3", deleting_all),
        ("s3", looking_for_late_bytes),
        ("inline", declaring),
    ],
    indirect=["server"],
)
def test_bytes_uploaded_meanwhile_stay(
    server: Server, clocks: Clocks, tmp_path: Path, begin: Callable[[World, Clocks], Work]
) -> None:
    world, uploaded = World(server, tmp_path), ""

    def meanwhile() -> None:
        nonlocal uploaded
        world.delete_all()
        uploaded = world.upload()

    def run(number: int) -> bool:
        work = begin(world, clocks)
        with suspended(number, meanwhile, clocks) as suspension, deadline.begun():
            work()
        if suspension.happened:
            world.check_ready(uploaded)
        world.delete_all()
        return suspension.happened

    assert each_suspension(run)
    clean_up(clocks)


@pytest.mark.parametrize("server", ["s3"], indirect=True)
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_text_of_a_snapshot_made_meanwhile_stays(server: Server, clocks: Clocks, tmp_path: Path, method: str) -> None:
    """The sleeper stores the same text for another iteration, or removes it with that iteration."""
    world, text = World(server, tmp_path), {"git_diff": "+ a line"}

    def put() -> str:
        iteration = world.client.iterations.create(world.experiment.id)
        assert server.call("PUT", f"/iterations/{iteration.id}/snapshot", text).status == 200
        return iteration.id

    def run(number: int) -> bool:
        first, later = world.client.iterations.create(world.experiment.id).id, ""
        path = f"/iterations/{first}"
        if method == "DELETE":
            server.call("PUT", f"{path}/snapshot", text)

        def meanwhile() -> None:
            nonlocal later
            server.call("DELETE", f"{path}?purge=true")
            upkeep.run(60)
            later = put()

        with suspended(number, meanwhile, clocks) as suspension:
            server.call(method, f"{path}?purge=true" if method == "DELETE" else f"{path}/snapshot", text)
        if suspension.happened:
            assert server.call("GET", f"/iterations/{later}/snapshot").body["git_diff"] == "+ a line", number
        for each in (first, later):
            server.call("DELETE", f"/iterations/{each}?purge=true")
        upkeep.run(60)
        return suspension.happened

    assert each_suspension(run)
    clean_up(clocks)


@pytest.mark.parametrize(
    ("server", "begin"),
    [*((backend, completing) for backend in BACKENDS), ("inline", declaring), ("s3", describing)],
    indirect=["server"],
)
def test_bytes_that_are_missing_again_are_not_ready(
    server: Server, clocks: Clocks, tmp_path: Path, begin: Callable[[World, Clocks], Work]
) -> None:
    """The bytes were checked before the suspension, then removed and declared again, but not uploaded."""
    world = World(server, tmp_path)
    declared: Any = None

    def meanwhile() -> None:
        nonlocal declared
        world.delete_all()
        declared = world.declare().body

    def run(number: int) -> bool:
        work = begin(world, clocks)
        with suspended(number, meanwhile, clocks, in_window=True) as suspension:
            work()
        if suspension.happened:
            world.complete(declared)
            world.check_ready(declared["id"])
        world.delete_all()
        return suspension.happened

    assert each_suspension(run)
    clean_up(clocks)


def clean_up(clocks: Clocks) -> None:
    """After a few days nothing is left over."""
    for _ in range(2):
        clocks.ahead += 2 * DAYS
        assert upkeep.run(60)
    check_consistency()
