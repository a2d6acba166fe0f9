"""`python -m infra migrate-artifacts`: which bytes it moves, which it leaves, and a crash at any write."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import deardiary
from chalicelib import artifacts, config
from chalicelib.artifacts import Location
from chalicelib.deadline import DeadlinePassed
from chalicelib.services.blobs import migration
from chalicelib.services.blobs.migration import Report, migrate
from chalicelib.storage import blob as blobs
from chalicelib.storage import resource as resources
from infra.failure import InfraError
from infra.migrate import migrate_artifacts
from tests.support.emulator import Emulator
from tests.support.server import Server, server_on_emulator
from tests.support.suspension import Clocks, each_suspension, suspended

DIFF = "+ a line\n" * 1000


@pytest.fixture
def server(emulator: Emulator, tmp_path: Path) -> Iterator[Server]:
    disk = {"DEARDIARY_ARTIFACT_BACKEND": "filesystem", "DEARDIARY_ARTIFACT_FS_ROOT": str(tmp_path / "disk")}
    with server_on_emulator(emulator.environment(), **disk) as running:
        yield running


@pytest.fixture
def project(server: Server, tmp_path: Path) -> deardiary.Project:
    """Three resources of two blobs, one that is pending, and a snapshot; the setting says s3 from now on."""
    client = server.client()
    project = client.projects.create("p")
    for number, name in enumerate(("one", "two", "one")):
        experiment = client.experiments.create(project.id, f"e{number}")
        (tmp_path / "file").write_text(name)
        client.resources.upload(experiment.id, tmp_path / "file")
    client.resources.create(experiment.id, name="half", size_bytes=4, content_hash=sha256(b"half"))
    iteration = client.iterations.create(experiment.id)
    assert server.call("PUT", f"/iterations/{iteration.id}/snapshot", {"git_diff": DIFF}).status == 200
    os.environ["DEARDIARY_ARTIFACT_BACKEND"] = "s3"
    config.settings.cache_clear()
    return project


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def everything(server: Server, project: deardiary.Project, folder: Path) -> dict[str, bytes]:
    """The bytes of all ready resources, as a user downloads them, and the snapshots."""
    client, found = server.client(), {}
    for experiment in client.experiments.list(project.id):
        for resource in client.resources.list(experiment.id):
            if resource.state == "ready":
                found[resource.id] = client.resources.download(resource.id, folder / resource.id).read_bytes()
        for iteration in client.iterations.list(experiment.id):
            snapshot = server.call("GET", f"/iterations/{iteration.id}/snapshot").body
            found[iteration.id] = snapshot["git_diff"].encode()
    return found


def on_disk(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "disk").rglob("*") if path.is_file()]


def run(to: str = "s3") -> Report:
    report = Report()
    for _ in migrate(to, report):
        pass
    return report


def test_everything_moves_and_a_second_run_moves_nothing(
    server: Server, project: deardiary.Project, tmp_path: Path
) -> None:
    before = everything(server, project, tmp_path)
    assert len(on_disk(tmp_path)) == 3
    lines = list(migrate_artifacts("s3"))
    assert lines[-1] == (
        f"moved to s3: 3 blobs of {len(DIFF) + 6} bytes, 4 rows changed; 1 not complete yet, 0 could not be moved"
    )
    assert on_disk(tmp_path) == []
    assert everything(server, project, tmp_path) == before
    client = server.client()
    shown = [each for e in client.experiments.list(project.id) for each in client.resources.list(e.id)]
    assert {(each.backend, each.uri[:5]) for each in shown if each.state == "ready"} == {("s3", "s3://")}
    again = run()
    assert (again.moved, again.rows, again.pending, again.failed) == (0, 0, 1, 0)


@pytest.mark.parametrize("kind", ["project", "experiment", "iteration", "resource"])
def test_what_is_in_the_trash_moves_too(server: Server, project: deardiary.Project, tmp_path: Path, kind: str) -> None:
    client, before = server.client(), everything(server, project, tmp_path)
    *_, experiment = client.experiments.list(project.id)
    (iteration,) = client.iterations.list(experiment.id)
    resource = next(each for each in client.resources.list(experiment.id) if each.state == "ready")
    ids = {"project": project.id, "experiment": experiment.id, "iteration": iteration.id, "resource": resource.id}
    getattr(client, f"{kind}s").delete(ids[kind])
    assert run("s3").moved == 3
    assert on_disk(tmp_path) == []
    client.trash.restore(ids[kind])
    assert everything(server, project, tmp_path) == before


def test_it_goes_back_too(server: Server, project: deardiary.Project, tmp_path: Path) -> None:
    before = everything(server, project, tmp_path)
    run("s3")
    assert run("inline").moved == 3
    assert everything(server, project, tmp_path) == before
    assert run("filesystem").moved == 3
    assert everything(server, project, tmp_path) == before
    client = server.client()
    client.projects.delete(project.id, purge=True)
    assert on_disk(tmp_path) == []


STEPS = [
    (artifacts.store("s3"), "write"),
    (blobs, "move"),
    (resources, "move_resource"),
    (migration, "_point_snapshot"),
    (artifacts.store("filesystem"), "delete"),
    (blobs, "end_move"),
]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("owner", "name"), STEPS, ids=[name for _, name in STEPS])
def test_a_run_that_dies_is_gone_on_with(
    server: Server,
    project: deardiary.Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: Any,
    name: str,
    *,
    after: bool,
) -> None:
    before, whole = everything(server, project, tmp_path), getattr(owner, name)

    def die(*arguments: Any, **named: Any) -> None:
        if after:
            whole(*arguments, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, die)
        with pytest.raises(KeyboardInterrupt):
            run()
    assert everything(server, project, tmp_path) == before, "nobody notices"
    monkeypatch.setattr(blobs, "CLAIM_MS", -1)
    assert run().failed == 0
    assert everything(server, project, tmp_path) == before
    assert on_disk(tmp_path) == []


def test_a_run_that_was_suspended_removes_no_bytes_that_came_back(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meanwhile other runs finish the move and begin to move the bytes back."""
    client, clocks = server.client(), Clocks(monkeypatch)
    project = client.projects.create("p")
    (tmp_path / "file").write_text("one")
    experiment = client.experiments.create(project.id, "e")
    client.resources.upload(experiment.id, tmp_path / "file")
    iteration = client.iterations.create(experiment.id)
    assert server.call("PUT", f"/iterations/{iteration.id}/snapshot", {"git_diff": DIFF}).status == 200
    before = everything(server, project, tmp_path)

    def meanwhile() -> None:
        run("s3")
        run("filesystem")

    def sleep_at(number: int) -> bool:
        run("filesystem")
        with suspended(number, meanwhile, clocks) as suspension, suppress(DeadlinePassed):
            run("s3")
        assert everything(server, project, tmp_path) == before, number
        return suspension.happened

    assert each_suspension(sleep_at)


