"""What `start` captures by itself, beside the output: in threads, and without an effect on the training."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

import pytest

import deardiary
from deardiary import ActiveIteration, ClientError
from deardiary.environment.capture import Environment
from deardiary.forks import no_fork
from deardiary.testing import MemoryServer, Recorded
from tests.support import transports
from tests.support.active import CREATE
from tests.support.transports import FakeServer, experiment, page, project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _in_a_small_project(_no_settings: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a repository, and with the capture of every user."""
    monkeypatch.delenv("DEARDIARY_CAPTURE")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("deardiary.environment.capture._script", lambda: None)
    monkeypatch.setitem(sys.modules, "pynvml", None)
    (tmp_path / "requirements.txt").write_text("torch==2.9.0\n")


@pytest.fixture
def memory() -> MemoryServer:
    return MemoryServer()


def start(memory: MemoryServer, **options: object) -> ActiveIteration:
    return deardiary.start("Iris", "sweep", client=memory.client(), **options)  # type: ignore[arg-type]


def recorded(memory: MemoryServer, active: ActiveIteration) -> Recorded:
    (found,) = [each for each in memory.iterations if each.id == active.id]
    return found


def captured(memory: MemoryServer, active: ActiveIteration) -> set[str]:
    found = recorded(memory, active)
    parts = {
        "environment": found.snapshot.get("manifest_toml"),
        "system": any(key.startswith("system/") for key in found.metrics),
        "output": found.output,
    }
    return {part for part, content in parts.items() if content}


@pytest.mark.parametrize(
    ("setting", "capture", "expected"),
    [
        (None, None, {"environment", "output", "system"}),
        (None, (), set()),
        (None, ("system",), {"system"}),
        ("none", None, set()),
        ("environment,output", None, {"environment", "output"}),
        ("none", ("environment",), {"environment"}),
    ],
)
def test_a_start_captures_all_unless_told_otherwise(
    memory: MemoryServer,
    monkeypatch: pytest.MonkeyPatch,
    setting: str | None,
    capture: tuple[str, ...] | None,
    expected: set[str],
) -> None:
    if setting is not None:
        monkeypatch.setenv("DEARDIARY_CAPTURE", setting)
    with start(memory, capture=capture) as active:
        print("epoch 1")
    assert captured(memory, active) == expected


def test_a_child_captures_nothing_by_itself(memory: MemoryServer) -> None:
    with start(memory) as active, active.child() as child:
        pass
    assert captured(memory, child) == set()


@pytest.mark.parametrize(("capture", "expected"), [(None, {"output", "system"}), ((), set()), ("system", {"system"})])
def test_the_child_of_another_rank_captures_its_process(
    memory: MemoryServer, monkeypatch: pytest.MonkeyPatch, capture: str | None, expected: set[str]
) -> None:
    for name, value in {"RANK": "1", "WORLD_SIZE": "2", "TORCHELASTIC_RUN_ID": "run-7"}.items():
        monkeypatch.setenv(name, value)
    with start(memory, ranks="children", capture=capture) as child:
        print("epoch 1")
    assert captured(memory, child) == expected


def test_the_steps_of_a_training_are_its_own(memory: MemoryServer) -> None:
    with start(memory) as active:
        for value in range(3):
            active.log({"loss": value})
    assert [point.step for point in recorded(memory, active).points["loss"]] == [0, 1, 2]


@pytest.mark.parametrize("again", ["id_key", "resume"])
def test_a_resumption_keeps_the_snapshot(memory: MemoryServer, tmp_path: Path, again: str) -> None:
    with pytest.raises(ZeroDivisionError), start(memory, id_key="job") as active:
        raise ZeroDivisionError
    (tmp_path / "requirements.txt").write_text("torch==3.0.0\n")
    with start(memory, **{again: "job"}) as resumed:
        pass
    assert resumed.id == active.id
    assert recorded(memory, active).snapshot["manifest_toml"] == "torch==2.9.0\n"


def test_a_snapshot_of_the_program_stays(memory: MemoryServer, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = threading.Event()

    def capture_late() -> Environment:
        assert taken.wait(60)
        return Environment(python_version="3.0", manifest_toml="late")

    monkeypatch.setattr("deardiary.environment.capture.capture_environment", capture_late)
    with start(memory) as active:
        active.set_snapshot(manifest_toml="mine")
        taken.set()
    assert recorded(memory, active).snapshot["manifest_toml"] == "mine"


def test_what_cannot_be_captured_ends_no_training(
    memory: MemoryServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise OSError("no such machine")

    monkeypatch.setattr("deardiary.environment.capture.capture_environment", fail)
    monkeypatch.setattr("deardiary.tracking.machine.samples", fail)
    with start(memory) as active:
        active.log({"loss": 1})
    assert captured(memory, active) == set()
    assert [record.getMessage() for record in caplog.records if record.levelname != "DEBUG"] == []
    with start(memory, capture=("system",)):
        pass
    assert "The system of this iteration is not captured: no such machine" in caplog.text


def test_a_capture_does_not_take_the_refusal_from_the_user(memory: MemoryServer) -> None:
    server = FakeServer()
    server.answers = {
        "GET /projects": (200, page(project())),
        "GET /projects/p1/experiments": (200, page(experiment())),
        CREATE: (403, {"code": "FORBIDDEN", "message": "not you"}),
    }
    active = deardiary.start("Iris", "sweep", client=transports.client_of(server))
    for thread in [each for each in threading.enumerate() if each.name == "deardiary-capture"]:
        thread.join(60)
    with pytest.raises(ClientError, match="not you"):
        active.finish()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_waits_for_an_import_in_a_thread() -> None:
    """A module that a thread was importing would stay locked in the new process."""
    forked: list[bool] = []

    def fork() -> None:
        child = os.fork()
        if child == 0:
            os._exit(0 if not no_fork.locked() else 1)
        forked.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0)

    thread = threading.Thread(target=fork)
    with no_fork:
        thread.start()
        thread.join(0.05)
        assert forked == []
    thread.join(60)
    assert forked == [True]
