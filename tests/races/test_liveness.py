"""The server ends iterations whose writer falls silent, and reopens them when the writer returns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

import deardiary
from chalicelib import clock, config
from chalicelib.routes import upkeep
from chalicelib.services.lifecycle import liveness
from chalicelib.storage import running
from chalicelib.storage.table import keys
from deardiary.wire.shapes import IterationStatus
from tests.support.consistency import check_consistency
from tests.support.server import Server, server_on_moto


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running_server:
        yield running_server


@pytest.fixture
def iteration(server: Server) -> deardiary.Iteration:
    client = server.client()
    experiment = client.experiments.create(client.projects.create("liveness").id, "e")
    return client.iterations.create(experiment.id)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Advances the server's clock."""
    now = clock.now

    def move(minutes: float) -> None:
        monkeypatch.setattr(clock, "now", lambda: now() + timedelta(minutes=minutes))

    return move


def look(server: Server, iteration: deardiary.Iteration) -> Any:
    return server.call("GET", f"/iterations/{iteration.id}").body


def flush(server: Server, iteration: deardiary.Iteration, batch_id: str, **content: Any) -> int:
    return server.call("POST", f"/iterations/{iteration.id}/log", {"batch_id": batch_id, **content}).status


def is_watched(iteration: deardiary.Iteration) -> bool:
    return iteration.id in {each for _, each in running.each_running()}


def test_the_silence_of_a_run_that_began_long_ago_counts_from_when_we_were_told(server: Server, later: Any) -> None:
    client = server.client()
    experiment = client.experiments.create(client.projects.create("liveness").id, "e")
    iteration = client.iterations.create(experiment.id, created_date=clock.now() - timedelta(days=7))
    later(29)
    assert upkeep.run(60)
    assert look(server, iteration)["status_id"] == IterationStatus.RUNNING
    later(31)
    assert upkeep.run(60)
    assert look(server, iteration)["status_id"] == IterationStatus.KILLED


def test_silence_ends_an_iteration_at_its_last_sign(server: Server, iteration: deardiary.Iteration, later: Any) -> None:
    flush(server, iteration, "1", metrics=[{"key": "loss", "value": 1.0, "step": 41}])
    later(29)
    assert upkeep.run(60)
    assert look(server, iteration)["status_id"] == IterationStatus.RUNNING
    later(31)
    assert upkeep.run(60)
    ended = look(server, iteration)
    assert ended["status_id"] == IterationStatus.KILLED
    assert ended["end_date"] < clock.now().isoformat()[:16]
    assert ended["error_message"] == f"Lost: no heartbeat after {ended['end_date']}; the last step is 41"
    assert not is_watched(iteration)


def test_a_heartbeat_is_a_sign_of_life(server: Server, iteration: deardiary.Iteration, later: Any) -> None:
    later(20)
    assert flush(server, iteration, "beat") == 201
    later(40)
    liveness.end_silent_iterations(60)
    assert look(server, iteration)["status_id"] == IterationStatus.RUNNING
    assert server.call("GET", f"/iterations/{iteration.id}/metrics").body["data"] == []


def test_resuming_an_iteration_is_a_heartbeat(server: Server, iteration: deardiary.Iteration, later: Any) -> None:
    path = f"/iterations/{iteration.id}"
    assert server.call("PATCH", path, {"status_id": 3}).status == 200
    later(180)
    assert server.call("PATCH", path, {"status_id": 1}).status == 200
    liveness.end_silent_iterations(60)
    assert look(server, iteration)["status_id"] == IterationStatus.RUNNING
    later(220)
    liveness.end_silent_iterations(60)
    assert look(server, iteration)["status_id"] == IterationStatus.KILLED


BACK: list[Any] = [
    {},
    {"metrics": [{"key": "loss", "value": 2.0}]},
    {"metrics": [{"key": "loss", "value": 2.0, "recorded_at": "2001-01-01T00:00:00Z"}]},
    {"parameters": {"lr": "1"}, "tags": ["late"]},
]


@pytest.mark.parametrize("content", BACK, ids=["heartbeat", "points", "late points", "parameters"])
def test_a_writer_that_is_back_goes_on(
    server: Server, iteration: deardiary.Iteration, later: Any, content: Any
) -> None:
    later(60)
    liveness.end_silent_iterations(60)
    assert look(server, iteration)["status_id"] == IterationStatus.KILLED
    assert flush(server, iteration, "back", **content) == 201
    back = look(server, iteration)
    assert (back["status_id"], back["end_date"], back["error_message"]) == (IterationStatus.RUNNING, None, "")
    assert is_watched(iteration)


@pytest.mark.parametrize("changes", [{"status_id": 2}, {"git_sha": "abc"}, {"status_id": 1}])
def test_a_lost_iteration_is_not_locked(
    server: Server, iteration: deardiary.Iteration, later: Any, changes: Any
) -> None:
    later(60)
    liveness.end_silent_iterations(60)
    answer = server.call("PATCH", f"/iterations/{iteration.id}", changes)
    assert answer.status == 200
    finished = changes.get("status_id") == 2
    assert answer.body == look(server, iteration)
    assert answer.body["status_id"] == (IterationStatus.SUCCEEDED if finished else IterationStatus.RUNNING)
    assert answer.body["error_message"] == ""
    assert (answer.body["end_date"] is not None) is finished
    assert is_watched(iteration) is not finished


