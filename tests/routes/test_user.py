"""Users: creation and changes, the rules for names and passwords, and the end of tokens."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.storage import user as users
from tests.support.api import check_invalid, check_refused, found, made, new_person, new_project, rows
from tests.support.server import ADMIN, PASSWORD, Reply, Server

OTHER = "another good password"


def _sign_in(server: Server, username: str, password: str = PASSWORD) -> Reply:
    return server.call("POST", "/auth", {"username": username, "password": password}, token=None)


def _create(server: Server, **fields: Any) -> Reply:
    return server.call("POST", "/users", {"username": "somebody", "password": PASSWORD, **fields})


def test_a_new_user_whole_and_without_the_hash(server: Server) -> None:
    user = made(_create(server, username="ada", first_name="Ada", last_name="Lovelace"))
    assert set(user) == {"id", "first_name", "last_name", "username", "created_date", "is_admin"}
    assert (user["first_name"], user["last_name"], user["is_admin"]) == ("Ada", "Lovelace", False)
    assert found(server.call("GET", f"/users/{user['id']}")) == user
    assert user in found(server.call("GET", "/users?limit=200"))["data"]


def test_a_name_is_taken_once(server: Server) -> None:
    made(_create(server, username="twice"))
    check_refused(_create(server, username="twice"), 409, "CONFLICT", "username")


@pytest.mark.parametrize("username", ["a", "a" * 64, "Ab.9_-@x"])
def test_names_that_fit(server: Server, username: str) -> None:
    made(_create(server, username=username))


@pytest.mark.parametrize("username", ["", "a" * 65, "a b", "é", "a/b", "a\n", "a\0", "a#b", None, 5])
def test_names_that_do_not_fit(server: Server, username: Any) -> None:
    check_invalid(_create(server, username=username), "username")


@pytest.mark.parametrize("password", ["x" * 8, "x" * 72, "é" * 36, "☃" * 24])
def test_passwords_that_fit_sign_in(server: Server, password: str) -> None:
    name = f"fits{len(password)}{ord(password[0])}"
    made(_create(server, username=name, password=password))
    found(_sign_in(server, name, password))
    check_refused(_sign_in(server, name, password + "x"), 401, "INVALID_CREDENTIALS")


@pytest.mark.parametrize("password", ["", "x" * 7, "x" * 73, "é" * 37, "☃" * 25, None, 12345678])
def test_passwords_that_do_not_fit(server: Server, password: Any) -> None:
    check_invalid(_create(server, username="unfit", password=password), "password")
    person = new_person(server)
    check_invalid(server.call("PATCH", f"/users/{person.id}", {"password": password}), "password")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/users", None),
        ("POST", "/users", {"username": "x", "password": PASSWORD}),
        ("PATCH", "/users/{self}", {"is_admin": True}),
    ],
)
def test_operations_for_admins_only(server: Server, method: str, path: str, body: Any) -> None:
    person = new_person(server)
    reply = server.call(method, path.format(self=person.id), body, token=person.token)
    check_refused(reply, 403, "ADMIN_REQUIRED")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"first_name": "x"}),
        ("GET", "/permissions", None),
        ("DELETE", "", None),
    ],
)
def test_operations_for_the_user_or_an_admin_only(server: Server, method: str, path: str, body: Any) -> None:
    one, other = new_person(server), new_person(server)
    check_refused(server.call(method, f"/users/{one.id}{path}", body, token=other.token), 403, "SAME_USER_REQUIRED")
    assert server.call(method, f"/users/{one.id}{path}", body, token=one.token).status in (200, 204)
    assert server.call(method, f"/users/{other.id}{path}", body).status in (200, 204)


def test_a_user_leaves_with_a_password_and_not_with_a_token(server: Server) -> None:
    server.token()  # the first sign-in writes a row
    before = rows()
    person = new_person(server)
    token = made(server.call("POST", "/auth/tokens", {"name": "laptop"}, token=person.token))["token"]
    project = made(server.call("POST", "/projects", {"name": "stays"}, token=person.token))["id"]
    check_refused(server.call("DELETE", f"/users/{person.id}", token=token), 403, "SAME_USER_REQUIRED")
    assert server.call("DELETE", f"/users/{person.id}", token=person.token).status == 204
    for gone in (token, person.token):
        check_refused(server.call("GET", "/auth/me", token=gone), 401, "TOKEN_INVALID")
    check_refused(_sign_in(server, person.username), 401, "INVALID_CREDENTIALS")
    assert found(server.call("GET", f"/projects/{project}"))["name"] == "stays"
    assert server.call("DELETE", f"/projects/{project}?purge=true").status == 204
    assert rows() == before


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PATCH", {}), ("DELETE", None)])
def test_no_such_user(server: Server, method: str, body: Any) -> None:
    check_refused(server.call(method, "/users/nobody", body), 404, "NOT_FOUND")


def test_a_new_name_frees_the_old_one(server: Server) -> None:
    person = new_person(server)
    changed = found(server.call("PATCH", f"/users/{person.id}", {"username": "renamed"}, token=person.token))
    assert changed["username"] == "renamed"
    found(server.call("GET", "/auth/me", token=person.token))
    found(_sign_in(server, "renamed"))
    check_refused(_sign_in(server, person.username), 401, "INVALID_CREDENTIALS")
    check_refused(server.call("PATCH", f"/users/{person.id}", {"username": ADMIN}), 409, "CONFLICT", "username")
    made(_create(server, username=person.username))


def test_a_new_password_ends_all_tokens_at_once(server: Server) -> None:
    person = new_person(server)
    second = found(_sign_in(server, person.username))["access_token"]
    body = {"password": OTHER, "current_password": PASSWORD}
    found(server.call("PATCH", f"/users/{person.id}", body, token=person.token))
    for token in (person.token, second):
        check_refused(server.call("GET", "/auth/me", token=token), 401, "TOKEN_INVALID")
    check_refused(_sign_in(server, person.username), 401, "INVALID_CREDENTIALS")
    found(_sign_in(server, person.username, OTHER))


@pytest.mark.parametrize("is_admin", [False, True])
def test_changing_the_own_password_requires_the_current_one(server: Server, is_admin: bool) -> None:
    person = new_person(server, is_admin=is_admin)

    def change(**body: str) -> Reply:
        return server.call("PATCH", f"/users/{person.id}", {"password": OTHER, **body}, token=person.token)

    check_invalid(change(), "current_password")
    for wrong in ("", "wrong", PASSWORD + "x", OTHER):
        check_refused(change(current_password=wrong), 403, "INVALID_CREDENTIALS")
    found(_sign_in(server, person.username))
    found(change(current_password=PASSWORD))
    found(_sign_in(server, person.username, OTHER))
    assert server.call("DELETE", f"/users/{person.id}").status == 204


def test_of_two_new_passwords_at_once_only_one_knew_the_present_one(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = new_person(server)
    body = {"password": "of the thief", "current_password": PASSWORD}
    write = users.update_account

    def overtaken(before: users.Account, after: users.Account) -> None:
        monkeypatch.setattr(users, "update_account", write)
        found(server.call("PATCH", f"/users/{person.id}", body | {"password": OTHER}, token=person.token))
        write(before, after)

    monkeypatch.setattr(users, "update_account", overtaken)
    reply = server.call("PATCH", f"/users/{person.id}", body, token=person.token)
    check_refused(reply, 403, "INVALID_CREDENTIALS")
    found(_sign_in(server, person.username, OTHER))


def test_an_admin_resets_the_password_of_another_without_knowing_it(server: Server) -> None:
    person = new_person(server)
    found(server.call("PATCH", f"/users/{person.id}", {"password": OTHER}))
    found(_sign_in(server, person.username, OTHER))


def test_a_demotion_ends_all_tokens_at_once_and_a_promotion_none(server: Server) -> None:
    person = new_person(server)
    assert found(server.call("PATCH", f"/users/{person.id}", {"is_admin": True}))["is_admin"] is True
    found(server.call("GET", "/users", token=person.token))
    assert found(server.call("PATCH", f"/users/{person.id}", {"is_admin": False}))["is_admin"] is False
    check_refused(server.call("GET", "/auth/me", token=person.token), 401, "TOKEN_INVALID")
    token = found(_sign_in(server, person.username))["access_token"]
    check_refused(server.call("GET", "/users", token=token), 403, "ADMIN_REQUIRED")


def test_the_last_admin_cannot_be_removed(server: Server) -> None:
    admin = found(server.call("GET", "/auth/me"))
    check_invalid(server.call("PATCH", f"/users/{admin['id']}", {"is_admin": False}), "is_admin")
    check_invalid(server.call("DELETE", f"/users/{admin['id']}"), "is_admin")
    assert found(server.call("GET", "/auth/me")) == admin
    second = new_person(server, is_admin=True)
    assert server.call("DELETE", f"/users/{second.id}").status == 204
    check_invalid(server.call("DELETE", f"/users/{admin['id']}"), "is_admin")


def test_a_deleted_user_is_gone_with_tokens_and_permissions(server: Server) -> None:
    server.token()  # the first sign-in writes a row
    before = rows()
    person = new_person(server)
    project = made(server.call("POST", "/projects", {"name": "p", "id_key": "mine"}, token=person.token))["id"]
    other = new_project(server)
    found(server.call("PUT", f"/projects/{other}/permissions/{person.id}", {"read_permission": True}))
    assert server.call("DELETE", f"/users/{person.id}").status == 204
    check_refused(server.call("GET", "/auth/me", token=person.token), 401, "TOKEN_INVALID")
    check_refused(_sign_in(server, person.username), 401, "INVALID_CREDENTIALS")
    check_refused(server.call("GET", f"/users/{person.id}"), 404, "NOT_FOUND")
    check_refused(server.call("DELETE", f"/users/{person.id}"), 404, "NOT_FOUND")
    assert found(server.call("GET", f"/projects/{project}/permissions"))["data"] == []
    for each in (project, other):
        assert server.call("DELETE", f"/projects/{each}?purge=true").status == 204
    assert rows() == before
    made(_create(server, username=person.username))
