"""`start` finds or creates an iteration, and `child` one below it."""

from __future__ import annotations

from typing import Any

import pytest

import deardiary
from deardiary import ClientError, IterationStatus
from tests.support import transports
from tests.support.active import CREATE, END, LOG, begin
from tests.support.transports import FakeServer, client_of, iteration


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


def test_the_start_records_parameters_tags_notes_and_parent(server: FakeServer) -> None:
    begin(server, parameters={"lr": 1e-3}, tags=["best"], notes="n", parent="i0", id_key="k").flush(60)

    (body,) = server.bodies(LOG)
    assert (body["parameters"], body["tags"]) == ({"lr": "0.001"}, ["best"])
    assert server.bodies(CREATE) == [{"notes": "n", "parent_iteration_id": "i0", "id_key": "k"}]


def test_a_start_with_nothing_to_record_sends_no_batch(server: FakeServer) -> None:
    assert begin(server).flush(60)
    assert LOG not in server.names()


def test_every_request_of_a_start_may_be_repeated(server: FakeServer) -> None:
    active = begin(server, parameters={"lr": 1})
    active.log({"a": 1})
    active.flush(60)
    assert all(request.may_repeat for request in server.requests)


@pytest.mark.parametrize("wrong", [{"tags": "best"}, {"tags": ["x" * 251]}, {"parameters": {"": 1}}])
def test_values_that_cannot_be_recorded_are_refused_before_anything_is_created(server: FakeServer, wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        begin(server, **wrong)
    assert server.requests == []


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_a_start_that_the_server_refuses_is_an_error(server: FakeServer, status: int) -> None:
    server.answers[CREATE] = (status, {"code": "INVALID_PAYLOAD", "message": "not so"})
    with pytest.raises(ClientError, match="not so"):
        begin(server)


def test_a_child_belongs_to_its_parent(server: FakeServer) -> None:
    parent = begin(server)
    assert parent.child(parameters={"lr": 1}).id
    assert deardiary.start(parent=parent).id

    assert [body.get("parent_iteration_id") for body in server.bodies(CREATE)] == [None, "i1", "i1"]
    assert server.names().count("GET /projects") == 1


def test_a_parent_known_by_its_id_says_the_experiment(server: FakeServer) -> None:
    server.answers["GET /iterations/i0"] = (200, iteration(id="i0"))
    assert deardiary.start(parent="i0", client=client_of(server)).id
    assert server.bodies(CREATE)[0]["parent_iteration_id"] == "i0"


def test_project_and_experiment_come_from_the_environment(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="Name a project and an experiment"):
        deardiary.start("Iris", client=client_of(server))
    monkeypatch.setenv("DEARDIARY_PROJECT", "Iris")
    monkeypatch.setenv("DEARDIARY_EXPERIMENT", "sweep")
    assert deardiary.start(client=client_of(server)).id
    assert transports.query_of(server.requests[0])["name"] == ["Iris"]
