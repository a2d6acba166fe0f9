"""The last owner of bytes goes during their move to another store: no copy stays, and new bytes stay."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib import artifacts, config
from chalicelib.artifacts import Location
from chalicelib.routes import upkeep
from chalicelib.services.blobs import release as service
from chalicelib.storage import blob as blobs
from tests.infra.test_migration import run, sha256
from tests.support.consistency import check_consistency
from tests.support.emulator import Emulator
from tests.support.server import Server, server_on_emulator
from tests.support.table import read_objects

CONTENT = b"the same bytes"


class World:
    """One resource on the disk, whose bytes move to S3."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.client = server, server.client()
        self.project = self.client.projects.create("races")
        self.experiment = self.client.experiments.create(self.project.id, "e")
        self.file = folder / "file"
        self.file.write_bytes(CONTENT)
        self.resources = [self.client.resources.upload(self.experiment.id, self.file)]

    def write_to(self, backend: str) -> None:
        """Set the store for new bytes."""
        os.environ["DEARDIARY_ARTIFACT_BACKEND"] = backend
        config.settings.cache_clear()

    def delete(self) -> None:
        for resource in self.resources:
            assert self.server.call("DELETE", f"/resources/{resource.id}?purge=true").status in (202, 204)
        self.resources = []

    def delete_project(self) -> None:
        assert self.server.call("DELETE", f"/projects/{self.project.id}?purge=true").status in (202, 204)
        self.resources = []

    def upload_anew(self) -> None:
        self.delete()
        self.resources = [self.client.resources.upload(self.experiment.id, self.file)]

    def check(self, folder: Path) -> None:
        """Check that every resource has its bytes, only in the store that it names."""
        for resource in self.resources:
            assert self.client.resources.download(resource.id, folder / resource.id).read_bytes() == CONTENT
        stored = {
            backend for backend, paths in read_objects().items() if any(sha256(CONTENT) in path for path in paths)
        }
        named = {self.client.resources.get(resource.id).backend for resource in self.resources}
        assert stored == named
        check_consistency()


@pytest.fixture
def world(emulator: Emulator, tmp_path: Path) -> Iterator[World]:
    disk = {"DEARDIARY_ARTIFACT_BACKEND": "filesystem", "DEARDIARY_ARTIFACT_FS_ROOT": str(tmp_path / "disk")}
    with server_on_emulator(emulator.environment(), **disk) as server:
        yield World(server, tmp_path)


MOMENTS: dict[str, tuple[Any, str]] = {
    "announcement": (blobs, "begin_move"),
    "copy": (artifacts.store("s3"), "write"),
    "switch": (blobs, "move"),
    "removal of the original": (artifacts.store("filesystem"), "delete"),
    "end": (blobs, "end_move"),
}
ACTS: dict[str, Callable[[World], None]] = {
    "deleted": World.delete,
    "project deleted": World.delete_project,
    "uploaded anew": World.upload_anew,
}


def interrupt(patch: pytest.MonkeyPatch, moment: str, act: Callable[[], None], *, after: bool) -> list[str]:
    """Act once at this moment; return a list that is not empty after that."""
    owner, name = MOMENTS[moment]
    whole = getattr(owner, name)
    done: list[str] = []

    def act_once() -> None:
        if not done:
            done.append(moment)
            act()

    def interrupted(*given: Any) -> Any:
        if not after:
            act_once()
        answer = whole(*given)
        act_once()
        return answer

    patch.setattr(owner, name, interrupted)
    return done


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_the_last_owner_goes(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    moment: str,
    act: Callable[[World], None],
    *,
    after: bool,
) -> None:
    for backend in ("filesystem", "s3") if act is World.upload_anew else ("s3",):
        world.write_to("filesystem")
        if not world.resources:
            world.upload_anew()
        world.write_to(backend)
        with monkeypatch.context() as patch:
            done = interrupt(patch, moment, lambda: act(world), after=after)
            run()
        assert done
        with monkeypatch.context() as patch:
            patch.setattr(blobs, "CLAIM_MS", -1)
            assert upkeep.run(60)
        world.check(tmp_path)
        if act is World.upload_anew:
            world.delete()


def test_a_run_that_died_while_it_copied_leaves_no_copy(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def die(*_given: Any) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(blobs, "move", die)
        with pytest.raises(KeyboardInterrupt):
            run()
    world.delete()
    world.check(tmp_path)


def test_a_copy_for_another_store_is_removed_first(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def die(*_given: Any) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(blobs, "move", die)
        with pytest.raises(KeyboardInterrupt):
            run("s3")
    assert run("inline").moved == 1
    assert world.client.resources.get(world.resources[0].id).backend == "inline"
    assert not any(sha256(CONTENT) in path for paths in read_objects().values() for path in paths)
    check_consistency()


def test_a_copy_that_comes_after_the_removal_is_removed_too(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The removal deletes the blob during the copy, and ends before the copy is complete."""
    remove, location = service.remove_bytes, Location(world.project.id, sha256(CONTENT))
    removed: list[str] = []

    def remove_before_the_copy_is_there(project_id: str, blob: Any) -> None:
        remove(project_id, blob)
        if not removed:
            removed.append(blob.sha256)
            artifacts.store("s3").write(location, len(CONTENT), [CONTENT])

    with monkeypatch.context() as patch:
        interrupt(patch, "copy", world.delete, after=True)
        patch.setattr(service, "remove_bytes", remove_before_the_copy_is_there)
        run()
    assert removed
    world.check(tmp_path)
