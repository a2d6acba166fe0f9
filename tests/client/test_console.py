"""Console output of a running iteration: captured as it is printed, sent with the flushes, each line once."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
from deardiary.sending.recovery import send_spool
from deardiary.spool import store
from deardiary.testing import MemoryServer
from deardiary.tracking import console, journal
from tests.support import transports
from tests.support.server import Server, server_on_moto

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from deardiary.http.transport import Request


@pytest.fixture(autouse=True)
def _no_capture_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """An iteration that an earlier test left open would take the streams again after those of a test here."""
    monkeypatch.setattr(console, "_captures", [])


@pytest.fixture
def memory() -> MemoryServer:
    return MemoryServer()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


def begin(memory: MemoryServer, **options: Any) -> deardiary.ActiveIteration:
    active = deardiary.start("Iris", "sweep", client=memory.client(), **options)
    assert active.id  # until then a line of the client may come
    return active


def test_what_is_printed_is_recorded_and_still_printed(
    memory: MemoryServer, capsys: pytest.CaptureFixture[str]
) -> None:
    streams = sys.stdout, sys.stderr
    with begin(memory) as active:
        print("epoch 1 é")
        print("warning", file=sys.stderr)
        sys.stdout.writelines(["a\n", "b\n"])
        assert active.flush(10)
        assert memory.iterations[0].output == ["epoch 1 é", "warning", "a", "b"]
        print("no end", end="")
    print("after")
    assert memory.iterations[0].output == ["epoch 1 é", "warning", "a", "b", "no end"]
    assert (sys.stdout, sys.stderr) == streams
    assert "write" not in vars(sys.stdout) | vars(sys.stderr)
    out, err = capsys.readouterr()
    assert (out, err.splitlines()[-1]) == ("epoch 1 é\na\nb\nno endafter\n", "warning")


def test_a_handler_that_holds_the_stream_is_captured(memory: MemoryServer) -> None:
    handler, log = logging.StreamHandler(sys.stderr), logging.getLogger("of the test")
    log.addHandler(handler)
    try:
        with begin(memory):
            log.warning("from a handler")
    finally:
        log.removeHandler(handler)
    assert memory.iterations[0].output == ["from a handler"]


def test_a_redirected_stream_is_not_the_console(memory: MemoryServer) -> None:
    with begin(memory):
        with contextlib.redirect_stdout(io.StringIO()):
            print("into a variable")
        print("on the console")
    assert memory.iterations[0].output == ["on the console"]


@pytest.mark.parametrize("capture", [(), ("environment",)])
def test_nothing_is_captured_where_it_is_not_wanted(memory: MemoryServer, capture: tuple[str, ...]) -> None:
    with begin(memory, capture=capture):
        print("unseen")
    assert memory.iterations[0].output == []


@pytest.mark.parametrize(("named", "printed"), [("none", []), ("OUTPUT, ", ["seen"]), ("environment", [])])
def test_the_environment_sets_the_default(
    memory: MemoryServer, monkeypatch: pytest.MonkeyPatch, named: str, printed: list[str]
) -> None:
    monkeypatch.setenv("DEARDIARY_CAPTURE", named)
    with begin(memory):
        print("seen")
    with begin(memory, capture=["output"]):
        print("argument")
    assert [each.output for each in memory.iterations] == [printed, ["argument"]]


def test_an_unknown_part_is_refused(memory: MemoryServer) -> None:
    with pytest.raises(ValueError, match=r"environment, output, system.*'stdout'"):
        begin(memory, capture=("output", "stdout"))
    assert memory.iterations == []


def test_a_child_captures_only_when_asked_and_then_gets_the_output(memory: MemoryServer) -> None:
    with begin(memory) as parent:
        with parent.child():
            print("of the parent")
        with parent.child() as child, child.capture_output() as output:
            assert child.capture_output() is output
            print("of the child")
        print("of the parent again")
    assert [each.output for each in memory.iterations] == [
        ["of the parent", "of the parent again"],
        [],
        ["of the child"],
    ]


def test_threads_lose_no_line(memory: MemoryServer) -> None:
    def work(name: int) -> None:
        for number in range(200):
            sys.stdout.write(f"{name} {number}\n")

    with begin(memory):
        threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    output = memory.iterations[0].output
    assert sorted(output) == sorted(f"{name} {number}" for name in range(4) for number in range(200))
    assert [line for line in output if line.startswith("2 ")] == [f"2 {number}" for number in range(200)]


def test_a_progress_bar_takes_a_line_for_each_flush(memory: MemoryServer) -> None:
    with begin(memory) as active:
        for percent in range(100):
            sys.stderr.write(f"\r{percent:3}%|{'#' * percent}")
            if percent % 50 == 49:
                assert active.flush(10)
        sys.stderr.write("\rdone\n")
    bar = [line.partition("|")[0] for line in memory.iterations[0].output]
    assert bar == [" 49%", "\r 99%", "\rdone"]


def test_credentials_are_replaced(memory: MemoryServer) -> None:
    with begin(memory):
        print("reading https://ada:secret@example.org/data")
        print("export OPENAI_API_KEY=abcdefgh12345678")
    assert memory.iterations[0].output == ["reading https://***@example.org/data", "export OPENAI_API_KEY=***"]


def test_text_that_is_not_unicode_does_not_block_the_rest(server: Server) -> None:
    with deardiary.start("Iris", "surrogates", client=server.client()) as active:
        console._captures[-1].receive("stdout", "a\udc80b\x00\n")
        print("next")
        active.log({"loss": 1.0})
    assert [line.text for line in server.client().iterations.output(active.id)] == ["a?b\x00", "next"]


def test_a_failure_of_the_capture_does_not_reach_the_program(
    memory: MemoryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console.CapturedOutput, "receive", lambda *_: 1 / 0)
    with begin(memory):
        print("goes on")
    assert memory.iterations[0].output == []


def test_another_patch_above_ours_stays(memory: MemoryServer, capsys: pytest.CaptureFixture[str]) -> None:
    with begin(memory):
        ours, seen = sys.stdout.write, io.StringIO()
        sys.stdout.write = lambda text: min(seen.write(text), ours(text))  # type: ignore[method-assign]
        print("both")
    print("one")
    with begin(memory):
        print("again")
    assert [each.output for each in memory.iterations] == [["both"], ["again"]]
    assert seen.getvalue() == "both\none\nagain\n"
    assert capsys.readouterr().out == "both\none\nagain\n"


def test_very_much_output_is_cut_and_the_gap_is_said(memory: MemoryServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "_BURST_CHARACTERS", 50)
    monkeypatch.setattr(console, "_CHARACTERS_PER_SECOND", 50)
    monkeypatch.setattr(console, "_DRAIN_SECONDS", 0.01)
    with begin(memory) as active:
        for number in range(10):
            sys.stdout.write(f"line {number:04}\n")
        assert active.flush(10)
        arrived = memory.iterations[0].output
        active._captured._room = 50  # type: ignore[union-attr]
        print("the last one")
    lines = [line for line in arrived if line.startswith("line")]
    assert lines[:5] == [f"line {number:04}" for number in range(5)]
    said = [int(line.split()[1]) for line in arrived if line.startswith("[deardiary")]
    assert sum(said) + len(lines) == 10
    assert memory.iterations[0].output[-1] == "the last one"


def test_output_waits_within_a_limit_while_the_server_is_away(
    memory: MemoryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_MOST_OUTPUT_BYTES", 50)
    monkeypatch.setenv("DEARDIARY_OFFLINE", "1")
    active = deardiary.start("Iris", "sweep")
    for number in range(10):
        print(f"line {number:04}")
        active.flush(0)
    active.finish()
    monkeypatch.delenv("DEARDIARY_OFFLINE")
    deardiary.sync(client=memory.client())
    output = memory.iterations[0].output
    assert output[:5] == [f"line {number:04}" for number in range(5)]
    assert output[5:] == ["[deardiary: 5 lines of output were not kept]"]


def test_room_returns_when_the_server_has_taken_the_output(
    memory: MemoryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_MOST_OUTPUT_BYTES", 50)
    with begin(memory) as active:
        for number in range(20):
            print(f"line {number:04}")
            active.log({"loss": number})
            assert active.flush(10)
    assert memory.iterations[0].output == [f"line {number:04}" for number in range(20)]


def _answering(answers: dict[str, Any]) -> transports.FakeServer:
    fake = transports.FakeServer()
    fake.answers = {
        "GET /projects": (200, transports.page(transports.project())),
        "GET /projects/p1/experiments": (200, transports.page(transports.experiment())),
        "POST /experiments/e1/iterations": (201, transports.iteration()),
        "PATCH /iterations/i1": (200, transports.iteration()),
        **answers,
    }
    return fake


def test_an_older_server_gets_the_points_without_the_output(caplog: pytest.LogCaptureFixture) -> None:
    def flush(request: Request) -> transports.Answer:
        if "output" in json.loads(transports.body_of(request)):
            return 422, {"code": "INVALID_PAYLOAD", "message": "Unknown field", "details": {"field": "output"}}
        return transports.taken(request)

    fake = _answering({"POST /iterations/i1/log": flush})
    with deardiary.start("Iris", "sweep", client=transports.client_of(fake)) as active:
        for number in range(3):
            print("unwanted")
            active.log({"loss": number})
            assert active.flush(10)
    sent = [body.get("metrics") for body in fake.bodies("POST /iterations/i1/log") if "output" not in body]
    assert [columns["loss"]["value"] for columns in sent if columns] == [[0], [1], [2]]
    assert caplog.text.count("does not keep what is printed") == 1


@pytest.mark.parametrize("refused", ["metrics", "output[0].text"])
def test_what_the_server_refuses_takes_nothing_else_with_it(refused: str, caplog: pytest.LogCaptureFixture) -> None:
    def flush(request: Request) -> transports.Answer:
        if json.loads(transports.body_of(request)).get(refused.partition("[")[0]):
            return 422, {"code": "INVALID_PAYLOAD", "message": "no", "details": {"field": refused}}
        return transports.taken(request)

    fake = _answering({"POST /iterations/i1/log": flush})
    with deardiary.start("Iris", "sweep", client=transports.client_of(fake)) as active:
        print("printed")
        active.log({"loss": 0.5})
    last = fake.bodies("POST /iterations/i1/log")[-1]
    bodies = fake.bodies("POST /iterations/i1/log")
    assert any(not body.get("output") and body.get("metrics") for body in bodies)
    assert any(body.get("output") and not body.get("metrics") for body in bodies)
    assert last
    assert "refuses" in caplog.text


def test_a_lost_answer_or_a_copy_of_the_spool_doubles_no_line(server: Server, tmp_path: Path) -> None:
    """The whole segment after an incomplete copy of it, and the whole one again."""
    run_of: Callable[..., Any] = deardiary.start
    os.environ["DEARDIARY_OFFLINE"] = "1"
    try:
        active = run_of("Iris", "copies")
        for number in range(30):
            active.log({"loss": number})
            active._captured.receive("stdout", f"line {number}\n")
            active.flush(0)
        folder = active.folder
        active.finish()
    finally:
        del os.environ["DEARDIARY_OFFLINE"]
    (segment,) = sorted(folder.glob("*.log"))
    content = segment.read_bytes().splitlines(keepends=True)
    for lines in (7, 30, len(content)):
        copy = tmp_path / str(lines) / folder.name
        copy.mkdir(parents=True)
        (copy / "run.json").write_bytes((folder / "run.json").read_bytes())
        (copy / segment.name).write_bytes(b"".join(content[:lines]))
        ((_, run),) = store.spools_in(copy.parent)
        assert send_spool(server.client(), copy, run, ends=lines == len(content)).error is None
    client = server.client()
    (project,) = [each for each in client.projects.list() if each.name == "Iris"]
    experiment = next(each for each in client.experiments.list(project.id) if each.name == "copies")
    (iteration,) = client.iterations.list(experiment.id)
    assert [line.text for line in client.iterations.output(iteration.id)] == [f"line {number}" for number in range(30)]
    assert client.metrics.summary(iteration.id)["loss"].count == 30


KILLED = """
import os, signal, sys, time
import deardiary
iteration = deardiary.start("Iris", "sweep")
for number in range(50):
    print("line", number)
    iteration.log({"loss": number})
