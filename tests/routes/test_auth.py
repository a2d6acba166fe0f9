"""Sign-in, and the checks of a token."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import jwt
import pytest

import deardiary
from chalicelib import clock
from chalicelib.storage.keyring import read_keyring
from chalicelib.storage.table import item
from tests.support.api import check_invalid, check_refused, found, new_person, new_project
from tests.support.server import ADMIN, PASSWORD, Server

Change = Callable[[dict[str, Any]], None]


def _forge(server: Server, change: Change, *, kid: str | None = None, secret: str | None = None) -> str:
    """The admin's token with other claims, signed with our secret unless another is given."""
    ring = read_keyring()
    claims = jwt.decode(server.token(), options={"verify_signature": False})
    change(claims)
    return jwt.encode(claims, secret or ring.secrets[ring.signing], "HS256", {"kid": kid or ring.signing})


def _claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def _keep(_claims: dict[str, Any]) -> None:
    """Change no claim."""


def _without_signature(server: Server) -> str:
    claims = jwt.decode(server.token(), options={"verify_signature": False})
    return jwt.encode(claims, "", "none", {"kid": read_keyring().signing})


def _with_kid_of_wrong_type(server: Server) -> str:
    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": ["x"]}).encode()).decode().rstrip("=")
    return ".".join([head, *server.token().split(".")[1:]])


def _altered(server: Server) -> str:
    head, payload, signature = server.token().split(".")
    return f"{head}.{payload}.{signature[::-1]}"


def test_signing_in_gives_a_token_and_the_user(server: Server) -> None:
    session = found(server.call("POST", "/auth", {"username": ADMIN, "password": PASSWORD}, token=None))
    assert set(session) == {"access_token", "token_type", "expires_at", "user"}
    assert session["token_type"] == "bearer"
    assert session["user"]["username"] == ADMIN
    assert session["user"]["is_admin"] is True
    assert found(server.call("GET", "/auth/me", token=session["access_token"])) == session["user"]


def test_the_end_of_a_token_is_named(server: Server) -> None:
    session = found(server.call("POST", "/auth", {"username": ADMIN, "password": PASSWORD}, token=None))
    claims = jwt.decode(session["access_token"], options={"verify_signature": False})
    ends = datetime.fromisoformat(session["expires_at"].replace("Z", "+00:00"))
    assert session["expires_at"].endswith(".000Z")
    assert ends.timestamp() == claims["exp"]


def test_refreshing_gives_another_session_of_the_same_user(server: Server) -> None:
    person = new_person(server)
    session = found(server.call("POST", "/auth/refresh", token=person.token))
    assert session["user"]["id"] == person.id
    assert found(server.call("GET", "/auth/me", token=session["access_token"])) == session["user"]


def test_refreshing_keeps_the_time_of_the_sign_in(server: Server) -> None:
    then = int(clock.now().timestamp()) - 20 * 24 * 3600
    token = _forge(server, lambda claims: claims.update(auth_time=then))
    for _ in range(2):
        token = found(server.call("POST", "/auth/refresh", token=token))["access_token"]
        assert _claims_of(token)["auth_time"] == then


def test_a_sign_in_says_when_it_was(server: Server) -> None:
    began = clock.now().timestamp()
    session = found(server.call("POST", "/auth", {"username": ADMIN, "password": PASSWORD}, token=None))
    assert began - 1 <= _claims_of(session["access_token"])["auth_time"] <= clock.now().timestamp()


def test_a_session_ends_30_days_after_sign_in(server: Server) -> None:
    def signed_in(ago: timedelta) -> str:
        then = int((clock.now() - ago).timestamp())
        return _forge(server, lambda claims: claims.update(auth_time=then))

    limit, day = timedelta(days=30), timedelta(days=1)
    last = found(server.call("POST", "/auth/refresh", token=signed_in(limit - timedelta(hours=1))))
    ends = datetime.fromisoformat(last["expires_at"].replace("Z", "+00:00"))
    assert timedelta(minutes=58) < ends - clock.now() < timedelta(minutes=62)
    assert _claims_of(last["access_token"])["exp"] == ends.timestamp()
    check_refused(server.call("POST", "/auth/refresh", token=signed_in(limit + day)), 401, "TOKEN_EXPIRED")


def test_a_token_of_before_auth_time_counts_from_when_it_was_issued(server: Server) -> None:
    issued = int(clock.now().timestamp()) - 3600

    def old(claims: dict[str, Any]) -> None:
        claims.pop("auth_time", None)
        claims["iat"] = issued

    session = found(server.call("POST", "/auth/refresh", token=_forge(server, old)))
    assert _claims_of(session["access_token"])["auth_time"] == issued


