"""Processes that log, and are killed, forked, terminated or cut off: every record is stored once."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import boto3
import pytest

import deardiary
from deardiary import Client, Iteration, IterationStatus
from tests.support.live import LiveServer, end, exit_code, line_of, run

if TYPE_CHECKING:
    from pathlib import Path


def sync() -> list[deardiary.Synced]:
    return deardiary.sync(tell=lambda _: None)


def iterations_of(client: Client, experiment: str) -> list[Iteration]:
    project = next(client.projects.list(name="Durable"))
    found = next(client.experiments.list(project.id, name=experiment))
    return list(client.iterations.list(found.id))


def steps_of(client: Client, iteration: Iteration, key: str = "loss") -> list[int]:
    curves = client.metrics.curves(iteration.id, key)
    return list(curves[key].step) if key in curves else []


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


_TERMINATED = """
import signal, sys, time, deardiary
{before}
with deardiary.start("Durable", "terminated {name}") as iteration:
    iteration.log({{"loss": 1}})
    print(iteration.id)
    {wait}
"""
_HANDLERS = {
    "nobody": ("", "sys.stdin.read()", -signal.SIGTERM),
    "exits": ("signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))", "sys.stdin.read()", 3),
    "goes on": (
        "asked = []; signal.signal(signal.SIGTERM, lambda *_: asked.append(1))",
        "any(asked or time.sleep(0.01) for _ in range(1000)); iteration.log({'saved': 1})",
        0,
    ),
}


@pytest.mark.parametrize("name", _HANDLERS)
def test_sigterm_kills_the_iteration_and_then_does_what_it_did(
    client: Client, settings: dict[str, str], name: str
) -> None:
    before, wait, code = _HANDLERS[name]
    process = run(_TERMINATED.format(before=before, wait=wait, name=name), stdin=True)
    iteration_id = line_of(process)
    process.send_signal(signal.SIGTERM)
    assert exit_code(process) == code
    iteration = client.iterations.get(iteration_id)
    assert iteration.status_id == IterationStatus.KILLED
    assert steps_of(client, iteration) == [0]
    assert steps_of(client, iteration, "saved") == ([0] if name == "goes on" else [])
    assert sync() == []


@pytest.mark.parametrize(
    ("last", "status"),
    [
        ("", IterationStatus.SUCCEEDED),
        ("1 / 0", IterationStatus.FAILED),
        ("iteration.finish(4)", IterationStatus.KILLED),
        ("sys.exit(1)", IterationStatus.FAILED),
        ("sys.exit('no data')", IterationStatus.FAILED),
        ("sys.exit(0)", IterationStatus.SUCCEEDED),
        ("threading.Thread(target=sys.exit, args=[1]).start()", IterationStatus.SUCCEEDED),
        ("exec('try: sys.exit(1)\\nexcept SystemExit: 1 / 0')", IterationStatus.FAILED),
        ("import code; code.InteractiveInterpreter().runsource('undefined')", IterationStatus.SUCCEEDED),
    ],
)
def test_an_iteration_without_a_finish_ends_with_the_process(
    client: Client, settings: dict[str, str], last: str, status: IterationStatus
) -> None:
    process = run(
        "import sys, threading, deardiary\n"
        'iteration = deardiary.start("Durable", "unended"); print(iteration.id)\n'
        f'iteration.log({{"loss": 1}})\n{last}\n',
        quiet=True,
    )
    iteration_id = line_of(process)
    assert exit_code(process) in (0, 1)
    iteration = client.iterations.get(iteration_id)
    assert iteration.status_id == status
    assert ("Traceback" in iteration.error_message) == (status == IterationStatus.FAILED)
    assert ("ZeroDivisionError" in iteration.error_message) == ("1 / 0" in last)
    assert steps_of(client, iteration) == [0]


@pytest.mark.parametrize(
    ("script", "typed", "status"),
    [
        ("", "1 / 0", IterationStatus.SUCCEEDED),
        ("", "import sys; sys.exit(1)", IterationStatus.FAILED),
        ("1 / 0", "2", IterationStatus.FAILED),
    ],
)
def test_at_pythons_prompt_the_error_of_a_line_is_not_the_iterations(
    client: Client, settings: dict[str, str], tmp_path: Path, script: str, typed: str, status: IterationStatus
) -> None:
    begin = 'import deardiary; iteration = deardiary.start("Durable", "prompt"); print(iteration.id, flush=True)\n'
    (tmp_path / "script.py").write_text(begin + script + "\n")
    command = [sys.executable, "-i", str(tmp_path / "script.py")]
    done = subprocess.run(  # noqa: S603
        command, input=typed + "\n", capture_output=True, text=True, check=False, timeout=60
    )
    assert client.iterations.get(done.stdout.split()[0]).status_id == status


_FORKS = """
import os, signal, deardiary
with deardiary.start("Durable", "forks") as iteration:
    print(iteration.id)
    iteration.log({"mine": 1})
    children = []
    for number in range(3):
        child = os.fork()
        if not child:
            if number == 0:
                # As a DataLoader's or a Pool's worker, who is to die of SIGTERM at once.
                os._exit(signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL)
            for step in range(100):
                iteration.log({f"theirs {number}": step}, step=step)
            if number == 1:
                iteration.flush(20)
            os._exit(0)
        children.append(child)
    iteration.log({"mine": 2})
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    iteration.log({"mine": 3})
"""


def test_a_forked_child_logs_into_a_spool_of_its_own(client: Client, settings: dict[str, str], tmp_path: Path) -> None:
    process = run(_FORKS)
    iteration_id = line_of(process)
    assert exit_code(process) == 0
    iteration = client.iterations.get(iteration_id)
    assert iteration.status_id == IterationStatus.SUCCEEDED
    assert steps_of(client, iteration, "mine") == [0, 1, 2]
    for number in (1, 2):
        assert steps_of(client, iteration, f"theirs {number}") == list(range(100))
    assert steps_of(client, iteration, "theirs 0") == []
    assert list((tmp_path / "spool").iterdir()) == []


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