iteration._captured.drain()
print("lost")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_lines_of_a_killed_process_are_sent_later(memory: MemoryServer, tmp_path: Path) -> None:
    environment = {**os.environ, "DEARDIARY_DIR": str(tmp_path), "DEARDIARY_OFFLINE": "1"}
    ended = subprocess.run([sys.executable, "-c", KILLED], env=environment, check=False, capture_output=True)  # noqa: S603
    assert ended.returncode == -signal.SIGKILL
    for _ in range(2):
        deardiary.sync(tmp_path, client=memory.client())
    assert memory.iterations[0].output == [f"line {number}" for number in range(50)]


def _print_in_a_fork() -> None:
    print("of the fork")
    sys.stdout.flush()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_fork_sends_neither_its_own_lines_nor_those_of_its_parent(memory: MemoryServer) -> None:
    with begin(memory) as active:
        print("before")
        process = multiprocessing.get_context("fork").Process(target=_print_in_a_fork)
        process.start()
        process.join(60)
        assert process.exitcode == 0
        print("after")
        assert active.flush(10)
    assert memory.iterations[0].output == ["before", "after"]
    assert len(memory.iterations) == 1


def arrival_of(text: bytes, memory: MemoryServer, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Flush often. The event is set when a request holds the text."""
    from deardiary.sending import sender

    monkeypatch.setattr(console, "_DRAIN_SECONDS", 0.01)
    monkeypatch.setattr(sender, "FLUSH_SECONDS", 0.02)
    arrived, send = threading.Event(), memory.send

    def watch(request: Request) -> Any:
        if text in transports.body_of(request):
            arrived.set()
        return send(request)

    monkeypatch.setattr(memory, "send", watch)
    return arrived


def test_text_alone_causes_a_flush(memory: MemoryServer, monkeypatch: pytest.MonkeyPatch) -> None:
    arrived = arrival_of(b"hello", memory, monkeypatch)
    with begin(memory):
        print("hello")
        assert arrived.wait(60)


def test_a_bar_shows_a_state_at_the_pace_of_the_flushes(memory: MemoryServer, monkeypatch: pytest.MonkeyPatch) -> None:
    arrived = arrival_of(b"10%", memory, monkeypatch)
    with begin(memory):
        sys.stderr.write("\r10%")
        assert arrived.wait(60)
        sys.stderr.write("\r20%\n")
    assert memory.iterations[0].output == ["10%", "\r20%"]
