"""Processes that log, and are killed, copied or cut off: every record is stored once."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import boto3
import pytest

import deardiary
from deardiary import Client, Iteration, IterationStatus
from tests.support.live import LiveServer, end, exit_code, line_of, run, steps_of, sync

if TYPE_CHECKING:
    from pathlib import Path


def iterations_of(client: Client, experiment: str) -> list[Iteration]:
    project = next(client.projects.list(name="Durable"))
    found = next(client.experiments.list(project.id, name=experiment))
    return list(client.iterations.list(found.id))


_LOG_AND_WAIT = """
import sys, deardiary
iteration = deardiary.start("Durable", sys.argv[1], parameters={"lr": 0.1})
for step in range(10_000):
    iteration.log({"loss": step / 7})
print(iteration.id)
import time; time.sleep(60 if len(sys.argv) < 3 else 0)
"""


@pytest.mark.parametrize("offline", ["0", "1"])
def test_sigkill_loses_nothing(client: Client, settings: dict[str, str], offline: str) -> None:
    process = run(_LOG_AND_WAIT, f"killed {offline}", settings={"DEARDIARY_OFFLINE": offline})
    line_of(process)
    end(process)
    results = sync()
    assert sum(result.points for result in results) >= 10_000 or offline == "0"
    (iteration,) = iterations_of(client, f"killed {offline}")
    assert steps_of(client, iteration) == list(range(10_000))
    assert [each.value for each in client.parameters.list(iteration.id)] == ["0.1"]
    assert sync() == []


def test_the_next_start_sends_the_records_of_a_killed_process(client: Client, settings: dict[str, str]) -> None:
    process = run(_LOG_AND_WAIT, "left")
    line_of(process)
    end(process)
    with deardiary.start("Durable", "next"):
        pass
    for thread in threading.enumerate():
        if thread.name == "deardiary-recovery":
            thread.join()
    (iteration,) = iterations_of(client, "left")
    assert steps_of(client, iteration) == list(range(10_000))
    assert sync() == []


_SHARED = """
import sys, deardiary
with deardiary.start("Durable", "shared", resume="job-7", parameters={"lr": 1}) as iteration:
    print(iteration.id)
    for step in range(200):
        iteration.log({"loss": step, sys.argv[1]: step})
