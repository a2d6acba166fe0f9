"""The sending thread with servers that fail, refuse, or no longer accept our token."""

from __future__ import annotations

import json
import shutil
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
from deardiary import ClientError
from deardiary.sending import earlier, recovery, sender
from deardiary.spool import store
from deardiary.tracking import process_hooks
from tests.support import transports
from tests.support.transports import FakeServer, client_of, experiment, iteration, page, project, taken

if TYPE_CHECKING:
    from pathlib import Path

    from deardiary import Request

LOG = "POST /iterations/i1/log"
CREATE = "POST /experiments/e1/iterations"
GONE = ClientError(0, "CONNECTION_FAILED", "gone")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    monkeypatch.setattr(sender, "FLUSH_SECONDS", 0.01)
    monkeypatch.setattr(sender, "FIRST_BACKOFF", 0.01)
    server = FakeServer()
    server.answers = {
        "GET /projects": (200, page(project())),
        "GET /projects/p1/experiments": (200, page(experiment())),
        CREATE: (201, iteration()),
        LOG: taken,
        "GET /iterations/i1": (200, iteration()),
        "PATCH /iterations/i1": (200, iteration()),
    }
    return server


class Answers:
    """Returns these in turn, and then the usual answer."""

    def __init__(self, *first: transports.Answer) -> None:
        self.left = list(first)
        self.used = threading.Event()

    def __call__(self, request: Request) -> transports.Answer:
        if self.left:
            return self.left.pop(0)
        self.used.set()
        return taken(request)


@pytest.mark.parametrize(
    "failure",
    [
        GONE,
        (500, b"<html>"),
        (503, None),
        (429, None),
        (201, b"not ours"),
        (409, {"code": "CONFLICT", "message": "x"}),
        # The answer of a proxy or a firewall is not one of DearDiary.
        (400, b""),
        (400, {"code": "X", "message": "x"}),
        (405, b"<html>"),
        (413, b"<html>"),
        (422, b"["),
        (503, b"[" * 100_000),
    ],
)
def test_a_transient_failure_is_retried_with_the_same_batch_id(server: FakeServer, failure: transports.Answer) -> None:
    answers = server.answers[LOG] = Answers(failure, failure)
    active = deardiary.start("Iris", "sweep", client=client_of(server))
    active.log({"loss": 1})
    assert answers.used.wait(60)  # by itself, without a caller that waits for it
    assert active.flush(10)
    bodies = server.bodies(LOG)
    assert len(bodies) == 3
    assert len({body["batch_id"] for body in bodies}) == 1


