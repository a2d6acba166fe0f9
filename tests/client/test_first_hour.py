"""Mistakes of new users that could fail silently."""

from __future__ import annotations

import asyncio
import copy
import io
import logging
import pickle
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
from deardiary import ActiveIteration
from tests.support.loopback import Reply, serve
from tests.support.transports import Answer, FakeServer, body_of, client_of, experiment, iteration, page, project, taken

if TYPE_CHECKING:
    from collections.abc import Callable

    from deardiary import Request

CREATE = "POST /experiments/e1/iterations"


@pytest.fixture
def server() -> FakeServer:
    server = FakeServer()
    server.answers = {
        "GET /projects": (200, page(project())),
        "GET /projects/p1": (200, project()),
        "GET /projects/p1/experiments": (200, page(experiment())),
        "GET /experiments/e1": (200, experiment()),
        CREATE: (201, iteration()),
        "POST /iterations/i1/log": taken,
        "GET /iterations/i1": (200, iteration()),
        "GET /iterations/job-1": (404, {"code": "NOT_FOUND", "message": ""}),
        "PATCH /iterations/i1": (200, iteration()),
    }
    return server


def begin(server: FakeServer, **options: Any) -> ActiveIteration:
    active = deardiary.start("Iris", "sweep", client=client_of(server), **options)
    assert active.id  # known when the server has created the iteration
    return active


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("notes", "notes="),
        ("note", "notes="),
        ("name", "name=…"),
        ("learning_rate", "log_parameters"),
        ("log", "log_parameters"),
        ("status", r"finish\(deardiary.IterationStatus"),
        ("parameters", "log_parameters"),
        ("tags", "add_tags"),
    ],
)
def test_assigning_an_attribute_says_what_to_call(server: FakeServer, name: str, hint: str) -> None:
    with pytest.raises(AttributeError, match=hint):
        setattr(begin(server), name, "x")


def test_none_is_skipped_with_one_warning_for_each_key(server: FakeServer, caplog: pytest.LogCaptureFixture) -> None:
    active = begin(server)
    without: dict[str, float | None] = {"loss": None, "accuracy": 1.0}
    for _ in range(3):
        active.log(without)
    active.log({"loss": 0.5, "accuracy": 2.0})
    active.log({"loss": None})
    assert active.flush(10)
    (body,) = server.bodies("POST /iterations/i1/log")
    assert body["metrics"]["loss"]["step"] == [0]
    assert body["metrics"]["accuracy"]["value"] == [1.0, 1.0, 1.0, 2.0]
    assert [record.getMessage() for record in caplog.records if "'loss'" in record.getMessage()] == [
        "The value of 'loss' is None: such values are not recorded"
    ]


def test_a_long_parameter_is_shortened_with_a_warning(server: FakeServer, caplog: pytest.LogCaptureFixture) -> None:
    active = begin(server, parameters={"prompt": "x" * 6001})
    active.log_parameters({"second": "y" * 7000, "short": "z" * 6000})
    assert active.flush(10)
    sent: dict[str, str] = {}
    for body in server.bodies("POST /iterations/i1/log"):
        sent |= body["parameters"]
    assert {key: len(value) for key, value in sent.items()} == {"prompt": 6000, "second": 6000, "short": 6000}
    assert sent["prompt"].endswith("x… (6001 characters)")
    assert sent["short"] == "z" * 6000
    assert "'prompt' has 6001 characters" in caplog.text
    assert "'second' has 7000 characters" in caplog.text
    assert "'short'" not in caplog.text


@pytest.mark.parametrize("serialize", [pickle.dumps, copy.deepcopy])
@pytest.mark.parametrize(
    ("of", "hint"),
    [
        (lambda active: active, r"resume=iteration\.id.*parent=iteration\.id"),
        (lambda active: active.client, r"deardiary\.connect\(\)"),
    ],
)
def test_pickling_says_what_to_pass_instead(
    server: FakeServer,
    of: Callable[[ActiveIteration], object],
    hint: str,
    serialize: Callable[[object], object],
) -> None:
    with pytest.raises(TypeError, match=hint):
        serialize(of(begin(server)))


@pytest.mark.parametrize(("status", "warns"), [(201, True), (200, False)])
def test_resume_says_when_it_begins_a_new_iteration(
    server: FakeServer, caplog: pytest.LogCaptureFixture, status: int, warns: bool
) -> None:
    server.answers[CREATE] = (status, iteration())
    begin(server, resume="job-1")
    assert ("There is no iteration 'job-1' to resume: a new one, i1, has that id_key" in caplog.text) == warns


@pytest.mark.parametrize(
    ("options", "ignored"),
    [
        ({"project": "Iris", "experiment": "sweep"}, None),
        ({}, None),
        ({"notes": "same"}, None),
        ({"notes": "new"}, "notes='new'"),
        ({"experiment": "other", "project": "Iris"}, "experiment='other' (it is in 'sweep')"),
        ({"project": "Wine", "experiment": "sweep"}, "project='Wine' (it is in 'Iris')"),
        ({"parent": "i0"}, "parent="),
    ],
)
def test_resume_says_what_it_ignores(
    server: FakeServer, caplog: pytest.LogCaptureFixture, options: Any, ignored: str | None
) -> None:
    server.answers["GET /iterations/i1"] = (200, iteration(notes="same"))
    assert deardiary.start(resume="i1", client=client_of(server), **options).id
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [text for text in warnings if "ignored" in text] == (
        [] if ignored is None else [f"Iteration i1 is resumed as it is; ignored: {ignored}"]
    )