def test_damaged_bytes_stay_where_they_are(server: Server, project: deardiary.Project, tmp_path: Path) -> None:
    victim = tmp_path / "disk" / Location(project.id, sha256(b"one")).path
    victim.write_bytes(b"0ne")
    (tmp_path / "disk" / Location(project.id, sha256(b"two")).path).unlink()
    lines: list[str] = []
    with pytest.raises(InfraError, match="2 could not be moved"):
        lines.extend(migrate_artifacts("s3"))
    report = run()
    assert (report.moved, report.failed) == (0, 2)
    assert victim.read_bytes() == b"0ne"
    blob = blobs.find_blob(project.id, sha256(b"one"))
    assert blob is not None
    assert (blob.backend, blob.moved_from) == ("filesystem", None)


def test_bytes_uploaded_meanwhile_go_to_the_new_store(
    server: Server, project: deardiary.Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another request declares the same bytes between the read of the blob and its write, during the move."""
    client, find = server.client(), blobs.find_blob
    experiment = next(iter(client.experiments.list(project.id)))
    (tmp_path / "file").write_text("one")
    moved: list[Report] = []

    def find_and_move(*arguments: str) -> Any:
        found = find(*arguments)
        if not moved:
            moved.append(Report())
            monkeypatch.undo()
            moved.append(run())
        return found

    monkeypatch.setattr(blobs, "find_blob", find_and_move)
    body = {"name": "x", "size_bytes": 3, "content_hash": sha256(b"one")}
    first = server.call("POST", f"/experiments/{experiment.id}/resources", body)
    assert first.error == (503, "UNAVAILABLE")
    made = server.call("POST", f"/experiments/{experiment.id}/resources", body).body
    assert (made["state"], made["backend"]) == ("ready", "s3")
    assert client.resources.download(made["id"], tmp_path / "copy").read_text() == "one"
