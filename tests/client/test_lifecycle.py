from __future__ import annotations

import contextlib
import json
import math
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
from deardiary import ActiveIteration, ClientError, IterationStatus
from deardiary.tracking.outcome import message_of
from deardiary.wire import limits
from deardiary.wire.times import parse_time
from tests.support import transports
from tests.support.transports import FakeServer, body_of, client_of, experiment, iteration, page, project, taken

if TYPE_CHECKING:
    from pathlib import Path

    from deardiary import Request

LOG = "POST /iterations/i1/log"
CREATE = "POST /experiments/e1/iterations"
EAST, WEST = timezone(timedelta(hours=14)), timezone(-timedelta(hours=12))
END = "PATCH /iterations/i1"


@pytest.fixture
def server() -> FakeServer:
    server = FakeServer()
    server.answers = {
        "GET /projects": (200, page(project())),
        "GET /projects/p1": (200, project()),
        "GET /projects/p1/experiments": (200, page(experiment())),
        "GET /experiments/e1": (200, experiment()),
        CREATE: (201, iteration()),
        LOG: taken,
        "GET /iterations/i1": (200, iteration()),
        END: (200, iteration()),
    }
    return server


def begin(server: FakeServer, **options: Any) -> ActiveIteration:
    return deardiary.start("Iris", "sweep", client=client_of(server), **options)


def columns_of(server: FakeServer, active: ActiveIteration) -> Any:
    """The columns of the only request with points."""
    assert active.flush(10)
    (body,) = server.bodies(LOG)
    return body["metrics"]


def end_of(server: FakeServer) -> dict[str, Any]:
    (end,) = server.bodies(END)
    assert isinstance(end, dict)
    return end


def test_a_clean_exit_succeeds(server: FakeServer) -> None:
    with begin(server) as active:
        assert active.id == "i1"
    end = end_of(server)
    assert parse_time(end.pop("end_date")) > parse_time(transports.NOW)
    assert end == {"status_id": IterationStatus.SUCCEEDED}


def test_an_exception_fails_with_its_traceback_and_goes_on_unchanged(server: FakeServer) -> None:
    error = ZeroDivisionError("loss is gone")
    with pytest.raises(ZeroDivisionError) as caught, begin(server):
        raise error

    assert caught.value is error
    assert end_of(server)["status_id"] == IterationStatus.FAILED
    assert end_of(server)["error_message"].startswith("Traceback (most recent call last):")
    assert end_of(server)["error_message"].endswith("ZeroDivisionError: loss is gone\n")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (KeyboardInterrupt(), IterationStatus.KILLED),
        (SystemExit(), IterationStatus.SUCCEEDED),
        (SystemExit(0), IterationStatus.SUCCEEDED),
        (SystemExit(2), IterationStatus.FAILED),
        (SystemExit("no data"), IterationStatus.FAILED),
        (GeneratorExit(), IterationStatus.FAILED),
    ],
)
def test_how_else_a_block_can_end(server: FakeServer, error: BaseException, status: IterationStatus) -> None:
    with pytest.raises(type(error)), begin(server):
        raise error
    assert end_of(server)["status_id"] == status
    assert ("error_message" in end_of(server)) == (status != IterationStatus.SUCCEEDED)


def test_a_long_traceback_keeps_its_end() -> None:
    message = message_of(ValueError("é" * limits.MAX_TEXT_BYTES + "the end"))
    assert len(message.encode()) <= limits.MAX_TEXT_BYTES
    assert message.endswith("éthe end\n")


