"""The same change to many iterations, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.services import bulk as service
from deardiary.wire.shapes import BulkFailure
from tests.support.api import (
    check_invalid,
    check_refused,
    end,
    found,
    new_experiment,
    new_iteration,
    new_member,
    new_project,
)
from tests.support.server import Reply, Server

ABSENT = "0" * 24


@pytest.fixture(scope="module")
def project(server: Server) -> str:
    return new_project(server)


@pytest.fixture(scope="module")
def experiment(server: Server, project: str) -> str:
    return new_experiment(server, project)


def change(server: Server, experiment: str, ids: list[str], token: str = "", **body: Any) -> Reply:
    return server.call("POST", f"/experiments/{experiment}/iterations/bulk", {"ids": ids, **body}, token=token)


def tags(server: Server, iteration: str) -> set[str]:
    return {each["value"] for each in found(server.call("GET", f"/iterations/{iteration}/tags"))["data"]}


def not_found(outcome: Any) -> bool:
    return bool(outcome["code"] == "NOT_FOUND" and outcome["message"].startswith("Iteration not found"))


def test_tags_and_labels_of_many(server: Server, experiment: str) -> None:
    first, second = (new_iteration(server, experiment, labels={"a": "1", "b": "2"}) for _ in range(2))
    end(server, second)
    other = new_iteration(server)
    for _ in range(2):
        body: dict[str, Any] = {"add_tags": ["x", "y"], "labels": {"a": None, "c": "3"}}
        outcomes = found(change(server, experiment, [first, second, other, ABSENT, first], **body))["data"]
        assert (outcomes[first], outcomes[second]) == ("done", "done")
        assert not_found(outcomes[other])
        assert not_found(outcomes[ABSENT])
        assert outcomes.keys() == {first, second, other, ABSENT}
        for each in (first, second):
            assert tags(server, each) == {"x", "y"}
            assert found(server.call("GET", f"/iterations/{each}"))["labels"] == {"b": "2", "c": "3"}
    assert tags(server, other) == set()
    for _ in range(2):
        body = {"add_tags": ["z"], "remove_tags": ["x", "never there"]}
        assert found(change(server, experiment, [first, second], **body))["data"] == {first: "done", second: "done"}
        assert tags(server, first) == tags(server, second) == {"y", "z"}


def test_a_deletion_of_many(server: Server, experiment: str) -> None:
    first, second, kept = (new_iteration(server, experiment) for _ in range(3))
    other = new_iteration(server)
    outcomes = found(change(server, experiment, [first, second, other, ABSENT], delete=True))["data"]
    assert (outcomes[first], outcomes[second]) == ("done", "done")
    assert not_found(outcomes[other])
    assert not_found(outcomes[ABSENT])
    assert server.call("GET", f"/iterations/{first}").status == 404
    for each in (kept, other):
        found(server.call("GET", f"/iterations/{each}"))


def test_a_restoration_of_many(server: Server, experiment: str) -> None:
    first, second, kept = (new_iteration(server, experiment) for _ in range(3))
    other, gone = new_iteration(server), new_iteration(server, experiment)
    for each in (first, second, other):
        assert server.call("DELETE", f"/iterations/{each}").status == 204
    assert server.call("DELETE", f"/iterations/{gone}?purge=true").status == 204
    for _ in range(2):
        outcomes = found(change(server, experiment, [first, second, kept, other, gone], restore=True))["data"]
        assert [outcomes[each] for each in (first, second, kept)] == ["done"] * 3
        assert not_found(outcomes[other])
        assert not_found(outcomes[gone])
    for each in (first, second, kept):
        found(server.call("GET", f"/iterations/{each}"))


def test_a_deletion_that_is_not_finished_counts_as_done(
    server: Server, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    iteration = new_iteration(server, experiment)
    monkeypatch.setattr("chalicelib.services.lifecycle.deletion.sweep", lambda *_: False)
    for _ in range(2):
        assert found(change(server, experiment, [iteration], delete=True))["data"] == {iteration: "done"}


def test_the_outcome_of_each_stands_alone(server: Server, experiment: str) -> None:
    full = new_iteration(server, experiment, labels={f"k{at}": "v" for at in range(500)})
    other = new_iteration(server, experiment)
    outcomes = found(change(server, experiment, [full, other], labels={"one more": "v"}))["data"]
    assert outcomes[full]["code"] == "INVALID_PAYLOAD"
    assert outcomes[other] == "done"


def test_what_does_not_fit_into_the_time_can_be_sent_again(
    server: Server, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    iteration = new_iteration(server, experiment)
    with monkeypatch.context() as patch:
        patch.setattr(service, "SECONDS", -1.0)
        outcomes = found(change(server, experiment, [iteration], add_tags=["late"]))["data"]
    assert outcomes[iteration]["code"] == "UNAVAILABLE"
    assert tags(server, iteration) == set()
    assert found(change(server, experiment, [iteration], add_tags=["late"]))["data"] == {iteration: "done"}


@pytest.mark.parametrize(
    ("may", "body", "status"),
    [
        (("create",), {"add_tags": ["a"]}, 200),
        (("create", "read"), {"remove_tags": ["a"]}, 403),
        (("delete",), {"remove_tags": ["a"]}, 200),
        (("create", "read", "delete"), {"labels": {"a": "1"}}, 403),
        (("update",), {"labels": {"a": "1"}}, 200),
        (("create", "read", "update"), {"delete": True}, 403),
        (("create", "read", "update"), {"restore": True}, 403),
        (("create",), {"add_tags": ["a"], "labels": {"a": "1"}}, 403),
        (("delete",), {"delete": True}, 200),
    ],
)
def test_each_change_needs_its_permission(
    server: Server, project: str, experiment: str, may: tuple[str, ...], body: dict[str, Any], status: int
) -> None:
    iteration = new_iteration(server, experiment)
    token = new_member(server, project, *may).token
    reply = change(server, experiment, [iteration, ABSENT], token, **body)
    if status == 403:
        check_refused(reply, 403, "PROJECT_PERMISSION_REQUIRED")
        return
    outcomes = found(reply)["data"]
    assert outcomes[iteration] == "done"
    # A member who may not read gets codes without messages.
    assert outcomes[ABSENT] == {"code": "NOT_FOUND", "message": ""}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"add_tags": []}, "body"),
        ({"ids": [], "delete": True}, "ids"),
        ({"ids": ["x"] * 201, "delete": True}, "ids"),
        ({"add_tags": ["a"], "delete": True}, "delete"),
        ({"delete": True, "restore": True}, "delete"),
        ({"labels": {"a": "1"}, "restore": True}, "restore"),
        ({"add_tags": ["a", "b"], "remove_tags": ["b"]}, "remove_tags"),
        ({"add_tags": [""]}, "add_tags[0]"),
        ({"remove_tags": [str(at) for at in range(51)]}, "remove_tags"),
    ],
)
def test_a_wrong_change_is_refused(server: Server, experiment: str, body: dict[str, Any], field: str) -> None:
    check_invalid(change(server, experiment, **{"ids": [ABSENT], **body}), field)


def test_the_client_changes_any_number(server: Server, experiment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deardiary.entities.iteration.MAX_BULK_ITEMS", 2)
    created = [new_iteration(server, experiment) for _ in range(3)]
    outcomes = server.client().iterations.bulk(experiment, [*created, ABSENT], add_tags=["all"])
    assert [outcomes[each] for each in created] == [None] * 3
    assert isinstance(outcomes[ABSENT], BulkFailure)
    assert [tags(server, each) for each in created] == [{"all"}] * 3
