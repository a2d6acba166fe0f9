"""A server without sign-in: for this machine only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib import config
from chalicelib.config import ConfigurationError
from tests.support.api import check_refused, found, made
from tests.support.server import ADMIN, Server, server_on_moto

THERE = "https://evil.example.com"
CORS = "access-control-allow-origin"


@pytest.fixture(scope="module")
def local_only() -> Iterator[Server]:
    with server_on_moto(DEARDIARY_ENABLE_AUTH="false", DEARDIARY_LISTEN="127.0.0.1") as running:
        yield running


def test_everybody_here_is_the_admin(local_only: Server) -> None:
    assert found(local_only.call("GET", "/auth/me", token=None))["username"] == ADMIN
    project = made(local_only.call("POST", "/projects", {"name": "p"}, token=None))["id"]
    found(local_only.call("GET", f"/projects/{project}", token=None))


def test_without_sign_in_a_password_is_set_without_the_present_one(local_only: Server) -> None:
    admin = found(local_only.call("GET", "/auth/me", token=None))
    found(local_only.call("PATCH", f"/users/{admin['id']}", {"password": "a new password"}, token=None))
    found(local_only.call("POST", "/auth", {"username": ADMIN, "password": "a new password"}, token=None))
    found(local_only.call("POST", "/auth/refresh", token=None))


@pytest.mark.parametrize("host", ["127.0.0.1:9000", "localhost", "LOCALHOST:1", "[::1]:9000", "127.0.0.2"])
def test_hosts_that_are_this_machine(host: str, local_only: Server) -> None:
    found(local_only.call("GET", "/projects", token=None, headers={"Host": host}))


@pytest.mark.parametrize("host", ["evil.example.com", "127.0.0.1.example.com", "", "10.0.0.1", "127.0.0.1@evil.com"])
@pytest.mark.parametrize("path", ["/projects", "/health"])
def test_a_foreign_host_is_refused(local_only: Server, host: str, path: str) -> None:
    reply = local_only.call("GET", path, token=None, headers={"Host": host})
    assert reply.error[0] == 403


@pytest.mark.parametrize("origin", [THERE, "null", "http://localhost.evil.example.com", "file://", ""])
def test_a_foreign_origin_is_refused(local_only: Server, origin: str) -> None:
    for method, path in (("POST", "/projects"), ("GET", "/projects"), ("OPTIONS", "/projects")):
        reply = local_only.call(method, path, {"name": "n"}, token=None, headers={"Origin": origin})
        assert reply.error[0] == 403
        assert CORS not in reply.headers


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"DEARDIARY_LISTEN": "0.0.0.0"},  # noqa: S104
        {"DEARDIARY_LISTEN": "::"},
        {"DEARDIARY_LISTEN": "deardiary.example.com"},
        {"DEARDIARY_LISTEN": "127.0.0.1", "AWS_LAMBDA_FUNCTION_NAME": "api"},
    ],
)
def test_a_server_that_others_reach_does_not_start_without_sign_in(environment: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="DEARDIARY_ENABLE_AUTH"):
        config.read(environment | {"DEARDIARY_ENABLE_AUTH": "false"})


@pytest.mark.parametrize("value", ["no", "0", "False"])
def test_a_setting_that_is_neither_does_not_turn_sign_in_off(value: str) -> None:
    with pytest.raises(ConfigurationError, match="DEARDIARY_ENABLE_AUTH"):
        config.read({"DEARDIARY_ENABLE_AUTH": value, "DEARDIARY_LISTEN": "127.0.0.1"})


def test_a_refusal_has_the_envelope(local_only: Server) -> None:
    reply = local_only.call("GET", "/projects", token=None, headers={"Host": "evil.example.com"})
    check_refused(reply, 403, "ORIGIN_FORBIDDEN")
