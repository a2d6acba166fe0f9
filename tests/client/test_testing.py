"""`deardiary.testing`: users' own tests log into memory."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

import deardiary
import deardiary.wire.parts
from deardiary import IterationStatus, Point
from deardiary.testing import MemoryServer, recording

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a test with `recording` opens no connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_a_test_sees_what_the_code_under_test_logs(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"weights")
    with recording() as server:
        with deardiary.start("Iris", "sweep", parameters={"lr": 0.1}, tags=["quick"], notes="first") as iteration:
            iteration.log({"loss": 1.0, "accuracy": float("inf")})
            iteration.log({"loss": 0.5}, step=7)
            iteration.log_resource(tmp_path / "model.bin")
            iteration.register_model("classifier", "model.bin")
            iteration.set_snapshot(git_sha="abc", git_diff="+ x")
            with iteration.child(parameters={"fold": 1}) as child:
                child.log({"loss": 2})
        first, second = server.iterations
    assert (first.project, first.experiment, first.notes) == ("Iris", "sweep", "first")
    assert (first.status, first.error_message) == (IterationStatus.SUCCEEDED, "")
    assert (first.parameters, first.tags) == ({"lr": "0.1"}, ["quick"])
    assert first.metrics == {"loss": [1.0, 0.5], "accuracy": [float("inf")]}
    assert [point.step for point in first.points["loss"]] == [0, 7]
    assert isinstance(first.points["loss"][0], Point)
    assert (first.files, first.models) == ({"model.bin": b"weights"}, {"classifier": "model.bin"})
    assert first.snapshot == {"git_sha": "abc", "git_diff": "+ x"}
    assert [each.id for each in server.client().iterations.children(first.id)] == [second.id]
    assert (second.parent_id, second.parameters, second.metrics) == (first.id, {"fold": "1"}, {"loss": [2.0]})


def test_a_failure_is_recorded_as_one() -> None:
    @deardiary.track("Iris", "sweep")
    def train() -> None:
        raise ZeroDivisionError("no data")

    with recording() as server, pytest.raises(ZeroDivisionError):
        train()
    (failed,) = server.iterations
    assert failed.status == IterationStatus.FAILED
    assert failed.error_message.endswith("ZeroDivisionError: no data\n")


def test_nothing_of_the_machine_counts_and_nothing_is_left_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEARDIARY_OFFLINE", "1")
    monkeypatch.setenv("DEARDIARY_DIR", str(tmp_path / "mine"))
    monkeypatch.setenv("DEARDIARY_PROJECT", "Iris")
    monkeypatch.setenv("DEARDIARY_EXPERIMENT", "sweep")
    before = dict(os.environ)
    with recording() as server:
        with deardiary.start() as iteration:
            folder = iteration.folder
        assert [each.project for each in server.iterations] == ["Iris"]
    assert folder is not None
    assert not folder.exists()
    assert not (tmp_path / "mine").exists()
    assert dict(os.environ) == before


def test_an_id_key_resumes_and_the_server_counts_the_steps() -> None:
    with recording() as server:
        for _ in range(2):
            iteration = deardiary.start("Iris", "sweep", id_key="k")
            iteration.log({"loss": 1})
            iteration.finish(IterationStatus.FAILED)
        (both,) = server.iterations
    assert [point.step for point in both.points["loss"]] == [0, 1]


def test_a_large_file_comes_in_parts_and_can_be_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = deardiary.wire.parts.Cut(alone=10, part=10, most=2**40)
    monkeypatch.setitem(deardiary.wire.parts.CUTS, "s3", small)
    content = os.urandom(2**20 + 1)
    (tmp_path / "big.bin").write_bytes(content)
    with recording() as server:
        with deardiary.start("Iris", "sweep") as iteration:
            stored = iteration.log_resource(tmp_path / "big.bin")
        client = server.client()
        assert client.resources.download(stored.id, tmp_path / "again.bin").read_bytes() == content
        assert server.iterations[0].files == {"big.bin": content}


def test_a_server_in_memory_refuses_as_a_server_does() -> None:
    client = MemoryServer().client()
    with pytest.raises(deardiary.NotFound):
        client.iterations.get("nothing")
    experiment = client.experiments.find_or_create(client.projects.find_or_create("Iris").id, "sweep")
    assert client.experiments.find_or_create(experiment.project_id, "sweep").id == experiment.id
    ended = client.iterations.create(experiment.id)
    client.iterations.update(ended.id, status_id=IterationStatus.SUCCEEDED)
    with pytest.raises(deardiary.Invalid, match="end_date"):
        client.iterations.update(ended.id, error_message="late")
    assert client.iterations.update(ended.id, name="best", notes="late").name == "best"
    assert client.iterations.set_snapshot(ended.id, git_sha="abc").git_sha == "abc"
    with pytest.raises(deardiary.Invalid, match="end_date"):
        client.iterations.set_snapshot(ended.id, git_sha="def")
    with pytest.raises(deardiary.ClientError, match="NOT_IN_MEMORY"):
        list(client.iterations.list(experiment.id, filter="metrics.loss < 1"))
