"""CORS: which pages may read the answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.server import Server, server_on_moto

HERE, THERE = "https://app.example.com", "https://evil.example.com"
CORS = "access-control-allow-origin"


@pytest.fixture(scope="module")
def open_server() -> Iterator[Server]:
    with server_on_moto(DEARDIARY_CORS_ORIGINS=f"{HERE} https://other.example.com") as running:
        yield running


@pytest.mark.parametrize(
    ("method", "path", "body", "token", "status"),
    [
        ("GET", "/health", None, None, 200),
        ("GET", "/projects", None, "", 200),
        ("GET", "/projects", None, None, 401),
        ("GET", "/projects/nothing", None, "", 404),
        ("POST", "/projects", b"{", "", 422),
        ("POST", "/projects", b"x" * (4 * 1024 * 1024 + 1), "", 413),
    ],
)
def test_every_answer_says_who_may_read_it(
    open_server: Server, method: str, path: str, body: bytes | None, token: str | None, status: int
) -> None:
    allowed = open_server.call(method, path, body, token=token, headers={"Origin": HERE})
    foreign = open_server.call(method, path, body, token=token, headers={"Origin": THERE})
    assert (allowed.status, foreign.status) == (status, status)
    assert allowed.headers[CORS] == HERE
    assert CORS not in foreign.headers
    assert {allowed.headers["vary"], foreign.headers["vary"]} == {"Origin"}


@pytest.mark.parametrize("origin", [THERE, "null", HERE + ".evil.example", HERE.upper(), "http://app.example.com"])
def test_other_origins_get_no_cors_header(open_server: Server, origin: str) -> None:
    assert CORS not in open_server.call("GET", "/health", token=None, headers={"Origin": origin}).headers


def test_a_preflight_names_methods_and_headers_and_needs_no_token(open_server: Server) -> None:
    headers = {"Origin": HERE, "Access-Control-Request-Method": "PATCH"}
    reply = open_server.call("OPTIONS", "/projects/abc", token=None, headers=headers)
    assert reply.status == 200
    assert reply.headers[CORS] == HERE
    assert set(reply.headers["access-control-allow-methods"].split(", ")) == {"GET", "PATCH", "DELETE"}
    assert "Authorization" in reply.headers["access-control-allow-headers"]
    foreign = open_server.call("OPTIONS", "/projects/abc", token=None, headers=headers | {"Origin": THERE})
    assert CORS not in foreign.headers