@pytest.fixture
def _earlier_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves a spool of the iteration with the id_key "k"."""
    with monkeypatch.context() as offline:
        offline.setenv("DEARDIARY_OFFLINE", "1")
        with deardiary.start("Iris", "sweep", id_key="k") as earlier:
            earlier.log({"loss": 1}, step=7)


@pytest.mark.usefixtures("_earlier_process")
def test_a_flush_waits_for_the_points_of_an_earlier_process(server: FakeServer) -> None:
    may_answer = threading.Event()

    def answer(request: Request) -> transports.Answer:
        assert may_answer.wait(60)
        return taken(request)

    server.answers[LOG] = answer
    active = deardiary.start("Iris", "sweep", id_key="k", client=client_of(server))
    assert not active.flush(0.05), "the server has not taken them yet"
    may_answer.set()
    assert active.flush(10)
    (body,) = server.bodies(LOG)
    assert body["metrics"]["loss"]["step"] == [7]


@pytest.mark.usefixtures("_earlier_process")
def test_a_flush_fails_when_the_points_of_an_earlier_process_cannot_be_sent(
    server: FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers[LOG] = (403, {"code": "FORBIDDEN", "message": "not you"})
    active = deardiary.start("Iris", "sweep", id_key="k", client=client_of(server))
    assert not active.flush(10)
    active.finish()
    assert "An earlier process has left something" in caplog.text
    assert "Not everything logged could be sent" not in caplog.text, "all of this process was sent"


@pytest.mark.usefixtures("_earlier_process")
@pytest.mark.parametrize("hurried", [True, False], ids=["a caller waits", "by itself"])
def test_the_points_of_an_earlier_process_are_sent_again_after_a_failure(
    server: FakeServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, *, hurried: bool
) -> None:
    """A job starts again while the server is overloaded: the points must not wait for a third start."""
    monkeypatch.setattr(earlier, "FIRST_BACKOFF", 0.01)
    monkeypatch.setattr(sender, "FASTEST_SECONDS", 0.01)
    answers = server.answers[LOG] = Answers(GONE, (503, None), GONE)
    with deardiary.start("Iris", "sweep", id_key="k", client=client_of(server)) as active:
        assert active.flush(10) if hurried else answers.used.wait(60)
    bodies = server.bodies(LOG)
    assert [body["metrics"]["loss"]["step"] for body in bodies] == [[7]] * 4
    assert len({body["batch_id"] for body in bodies}) == 1
    assert caplog.text.count("An earlier process has left something") == 1


@pytest.mark.usefixtures("_earlier_process")
def test_a_record_of_an_earlier_process_that_always_fails_stops_nothing(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(earlier, "FIRST_BACKOFF", 0.01)
    monkeypatch.setattr(earlier, "HURRIED_BACKOFF", 0.01)
    monkeypatch.setattr(sender, "FASTEST_SECONDS", 0.01)

    def answer(request: Request) -> transports.Answer:
        is_earlier = json.loads(transports.body_of(request))["metrics"]["loss"]["step"] == [7]
        return GONE if is_earlier else taken(request)

    server.answers[LOG] = answer
    with deardiary.start("Iris", "sweep", id_key="k", client=client_of(server), capture=()) as active:
        active.log({"loss": 2}, step=8)
        assert not active.flush(), "the earlier points have not arrived"
    assert [8] in [body["metrics"]["loss"]["step"] for body in server.bodies(LOG)]


@pytest.mark.usefixtures("_earlier_process")
def test_a_spool_from_another_machine_is_sent_and_stays(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """SageMaker copies it back to a job that starts again; its files are new, as those of a writer that is alive."""
    (segment,) = tmp_path.rglob("*.log")
    of_a_killed_process = [each for each in segment.read_bytes().splitlines(keepends=True) if b"points" in each]
    segment.write_bytes(b"".join(of_a_killed_process))
    monkeypatch.setattr("deardiary.spool.run.this_boot", lambda: "another")
    with deardiary.start("Iris", "sweep", id_key="k", client=client_of(server), capture=()) as active:
        assert active.flush(10)
        (body,) = server.bodies(LOG)
        assert body["metrics"]["loss"]["step"] == [7]
    assert segment.read_bytes() == b"".join(of_a_killed_process)


@pytest.mark.usefixtures("_earlier_process")
def test_a_spool_that_its_writer_removes_meanwhile_needs_no_sending(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_dead = store.is_dead

    def is_dead_and_goes(folder: Path, *given: Any) -> bool:
        dead = is_dead(folder, *given)
        shutil.rmtree(folder)
        return dead

    monkeypatch.setattr("deardiary.spool.run.this_boot", lambda: "another")
    monkeypatch.setattr(store, "is_dead", is_dead_and_goes)
    monkeypatch.setattr(recovery, "segments_in", lambda _: [None])
    with deardiary.start("Iris", "sweep", id_key="k", client=client_of(server)) as active:
        assert active.flush(10)


def test_what_an_earlier_process_left_is_reported_once(server: FakeServer, caplog: pytest.LogCaptureFixture) -> None:
    """Each iteration of a process tries it again: a sweep must not repeat the same line a hundred times."""
    tries: list[str] = []

    def answer(request: Request) -> transports.Answer:
        if "left" not in json.loads(transports.body_of(request))["metrics"]:
            return taken(request)
        tries.append("left")
        return (403, {"code": "FORBIDDEN", "message": "not you"})

    server.answers[LOG] = answer
    left = deardiary.start("Iris", "sweep", id_key="left", client=client_of(server), capture=())
    left.log({"left": 1})
    left.finish(seconds=0.01)
    for number in range(2):
        before = len(tries)
        key = f"later {number}"
        with deardiary.start("Iris", "sweep", id_key=key, client=client_of(server), capture=()) as active:
            active.log({"loss": 1})
            until = time.monotonic() + 30
            while len(tries) == before or recovery._busy.locked():
                assert time.monotonic() < until, "the spool of the earlier process was not tried"
                time.sleep(0.01)
    assert caplog.text.count("An earlier process has left something") == 1


def test_a_quiet_try_leaves_the_report_to_the_next(server: FakeServer, caplog: pytest.LogCaptureFixture) -> None:
    server.answers[LOG] = (403, {"code": "FORBIDDEN", "message": "not you"})
    left = deardiary.start("Iris", "sweep", id_key="left", client=client_of(server), capture=())
    left.log({"left": 1})
    left.finish(seconds=0.01)
    assert left.folder is not None
    later = replace(left.run, spool_id="later")
    for repeated, warnings in ((True, 0), (False, 1), (False, 1)):
        assert recovery.send_left_of(client_of(server), later, left.folder.parent, repeated=repeated)
        assert caplog.text.count("An earlier process has left something") == warnings


def test_less_taken_than_sent_is_completed_under_another_name(server: FakeServer) -> None:
    server.answers[LOG] = Answers((200, transports.receipt(accepted=2)))
    active = deardiary.start("Iris", "sweep", client=client_of(server))
    for step in range(5):
        active.log({"loss": step})
    assert active.flush(10)
    first, second = server.bodies(LOG)
    assert second["batch_id"] == f"{first['batch_id']}+2"
    assert second["metrics"]["loss"]["step"] == [2, 3, 4]


def test_points_that_are_refused_are_kept_and_do_not_hold_up_others(server: FakeServer, tmp_path: Path) -> None:
    server.answers[LOG] = Answers((422, {"code": "INVALID_PAYLOAD", "message": "no"}))
    active = deardiary.start("Iris", "sweep", client=client_of(server))
    active.log({"loss": 1})
    assert active.flush(10)
    active.log({"loss": 2})
    assert active.flush(10)
    assert server.bodies(LOG)[-1]["metrics"]["loss"]["value"] == [2.0]
    active.finish()
    (kept,) = tmp_path.rglob("rejected/*.json")
    assert '"loss"' in kept.read_text()


@pytest.mark.parametrize("status", [401, 403, 404])
def test_refused_credentials_lose_no_record_and_do_not_wait(
    server: FakeServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    server.answers[LOG] = (status, {"code": "NO", "message": "not you"})
    active = deardiary.start("Iris", "sweep", client=client_of(server))
    active.log({"loss": 1})
    active.finish()
    assert ("sign in again" in caplog.text) == (status == 401)
    assert "waits to be sent: not you" in caplog.text
    assert not list(tmp_path.rglob("rejected/*.json"))
    server.answers[LOG] = taken
    (result,) = deardiary.sync(client=client_of(server), tell=lambda _: None)
    assert (result.points, result.is_done) == (1, True)


def test_a_token_that_has_run_out_is_replaced_by_signing_in_again(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = {
        "id": "u",
        "first_name": "",
        "last_name": "",
        "username": "ada",
        "created_date": transports.NOW,
        "is_admin": False,
    }
    given = iter(["old", "new"])

    def signed_in(_: Request) -> transports.Answer:
        session = {"access_token": next(given), "token_type": "bearer", "expires_at": transports.NOW, "user": user}
        return 200, session

    def log(request: Request) -> transports.Answer:
        if request.headers["Authorization"] == "Bearer new":
            return taken(request)
        return 401, {"code": "TOKEN_EXPIRED", "message": "too old"}

    server.answers |= {"POST /auth": signed_in, LOG: log}
    client = deardiary.connect(transports.URL, username="ada", password="lovelace", transport=server)
    with deardiary.start("Iris", "sweep", client=client) as active:
        active.log({"loss": 1})
        assert active.flush(10)
    assert server.names().count("POST /auth") == 2


def test_a_token_from_a_login_in_a_terminal_is_found(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def log(request: Request) -> transports.Answer:
        if request.headers["Authorization"] == "Bearer fresh":
            return taken(request)
        monkeypatch.setenv("DEARDIARY_TOKEN", "fresh")
        return 401, {"code": "TOKEN_EXPIRED", "message": "too old"}

    monkeypatch.setenv("DEARDIARY_TOKEN", "stale")
    server.answers[LOG] = log
    with deardiary.start("Iris", "sweep", client=deardiary.connect(transports.URL, transport=server)) as active:
        active.log({"loss": 1})
        assert active.flush(10)


def test_a_quiet_writer_gives_signs_of_life(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "BEAT_SECONDS", 0.01)
    answers = server.answers[LOG] = Answers()
    deardiary.start("Iris", "sweep", client=client_of(server))
    assert answers.used.wait(60)
    assert server.bodies(LOG)[0]["metrics"] == {}


def test_a_start_without_a_server_is_made_up_for(server: FakeServer, caplog: pytest.LogCaptureFixture) -> None:
    server.answers["GET /projects"] = GONE
    active = deardiary.start("Iris", "sweep", client=client_of(server), parameters={"lr": 1})
    key = active.id
    active.log({"loss": 1})
    assert not active.flush(0.05)
    server.answers["GET /projects"] = (200, page(project()))
    assert active.flush(10)
    assert (server.bodies(CREATE)[0]["id_key"], active.id) == (key, "i1")
    assert "waits on this machine" in caplog.text


def test_a_file_is_kept_while_the_server_is_away(
    server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEARDIARY_OFFLINE", "1")
    path = tmp_path / "model.bin"
    path.write_bytes(b"first")
    with deardiary.start("Iris", "sweep") as active:
        assert active.log_resource(path, description="d").state == "pending"
        path.write_bytes(b"overwritten")
        with pytest.raises(RuntimeError, match="offline"):
            _ = active.client
    server.answers |= {
        "GET /experiments/e1/resources": (200, page()),
        "POST /experiments/e1/resources": (201, transports.resource(state="ready")),
    }
    (result,) = deardiary.sync(client=client_of(server), tell=lambda _: None)
    (body,) = server.bodies("POST /experiments/e1/resources")
    assert (body["name"], body["size_bytes"], body["description"]) == ("model.bin", 5, "d")
    assert result.is_done
    assert not list(tmp_path.rglob("spool/*"))


def test_records_for_another_server_are_left_unchanged(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEARDIARY_OFFLINE", "1")
    monkeypatch.setenv("DEARDIARY_URL", "https://other.example")
    deardiary.start("Iris", "sweep").finish()
    said: list[str] = []
    assert deardiary.sync(client=client_of(server), tell=said.append) == []
    assert "https://other.example" in said[0]


def test_a_folder_that_cannot_be_written_costs_nothing_while_the_server_is_there(
    server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DEARDIARY_DIR", str(tmp_path / "file"))
    with deardiary.start("Iris", "sweep", client=client_of(server), parameters={"lr": 1}) as active:
        active.log({"loss": 1})
    assert [sorted(body) for body in server.bodies(LOG)] == [["batch_id", "parameters"], ["batch_id", "metrics"]]
    assert caplog.text.count("There is no folder to write to") == 1


def test_a_fork_that_ends_without_a_record_is_forgotten(server: FakeServer) -> None:
    # A fork has no other threads, so nothing captures its output.
    active = deardiary.start("Iris", "sweep", client=client_of(server), capture=())
    active.after_fork()
    active.finish()
    assert active not in process_hooks._running


def test_all_iterations_together_do_not_hold_up_the_end_of_the_process(server: FakeServer) -> None:
    server.answers[LOG] = GONE
    for _ in range(3):
        deardiary.start("Iris", "sweep", client=client_of(server)).log({"loss": 1})
    process_hooks.finish_all(deardiary.IterationStatus.KILLED, "", 0.05)
    assert not process_hooks._running


def test_a_long_wait_at_the_end_is_said_once(
    server: FakeServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "SLOW_SECONDS", 0.05)
    active = deardiary.start("Iris", "sweep", client=client_of(server))
    server.answers[LOG] = GONE
    active.log({"loss": 1})
    active.finish(seconds=0.3)
    (said,) = [record.getMessage() for record in caplog.records if "Waiting" in record.getMessage()]
    assert said.startswith(f"Waiting to send what is logged to {transports.URL}, for 0 s at most. Nothing is lost")
    assert f"it is in {active.folder}, and `deardiary sync` sends it. Ctrl-C ends the waiting" in said


def test_a_quick_end_says_nothing_of_waiting(server: FakeServer, caplog: pytest.LogCaptureFixture) -> None:
    with deardiary.start("Iris", "sweep", client=client_of(server)) as active:
        active.log({"loss": 1})
    assert "Waiting" not in caplog.text


def interrupt() -> None:
    raise KeyboardInterrupt


def test_ctrl_c_in_the_wait_at_the_end_keeps_the_records_and_the_end(
    server: FakeServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "SLOW_SECONDS", 0.0)
    active = deardiary.start("Iris", "sweep", client=client_of(server))
    log = server.answers[LOG]
    server.answers[LOG] = GONE
    active.log({"loss": 1})
    monkeypatch.setattr(active.journal, "_say_that_it_waits", lambda _: interrupt())
    with pytest.raises(KeyboardInterrupt):
        active.finish(seconds=60)
    assert "`deardiary sync` sends it" in caplog.text
    assert active not in process_hooks._running
    server.answers[LOG] = log
    (result,) = deardiary.sync(client=client_of(server), tell=lambda _: None)
    assert (result.points, result.others, result.is_done) == (1, 1, True)
    assert server.bodies("PATCH /iterations/i1")[-1]["status_id"] == 2


def test_ctrl_c_as_the_process_ends_ends_every_iteration(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "SLOW_SECONDS", 0.0)
    both = [deardiary.start("Iris", "sweep", client=client_of(server)) for _ in range(2)]
    log = server.answers[LOG]
    server.answers[LOG] = GONE
    for each in both:
        each.log({"loss": 1})
        monkeypatch.setattr(each.journal, "_say_that_it_waits", lambda _: interrupt())
    process_hooks.finish_all(deardiary.IterationStatus.SUCCEEDED, "", 60)
    assert process_hooks._running == []
    server.answers[LOG] = log
    results = deardiary.sync(client=client_of(server), tell=lambda _: None)
    assert [(each.points, each.others) for each in results] == [(1, 1)] * 2


def test_parameters_and_tags_of_the_start_are_sent_at_once(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "FLUSH_SECONDS", 3600)
    answers = server.answers[LOG] = Answers()
    active = deardiary.start("Iris", "sweep", client=client_of(server), parameters={"lr": 1}, tags=["a"])
    assert answers.used.wait(60)
    (sent,) = server.bodies(LOG)
    assert (sent["parameters"], sent["tags"]) == ({"lr": "1"}, ["a"])
    active.finish()


def test_an_overloaded_server_gets_one_flush_with_all_that_was_logged_meanwhile(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks for a minute between two flushes, and throttles the next one several times."""
    monkeypatch.setattr(sender, "FIRST_BACKOFF", 0.02)
    refusals, is_through = iter(range(6)), threading.Event()

    def answer(request: Request) -> transports.Answer:
        if "parameters" in json.loads(transports.body_of(request)):
            if next(refusals, None) is not None:
                active.log({"loss": 1})
                return 503, {"code": "UNAVAILABLE", "message": "throttled"}
            is_through.set()
        counted = len(json.loads(transports.body_of(request)).get("metrics", {}).get("loss", {}).get("value", []))
        return 201, transports.receipt(accepted=counted, flush_after_seconds=60)

    server.answers[LOG] = answer
    active = deardiary.start("Iris", "sweep", client=client_of(server))
    active.log({"loss": 0})
    assert active.flush(10)
    active.log_parameters({"epochs": 3})
    assert is_through.wait(60)
    assert active.flush(10)
    flushes = {body["batch_id"]: body for body in server.bodies(LOG)}
    steps = [step for body in flushes.values() for step in body.get("metrics", {}).get("loss", {}).get("step", [])]
    assert steps == list(range(7))
    assert len(flushes) == 3