"""


def test_several_processes_log_into_one_iteration(client: Client, settings: dict[str, str]) -> None:
    processes = [run(_SHARED, name) for name in "abc"]
    ids = {line_of(process) for process in processes}
    assert [exit_code(process) for process in processes] == [0, 0, 0]
    (iteration,) = (client.iterations.get(each) for each in ids)
    assert iteration.status_id == IterationStatus.SUCCEEDED
    assert steps_of(client, iteration) == list(range(600))
    assert [steps_of(client, iteration, name) for name in "abc"] == [list(range(200))] * 3


def test_a_copy_is_sent_while_the_run_still_writes_and_again_at_the_end(
    client: Client, settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEARDIARY_OFFLINE", "1")
    monkeypatch.setattr("deardiary.spool.run.this_host", lambda: "another machine")
    monkeypatch.setattr("deardiary.spool.run.this_boot", lambda: "another")
    active = deardiary.start("Durable", "copies")
    monkeypatch.undo()
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("deardiary.spool.store.UNTOUCHED_SECONDS", 0.0)

    def copy_and_sync(name: str) -> list[deardiary.Synced]:
        shutil.make_archive(str(tmp_path / name), "gztar", tmp_path / "spool")
        return deardiary.sync(tmp_path / f"{name}.tar.gz", tell=lambda _: None)

    for step in range(3):
        active.log({"loss": step})
    first = copy_and_sync("first")  # a part of the newest segment
    for step in range(3, 12_000):
        active.log({"loss": step})
    second = copy_and_sync("second")
    path = tmp_path / "model.bin"
    path.write_bytes(b"weights")
    active.log_resource(path)
    path.unlink()
    active.register_model("offline", "model.bin")
    active.finish(IterationStatus.FAILED, "because")
    shutil.make_archive(str(tmp_path / "last"), "gztar", tmp_path / "spool")
    with ThreadPoolExecutor(4) as pool:  # as four machines would, in the same moment
        copies = [pool.submit(deardiary.sync, tmp_path / "last.tar.gz", tell=lambda _: None) for _ in range(4)]
        sent = [each for copy in copies for each in copy.result()]
    assert [(each.is_done, each.points, each.others, each.rejected) for each in sent] == [(True, 12_000, 3, 0)] * 4
    last = sync()

    assert [each.points for each in (*first, *second, *last)] == [3, 12_000, 12_000]
    assert [each.may_still_write for each in (*first, *second, *last)] == [True, True, True]
    (iteration,) = iterations_of(client, "copies")
    assert (iteration.status_id, iteration.error_message) == (IterationStatus.FAILED, "because")
    assert iteration.end_date is not None
    assert steps_of(client, iteration) == list(range(12_000))
    (resource,) = client.resources.list(iteration.experiment_id, iteration_id=iteration.id)
    assert client.resources.download(resource.id, tmp_path / "back").read_bytes() == b"weights"
    project = next(client.projects.list(name="Durable"))
    (model,) = client.models.list(project.id, name="offline")
    assert [each.resource_id for each in client.modelversions.list(model.id)] == [resource.id]


def test_s3_and_archives_in_it_are_read(client: Client, settings: dict[str, str], tmp_path: Path) -> None:
    for name in ("plain", "packed"):
        offline = {"DEARDIARY_OFFLINE": "1", "DEARDIARY_DIR": str(tmp_path / name)}
        process = run(_LOG_AND_WAIT, name, "ends", settings=offline)
        assert exit_code(process) == 0
    shutil.make_archive(str(tmp_path / "plain" / "output"), "gztar", tmp_path / "packed")
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="training-jobs")
    for path in (tmp_path / "plain").rglob("*"):
        if path.is_file():
            s3.upload_file(str(path), "training-jobs", f"job-1/{path.relative_to(tmp_path)}")
    for _ in range(2):
        results = deardiary.sync("s3://training-jobs/job-1", tell=lambda _: None)
        assert [result.points for result in results] == [10_000, 10_000]
    for name in ("plain", "packed"):
        (iteration,) = iterations_of(client, name)
        assert iteration.status_id == IterationStatus.SUCCEEDED
        assert steps_of(client, iteration) == list(range(10_000))
    with pytest.raises(ValueError, match="nothing in s3://"):
        deardiary.sync("s3://training-jobs/job-2")
    with pytest.raises(ValueError, match="There is no folder"):
        deardiary.sync(tmp_path / "nowhere")


_SYNC = """
import sys, deardiary
from deardiary.entities.iteration import Iterations
real = Iterations.log_columns
def log_columns(self, *args, **kwargs):
    receipt = real(self, *args, **kwargs)
    print("sent")
    sys.stdin.readline()
    return receipt
Iterations.log_columns = log_columns
deardiary.sync(tell=lambda _: None)
"""


def test_a_sync_that_is_killed_in_the_middle_is_done_again(client: Client, settings: dict[str, str]) -> None:
    process = run(_LOG_AND_WAIT, "resynced", "ends", settings={"DEARDIARY_OFFLINE": "1"})
    assert exit_code(process) == 0
    for _ in range(2):
        killed = run(_SYNC, stdin=True)
        assert line_of(killed) == "sent"  # and not yet acknowledged
        end(killed)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: sync(), range(2)))
    (iteration,) = iterations_of(client, "resynced")
    assert iteration.status_id == IterationStatus.SUCCEEDED
    assert steps_of(client, iteration) == list(range(10_000))
    assert sync() == []


def test_a_server_that_goes_away_and_comes_back(
    live: LiveServer, client: Client, settings: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    live.kill()
    before = deardiary.start("Durable", "away", client=client.without_retries())
    before.log({"loss": 0})
    assert not before.flush(0.1)
    live.start()
    assert before.flush(30)
    live.kill()
    before.log({"loss": 1})
    with before.child() as child:
        child.log({"loss": 2})
        live.start()
    before.finish()
    parent, below = iterations_of(client, "away")
    assert (parent.status_id, below.status_id) == (IterationStatus.SUCCEEDED, IterationStatus.SUCCEEDED)
    assert (below.parent_iteration_id, child.id, before.id) == (parent.id, below.id, parent.id)
    assert (steps_of(client, parent), steps_of(client, below)) == ([0, 1], [0])
    assert "until the server can be reached" in caplog.text
    assert sync() == []
