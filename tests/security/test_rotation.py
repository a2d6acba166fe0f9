"""A new secret signs and the old one verifies, on each of several servers."""

from __future__ import annotations

import time

import pytest

from chalicelib import config
from chalicelib.aws import clients
from chalicelib.storage import keyring
from infra.resources.secret import rotate_secret
from tests.support.server import ADMIN, PASSWORD, Server


def rotate() -> None:
    rotate_secret(clients.client("ssm"), config.settings().jwt_secret_parameter)


def session(server: Server) -> str:
    token: str = server.call("POST", "/auth", {"username": ADMIN, "password": PASSWORD}, token=None).body[
        "access_token"
    ]
    return token


def pass_time(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    now = time.monotonic() + seconds
    monkeypatch.setattr(time, "monotonic", lambda: now)


def test_tokens_survive_one_rotation_but_not_two(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    old = session(server)
    rotate()
    pass_time(monkeypatch, keyring.FRESH_FOR_SECONDS + 1)
    new = session(server)
    assert server.call("GET", "/auth/me", token=old).status == 200
    assert server.call("GET", "/auth/me", token=new).status == 200
    rotate()
    pass_time(monkeypatch, 2 * keyring.FRESH_FOR_SECONDS)
    assert server.call("GET", "/auth/me", token=old).error == (401, "TOKEN_INVALID")
    assert server.call("GET", "/auth/me", token=new).status == 200


def test_a_token_of_a_secret_not_yet_seen_is_taken(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    session(server)
    kept = keyring._kept
    rotate()
    keyring._kept = None
    new = session(server)
    keyring._kept = kept
    pass_time(monkeypatch, keyring.LOOKED_AGAIN_AFTER_SECONDS + 1)
    assert server.call("GET", "/auth/me", token=new).status == 200


def test_tokens_with_an_unknown_key_id_share_one_call(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    token = session(server)
    kept = keyring._kept
    assert kept is not None
    calls: list[str] = []
    clients.client("ssm").meta.events.register("before-call.ssm", lambda **_: calls.append("ssm"))
    forged = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImludmVudGVkIn0." + token.partition(".")[2]
    for _ in range(5):
        assert server.call("GET", "/auth/me", token=forged).error == (401, "TOKEN_INVALID")
    assert len(calls) <= 1
