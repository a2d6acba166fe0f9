"""`start` does not wait for the server, and a refusal reaches the user all the same."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
from deardiary import ClientError
from deardiary.sending import sender
from deardiary.tracking import process_hooks
from deardiary.wire.shapes import IterationStatus
from tests.support import transports
from tests.support.active import CREATE, END, LOG
from tests.support.transports import Answer, FakeServer, client_of, iteration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from deardiary import ActiveIteration, Request

PROJECTS = "GET /projects"
REFUSED = (403, {"code": "FORBIDDEN", "message": "not you"})


def start(server: FakeServer, **options: Any) -> ActiveIteration:
    return deardiary.start("Iris", "sweep", client=client_of(server), **options)


class Gate:
    """An answer of the server that comes when the test lets it."""

    def __init__(self, answer: Answer) -> None:
        self.asked, self.open = threading.Event(), threading.Event()
        self.answer = answer

    def __call__(self, _: Request) -> Answer:
        self.asked.set()
        assert self.open.wait(60)
        return self.answer


@pytest.fixture
def gate(server: FakeServer) -> Iterator[Gate]:
    """The server's answer to the creation."""
    gate = Gate((201, iteration()))
    server.answers[CREATE] = gate
    yield gate
    gate.open.set()


def test_a_start_returns_before_the_server_answers(server: FakeServer, gate: Gate) -> None:
    active = start(server, parameters={"lr": 1}, tags=["best"])
    active.log({"loss": 1})
    assert "not on a server yet" in repr(active)
    gate.open.set()
    assert active.flush(60)
    assert [body["parameters"] for body in server.bodies(LOG) if body.get("parameters")] == [{"lr": "1"}]


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (lambda active: active.id, "i1"),
        (lambda active: active.url, f"{transports.URL}/ui#/iterations/i1"),
        (lambda active: active.experiment_id, "e1"),
        (lambda active: active.ref_when_created().iteration_id, "i1"),
    ],
)
def test_an_id_is_waited_for(
    server: FakeServer, gate: Gate, ask: Callable[[ActiveIteration], str], answer: str
) -> None:
    active = start(server)
    threading.Timer(0.01, gate.open.set).start()
    assert ask(active) == answer


def test_the_line_of_the_start_comes_when_the_server_answers(
    server: FakeServer, gate: Gate, capfd: pytest.CaptureFixture[str]
) -> None:
    active = start(server)
    assert gate.asked.wait(60)
    assert capfd.readouterr().err == ""
    gate.open.set()
    assert f"at {active.url}\n" in capfd.readouterr().err


def test_a_child_waits_for_its_parent_in_the_background(server: FakeServer, gate: Gate) -> None:
    parent = start(server)
    child = parent.child()
    grandchild = deardiary.start(parent=child)
    gate.open.set()
    assert grandchild.id
    assert [body.get("parent_iteration_id") for body in server.bodies(CREATE)] == [None, "i1", "i1"]
    assert server.names().count(PROJECTS) == 1


def test_a_resumed_iteration_takes_records_before_it_is_found(server: FakeServer) -> None:
    gate = server.answers["GET /iterations/i1"] = Gate((200, iteration()))
    active = start(server, resume="i1")
    active.log({"loss": 1})
    gate.open.set()
    assert (active.id, active.flush(60)) == ("i1", True)


NEXT_CALLS: dict[str, Callable[[ActiveIteration], object]] = {
    "id": lambda active: active.id,
    "log": lambda active: active.log({"loss": 1}),
    "log_parameters": lambda active: active.log_parameters({"lr": 1}),
    "add_tag": lambda active: active.add_tag("best"),
    "log_text": lambda active: active.log_text("note", "text"),
    "flush": lambda active: active.flush(60),
    "finish": lambda active: active.finish(),
    "child": lambda active: active.child().finish(),
    "block": lambda active: active.__exit__(None, None, None),
}


def refused(server: FakeServer, caplog: pytest.LogCaptureFixture, **options: Any) -> ActiveIteration:
    """An iteration, when the client has told that the server refuses it."""
    active = start(server, **options)
    until = time.monotonic() + 60
    while not any(record.levelname == "ERROR" for record in caplog.records) and time.monotonic() < until:
        time.sleep(0.001)
    return active


@pytest.mark.parametrize("call", NEXT_CALLS)
def test_a_refusal_is_told_at_once_and_raised_by_the_next_call(
    server: FakeServer, caplog: pytest.LogCaptureFixture, tmp_path: Path, call: str
) -> None:
    server.answers[CREATE] = REFUSED
    active = refused(server, caplog, parameters={"lr": 1})
    assert "Iris/sweep" in caplog.text
    assert "not you" in caplog.text
    with pytest.raises(ClientError, match="not you"):
        NEXT_CALLS[call](active)
    active.finish()
    assert list((tmp_path / "data").rglob("run.json")) == [], "nothing was logged that is worth keeping"


