"""Several writers return at once to an iteration that the server ended without heartbeats."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

import deardiary
from chalicelib import clock
from chalicelib.services import access
from chalicelib.services.lifecycle import liveness
from deardiary.wire.shapes import IterationStatus
from tests.support.server import Reply, Server

WRITERS = 12
POINT = {"key": "loss", "value": 1.0, "recorded_at": "2026-01-01T00:00:00Z"}


def new_iteration(server: Server) -> deardiary.Iteration:
    client = server.client()
    experiment = client.experiments.create(client.projects.create("return").id, "e")
    return client.iterations.create(experiment.id)


def end_for_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the liveness sweep as if it were an hour later."""
    with monkeypatch.context() as patch:
        later = clock.now() + timedelta(hours=1)
        patch.setattr(clock, "now", lambda: later)
        assert liveness.end_silent_iterations(60)


def state(server: Server, iteration: deardiary.Iteration) -> tuple[int, str | None]:
    body = server.call("GET", f"/iterations/{iteration.id}").body
    return body["status_id"], body["end_date"]


def requests_of(iteration: deardiary.Iteration, writer: int) -> list[tuple[str, str, dict[str, Any]]]:
    path = f"/iterations/{iteration.id}"
    point = {"key": f"loss {writer}", "value": 1.0, "step": writer}
    return [
        ("POST", f"{path}/log", {"batch_id": f"beat {writer}"}),
        ("POST", f"{path}/log", {"batch_id": f"{writer}", "metrics": [point], "tags": [f"tag {writer}"]}),
        ("POST", f"{path}/log", {"batch_id": f"p{writer}", "parameters": {f"lr {writer}": "1"}}),
        ("POST", f"{path}/metrics/batch", {"batch_id": f"m{writer}", "metrics": [point]}),
    ]


def test_all_writers_that_return_at_once_are_accepted(real_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    real_server.token()
    for _ in range(3):
        iteration = new_iteration(real_server)
        end_for_silence(monkeypatch)
        assert state(real_server, iteration)[0] == IterationStatus.KILLED
        calls = [partial(real_server.call, *requests_of(iteration, writer)[writer % 4]) for writer in range(WRITERS)]
        with ThreadPoolExecutor(WRITERS) as pool:
            answers: list[Reply] = [each.result() for each in [pool.submit(call) for call in calls]]
        assert [answer.status for answer in answers] == [201] * WRITERS
        assert state(real_server, iteration) == (IterationStatus.RUNNING, None)


def after_the_look(monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    """Act once, after the next request has read its iteration and before it decides."""
    look = access.iteration

    def look_and_act(*given: Any, **options: Any) -> Any:
        found = look(*given, **options)
        monkeypatch.undo()
        act()
        return found

    monkeypatch.setattr(access, "iteration", look_and_act)


LATE: list[tuple[str, str, dict[str, Any], int]] = [
    ("POST", "/log", {"batch_id": "late"}, 201),
    ("POST", "/log", {"batch_id": "late", "metrics": [POINT | {"recorded_at": None}]}, 201),
    ("POST", "/log", {"batch_id": "late", "parameters": {"lr": "1"}, "tags": ["late"]}, 201),
    ("POST", "/metrics/batch", {"batch_id": "late", "metrics": [{"key": "loss", "value": 1.0}]}, 201),
    ("POST", "/metrics", {"key": "loss", "value": 1.0}, 201),
    ("POST", "/parameters", {"key": "lr", "value": "1"}, 201),
    ("PATCH", "", {"error_message": "mine"}, 200),
    ("PATCH", "", {"git_sha": "abc"}, 200),
    ("PATCH", "", {"status_id": 1}, 200),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), LATE, ids=[f"{e[0]} {e[1]} {[*e[2]][-1]}" for e in LATE])
def test_another_writer_reopens_between_the_read_and_the_write(
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
    body: dict[str, Any],
    status: int,
) -> None:
    iteration = new_iteration(server)
    end_for_silence(monkeypatch)
    beat = partial(server.call, "POST", f"/iterations/{iteration.id}/log", {"batch_id": "first"})
    after_the_look(monkeypatch, beat)
    assert server.call(method, f"/iterations/{iteration.id}{path}", body).status == status
    assert state(server, iteration) == (IterationStatus.RUNNING, None)


@pytest.mark.parametrize("kind", ["snapshot", "change of a point", "deletion of a point"])
def test_an_end_for_silence_locks_nothing(server: Server, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    iteration = new_iteration(server)
    path = f"/iterations/{iteration.id}"
    assert server.call("PUT", f"{path}/snapshot", {"git_diff": "+ 1", "git_sha": "a"}).status == 200
    point = server.call("POST", f"{path}/metrics", POINT).body["id"]
    end_for_silence(monkeypatch)
    if kind == "snapshot":
        assert server.call("PUT", f"{path}/snapshot", {"git_diff": "+ 2", "git_sha": "b"}).status == 200
        found = server.call("GET", f"{path}/snapshot").body
        assert (found["git_diff"], found["git_sha"]) == ("+ 2", "b")
    elif kind == "change of a point":
        assert server.call("PATCH", f"/metrics/{point}", {"value": 2}).status == 200
        assert server.call("GET", f"/metrics/{point}").body["value"] == 2
    else:
        assert server.call("DELETE", f"/metrics/{point}").status == 204


def test_another_writer_ends_it_for_good_between_the_read_and_the_write(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Points recorded before that end are late delivery, though they are younger than the end that was read."""
    path = f"/iterations/{new_iteration(server).id}"
    end_for_silence(monkeypatch)
    end = {"status_id": 2, "end_date": "2030-01-01T00:00:00Z"}
    times = {"late": "2029-12-31T00:00:00Z", "too late": "2030-01-02T00:00:00Z"}
    statuses = {}
    for batch_id, time in times.items():
        after_the_look(monkeypatch, partial(server.call, "PATCH", path, end))
        body = {"batch_id": batch_id, "metrics": [POINT | {"recorded_at": time}]}
        statuses[batch_id] = server.call("POST", f"{path}/log", body).status
    assert statuses == {"late": 201, "too late": 422}


def test_a_second_end_that_was_meant_stays(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two ranks return: one has finished while the other's heartbeat was in flight."""
    iteration = new_iteration(server)
    end_for_silence(monkeypatch)
    path = f"/iterations/{iteration.id}"
    after_the_look(monkeypatch, partial(server.call, "PATCH", path, {"status_id": 2}))
    assert server.call("POST", f"{path}/log", {"batch_id": "beat"}).status == 201
    assert state(server, iteration)[0] == IterationStatus.SUCCEEDED
