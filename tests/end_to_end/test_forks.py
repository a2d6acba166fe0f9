"""Forked processes log into their parent's iteration: its end stands, and all that they logged before it arrives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import deardiary
from deardiary import IterationStatus
from tests.support.live import HANGS_SECONDS, exit_code, line_of, run, steps_of

if TYPE_CHECKING:
    from pathlib import Path

    from deardiary import Client

pytestmark = pytest.mark.usefixtures("settings")

# The child logs one point before the parent ends the iteration, and two points after that.
_LATE = """
import logging, multiprocessing, os, sys, time
import deardiary

logging.basicConfig(stream=sys.stdout, format="%(message)s")
start, flush, parent = sys.argv[1:]
context = multiprocessing.get_context("fork")
ready, ended, done = context.Event(), context.Event(), context.Event()

def log(value):
    iteration.log({"theirs": value})
    if flush == "each":
        iteration.flush(60)

def child():
    log(1)
    ready.set()
    ended.wait(60)
    log(2)
    log(3)
    iteration.flush(60)
    done.set()

iteration = deardiary.start("Durable", "late forks")
print(iteration.id, flush=True)
if start == "fork":
    if not os.fork():
        child()
        os._exit(0)
elif start == "pool":
    pool = context.Pool(1)
    pool.apply_async(child)
else:
    context.Process(target=child, daemon=start == "daemon").start()
iteration.log({"mine": 1})
ready.wait(60)
iteration.finish()
time.sleep(0.01)
ended.set()
if parent == "dies":
    os._exit(0)
done.wait(60)
"""


def values_of(client: Client, iteration_id: str, key: str) -> list[float]:
    curves = client.metrics.curves(iteration_id, key)
    return list(curves[key].value) if key in curves else []


def rejected_in(folder: Path) -> list[float]:
    files = sorted(folder.rglob("rejected/*.json"))
    return [point[1] for file in files for point in json.loads(file.read_text())["points"]]


@pytest.mark.parametrize("parent", ["dies", "goes on"])
@pytest.mark.parametrize("flush", ["each", "last"])
@pytest.mark.parametrize("start", ["fork", "process", "daemon", "pool"])
def test_a_child_that_logs_late_leaves_the_end_as_it_was(
    client: Client, tmp_path: Path, start: str, flush: str, parent: str
) -> None:
    process = run(_LATE, start, flush, parent)
    iteration_id = line_of(process)
    said, _ = process.communicate(timeout=HANGS_SECONDS)  # until the child, which has the same output, has ended too
    deardiary.sync(tell=lambda _: None)
    iteration = client.iterations.get(iteration_id)
    assert iteration.status_id == IterationStatus.SUCCEEDED
    assert values_of(client, iteration_id, "mine") == [1]
    assert values_of(client, iteration_id, "theirs") == [1]
    assert rejected_in(tmp_path) == [2, 3]
    assert said.count("for good") == 1, said


# The child's point is not sent when the parent ends the iteration, nor when the child itself ends.
_LEFT = """
import multiprocessing, os, sys
import deardiary

context = multiprocessing.get_context("fork")
ready, ended = context.Event(), context.Event()

def child():
    if sys.argv[1] == "logs":
        iteration.log({"theirs": 1})
    ready.set()
    ended.wait(60)

iteration = deardiary.start("Durable", "left by forks")
print(iteration.id, flush=True)
context.Process(target=child).start()
ready.wait(60)
iteration.finish()
ended.set()
if sys.argv[2] == "dies":
    os._exit(0)
"""


@pytest.mark.parametrize("parent", ["dies", "goes on"])
@pytest.mark.parametrize("does", ["logs", "does nothing"])
def test_a_child_sends_at_its_end_what_it_logged_before_its_parents(
    client: Client, tmp_path: Path, does: str, parent: str
) -> None:
    process = run(_LEFT, does, parent)
    iteration_id = line_of(process)
    process.communicate(timeout=HANGS_SECONDS)
    assert client.iterations.get(iteration_id).status_id == IterationStatus.SUCCEEDED
    assert values_of(client, iteration_id, "theirs") == ([1] if does == "logs" else [])
    assert list((tmp_path / "spool").iterdir()) == []


# Workers cannot be given the iteration itself under "spawn", so they resume it.
_RESUMING = """
import multiprocessing, sys
import deardiary

def work(iteration_id, value):
    deardiary.start(resume=iteration_id).log({"theirs": value})

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    with deardiary.start("Durable", "resuming workers") as iteration:
        print(iteration.id, flush=True)
        if sys.argv[1] == "pool":  # whose end sends SIGTERM to its workers
            with context.Pool(1) as pool:
                pool.starmap(work, [(iteration.id, 1), (iteration.id, 2)])
        else:
            worker = context.Process(target=work, args=(iteration.id, 1))
            worker.start()
            worker.join()
        iteration.log({"mine": 1})
"""


@pytest.mark.parametrize(("start", "theirs"), [("process", [1]), ("pool", [1, 2])])
def test_the_end_of_a_worker_leaves_the_resumed_iteration_running(
    client: Client, tmp_path: Path, start: str, theirs: list[float]
) -> None:
    script = tmp_path / "train.py"
    script.write_text(_RESUMING)
    process = run(f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')", start)
    iteration_id = line_of(process)
    process.communicate(timeout=60)
    deardiary.sync(tell=lambda _: None)
    assert client.iterations.get(iteration_id).status_id == IterationStatus.SUCCEEDED
    assert values_of(client, iteration_id, "mine") == [1]
    assert sorted(values_of(client, iteration_id, "theirs")) == theirs


# `multiprocessing` ends a forked worker without `atexit`.
_OWN = """
import multiprocessing, sys
import deardiary

def work(ends):
    iteration = deardiary.start("Durable", "own of workers")
    print(iteration.id, flush=True)
    iteration.log({"theirs": 1})
    if ends == "raises":
        raise ValueError("no such file")
    if ends == "exits":
        sys.exit(3)

worker = multiprocessing.get_context("fork").Process(target=work, args=(sys.argv[1],))
worker.start()
worker.join()
"""


@pytest.mark.parametrize(
    ("ends", "status", "message"),
    [
        ("returns", IterationStatus.SUCCEEDED, ""),
        ("raises", IterationStatus.FAILED, "ValueError: no such file"),
        ("exits", IterationStatus.FAILED, "SystemExit: 3"),
    ],
)
def test_a_worker_ends_the_iteration_that_it_started(
    client: Client, tmp_path: Path, ends: str, status: IterationStatus, message: str
) -> None:
    process = run(_OWN, ends)
    iteration_id = line_of(process)
    process.communicate(timeout=HANGS_SECONDS)
    ended = client.iterations.get(iteration_id)
    assert ended.status_id == status
    assert message in ended.error_message
    assert values_of(client, iteration_id, "theirs") == [1]
    assert list((tmp_path / "spool").iterdir()) == []


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