@pytest.mark.parametrize("error", [None, ZeroDivisionError()])
def test_an_end_that_cannot_be_recorded_now_is_left_to_sync(
    server: FakeServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    monkeypatch.setenv("DEARDIARY_FINISH_SECONDS", "0.05")
    server.answers[END] = ClientError(0, "CONNECTION_FAILED", "gone")
    with contextlib.suppress(ZeroDivisionError), begin(server):
        if error:
            raise error
    assert "`deardiary sync` sends it" in caplog.text
    server.answers[END] = (200, iteration())
    (synced,) = deardiary.sync(client=client_of(server), tell=lambda _: None)
    assert synced.is_done
    assert server.bodies(END)[-1]["status_id"] == (IterationStatus.FAILED if error else IterationStatus.SUCCEEDED)


def test_an_end_that_is_refused_is_kept_with_the_reason(
    server: FakeServer, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    server.answers[END] = (422, {"code": "INVALID_PAYLOAD", "message": "no such status"})
    server.answers["GET /iterations/i1"] = (200, iteration())
    with begin(server):
        pass
    (kept,) = (tmp_path / "data").rglob("rejected/*.json")
    assert "no such status" in json.loads(kept.read_text())["error"]
    assert str(kept) in caplog.text


@pytest.mark.parametrize(("field", "kept"), [("end_date", 0), ("error_message", 1)])
def test_of_an_iteration_that_has_ended_only_its_lock_is_no_reason_to_keep_the_end(
    server: FakeServer, tmp_path: Path, field: str, kept: int
) -> None:
    server.answers[END] = (422, {"code": "INVALID_PAYLOAD", "message": "no", "details": {"field": field}})
    server.answers["GET /iterations/i1"] = (200, iteration(end_date=transports.NOW))
    with begin(server):
        pass
    assert len(list((tmp_path / "data").rglob("rejected/*.json"))) == kept


def test_calls_are_gathered_into_one_request(server: FakeServer) -> None:
    at = parse_time(transports.NOW)
    active = begin(server)
    active.log({"loss": 0.5, "accuracy": math.nan}, step=7, recorded_at=at)
    active.log({"loss": 0.25}, step=8, recorded_at=at)

    assert active.flush(10)
    (body,) = server.bodies(LOG)
    assert body.pop("batch_id").endswith("-00000001")
    assert body == {
        "metrics": {
            "loss": {"step": [7, 8], "value": [0.5, 0.25], "recorded_at": [transports.NOW] * 2},
            "accuracy": {"step": [7], "value": ["NaN"], "recorded_at": [transports.NOW]},
        }
    }


def test_a_time_that_is_not_given_is_now(server: FakeServer) -> None:
    active = begin(server)
    active.log({"loss": 1})
    assert parse_time(columns_of(server, active)["loss"]["recorded_at"][0]) > parse_time(transports.NOW)


def test_steps_count_themselves_per_key(server: FakeServer) -> None:
    active = begin(server)
    active.log({"a": 1})
    active.log({"a": 1, "b": 1})
    active.log({"b": 1}, step=10)
    active.log({"b": 1}, step=3)
    active.log({"a": 1, "b": 1})

    columns = columns_of(server, active)
    assert (columns["a"]["step"], columns["b"]["step"]) == ([0, 1, 2], [0, 10, 3, 11])


def test_threads_get_each_step_once(server: FakeServer) -> None:
    active = begin(server)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: active.log({"a": 1}), range(200)))
    assert sorted(columns_of(server, active)["a"]["step"]) == list(range(200))


@pytest.mark.parametrize("option", ["id_key", "resume"])
def test_where_others_may_log_too_the_server_counts_the_steps(server: FakeServer, option: str) -> None:
    server.answers["GET /iterations/job-1"] = (404, {"code": "NOT_FOUND", "message": ""})
    options: dict[str, Any] = {option: "job-1"}
    active = begin(server, **options)
    active.log({"a": 1})
    assert columns_of(server, active)["a"]["step"] == [None]
    assert server.bodies(CREATE)[0]["id_key"] == "job-1"


