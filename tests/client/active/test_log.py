"""An active iteration logs points, parameters and tags."""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from deardiary import ActiveIteration, ClientError, IterationStatus
from deardiary.sending import sender
from deardiary.wire.times import parse_time
from tests.support import transports
from tests.support.active import CREATE, LOG, begin
from tests.support.transports import FakeServer, body_of, taken

if TYPE_CHECKING:
    from pathlib import Path

    from deardiary import Request

EAST, WEST = timezone(timedelta(hours=14)), timezone(-timedelta(hours=12))


@pytest.fixture(autouse=True)
def _no_send_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send nothing until the test asks for it, however slow the machine is."""
    monkeypatch.setattr(sender, "FLUSH_SECONDS", 600.0)
    # The start asks for a flush, which may come in the middle of the calls of a test.
    monkeypatch.setattr(sender.Sender, "send_soon", lambda _: None)


def columns_of(server: FakeServer, active: ActiveIteration) -> Any:
    """The columns of the only request with points."""
    assert active.flush(60)
    (body,) = server.bodies(LOG)
    return body["metrics"]


def test_calls_are_gathered_into_one_request(server: FakeServer) -> None:
    at = parse_time(transports.NOW)
    active = begin(server)
    active.log({"loss": 0.5, "accuracy": math.nan}, step=7, recorded_at=at)
    active.log({"loss": 0.25}, step=8, recorded_at=at)

    assert active.flush(60)
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
    assert active.flush(60)
    # On a busy machine the sender may send in the middle.
    steps = [step for body in server.bodies(LOG) for step in body["metrics"]["a"]["step"]]
    assert sorted(steps) == list(range(200))


@pytest.mark.parametrize("option", ["id_key", "resume"])
def test_where_others_may_log_too_the_server_counts_the_steps(server: FakeServer, option: str) -> None:
    server.answers["GET /iterations/job-1"] = (404, {"code": "NOT_FOUND", "message": ""})
    options: dict[str, Any] = {option: "job-1"}
    active = begin(server, **options)
    active.log({"a": 1})
    assert columns_of(server, active)["a"]["step"] == [None]
    assert server.bodies(CREATE)[0]["id_key"] == "job-1"


def test_a_value_that_is_not_a_number_records_nothing(server: FakeServer) -> None:
    active = begin(server)
    wrong: Any = {"accuracy": 1.0, "loss": "0.1"}
    with pytest.raises(TypeError, match="'loss'"):
        active.log(wrong)
    active.log({"accuracy": 1.0})
    assert columns_of(server, active)["accuracy"]["step"] == [0]


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


def test_parameters_and_tags_can_follow(server: FakeServer) -> None:
    active = begin(server)
    active.log_parameters({"on": True})
    active.add_tag("best")
    active.add_tags(["a", "b"])
    active.flush(60)
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
    active.flush(60)
    _, second, third = server.bodies(LOG)
    assert (second["parameters"], second["tags"], list(third["metrics"])) == ({"on": "True"}, ["t"], ["loss"])
    (kept,) = (tmp_path / "data").rglob("rejected/*.json")
    assert json.loads(kept.read_text())["parameters"] == {"lr": "1"}
    assert "refuses" in caplog.text
