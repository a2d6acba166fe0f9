"""Guesses of passwords."""

from __future__ import annotations

from datetime import timedelta

import pytest
from chalice.local import LambdaEventConverter

from chalicelib import clock, security
from chalicelib.services import sign_in_attempt
from tests.support.server import ADMIN, PASSWORD, Reply, Server


def sign_in(server: Server, password: str, username: str = ADMIN) -> Reply:
    return server.call("POST", "/auth", {"username": username, "password": password}, token=None)


@pytest.mark.parametrize("username", [ADMIN, "nobody-here"])
def test_too_many_wrong_passwords_are_throttled(server: Server, username: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    for _ in range(sign_in_attempt.PER_ACCOUNT_AND_SOURCE):
        assert sign_in(server, "wrong", username).error == (401, "INVALID_CREDENTIALS")
    with monkeypatch.context() as patch:
        patch.setattr(security, "check_password", lambda *_: pytest.fail("bcrypt ran"))
        refused = sign_in(server, PASSWORD, username)
    assert refused.error == (429, "TOO_MANY_REQUESTS")
    wait = int(refused.headers["retry-after"])
    assert 1 <= wait <= sign_in_attempt.WINDOW_SECONDS
    later = now + timedelta(seconds=wait)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert sign_in(server, PASSWORD).status == 200


def test_a_stolen_session_cannot_guess_the_password(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    me = server.newcomer("victim").whoami().id

    def guess(password: str) -> Reply:
        body = {"password": "the thief's own", "current_password": password}
        return server.call("PATCH", f"/users/{me}", body, token=server.token("victim"))

    for _ in range(sign_in_attempt.PER_ACCOUNT_AND_SOURCE):
        assert guess("wrong").error == (403, "INVALID_CREDENTIALS")
    assert guess(PASSWORD).error == (429, "TOO_MANY_REQUESTS")
    assert sign_in(server, PASSWORD, "victim").error == (429, "TOO_MANY_REQUESTS")


def test_right_passwords_are_not_counted(server: Server) -> None:
    for _ in range(2 * sign_in_attempt.PER_ACCOUNT_AND_SOURCE):
        assert sign_in(server, PASSWORD).status == 200


def test_an_address_that_tries_many_names_must_wait(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_attempt, "PER_SOURCE", 20)
    answers = [sign_in(server, "wrong", f"user-{n}").status for n in range(sign_in_attempt.PER_SOURCE + 1)]
    assert answers == [401] * sign_in_attempt.PER_SOURCE + [429]


def test_a_stranger_with_many_addresses_cannot_lock_an_admin_out(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    home = LambdaEventConverter.LOCAL_SOURCE_IP
    assert sign_in(server, PASSWORD).status == 200
    answers = []
    for n in range(sign_in_attempt.PER_ACCOUNT + 1):
        monkeypatch.setattr(LambdaEventConverter, "LOCAL_SOURCE_IP", f"198.51.100.{n}")
        answers.append(sign_in(server, "wrong").status)
    assert answers == [401] * sign_in_attempt.PER_ACCOUNT + [429]
    monkeypatch.setattr(LambdaEventConverter, "LOCAL_SOURCE_IP", home)
    assert sign_in(server, PASSWORD).status == 200


@pytest.mark.parametrize("stranger", ["198.51.100.7", "::ffff:198.51.100.7"])
def test_a_username_like_an_address_has_its_own_counter(
    server: Server, monkeypatch: pytest.MonkeyPatch, stranger: str
) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    home = LambdaEventConverter.LOCAL_SOURCE_IP
    assert sign_in(server, PASSWORD).status == 200
    monkeypatch.setattr(LambdaEventConverter, "LOCAL_SOURCE_IP", stranger)
    names = [f"{ADMIN} source {home}", f'{ADMIN}", "source", "{home}', f"source {home}"]
    for name in names:
        for _ in range(sign_in_attempt.PER_ACCOUNT_AND_SOURCE):
            assert sign_in(server, "wrong", name).status == 401
    monkeypatch.setattr(LambdaEventConverter, "LOCAL_SOURCE_IP", home)
    assert sign_in(server, PASSWORD).status == 200


def test_ipv4_addresses_in_ipv6_form_are_one_source_each(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(sign_in_attempt.PER_ACCOUNT_AND_SOURCE + 1):
        monkeypatch.setattr(LambdaEventConverter, "LOCAL_SOURCE_IP", f"::ffff:203.0.113.{n}")
        assert sign_in(server, "wrong").status == 401


def test_an_ipv6_subscriber_is_one_source(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = []
    for n in range(sign_in_attempt.PER_ACCOUNT_AND_SOURCE + 1):
        monkeypatch.setattr(LambdaEventConverter, "LOCAL_SOURCE_IP", f"2001:db8::{n:x}")
        answers.append(sign_in(server, "wrong").status)
    assert answers[-1] == 429


def test_a_header_does_not_set_the_address(server: Server) -> None:
    for n in range(sign_in_attempt.PER_ACCOUNT_AND_SOURCE + 1):
        body = {"username": ADMIN, "password": "wrong"}
        last = server.call("POST", "/auth", body, token=None, headers={"X-Forwarded-For": f"203.0.113.{n}"})
    assert last.status == 429


def test_an_unknown_user_costs_the_same_calls(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cost of bcrypt is the same too. The address is new to both: the fixture may have signed the admin in."""
    monkeypatch.setattr(LambdaEventConverter, "LOCAL_SOURCE_IP", "203.0.113.7")
    assert _calls(server, ADMIN) == _calls(server, "nobody-here")
    assert security._nobody().split("$")[2] == security.hash_password("x").split("$")[2]


def _calls(server: Server, username: str) -> list[str]:
    from chalicelib.storage.table import item

    calls: list[str] = []
    events = item.connection().connection.client.meta.events
    events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name), unique_id="count")
    assert sign_in(server, "wrong", username).status == 401
    events.unregister("before-call.dynamodb", unique_id="count")
    return calls
