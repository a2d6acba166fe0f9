"""Usernames that differ in case only are one, also beside users that older servers kept apart."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

import deardiary
from chalicelib import clock
from chalicelib.services import sign_in_attempt
from chalicelib.storage import user as storage
from chalicelib.storage.table import keys
from chalicelib.storage.user import UsernameRow, UserRow
from infra.resources.admin import converge_usernames, reset_admin
from tests.support.api import check_refused, found, made, new_person
from tests.support.consistency import check_consistency
from tests.support.server import ADMIN, PASSWORD, Reply, Server
from tests.support.table import read_table


def sign_in(server: Server, username: str) -> Reply:
    return server.call("POST", "/auth", {"username": username, "password": PASSWORD}, token=None)


def create(server: Server, username: str) -> Reply:
    return server.call("POST", "/users", {"username": username, "password": PASSWORD})


def rename(server: Server, user_id: str, username: str) -> Reply:
    return server.call("PATCH", f"/users/{user_id}", {"username": username})


def whose(server: Server, username: str) -> str:
    return str(found(sign_in(server, username))["user"]["id"])


def old_user(server: Server, username: str) -> str:
    """A user as older servers stored it: the key of the username row is the name as written."""
    person = new_person(server)
    UserRow(*keys.user(person.id)).update([UserRow.username.set(username)])
    UsernameRow(*keys.username(person.username)).delete()
    UsernameRow(*keys.username(username), user_id=person.id).save()
    return person.id


def name_rows() -> set[str]:
    return {key.pk.removeprefix("USERNAME#") for key in read_table() if key.sk == "USERNAME"} - {ADMIN}


def test_usernames_ignore_case(server: Server) -> None:
    user = made(create(server, "Ada.Lovelace"))
    assert user["username"] == "Ada.Lovelace"
    for name in ("ada.lovelace", "ADA.LOVELACE", "Ada.Lovelace"):
        check_refused(create(server, name), 409, "CONFLICT", "username")
        assert whose(server, name) == user["id"]
    check_refused(rename(server, new_person(server).id, "aDA.lovelace"), 409, "CONFLICT", "username")
    check_refused(create(server, ADMIN.upper()), 409, "CONFLICT", "username")
    check_consistency()


def test_case_is_that_of_ascii(server: Server) -> None:
    """The Kelvin sign is a k in lower case, and the sharp s is two s where case is folded, but neither is in a name."""
    for name, username in (("\u212aim", "kim"), ("Straße", "strasse")):
        made(create(server, username))
        check_refused(sign_in(server, name), 401, "INVALID_CREDENTIALS")


def test_a_user_may_change_the_case_of_the_own_name(server: Server) -> None:
    user = made(create(server, "grace"))["id"]
    assert found(rename(server, user, "Grace"))["username"] == "Grace"
    assert whose(server, "gRACE") == user
    found(rename(server, user, "hopper"))
    made(create(server, "GRACE"))
    check_consistency()


@pytest.mark.parametrize("way", ["deleted", "renamed"])
@pytest.mark.parametrize("is_old", [False, True])
def test_a_deleted_user_frees_the_name(server: Server, way: str, *, is_old: bool) -> None:
    user = old_user(server, "Edsger") if is_old else made(create(server, "Edsger"))["id"]
    if way == "deleted":
        assert server.call("DELETE", f"/users/{user}").status == 204
    else:
        found(rename(server, user, "dijkstra"))
    assert name_rows() == (set() if way == "deleted" else {"dijkstra"})
    assert made(create(server, "edsger"))["id"] == whose(server, "EDSGER")
    check_consistency()


def test_a_user_of_an_older_server_keeps_the_name(server: Server) -> None:
    user = old_user(server, "Barbara")
    assert whose(server, "Barbara") == user
    for name in ("barbara", "BARBARA", "Barbara"):
        check_refused(create(server, name), 409, "CONFLICT", "username")
        check_refused(rename(server, new_person(server).id, name), 409, "CONFLICT", "username")
    found(rename(server, user, "BARBARA"))
    assert whose(server, "barbara") == user
    check_consistency()


def test_two_of_an_older_server_are_found_by_their_exact_names(server: Server) -> None:
    upper, lower = old_user(server, "Donald"), old_user(server, "donald")
    assert (whose(server, "Donald"), whose(server, "donald"), whose(server, "DONALD")) == (upper, lower, lower)
    check_refused(rename(server, upper, "DONALD"), 409, "CONFLICT", "username")
    assert server.call("DELETE", f"/users/{upper}").status == 204
    assert whose(server, "Donald") == lower
    check_consistency()


def test_the_name_in_lower_case_is_not_freed_while_another_has_it(server: Server) -> None:
    upper, lower = old_user(server, "Niklaus"), old_user(server, "niklaus")
    assert server.call("DELETE", f"/users/{lower}").status == 204
    check_refused(create(server, "niklaus"), 409, "CONFLICT", "username")
    assert whose(server, "Niklaus") == upper
    check_consistency()


def test_an_upgraded_stage_finds_older_users_in_every_case(server: Server) -> None:
    first, second, other = old_user(server, "Alan"), old_user(server, "ALAN"), old_user(server, "Alonzo")
    assert converge_usernames() == ["usernames: 2 can be written in any case now"]
    assert converge_usernames() == []
    names = ("Alan", "ALAN", "alan", "ALONZO")
    assert [whose(server, name) for name in names] == [first, second, first, other]
    check_consistency()
    found(rename(server, other, "church"))
    assert server.call("DELETE", f"/users/{first}").status == 204
    assert name_rows() == {"ALAN", "church"}
    assert converge_usernames() == ["usernames: 1 can be written in any case now"]
    assert whose(server, "alan") == second


def test_a_user_deleted_during_the_upgrade_of_the_stage_leaves_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, fold = old_user(server, "Kurt"), storage._fold_username

    def delete_and_fold(account: deardiary.User) -> bool:
        assert server.call("DELETE", f"/users/{user}").status == 204
        return fold(account)

    monkeypatch.setattr(storage, "_fold_username", delete_and_fold)
    assert converge_usernames() == []
    assert name_rows() == set()


def test_the_admin_gets_a_new_password_under_a_name_in_any_case(server: Server) -> None:
    assert reset_admin(ADMIN.title(), "another good password") == [f"admin {ADMIN.title()}: new password set"]
    check_refused(sign_in(server, ADMIN), 401, "INVALID_CREDENTIALS")


def test_a_name_is_guessed_at_once_in_whatever_case(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    names = [ADMIN[:at] + ADMIN[at:].upper() for at in range(len(ADMIN) + 1)] * 2
    bodies = [{"username": name, "password": "wrong"} for name in names]
    statuses = [server.call("POST", "/auth", body, token=None).status for body in bodies]
    assert statuses == [401] * sign_in_attempt.PER_ACCOUNT_AND_SOURCE + [429] * (
        len(names) - sign_in_attempt.PER_ACCOUNT_AND_SOURCE
    )


def test_a_name_is_given_once_to_many_at_once(real_server: Server) -> None:
    real_server.token()
    person = new_person(real_server)
    names = ["Anna", "anna", "ANNA", "aNNA"]
    calls = [partial(create, real_server, name) for name in names * 2]
    calls += [partial(rename, real_server, person.id, name) for name in names[:2]]
    with ThreadPoolExecutor(len(calls)) as pool:
        answers = [each.result() for each in [pool.submit(call) for call in calls]]
    users = found(real_server.call("GET", "/users?limit=200"))["data"]
    assert sum(user["username"].lower() == "anna" for user in users) == 1
    # A user who has the name may change its case.
    assert {answer.status for answer in answers[: len(names) * 2]} <= {201, 409}
    check_consistency()