@pytest.mark.parametrize(
    ("options", "status", "reopened"),
    [
        ({"id_key": "k"}, IterationStatus.KILLED, True),
        ({"id_key": "k"}, IterationStatus.FAILED, True),
        ({"resume": "i1"}, IterationStatus.SUCCEEDED, True),
        ({"id_key": "k"}, IterationStatus.RUNNING, False),
    ],
)
def test_an_iteration_goes_on(server: FakeServer, options: Any, status: IterationStatus, reopened: bool) -> None:
    ended = iteration(status_id=status, end_date=transports.NOW if reopened else None)
    server.answers |= {CREATE: (200, ended), "GET /iterations/i1": (200, ended)}
    begin(server, **options)
    assert server.bodies(END) == ([{"status_id": IterationStatus.RUNNING}] if reopened else [])


def test_a_succeeded_iteration_resumes_only_on_request(server: FakeServer) -> None:
    server.answers[CREATE] = (200, iteration(status_id=2, end_date=transports.NOW))
    with pytest.raises(ValueError, match="resume='k'"):
        begin(server, id_key="k")


def test_a_value_that_is_not_a_number_records_nothing(server: FakeServer) -> None:
    active = begin(server)
    wrong: Any = {"accuracy": 1.0, "loss": "0.1"}
    with pytest.raises(TypeError, match="'loss'"):
        active.log(wrong)
    active.log({"accuracy": 1.0})
    assert columns_of(server, active)["accuracy"]["step"] == [0]


def test_the_start_records_parameters_tags_notes_and_parent(server: FakeServer) -> None:
    begin(server, parameters={"lr": 1e-3}, tags=["best"], notes="n", parent="i0", id_key="k").flush(10)

    (body,) = server.bodies(LOG)
    assert (body["parameters"], body["tags"]) == ({"lr": "0.001"}, ["best"])
    assert server.bodies(CREATE) == [{"notes": "n", "parent_iteration_id": "i0", "id_key": "k"}]


def test_a_start_with_nothing_to_record_sends_no_batch(server: FakeServer) -> None:
    assert begin(server).flush(10)
    assert LOG not in server.names()


def test_every_request_of_a_start_may_be_repeated(server: FakeServer) -> None:
    active = begin(server, parameters={"lr": 1})
    active.log({"a": 1})
    active.flush(10)
    assert all(request.may_repeat for request in server.requests)


@pytest.mark.parametrize("wrong", [{"tags": "best"}, {"tags": ["x" * 251]}, {"parameters": {"": 1}}])
def test_values_that_cannot_be_recorded_are_refused_before_anything_is_created(server: FakeServer, wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        begin(server, **wrong)
    assert server.requests == []


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda it: it.set_snapshot(nope="x"), TypeError),
        (lambda it: it.set_snapshot(git_sha=5), TypeError),
        (lambda it: it.set_snapshot(git_dirty="yes"), TypeError),
        (lambda it: it.finish(77), ValueError),
        (lambda it: it.finish(IterationStatus.RUNNING), ValueError),
        (lambda it: it.finish(IterationStatus.FAILED, 5), TypeError),
        (lambda it: it.log({"a": 1}, recorded_at=datetime(1, 1, 1, tzinfo=EAST)), ValueError),
        (lambda it: it.log({"a": 1}, recorded_at=datetime(9999, 12, 31, 23, tzinfo=WEST)), ValueError),
    ],
)
def test_records_that_could_never_be_sent_are_refused_by_the_call(
    server: FakeServer, wrong: Any, error: type[Exception]
) -> None:
    active = begin(server)
    with pytest.raises(error):
        wrong(active)
    active.finish(IterationStatus.FAILED, "x" * 70_000 + "the end")
    (body,) = server.bodies("PATCH /iterations/i1")
    assert (len(body["error_message"]), body["error_message"][-7:]) == (65536, "the end")


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_a_start_that_the_server_refuses_is_an_error(server: FakeServer, status: int) -> None:
    server.answers[CREATE] = (status, {"code": "INVALID_PAYLOAD", "message": "not so"})
    with pytest.raises(ClientError, match="not so"):
        begin(server)


