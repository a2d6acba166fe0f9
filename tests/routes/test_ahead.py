"""A flush reads the account of its sender and its own rows in one call, in each request anew."""

from __future__ import annotations

from collections import OrderedDict
from datetime import timedelta
from typing import Any

import pytest

import deardiary
from chalicelib import ahead, clock
from chalicelib.services import token as service
from tests.support.api import counted_calls
from tests.support.server import Reply, Server


def flush(server: Server, iteration_id: str, batch_id: str, token: str | None, **others: Any) -> Reply:
    body = {"batch_id": batch_id, "metrics": {"loss": {"value": [0.5]}}} | others
    return server.call("POST", f"/iterations/{iteration_id}/log", body, token=token)


@pytest.fixture(scope="module")
def ada(server: Server) -> deardiary.Client:
    return server.newcomer("ada")


@pytest.fixture
def iteration_id(ada: deardiary.Client) -> str:
    experiment = ada.experiments.create(ada.projects.create("Iris").id, "sweep")
    return ada.iterations.create(experiment.id).id


@pytest.mark.parametrize("by", ["session", "API token"])
def test_a_small_flush_takes_two_calls(server: Server, ada: deardiary.Client, iteration_id: str, by: str) -> None:
    token = server.token("ada") if by == "session" else ada.tokens.create("job").token
    assert flush(server, iteration_id, "first", token).status == 201
    with counted_calls() as calls:
        assert flush(server, iteration_id, "second", token).status == 201
    assert calls == ["BatchGetItem", "TransactWriteItems"]
    with counted_calls() as calls:
        assert flush(server, iteration_id, "second", token).status == 201
    assert calls == ["BatchGetItem"]


def test_a_heartbeat_reads_once_before_it_writes(server: Server, ada: deardiary.Client, iteration_id: str) -> None:
    token = server.token("ada")
    assert flush(server, iteration_id, "h", token, metrics={}).status == 201
    with counted_calls() as calls:
        assert flush(server, iteration_id, "h", token, metrics={}).status == 201
    assert calls[0] == "BatchGetItem"
    assert "BatchGetItem" not in calls[1:]


def test_what_changed_since_the_last_flush_counts(server: Server, ada: deardiary.Client, iteration_id: str) -> None:
    token = ada.tokens.create("job")
    assert flush(server, iteration_id, "a", token.token).status == 201
    ada.iterations.update(iteration_id, status_id=deardiary.IterationStatus.SUCCEEDED)
    assert flush(server, iteration_id, "b", token.token).error == (422, "INVALID_PAYLOAD")
    ada.iterations.update(iteration_id, status_id=deardiary.IterationStatus.RUNNING)
    assert flush(server, iteration_id, "b", token.token).status == 201
    project = ada.experiments.get(ada.iterations.get(iteration_id).experiment_id).project_id
    path = f"/projects/{project}/permissions/{ada.whoami().id}"
    server.call("PATCH", path, {"create_permission": False})
    assert flush(server, iteration_id, "c", token.token).error == (403, "PROJECT_PERMISSION_REQUIRED")
    server.call("DELETE", path)
    assert flush(server, iteration_id, "c", token.token).error == (404, "NOT_FOUND")
    server.call("PUT", path, {"create_permission": True, "read_permission": True})
    assert flush(server, iteration_id, "c", token.token).status == 201
    ada.tokens.delete(token.id)
    assert flush(server, iteration_id, "d", token.token).error == (401, "TOKEN_INVALID")


def test_a_refused_request_leaves_no_rows_to_the_next(server: Server, ada: deardiary.Client, iteration_id: str) -> None:
    reader = ada.tokens.create("reader", read_only=True).token
    assert flush(server, iteration_id, "a", reader).error == (403, "PROJECT_PERMISSION_REQUIRED")
    ada.iterations.delete(iteration_id, purge=True)
    assert flush(server, iteration_id, "a", server.token("ada")).error == (404, "NOT_FOUND")


@pytest.mark.parametrize("body", [b"", b"{", b'{"batch_id": 1}', b'{"batch_id": "b", "other": 1}'])
def test_the_sign_in_comes_before_the_body(server: Server, iteration_id: str, body: bytes) -> None:
    path = f"/iterations/{iteration_id}/log"
    for token, code in ((None, "TOKEN_MISSING"), ("x", "TOKEN_INVALID"), ("dd_a_b_c", "TOKEN_INVALID")):
        assert server.call("POST", path, body, token=token).error == (401, code)
    assert server.call("POST", path, body).error == (422, "INVALID_PAYLOAD")


def test_rows_are_taken_once_and_only_if_all_were_read() -> None:
    expected = ahead.Expected(lambda user_id: [f"a of {user_id}", "b"])
    assert list(expected.keys("ada")) == ["a of ada", "b"]
    assert list(expected.keys("ada")) == []
    expected.keep({"a of ada": 1, "other": 2})
    assert expected.take(["a of ada", "b"]) == {"a of ada": 1}
    assert expected.take(["a of ada", "b"]) is None
    expected = ahead.Expected(lambda _user_id: ["b"])
    expected.keys("ada")
    expected.keep({"b": 1, "other": 2})
    assert expected.take(["b", "other"]) is None
    never_read = ahead.Expected(lambda _user_id: ["b"])
    assert never_read.take(["b"]) is None
    assert list(never_read.keys("bob")) == []


@pytest.mark.parametrize("kind", ["forged", "of another user", "revoked", "expired"])
def test_a_token_without_a_right_reads_the_account_only(
    server: Server, ada: deardiary.Client, iteration_id: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ada.tokens.create("job", expires_in_days=1)
    user_id, token_id, secret = str(made.token).removeprefix("dd_").split("_")
    bad = {
        "forged": f"dd_{user_id}_{token_id}_{secret[::-1]}",
        "of another user": f"dd_nobody_{token_id}_{secret}",
    }.get(kind, str(made.token))
    if kind == "revoked":
        ada.tokens.delete(made.id)
    if kind == "expired":
        later = clock.now() + timedelta(days=2)
        monkeypatch.setattr(clock, "now", lambda: later)
    # The process knows where the iteration is.
    assert flush(server, iteration_id, "a", ada.tokens.create("other").token).status == 201
    with counted_calls() as calls:
        assert flush(server, iteration_id, "b", bad).status == 401
    assert calls == ["GetItem"]


def test_a_process_knows_the_last_tokens_that_it_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_MOST_ACCEPTED", 2)
    monkeypatch.setattr(service, "_accepted", OrderedDict())
    for known in "abc":
        service._remember(known)
    assert list(service._accepted) == ["b", "c"]