def test_a_resumed_iteration_is_shown_where_it_is(server: FakeServer, capfd: pytest.CaptureFixture[str]) -> None:
    server.answers["GET /iterations/i1"] = (200, iteration())
    active = deardiary.start("Wine", "other", resume="i1", client=client_of(server))
    assert f"deardiary: Iris/sweep {active.name} at {active.url}\n" in capfd.readouterr().err
    assert repr(active).startswith(f"<ActiveIteration Iris/sweep {active.name} i1,")


@pytest.mark.parametrize("kind", ["project", "experiment"])
def test_two_of_one_name_are_a_warning_that_says_which_is_taken(
    server: FakeServer, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    first, path = {
        "project": (project(), "GET /projects"),
        "experiment": (experiment(), "GET /projects/p1/experiments"),
    }[kind]
    server.answers[path] = (200, page(first, {**first, "id": "another"}))
    begin(server)
    assert f"Several {kind}s are named {first['name']!r}: the oldest, {first['id']}, is taken" in caplog.text


def test_the_start_prints_one_line(
    server: FakeServer, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    active = begin(server)
    assert active.url == f"{active.client.url}/ui#/iterations/i1"
    with active.child():
        pass
    assert capfd.readouterr() == ("", f"deardiary: Iris/sweep {active.name} at {active.url}\n")
    monkeypatch.setenv("DEARDIARY_QUIET", "1")
    begin(server)
    assert capfd.readouterr() == ("", "")


def test_the_line_of_an_offline_start_says_where_records_wait(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEARDIARY_OFFLINE", "1")
    active = deardiary.start("Iris", "sweep")
    assert active.url is None
    line = f"deardiary: Iris/sweep offline, waits for `deardiary sync` in {active.folder}\n"
    assert capfd.readouterr() == ("", line)


def test_connect_takes_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deardiary.http.retries.random.random", lambda: 0.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        for client in (deardiary.connect(url, timeout=0.2), deardiary.connect(url, timeout=0.2).clone()):
            began = time.monotonic()
            with client, pytest.raises(deardiary.ClientError, match="timed out"):
                client.whoami()
            assert time.monotonic() - began < 20, "the default is 35 seconds an attempt"
    for wrong in (0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="timeout"):
            deardiary.connect(url, timeout=wrong)
    with pytest.raises(ValueError, match="timeout"):
        deardiary.connect(url, timeout=1, transport=FakeServer())


def test_the_example_of_an_asynchronous_program_keeps_its_loop_free(server: FakeServer) -> None:
    code = _example("asyncio.to_thread")
    client = client_of(server)
    ticked = threading.Event()

    def slowly(_: Any) -> Any:
        ticked.clear()
        assert ticked.wait(60), "the loop runs while the server takes its time"
        return 201, iteration()

    async def both() -> None:
        async def tick() -> None:
            while True:
                await asyncio.sleep(0.01)
                ticked.set()

        ticking = asyncio.create_task(tick())
        await names["main"]()
        ticking.cancel()

    server.answers[CREATE] = slowly
    names: dict[str, Any] = {}
    exec(compile(code.replace("asyncio.run(main())", ""), "client.md", "exec"), names)  # noqa: S102
    names["deardiary"] = SimpleNamespace(start=partial(deardiary.start, client=client))
    before = signal.getsignal(signal.SIGTERM)
    asyncio.run(both())
    assert [body["status_id"] for body in server.bodies("PATCH /iterations/i1")] == [2]
    assert signal.getsignal(signal.SIGTERM) == before


def _example(word: str) -> str:
    text = (Path(__file__).parents[2] / "docs" / "client.md").read_text("utf-8")
    examples: list[str] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    return next(code for code in examples if word in code)


@pytest.mark.parametrize("last", ["", "del client; gc.collect()"])
def test_a_client_that_is_never_closed_warns_of_nothing(last: str) -> None:
    with serve() as loopback:
        loopback.replies = [Reply(body=b'{"data": [], "next_cursor": null}')]
        script = (
            f"import deardiary, gc; client = deardiary.connect({loopback.url!r}); list(client.projects.list()); {last}"
        )
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False, timeout=60
        )
    assert (done.returncode, done.stderr) == (0, "")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_line_of_start_is_wrapped_between_words_on_a_terminal(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", "40")
    active = begin(server)
    assert terminal.getvalue().splitlines() == [f"deardiary: Iris/sweep {active.name} at", active.url]


def test_a_start_that_waits_says_for_what_and_how_long(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    said = threading.Event()

    class Saying(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.set()

    def answer_after_the_warning(_: Request) -> tuple[int, Any]:
        assert said.wait(30)
        return 200, page(project())

    monkeypatch.setattr("deardiary.tracking.creation.SLOW_SECONDS", 0.01)
    server.answers["GET /projects"] = answer_after_the_warning
    logger, handler = logging.getLogger("deardiary.tracking.creation"), Saying()
    logger.addHandler(handler)
    try:
        begin(server)
    finally:
        logger.removeHandler(handler)
    assert "does not answer within about 10 s, the program goes on without it" in caplog.text


def test_parameters_that_follow_are_sent_at_once(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deardiary.sending.sender.FLUSH_SECONDS", 3600.0)
    sent = threading.Event()

    def take(request: Request) -> Answer:
        if b"momentum" in body_of(request):
            sent.set()
        return taken(request)

    server.answers["POST /iterations/i1/log"] = take
    active = begin(server, parameters={"lr": 0.1}, tags=["t"])
    active.log_parameters({"momentum": 0.9})
    assert sent.wait(30)
    assert server.bodies("POST /iterations/i1/log")[0]["tags"] == ["t"]
