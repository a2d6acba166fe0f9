"""API tokens: shown once, narrowed, ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib import clock, security
from chalicelib.services import token as service
from chalicelib.storage.user import find_account
from tests.support.server import PASSWORD, Reply, Server


@pytest.fixture
def anna(server: Server) -> str:
    """A user who is no admin, with a project; the id of that."""
    return server.newcomer("anna").projects.create("Anna's").id


def make(server: Server, username: str = "anna", **body: Any) -> Reply:
    return server.call("POST", "/auth/tokens", {"name": "job", **body}, token=server.token(username))


def secret(server: Server, username: str = "anna", **body: Any) -> str:
    token: str = make(server, username, **body).body["token"]
    return token


def test_a_token_is_shown_once_and_works_until_deleted(server: Server, anna: str) -> None:
    made = make(server).body
    assert made["token"].startswith("dd_")
    listed = server.call("GET", "/auth/tokens", token=server.token("anna")).body["data"]
    assert listed == [made | {"token": None}]
    assert server.call("GET", f"/projects/{anna}", token=made["token"]).status == 200
    assert server.call("DELETE", f"/auth/tokens/{made['id']}", token=server.token("anna")).status == 204
    assert server.call("GET", f"/projects/{anna}", token=made["token"]).error == (401, "TOKEN_INVALID")
    assert server.call("DELETE", f"/auth/tokens/{made['id']}", token=server.token("anna")).status == 404


def test_a_token_of_another_user_is_not_found(server: Server, anna: str) -> None:
    made = make(server).body
    assert server.call("DELETE", f"/auth/tokens/{made['id']}").error == (404, "NOT_FOUND")


def test_a_token_expires(server: Server, anna: str, monkeypatch: pytest.MonkeyPatch) -> None:
    token = secret(server, expires_in_days=1)
    later = clock.now() + timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert server.call("GET", f"/projects/{anna}", token=token).error == (401, "TOKEN_EXPIRED")


def test_a_read_only_token_changes_nothing(server: Server, anna: str) -> None:
    token = secret(server, read_only=True)
    assert server.call("GET", f"/projects/{anna}", token=token).status == 200
    for method, path in [("PATCH", f"/projects/{anna}"), ("DELETE", f"/projects/{anna}"), ("POST", "/projects")]:
        refused = server.call(method, path, {"name": "x"}, token=token)
        assert refused.error == (403, "PROJECT_PERMISSION_REQUIRED")


@pytest.mark.parametrize("username", ["anna", "admin"])
def test_a_token_for_one_project_reaches_nothing_else(server: Server, anna: str, username: str) -> None:
    other = server.client(username).projects.create("Other").id
    token = secret(server, username, project_id=anna)
    assert server.call("GET", f"/projects/{anna}", token=token).status == 200
    assert server.call("GET", f"/projects/{other}", token=token).error == (404, "NOT_FOUND")
    assert [each["id"] for each in server.call("GET", "/projects", token=token).body["data"]] == [anna]
    for method, path in [("POST", "/projects"), ("GET", "/users")]:
        body = {"name": "x"} if method == "POST" else None
        assert server.call(method, path, body, token=token).error == (403, "PROJECT_PERMISSION_REQUIRED")


def test_a_token_is_only_for_a_project_that_its_user_knows(server: Server, anna: str) -> None:
    hidden = server.client().projects.create("Hidden").id
    refused = make(server, project_id=hidden)
    assert refused.error == (422, "INVALID_PAYLOAD")
    assert refused.field == "project_id"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/auth/tokens", {"name": "another"}),
        ("GET", "/auth/tokens", None),
        ("POST", "/auth/refresh", None),
        ("PATCH", "/users/{me}", {"password": "a new password"}),
    ],
)
def test_an_api_token_cannot_prolong_its_own_access(
    server: Server, anna: str, method: str, path: str, body: dict[str, str] | None
) -> None:
    me = server.client("anna").whoami().id
    refused = server.call(method, path.format(me=me), body, token=secret(server))
    assert refused.error == (403, "SAME_USER_REQUIRED")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/users", {"username": "accomplice", "password": PASSWORD}),
        ("PATCH", "/users/{user}", {"is_admin": True}),
        ("PATCH", "/users/{user}", {"username": "another"}),
        ("DELETE", "/users/{user}", None),
        ("PUT", "/projects/{project}/permissions/{user}", {"read_permission": True}),
        ("DELETE", "/projects/{project}/permissions/{user}", None),
    ],
)
def test_an_api_token_of_an_admin_cannot_change_users_or_permissions(
    server: Server, anna: str, method: str, path: str, body: dict[str, object] | None
) -> None:
    target = path.format(user=server.client("anna").whoami().id, project=anna)
    refused = server.call(method, target, body, token=secret(server, "admin"))
    assert refused.error == (403, "SAME_USER_REQUIRED")
    assert server.call(method, target, body).status < 300


def test_a_new_password_ends_every_token_at_once(server: Server, anna: str) -> None:
    token, session, me = secret(server), server.token("anna"), server.client("anna").whoami().id
    body = {"password": "a new password", "current_password": PASSWORD}
    assert server.call("PATCH", f"/users/{me}", body, token=session).status == 200
    assert server.call("GET", "/auth/me", token=token).error == (401, "TOKEN_INVALID")
    assert server.call("GET", "/auth/me", token=session).error == (401, "TOKEN_INVALID")
    signed_in = server.call("POST", "/auth", {"username": "anna", "password": "a new password"}, token=None).body
    assert server.call("GET", "/auth/tokens", token=signed_in["access_token"]).body["data"] == []


def test_a_demotion_ends_tokens_and_a_promotion_does_not(server: Server, anna: str) -> None:
    me = server.client("anna").whoami().id
    token = secret(server)
    server.client().users.update(me, is_admin=True)
    assert server.call("GET", "/users", token=token).status == 200
    server.client().users.update(me, is_admin=False)
    assert server.call("GET", "/auth/me", token=token).error == (401, "TOKEN_INVALID")


def test_a_user_has_so_many_tokens(server: Server, anna: str) -> None:
    for _ in range(service.MAX_TOKENS):
        assert make(server).status == 201
    assert make(server).error == (422, "INVALID_PAYLOAD")


@pytest.mark.parametrize(
    "token", ["dd_", "dd_a_b", "dd_a_b_c_d", f"dd_{'x' * 5000}_b_c", "dd_ä_b_c", "dd_USER#1_b_c", "dd_a_b_c"]
)
def test_a_text_in_the_form_of_a_token_is_refused(server: Server, token: str) -> None:
    assert server.call("GET", "/auth/me", token=token).error == (401, "TOKEN_INVALID")


def test_the_table_holds_no_secret(server: Server, anna: str) -> None:
    token = secret(server)
    account = find_account(server.client("anna").whoami().id)
    assert account is not None
    assert token.rpartition("_")[2] not in repr(account)
    assert security.fingerprint(token.rpartition("_")[2]) in repr(account)
    assert PASSWORD not in repr(account)


def test_the_repr_of_a_token_or_a_session_does_not_show_the_secret(server: Server, anna: str) -> None:
    with server.client("anna") as client:
        session = client.sign_in("anna", PASSWORD)
        made = client.tokens.create("job")
    assert made.token is not None
    for shape, secret_text in ((session, session.access_token), (made, made.token)):
        assert secret_text
        assert secret_text not in repr(shape)
    assert made.id in repr(made)
