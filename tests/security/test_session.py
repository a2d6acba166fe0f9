"""The session of a browser: the cookie's attributes, and that it signs in requests of our own page only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from chalicelib import clock, security
from chalicelib.security import Claims
from chalicelib.storage.keyring import read_keyring
from tests.support.api import check_refused, found, made, new_person
from tests.support.server import ADMIN, PASSWORD, Reply, Server, server_on_moto

CLOUD = {"Host": "abc.execute-api.eu-west-1.amazonaws.com", "X-Forwarded-Proto": "https"}
OWN = {"Sec-Fetch-Site": "same-origin"}
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    # The browser's word counts, not that of a page.
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://abc.execute-api.eu-west-1.amazonaws.com"},
    {"Origin": "https://evil.example.com"},
    {"Origin": "http://abc.execute-api.eu-west-1.amazonaws.com"},
    {"Origin": "https://abc.execute-api.eu-west-1.amazonaws.com.evil.example.com"},
    {"Origin": "https://abc.execute-api.eu-west-1.amazonaws.com:8443"},
    {"Origin": "null"},
    {"Origin": ""},
]
FREE = {"Referer": "https://abc.execute-api.eu-west-1.amazonaws.com/api/ui"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


def _sign_in(server: Server, username: str = ADMIN, headers: dict[str, str] | None = None) -> Reply:
    body = {"username": username, "password": PASSWORD}
    return server.call("POST", "/auth/session", body, token=None, headers={**CLOUD, **OWN, **(headers or {})})


def _cookie(reply: Reply) -> dict[str, str]:
    return {"Cookie": reply.headers["set-cookie"].partition(";")[0]}


@pytest.fixture(scope="module")
def signed_in(server: Server) -> dict[str, str]:
    """The headers of a request that a page in the cloud sends, but for those that say so."""
    return CLOUD | _cookie(_sign_in(server))


def _ask(server: Server, headers: dict[str, str], method: str = "GET", path: str = "/auth/me") -> Reply:
    return server.call(method, path, {"name": "n"} if method == "POST" else None, token=None, headers=headers)


def test_signing_in_sets_a_cookie_that_only_the_browser_sees(server: Server) -> None:
    reply = _sign_in(server)
    assert found(reply)["user"]["username"] == ADMIN
    cookie, *attributes = reply.headers["set-cookie"].split("; ")
    name, _, token = cookie.partition("=")
    assert name == "__Host-deardiary"
    assert token not in str(reply.body)
    age = attributes.pop(0).partition("Max-Age=")[2]
    assert 43_100 < int(age) <= 43_200
    assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Strict", "Secure"]


@pytest.mark.parametrize("host", ["127.0.0.1:9000", "localhost:9000", "[::1]:9000"])
def test_on_loopback_the_cookie_needs_no_tls(server: Server, host: str) -> None:
    here = {"Host": host, "X-Forwarded-Proto": "http"}
    cookie, *attributes = _sign_in(server, headers=here).headers["set-cookie"].split("; ")
    assert cookie.startswith("deardiary=")
    assert "Secure" not in attributes
    found(_ask(server, here | OWN | {"Cookie": cookie}))


@pytest.mark.parametrize("proof", [OWN, {"Origin": f"https://{CLOUD['Host']}"}])
def test_a_request_of_our_page_is_signed_in(server: Server, signed_in: dict[str, str], proof: dict[str, str]) -> None:
    assert found(_ask(server, signed_in | proof))["username"] == ADMIN
    made(_ask(server, signed_in | proof, "POST", "/projects"))


@pytest.mark.parametrize("foreign", [*FOREIGN, {}, FREE], ids=str)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/auth/me"), ("POST", "/projects"), ("DELETE", "/projects/x"), ("POST", "/auth/refresh")],
)
def test_a_request_of_another_page_is_refused(
    server: Server, signed_in: dict[str, str], foreign: dict[str, str], method: str, path: str
) -> None:
    reply = _ask(server, signed_in | foreign, method, path)
    check_refused(reply, 403, "ORIGIN_FORBIDDEN")
    assert "access-control-allow-origin" not in reply.headers


@pytest.mark.parametrize("foreign", FOREIGN, ids=str)
@pytest.mark.parametrize(("method", "path"), [("POST", "/auth/session"), ("DELETE", "/auth/session")])
def test_another_page_neither_signs_in_nor_out(server: Server, foreign: dict[str, str], method: str, path: str) -> None:
    body = {"username": ADMIN, "password": PASSWORD}
    reply = server.call(method, path, body if method == "POST" else None, token=None, headers=CLOUD | foreign)
    check_refused(reply, 403, "ORIGIN_FORBIDDEN")
    assert "set-cookie" not in reply.headers


def test_the_header_wins_over_the_cookie(server: Server, signed_in: dict[str, str]) -> None:
    person = new_person(server)
    bearer = {"Authorization": f"Bearer {person.token}"}
    for site in ({}, OWN, FOREIGN[0]):
        assert found(_ask(server, signed_in | bearer | site))["id"] == person.id
    check_refused(_ask(server, signed_in | OWN | {"Authorization": "Bearer no.such.token"}), 401, "TOKEN_INVALID")


@pytest.mark.parametrize(
    "cookie",
    ["", "__Host-deardiary=", "other=1", "deardiary={token}", "x__Host-deardiary={token}", "__host-deardiary={token}"],
)
def test_a_cookie_of_another_name_signs_nobody_in(server: Server, cookie: str) -> None:
    given = {"Cookie": cookie.format(token=server.token())}
    check_refused(_ask(server, CLOUD | OWN | given), 401, "TOKEN_MISSING")


@pytest.mark.parametrize("host", ["[::1", "[", "a]"])
def test_a_malformed_host_is_no_own_page(server: Server, host: str) -> None:
    given = {"Host": host, "Origin": "http://a.example.com"}
    check_refused(_ask(server, given), 401, "TOKEN_MISSING")
    check_refused(_ask(server, given, "DELETE", "/auth/session"), 403, "ORIGIN_FORBIDDEN")
    token = {"Cookie": f"__Host-deardiary={server.token()}"}
    check_refused(_ask(server, given | token), 403, "ORIGIN_FORBIDDEN")


def test_the_cookie_is_found_among_others(server: Server, signed_in: dict[str, str]) -> None:
    cookies = f"a=b; {signed_in['Cookie']};c=d=e"
    assert found(_ask(server, signed_in | OWN | {"Cookie": cookies}))["username"] == ADMIN


def test_the_rules_of_the_token_hold_in_the_cookie(server: Server) -> None:
    person = new_person(server)
    given = CLOUD | OWN | _cookie(_sign_in(server, person.username))
    assert found(_ask(server, given))["id"] == person.id
    found(server.call("PATCH", f"/users/{person.id}", {"password": "another long one"}))
    check_refused(_ask(server, given), 401, "TOKEN_INVALID")
    old = security.issue_token(read_keyring(), Claims(person.id, 1), clock.now() - timedelta(days=2))[0]
    check_refused(_ask(server, given | {"Cookie": f"__Host-deardiary={old}"}), 401, "TOKEN_EXPIRED")


def test_a_session_is_renewed_without_the_password(server: Server, signed_in: dict[str, str]) -> None:
    reply = _ask(server, signed_in | OWN, "POST", "/auth/session/refresh")
    assert found(_ask(server, CLOUD | OWN | _cookie(reply)))["username"] == ADMIN
    assert set(found(reply)) == {"expires_at", "user"}
    expired = security.issue_token(read_keyring(), Claims("nobody", 0), clock.now() - timedelta(days=2))[0]
    late = CLOUD | OWN | {"Cookie": f"__Host-deardiary={expired}"}
    check_refused(_ask(server, late, "POST", "/auth/session/refresh"), 401, "TOKEN_EXPIRED")


def test_signing_out_removes_the_cookie_also_of_an_ended_session(server: Server) -> None:
    reply = _ask(server, CLOUD | OWN | {"Cookie": "__Host-deardiary=ended"}, "DELETE", "/auth/session")
    assert reply.status == 204
    cookie, *attributes = reply.headers["set-cookie"].split("; ")
    assert cookie == "__Host-deardiary="
    assert sorted(attributes) == ["HttpOnly", "Max-Age=0", "Path=/", "SameSite=Strict", "Secure"]


def test_wrong_passwords_set_no_cookie_and_are_counted(server: Server) -> None:
    person = new_person(server)
    body = {"username": person.username, "password": "wrong"}
    for _ in range(10):
        reply = server.call("POST", "/auth/session", body, token=None, headers=CLOUD | OWN)
        check_refused(reply, 401, "INVALID_CREDENTIALS")
        assert "set-cookie" not in reply.headers
    assert server.call("POST", "/auth/session", body, token=None, headers=CLOUD | OWN).status == 429
