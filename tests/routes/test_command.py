"""Commands and pace: what the answers to a writer's flushes hold."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib import clock, limits
from tests.support.api import (
    check_invalid,
    check_refused,
    counted_calls,
    end,
    found,
    made,
    new_experiment,
    new_iteration,
    new_member,
    rows,
)
from tests.support.server import Reply, Server


def _ask(server: Server, iteration: str, kind: str = "stop", token: str = "", **body: Any) -> Reply:
    return server.call("POST", f"/iterations/{iteration}/commands", {"kind": kind, **body}, token=token)


def _flush(server: Server, iteration: str, token: str = "", **body: Any) -> Any:
    return made(server.call("POST", f"/iterations/{iteration}/log", {"batch_id": "b", **body}, token=token))


def _listed(server: Server, iteration: str) -> Any:
    return found(server.call("GET", f"/iterations/{iteration}/commands"))["data"]


def test_a_command_rides_on_every_flush_until_one_acknowledges_it(server: Server) -> None:
    iteration = new_iteration(server)
    assert "commands" not in _flush(server, iteration)
    asked = made(_ask(server, iteration, "checkpoint", text="now"))
    assert (asked["state"], asked["seen_date"], asked["text"]) == ("pending", None, "now")
    sent = {"id": asked["id"], "kind": "checkpoint", "text": "now", "requested_by": "admin"}
    assert _flush(server, iteration)["commands"] == [sent]
    # The answer was lost: the next one repeats the command, also after a batch of points.
    assert _flush(server, iteration, batch_id="1", metrics=[{"key": "m", "value": 1.0}])["commands"] == [sent]
    acknowledged = [{"command_id": asked["id"], "step": 7}]
    assert "commands" not in _flush(server, iteration, acknowledged=acknowledged)
    assert "commands" not in _flush(server, iteration)
    (there,) = _listed(server, iteration)
    assert (there["state"], there["step"]) == ("acknowledged", 7)
    assert there == found(server.call("GET", f"/iterations/{iteration}/commands/{asked['id']}"))
    assert there["seen_date"] is not None


def test_the_first_acknowledgement_stays_and_an_unknown_one_changes_nothing(server: Server) -> None:
    iteration, other = new_iteration(server), new_iteration(server)
    asked = made(_ask(server, iteration, "checkpoint"))["id"]
    of_other = made(_ask(server, other))["id"]
    _flush(server, iteration)
    for step in (1, 2):
        _flush(server, iteration, acknowledged=[{"command_id": asked, "step": step}])
    _flush(server, iteration, acknowledged=[{"command_id": of_other}, {"command_id": f"{iteration}.x.unknown"}])
    assert [each["step"] for each in _listed(server, iteration)] == [1]
    assert [each["state"] for each in _listed(server, other)] == ["pending"]


def test_commands_come_in_the_order_in_which_they_were_sent(server: Server) -> None:
    iteration = new_iteration(server)
    kinds = [f"word-{number}" for number in range(5)]
    for kind in kinds:
        made(_ask(server, iteration, kind))
    assert [each["kind"] for each in _flush(server, iteration)["commands"]] == kinds
    assert [each["kind"] for each in _listed(server, iteration)] == kinds


def test_a_command_sent_twice_with_one_id_key_is_one_command(server: Server) -> None:
    iteration = new_iteration(server)
    first = made(_ask(server, iteration, id_key="mine"))
    assert found(_ask(server, iteration, id_key="mine"))["id"] == first["id"]
    assert len(_flush(server, iteration)["commands"]) == 1
    _flush(server, iteration, acknowledged=[{"command_id": first["id"]}])
    assert found(_ask(server, iteration, id_key="mine"))["state"] == "acknowledged"


def test_an_id_key_finds_no_command_of_another_user(server: Server) -> None:
    experiment = new_experiment(server)
    iteration = new_iteration(server, experiment)
    made(_ask(server, iteration, text="a secret", id_key="mine"))
    project = found(server.call("GET", f"/experiments/{experiment}"))["project_id"]
    other = new_member(server, project, "update")
    assert made(_ask(server, iteration, token=other.token, id_key="mine"))["text"] == ""


def test_a_command_can_be_withdrawn_until_the_writer_has_seen_it(server: Server) -> None:
    iteration = new_iteration(server)
    withdrawn, seen = made(_ask(server, iteration))["id"], None
    path = f"/iterations/{iteration}/commands"
    assert server.call("DELETE", f"{path}/{withdrawn}").status == 204
    assert server.call("DELETE", f"{path}/{withdrawn}").status == 404
    assert "commands" not in _flush(server, iteration)
    seen = made(_ask(server, iteration))["id"]
    _flush(server, iteration)
    check_refused(server.call("DELETE", f"{path}/{seen}"), 409, "CONFLICT")
    assert [each["state"] for each in _listed(server, iteration)] == ["seen"]


def test_an_ended_iteration_takes_no_command_and_its_open_ones_lapse(server: Server) -> None:
    iteration = new_iteration(server)
    made(_ask(server, iteration))
    end(server, iteration)
    check_invalid(_ask(server, iteration), "end_date")
    assert [each["state"] for each in _listed(server, iteration)] == ["lapsed"]
    found(server.call("PATCH", f"/iterations/{iteration}", {"status_id": 1}))
    assert "commands" not in _flush(server, iteration)


def test_open_commands_are_limited(server: Server) -> None:
    iteration = new_iteration(server)
    asked = [made(_ask(server, iteration))["id"] for _ in range(limits.MAX_PENDING_COMMANDS)]
    check_invalid(_ask(server, iteration), "kind")
    assert len(_flush(server, iteration)["commands"]) == limits.MAX_PENDING_COMMANDS
    _flush(server, iteration, acknowledged=[{"command_id": asked[0]}])
    made(_ask(server, iteration))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": ""}, "kind"),
        ({"kind": "two words"}, "kind"),
        ({"kind": "x" * (limits.MAX_COMMAND_KIND_CHARACTERS + 1)}, "kind"),
        ({"kind": "stop", "text": "x" * (limits.MAX_COMMAND_TEXT_CHARACTERS + 1)}, "text"),
        ({"text": "now"}, "kind"),
    ],
)
def test_wrong_commands_are_refused(server: Server, body: Any, field: str) -> None:
    check_invalid(server.call("POST", f"/iterations/{new_iteration(server)}/commands", body), field)


def test_a_refused_flush_acknowledges_nothing(server: Server) -> None:
    iteration = new_iteration(server)
    _flush(server, iteration, batch_id="p", parameters={"lr": "1"})
    asked = made(_ask(server, iteration))["id"]
    body = {"batch_id": "q", "parameters": {"lr": "2"}, "acknowledged": [{"command_id": asked}]}
    assert server.call("POST", f"/iterations/{iteration}/log", body).status == 409
    assert [each["state"] for each in _listed(server, iteration)] == ["pending"]
    bad = {"batch_id": "r", "acknowledged": [{"command_id": asked, "step": 2**63}]}
    check_invalid(server.call("POST", f"/iterations/{iteration}/log", bad), "acknowledged[0].step")


def test_a_writer_who_may_not_read_gets_the_command_without_its_sender(server: Server) -> None:
    experiment = new_experiment(server)
    iteration = new_iteration(server, experiment)
    project = found(server.call("GET", f"/experiments/{experiment}"))["project_id"]
    writer = new_member(server, project, "create")
    asked = made(_ask(server, iteration, "lower", text="0.1"))["id"]
    sent = _flush(server, iteration, writer.token)["commands"]
    assert sent == [{"id": asked, "kind": "lower", "text": "0.1"}]


def test_a_deleted_sender_has_no_name(server: Server) -> None:
    experiment = new_experiment(server)
    iteration = new_iteration(server, experiment)
    project = found(server.call("GET", f"/experiments/{experiment}"))["project_id"]
    sender = new_member(server, project, "update")
    asked = made(_ask(server, iteration, token=sender.token))
    assert asked["created_by"] is None  # the sender may not read
    assert server.call("DELETE", f"/users/{sender.id}").status == 204
    assert "requested_by" not in _flush(server, iteration)["commands"][0]
    assert _listed(server, iteration)[0]["created_by"] == sender.id


def test_a_flush_without_open_commands_makes_no_further_call(server: Server) -> None:
    never, done, open_ = (new_iteration(server) for _ in range(3))
    _flush(server, done, acknowledged=[{"command_id": made(_ask(server, done))["id"]}])
    made(_ask(server, open_))
    for iteration in (never, open_):
        _flush(server, iteration)  # the process has read its REF
    calls: dict[str, list[str]] = {}
    for iteration in (never, done, open_):
        with counted_calls() as counted:
            _flush(server, iteration, batch_id="counted", metrics=[{"key": "m", "value": 1.0}])
        calls[iteration] = sorted(counted)
    assert calls[never] == calls[done]
    assert len(calls[open_]) > len(calls[never])


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the server's clock to so many minutes from now."""
    now = clock.now

    def move(minutes: float) -> None:
        monkeypatch.setattr(clock, "now", lambda: now() + timedelta(minutes=minutes))

    return move