def test_parameters_and_tags_can_follow(server: FakeServer) -> None:
    active = begin(server)
    active.log_parameters({"on": True})
    active.add_tag("best")
    active.add_tags(["a", "b"])
    active.flush(10)
    bodies = server.bodies(LOG)  # the parameters are sent at once
    assert [body["parameters"] for body in bodies if body.get("parameters")] == [{"on": "True"}]
    assert [tag for body in bodies for tag in body.get("tags", ())] == ["best", "a", "b"]


def test_a_parameter_does_not_change(server: FakeServer) -> None:
    active = begin(server, parameters={"lr": 1})
    active.log_parameters({"lr": "1"})
    with pytest.raises(ClientError, match="'lr' is '1' already"):
        active.log_parameters({"lr": 2})


@pytest.mark.parametrize("details", [{"field": "lr"}, {"field": "parameters.lr", "key": "lr"}], ids=["older", "newer"])
def test_a_parameter_that_clashes_takes_nothing_else_with_it(
    server: FakeServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, details: dict[str, str]
) -> None:
    def answer(request: Request) -> transports.Answer:
        body = json.loads(body_of(request))
        if "lr" in body.get("parameters", {}):
            return 409, {"code": "CONFLICT", "message": "is another", "details": details}
        return taken(request)

    server.answers[LOG] = answer
    active = begin(server, parameters={"lr": 1, "on": True}, tags=["t"])
    active.log({"loss": 1})
    active.flush(10)
    _, second, third = server.bodies(LOG)
    assert (second["parameters"], second["tags"], list(third["metrics"])) == ({"on": "True"}, ["t"], ["loss"])
    (kept,) = (tmp_path / "data").rglob("rejected/*.json")
    assert json.loads(kept.read_text())["parameters"] == {"lr": "1"}
    assert "refuses" in caplog.text


def test_a_child_belongs_to_its_parent(server: FakeServer) -> None:
    parent = begin(server)
    parent.child(parameters={"lr": 1})
    deardiary.start(parent=parent)

    assert [body.get("parent_iteration_id") for body in server.bodies(CREATE)] == [None, "i1", "i1"]
    assert server.names().count("GET /projects") == 1


def test_a_parent_known_by_its_id_says_the_experiment(server: FakeServer) -> None:
    server.answers["GET /iterations/i0"] = (200, iteration(id="i0"))
    deardiary.start(parent="i0", client=client_of(server))
    assert server.bodies(CREATE)[0]["parent_iteration_id"] == "i0"


def test_project_and_experiment_come_from_the_environment(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="Name a project and an experiment"):
        deardiary.start("Iris", client=client_of(server))
    monkeypatch.setenv("DEARDIARY_PROJECT", "Iris")
    monkeypatch.setenv("DEARDIARY_EXPERIMENT", "sweep")
    deardiary.start(client=client_of(server))
    assert transports.query_of(server.requests[0])["name"] == ["Iris"]


def test_an_ended_iteration_takes_nothing_more(server: FakeServer, tmp_path: Path) -> None:
    with begin(server) as active:
        active.finish(IterationStatus.KILLED)
        active.finish()
    assert end_of(server)["status_id"] == IterationStatus.KILLED
    with pytest.raises(RuntimeError, match="has ended"):
        active.log({"a": 1})
    with pytest.raises(RuntimeError, match="has ended"):
        active.log_resource(tmp_path / "model.bin")


def test_a_client_made_for_the_iteration_is_disconnected_with_it(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deardiary.tracking.start.connect_later", lambda: client_of(server))
    with deardiary.start("Iris", "sweep") as active, active.child():
        pass
    assert server.names().count(END) == 2
    assert server.requests[-1].method == "CLOSE"
    assert [request.method for request in server.requests].count("CLOSE") == 1