def test_a_refusal_does_not_replace_the_users_own_exception(
    server: FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers[CREATE] = REFUSED
    with pytest.raises(ZeroDivisionError), refused(server, caplog):
        raise ZeroDivisionError


def test_a_point_logged_before_a_refusal_is_kept(
    server: FakeServer, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    gate.answer = REFUSED
    active = start(server)
    active.log({"loss": 1})
    gate.open.set()
    with pytest.raises(ClientError, match="not you"):
        active.finish()
    assert f"is kept in {active.folder}" in caplog.text
    server.answers[CREATE] = (201, iteration())
    (synced,) = deardiary.sync(client=client_of(server), tell=lambda _: None)
    assert (synced.is_done, synced.points) == (True, 1)


def test_points_before_a_refused_resumption_do_not_reopen_a_success(server: FakeServer, gate: Gate) -> None:
    gate.answer = (200, iteration(status_id=2, end_date=transports.NOW))
    active = start(server, id_key="k")
    active.log({"loss": 1})
    gate.open.set()
    with pytest.raises(ValueError, match="SUCCEEDED"):
        active.finish()
    server.answers |= {CREATE: gate.answer, "GET /iterations/i1": gate.answer}
    server.answers[LOG] = server.answers[END] = (
        422,
        {"code": "INVALID_PAYLOAD", "message": "ended", "details": {"field": "end_date"}},
    )
    (synced,) = deardiary.sync(client=client_of(server), tell=lambda _: None)
    assert synced.rejected == 1
    assert [body["status_id"] for body in server.bodies(END)] == [2], "only its own end, which is refused"


def test_a_killed_process_leaves_a_spool_that_creates_the_iteration(
    server: FakeServer, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    active = start(server)
    active.log({"loss": 1})
    assert gate.asked.wait(60)
    active.before_fork()
    active.journal.abandon()  # as the end of its process does
    server.answers[CREATE] = (201, iteration())
    (synced,) = deardiary.sync(client=client_of(server), tell=lambda _: None)
    assert (synced.iteration_id, synced.points) == ("i1", 1)
    assert len({body["id_key"] for body in server.bodies(CREATE)}) == 1


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"project": "x" * 256}, "project"),
        ({"experiment": "x" * 256}, "experiment"),
        ({"notes": "é" * 2**15 + "e"}, "notes"),
        ({"id_key": "k" * 129}, "id_key"),
        ({"resume": "k" * 129}, "resume"),
        ({"project": 7}, "project"),
    ],
)
def test_a_text_that_the_server_would_refuse_is_an_error_of_start(
    server: FakeServer, options: dict[str, Any], field: str
) -> None:
    names = {"project": "Iris", "experiment": "sweep"}
    with pytest.raises((TypeError, ValueError), match=field):
        deardiary.start(**{**names, **options}, client=client_of(server))
    assert server.requests == []


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda active, file: active.log_resource(file, description="x" * 65537, wait=False), "description"),
        (lambda active, file: active.log_resource(file, description=7, wait=False), "description"),
        (lambda active, file: active.register_model("m", file, description="x" * 65537), "description"),
        (lambda active, file: active.register_model("m" * 256, file), "name"),
    ],
)
def test_a_text_that_the_server_would_refuse_later_is_an_error_of_the_call(
    server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[..., object], field: str
) -> None:
    """Else the file would stay among the rejected ones of the spool."""
    monkeypatch.setenv("DEARDIARY_OFFLINE", "1")
    (tmp_path / "f").write_bytes(b"x")
    with start(server) as active, pytest.raises((TypeError, ValueError), match=field):
        call(active, tmp_path / "f")


@pytest.mark.parametrize(
    ("setting", "given", "expected"),
    [(None, None, (30.0, 3.0)), (None, 60.0, (60.0, 60.0)), ("20", None, (20.0, 20.0)), ("1", None, (1.0, 1.0))],
)
def test_an_end_waits_less_for_a_server_that_is_away(
    monkeypatch: pytest.MonkeyPatch, setting: str | None, given: float | None, expected: tuple[float, float]
) -> None:
    if setting is not None:
        monkeypatch.setenv("DEARDIARY_FINISH_SECONDS", setting)
    assert deardiary.settings.finish_seconds_of(given) == expected


@pytest.mark.parametrize("away", [True, False])
def test_an_end_gives_up_soon_when_the_server_was_away(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, away: bool
) -> None:
    gone = ClientError(0, "CONNECTION_FAILED", "gone")
    busy = (503, {"code": "UNAVAILABLE", "message": "busy"})
    monkeypatch.setattr("deardiary.settings._AWAY_SECONDS", 0.1)
    monkeypatch.setattr("deardiary.settings._FINISH_SECONDS", 30.0 if away else 0.5)
    monkeypatch.setattr(sender, "HURRIED_BACKOFF", 0.01)
    monkeypatch.setattr(sender, "SLOW_SECONDS", 15.0)
    server.answers[LOG] = gone if away else busy
    with start(server) as active:
        active.log({"loss": 1})
    assert "at most. Nothing is lost" not in caplog.text  # said after `SLOW_SECONDS`
    assert (f"{transports.URL} does not answer" in caplog.text) == away
    assert f"the rest is in {active.folder}: `deardiary sync` sends it" in caplog.text
    server.answers[LOG] = transports.taken
    (synced,) = deardiary.sync(client=client_of(server), tell=lambda _: None)
    assert (synced.is_done, synced.points) == (True, 1)


def test_an_interrupted_start_ends_without_a_second_error(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Ctrl-C, or a machine without room for another thread, before the sender's thread begins."""

    def interrupt(_: sender.Sender) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sender.Sender, "start", interrupt)
    with pytest.raises(KeyboardInterrupt):
        start(server)
    left = process_hooks.latest()
    assert left is not None
    left.finish(IterationStatus.KILLED)
    assert "did not end as it should" not in caplog.text
    assert "`deardiary sync` sends it" in caplog.text
