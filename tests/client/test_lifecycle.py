from __future__ import annotations

import logging
import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
from deardiary import ActiveIteration, ClientError, IterationStatus
from deardiary.outcome import MAX_ERROR_BYTES, message_of
from deardiary.wire import parse_time
from tests.client import fakes
from tests.client.fakes import FakeServer, client_of, experiment, iteration, page, project, receipt

if TYPE_CHECKING:
    from pathlib import Path

LOG = "POST /iterations/i1/log"
CREATE = "POST /experiments/e1/iterations"
END = "PATCH /iterations/i1"


@pytest.fixture
def server() -> FakeServer:
    server = FakeServer()
    server.answers = {
        "GET /projects": (200, page(project())),
        "GET /projects/p1/experiments": (200, page(experiment())),
        CREATE: (201, iteration()),
        LOG: (201, receipt()),
        END: (200, iteration()),
    }
    return server


def begin(server: FakeServer, **options: Any) -> ActiveIteration:
    return deardiary.start("Iris", "sweep", client=client_of(server), **options)


def end_of(server: FakeServer) -> dict[str, Any]:
    (end,) = server.bodies(END)
    assert isinstance(end, dict)
    return end


def test_a_clean_exit_succeeds(server: FakeServer) -> None:
    with begin(server) as active:
        assert active.id == "i1"
    assert end_of(server) == {"status_id": IterationStatus.SUCCEEDED}


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
    message = message_of(ValueError("é" * MAX_ERROR_BYTES + "the end"))
    assert len(message.encode()) <= MAX_ERROR_BYTES
    assert message.endswith("éthe end\n")


def test_an_end_that_cannot_be_recorded_does_not_hide_the_users_error(
    server: FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers[END] = ClientError(0, "CONNECTION_FAILED", "gone")
    with caplog.at_level(logging.WARNING), pytest.raises(ZeroDivisionError), begin(server):
        raise ZeroDivisionError
    assert "The end of iteration i1 was not recorded" in caplog.text


def test_an_end_that_cannot_be_recorded_is_an_error_after_a_clean_exit(server: FakeServer) -> None:
    server.answers[END] = ClientError(0, "CONNECTION_FAILED", "gone")
    with pytest.raises(ClientError, match="gone"), begin(server):
        pass


def test_one_log_call_is_one_request(server: FakeServer) -> None:
    at = parse_time(fakes.NOW)
    begin(server).log({"loss": 0.5, "accuracy": math.nan}, step=7, recorded_at=at)

    (body,) = server.bodies(LOG)

    assert len(body.pop("batch_id")) == 32
    assert body == {
        "metrics": [
            {"key": "loss", "value": 0.5, "step": 7, "recorded_at": fakes.NOW},
            {"key": "accuracy", "value": "NaN", "step": 7, "recorded_at": fakes.NOW},
        ]
    }


def test_a_time_that_is_not_given_is_now(server: FakeServer) -> None:
    active = begin(server)
    active.log({"loss": 1})
    assert parse_time(server.bodies(LOG)[0]["metrics"][0]["recorded_at"]) > parse_time(fakes.NOW)


def test_steps_count_themselves_per_key(server: FakeServer) -> None:
    active = begin(server)
    active.log({"a": 1})
    active.log({"a": 1, "b": 1})
    active.log({"b": 1}, step=10)
    active.log({"b": 1}, step=3)
    active.log({"a": 1, "b": 1})

    steps = [(point["key"], point["step"]) for body in server.bodies(LOG) for point in body["metrics"]]
    assert steps == [("a", 0), ("a", 1), ("b", 0), ("b", 10), ("b", 3), ("a", 2), ("b", 11)]


def test_threads_get_each_step_once(server: FakeServer) -> None:
    active = begin(server)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: active.log({"a": 1}), range(200)))
    assert sorted(body["metrics"][0]["step"] for body in server.bodies(LOG)) == list(range(200))


def test_under_an_id_key_the_server_counts_the_steps(server: FakeServer) -> None:
    active = begin(server, id_key="job-1")
    active.log({"a": 1})
    assert server.bodies(CREATE)[0]["id_key"] == "job-1"
    assert "step" not in server.bodies(LOG)[0]["metrics"][0]


def test_a_value_that_is_not_a_number_records_nothing(server: FakeServer) -> None:
    active = begin(server)
    wrong: Any = {"accuracy": 1.0, "loss": "0.1"}
    with pytest.raises(TypeError, match="'loss'"):
        active.log(wrong)
    active.log({"accuracy": 1.0})

    assert [body["metrics"][0]["step"] for body in server.bodies(LOG)] == [0]


def test_the_start_records_parameters_tags_notes_and_parent(server: FakeServer) -> None:
    begin(server, parameters={"lr": 1e-3}, tags=["best"], notes="n", parent="i0", id_key="k")

    (body,) = server.bodies(LOG)
    assert (body["parameters"], body["tags"]) == ({"lr": "0.001"}, ["best"])
    assert server.bodies(CREATE) == [{"notes": "n", "parent_iteration_id": "i0", "id_key": "k"}]


def test_a_start_with_nothing_to_record_sends_no_batch(server: FakeServer) -> None:
    begin(server)
    assert LOG not in server.names()


def test_every_request_of_a_start_may_be_repeated(server: FakeServer) -> None:
    begin(server, parameters={"lr": 1}).log({"a": 1})
    assert all(request.may_repeat for request in server.requests)


def test_what_cannot_be_recorded_is_refused_before_anything_is_made(server: FakeServer) -> None:
    with pytest.raises(TypeError):
        begin(server, tags="best")
    assert server.requests == []


def test_an_iteration_that_cannot_take_its_parameters_is_left_failed(server: FakeServer) -> None:
    server.answers[LOG] = (422, {"code": "INVALID_PAYLOAD", "message": "too long"})
    with pytest.raises(ClientError, match="too long"):
        begin(server, parameters={"lr": 1})
    assert end_of(server)["status_id"] == IterationStatus.FAILED


def test_parameters_and_tags_can_follow(server: FakeServer) -> None:
    active = begin(server)
    active.log_parameters({"on": True})
    active.add_tag("best")
    active.add_tags(["a", "b"])
    contents = [{name: body[name] for name in body if name != "batch_id"} for body in server.bodies(LOG)]
    assert contents == [{"parameters": {"on": "True"}}, {"tags": ["best"]}, {"tags": ["a", "b"]}]


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
    assert fakes.query_of(server.requests[0])["name"] == ["Iris"]


def test_an_ended_iteration_takes_nothing_more(server: FakeServer, tmp_path: Path) -> None:
    with begin(server) as active:
        active.finish(IterationStatus.KILLED)
        active.finish()
    assert end_of(server) == {"status_id": IterationStatus.KILLED}
    with pytest.raises(RuntimeError, match="has ended"):
        active.log({"a": 1})
    with pytest.raises(RuntimeError, match="has ended"):
        active.log_resource(tmp_path / "model.bin")


def test_a_client_made_for_the_iteration_is_disconnected_with_it(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deardiary.lifecycle.connect", lambda: client_of(server))
    with deardiary.start("Iris", "sweep") as active, active.child():
        pass
    assert server.names().count(END) == 2
    assert server.requests[-1].method == "CLOSE"
    assert [request.method for request in server.requests].count("CLOSE") == 1