LOOKS = [
    "/iterations/{iteration}",
    "/iterations/{iteration}/metrics/summary",
    "/iterations/{iteration}/metrics/series",
    "/experiments/{experiment}/iterations",
    "/experiments/{experiment}/metrics/series?key=m",
]


@pytest.mark.parametrize("look", LOOKS)
def test_the_pace_is_short_while_a_reader_looks(server: Server, look: str, at: Any) -> None:
    experiment = new_experiment(server)
    iteration = new_iteration(server, experiment)
    assert _flush(server, iteration)["flush_after_seconds"] == 5.0
    at(3)
    assert _flush(server, iteration)["flush_after_seconds"] == 30.0
    path = look.format(iteration=iteration, experiment=experiment)
    found(server.call("GET", path))
    assert _flush(server, iteration)["flush_after_seconds"] == 2.0
    at(4.9)
    assert _flush(server, iteration)["flush_after_seconds"] == 2.0
    found(server.call("GET", path))
    at(6)
    assert _flush(server, iteration)["flush_after_seconds"] == 2.0
    at(8)
    assert _flush(server, iteration)["flush_after_seconds"] == 30.0


def test_a_look_at_an_ended_iteration_writes_nothing(server: Server) -> None:
    iteration = new_iteration(server)
    end(server, iteration)
    before = rows()
    found(server.call("GET", f"/iterations/{iteration}"))
    assert rows() == before


def test_a_second_look_within_a_minute_writes_nothing(server: Server) -> None:
    iteration = new_iteration(server)
    found(server.call("GET", f"/iterations/{iteration}"))
    before = rows()
    found(server.call("GET", f"/iterations/{iteration}"))
    assert rows() == before