@pytest.mark.parametrize("username", [ADMIN, "nobody", "", "no such ☃", "a" * 255])
@pytest.mark.parametrize("password", ["wrong", "", PASSWORD + "x", "nul\0nul\0", "é" * 200])
def test_wrong_credentials_all_get_the_same_answer(server: Server, username: str, password: str) -> None:
    reply = server.call("POST", "/auth", {"username": username, "password": password}, token=None)
    check_refused(reply, 401, "INVALID_CREDENTIALS")
    assert reply.body["message"] == "Unknown username or wrong password"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"username": ADMIN}, "password"),
        ({"password": PASSWORD}, "username"),
        ({"username": 1, "password": PASSWORD}, "username"),
        ({"username": ADMIN, "password": None}, "password"),
        ({"username": ADMIN, "password": PASSWORD, "otp": "1"}, "otp"),
    ],
)
def test_credentials_of_the_wrong_form(server: Server, body: Any, field: str) -> None:
    check_invalid(server.call("POST", "/auth", body, token=None), field)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YWRtaW46YWRtaW4=", "Token abc"])
def test_no_token(server: Server, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    check_refused(server.call("GET", "/auth/me", token=None, headers=headers), 401, "TOKEN_MISSING")


def test_the_scheme_is_in_any_case(server: Server) -> None:
    found(server.call("GET", "/auth/me", token=None, headers={"Authorization": f"bEARER {server.token()}"}))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda _: "garbage", id="garbage"),
        pytest.param(lambda _: "a.b.c", id="three parts of garbage"),
        pytest.param(lambda _: "é.ü.☃", id="not ASCII"),
        pytest.param(lambda _: "x" * 20_000, id="long"),
        pytest.param(_altered, id="signature altered"),
        pytest.param(lambda server: _forge(server, _keep, secret="0" * 64), id="wrong secret"),
        pytest.param(lambda server: _forge(server, _keep, kid="unknown"), id="unknown kid"),
        pytest.param(_with_kid_of_wrong_type, id="kid is a list"),
        pytest.param(_without_signature, id="alg none"),
        pytest.param(lambda server: _forge(server, lambda claims: claims.update(sub="nobody")), id="no such user"),
        pytest.param(lambda server: _forge(server, lambda claims: claims.update(epoch=99)), id="another epoch"),
    ],
)
def test_invalid_tokens_are_refused(server: Server, make: Callable[[Server], str]) -> None:
    check_refused(server.call("GET", "/auth/me", token=make(server)), 401, "TOKEN_INVALID")


def test_an_expired_token(server: Server) -> None:
    past = datetime.now(timezone.utc) - timedelta(seconds=5)
    token = _forge(server, lambda claims: claims.update(exp=past))
    check_refused(server.call("GET", "/auth/me", token=token), 401, "TOKEN_EXPIRED")


@pytest.mark.parametrize("claim", ["sub", "exp", "iat", "iss", "aud", "epoch"])
def test_a_token_without_a_claim(server: Server, claim: str) -> None:
    token = _forge(server, lambda claims: claims.__delitem__(claim))
    check_refused(server.call("GET", "/auth/me", token=token), 401, "TOKEN_PAYLOAD_INVALID")


@pytest.mark.parametrize(
    "claims", [{"sub": 1}, {"epoch": "0"}, {"iss": "elsewhere"}, {"aud": "others"}, {"auth_time": "now"}]
)
def test_a_token_with_a_claim_of_the_wrong_form(server: Server, claims: dict[str, Any]) -> None:
    token = _forge(server, lambda given: given.update(claims))
    check_refused(server.call("GET", "/auth/me", token=token), 401, "TOKEN_PAYLOAD_INVALID")


def test_health_needs_no_token(server: Server) -> None:
    assert found(server.call("GET", "/health", token=None))["status"] == "ok"


def test_health_tells_version_and_clock_without_the_table(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("the table was used")

    client = server.client()
    monkeypatch.setattr(item, "connection", refuse)
    fast = datetime(2040, 1, 1, tzinfo=timezone.utc)
    monkeypatch.setattr(clock, "now", lambda: fast)
    health = client.health()
    assert (health.version, health.server_time) == (deardiary.__version__, fast)
    ahead = fast - datetime.now(timezone.utc)
    skew = client.clock_skew()
    assert skew is not None
    assert abs(skew - ahead) < timedelta(minutes=5)


def test_me_with_permissions_is_one_request(server: Server) -> None:
    person, project, other = new_person(server), new_project(server), new_project(server)
    for each in (project, other):
        found(server.call("PUT", f"/projects/{each}/permissions/{person.id}", {"read_permission": True}))
    client = server.client(person.username)
    held = client.whoami(include="permissions").permissions or ()
    assert [(each.project_id, each.read_permission, each.update_permission) for each in held] == [
        (each, True, False) for each in sorted((project, other))
    ]
    assert list(held) == list(client.permissions.list_of_user(person.id))
    assert "permissions" not in found(server.call("GET", "/auth/me", token=person.token))
    token = client.tokens.create("narrow", project_id=project).token
    (only,) = found(server.call("GET", "/auth/me?include=permissions", token=token))["permissions"]
    assert only["project_id"] == project
    check_invalid(server.call("GET", "/auth/me?include=friends"), "include")