def test_a_requested_end_stays(server: Server, iteration: deardiary.Iteration, later: Any) -> None:
    later(60)
    liveness.end_silent_iterations(60)
    killed = {"status_id": int(IterationStatus.KILLED)}
    for _ in range(2):
        assert server.call("PATCH", f"/iterations/{iteration.id}", killed).status == 200
    assert flush(server, iteration, "late", metrics=[{"key": "loss", "value": 2.0}]) == 422
    assert look(server, iteration)["status_id"] == IterationStatus.KILLED


def test_an_ended_iteration_is_left_unchanged(server: Server, iteration: deardiary.Iteration, later: Any) -> None:
    server.call("PATCH", f"/iterations/{iteration.id}", {"status_id": 3, "error_message": "mine"})
    later(60)
    liveness.end_silent_iterations(60)
    ended = look(server, iteration)
    assert (ended["status_id"], ended["error_message"]) == (IterationStatus.FAILED, "mine")
    assert flush(server, iteration, "late", metrics=[{"key": "loss", "value": 2.0}]) == 422
    assert flush(server, iteration, "beat") == 201
    assert look(server, iteration) == ended


def test_deleted_iterations_are_not_watched(server: Server, iteration: deardiary.Iteration) -> None:
    assert is_watched(iteration)
    server.call("DELETE", f"/iterations/{iteration.id}?purge=true")
    assert not is_watched(iteration)


@pytest.mark.parametrize(("minutes", "ended"), [("0", False), ("100", False), ("5", True)])
def test_how_long_is_a_setting(
    server: Server,
    iteration: deardiary.Iteration,
    later: Any,
    monkeypatch: pytest.MonkeyPatch,
    minutes: str,
    ended: bool,
) -> None:
    monkeypatch.setenv("DEARDIARY_LOST_AFTER_MINUTES", minutes)
    config.settings.cache_clear()
    later(60)
    liveness.end_silent_iterations(60)
    monkeypatch.undo()
    config.settings.cache_clear()
    assert (look(server, iteration)["status_id"] == IterationStatus.KILLED) is ended


def test_the_running_row_of_an_older_server_is_moved(server: Server, iteration: deardiary.Iteration) -> None:
    _as_older_servers_did(iteration)
    assert not is_watched(iteration)
    assert upkeep.run(60)
    assert is_watched(iteration)
    assert list(running.each_of_older_servers()) == []
    check_consistency()


def test_the_running_row_of_an_older_server_goes_with_its_end(server: Server, iteration: deardiary.Iteration) -> None:
    _as_older_servers_did(iteration)
    server.client().iterations.update(iteration.id, status_id=IterationStatus.SUCCEEDED)
    assert upkeep.run(60)
    assert not is_watched(iteration)
    assert list(running.each_of_older_servers()) == []


def test_a_row_that_an_older_server_has_left_ends_nothing_again(
    server: Server, iteration: deardiary.Iteration, later: Any
) -> None:
    ended = server.client().iterations.update(iteration.id, status_id=IterationStatus.SUCCEEDED)
    running.RunningRow(*keys.running(ended.experiment_id, ended.id), experiment_id=ended.experiment_id).save()
    later(31)
    assert upkeep.run(60)
    assert look(server, iteration)["status_id"] == IterationStatus.SUCCEEDED
    assert not is_watched(iteration)


def _as_older_servers_did(iteration: deardiary.Iteration) -> None:
    """Put the RUNNING row under the key of the iteration alone."""
    running.remove(iteration.experiment_id, iteration.id)
    key = keys.running_of_older_servers(iteration.id)
    running.RunningRow(*key, experiment_id=iteration.experiment_id).save()


@pytest.mark.parametrize("resumed_by_hand", [True, False])
def test_a_writer_that_is_back_gets_its_commands_unless_the_iteration_was_resumed_by_hand(
    server: Server, iteration: deardiary.Iteration, later: Any, *, resumed_by_hand: bool
) -> None:
    path = f"/iterations/{iteration.id}"
    assert server.call("POST", f"{path}/commands", {"kind": "stop"}).status == 201
    later(60)
    liveness.end_silent_iterations(60)
    assert server.call("POST", f"{path}/commands", {"kind": "stop"}).status == 422
    if resumed_by_hand:
        assert server.call("PATCH", path, {"status_id": 1}).status == 200
    answer = server.call("POST", f"{path}/log", {"batch_id": "back"}).body
    assert ("commands" in answer) is not resumed_by_hand
    state = "lapsed" if resumed_by_hand else "seen"
    assert [each["state"] for each in server.call("GET", f"{path}/commands").body["data"]] == [state]
