from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

import deardiary
from deardiary.errors import ClientError, connection_failed, from_answer, from_store, reason_of


def test_the_servers_own_shape() -> None:
    body = {"code": "INVALID_PAYLOAD", "message": "Too long", "details": {"field": "name", "limit": 255}}

    error = from_answer(422, {}, json.dumps(body).encode())

    assert (error.status, error.code, error.message) == (422, "INVALID_PAYLOAD", "Too long")
    assert error.details == {"field": "name", "limit": 255}
    assert str(error) == "Too long (field: name) [422 INVALID_PAYLOAD]"


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (429, "Too Many Requests", "TOO_MANY_REQUESTS"),
        (413, "Request Too Long", "PAYLOAD_TOO_LARGE"),
        (504, "Endpoint request timed out", "HTTP_504"),
        (403, "Forbidden", "HTTP_403"),
    ],
)
def test_the_api_gateways_shape(status: int, message: str, code: str) -> None:
    error = from_answer(status, {}, json.dumps({"message": message}).encode())
    assert (error.status, error.code, error.message, error.details) == (status, code, message, {})


@pytest.mark.parametrize(
    ("header", "details", "seconds"),
    [
        ("7", {}, 7.0),
        ("", {}, 0.0),
        ("soon", {}, 0.0),
        ("31536000", {}, 600.0),
        ("9" * 5000, {}, 600.0),
        ("", {"retry_after": 10**400}, 600.0),
        ("", {"retry_after": -5}, 0.0),
        ("", {"retry_after": "5"}, 0.0),
    ],
)
def test_no_server_can_ask_to_wait_for_ever(header: str, details: dict[str, Any], seconds: float) -> None:
    body = json.dumps({"code": "UNAVAILABLE", "message": "later", "details": details}).encode()
    assert from_answer(503, {"retry-after": header}, body).retry_after == seconds


def test_an_unknown_route_is_not_about_tokens() -> None:
    error = from_answer(403, {}, b'{"message": "Missing Authentication Token"}')
    assert error.code == "UNKNOWN_ROUTE"
    assert "stage" in error.message


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'"text"', b"\xff"])
def test_an_answer_that_explains_nothing(body: bytes) -> None:
    error = from_answer(502, {}, body)
    assert (error.code, error.message) == ("HTTP_502", "The server answered 502 without an explanation")


def test_a_redirect_says_where_to_without_its_query() -> None:
    error = from_answer(301, {"location": "https://diary/api?X-Amz-Signature=s"}, b"")
    assert error.code == "REDIRECTED"
    assert "https://diary/api;" in error.message


def test_the_stores_shape() -> None:
    body = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message><HostId>h</HostId></Error>"
    error = from_store(403, body)
    assert (error.status, error.code) == (403, "STORE_REFUSED")
    assert error.message == "The artifact store answered 403: AccessDenied: Request has expired"


def test_no_answer_names_the_url_but_not_its_signature() -> None:
    error = connection_failed("http://127.0.0.1:9000/x?X-Amz-Signature=s", ConnectionRefusedError(111, "refused"))
    assert (error.status, error.code) == (0, "CONNECTION_FAILED")
    assert "http://127.0.0.1:9000/x (" in error.message
    assert "make run" in error.message
    assert "make run" not in connection_failed("https://diary", TimeoutError()).message


def test_an_error_can_travel_between_processes() -> None:
    copy = pickle.loads(pickle.dumps(ClientError(404, "NOT_FOUND", "No", {"field": "id"})))  # noqa: S301
    assert (copy.status, copy.code, copy.message, copy.details) == (404, "NOT_FOUND", "No", {"field": "id"})


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied", "x"), "x: permission denied"),
        (PermissionError(13, "Permission denied", b"x"), "x: permission denied"),
        (ConnectionRefusedError(111, "Connection refused"), "connection refused"),
        (TimeoutError("timed out"), "timed out"),
        (TimeoutError(), "TimeoutError"),
        (ValueError("Too long"), "Too long"),
    ],
)
def test_a_reason_has_no_error_number(error: Exception, said: str) -> None:
    assert reason_of(error) == said
    assert f"({said})" in connection_failed("https://host/api", error).message


DEPLOYED, LOCAL = "https://abc.execute-api.us-east-1.amazonaws.com", "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    ("url", "status", "body", "code", "advice"),
    [
        (DEPLOYED, 403, {"message": "Forbidden"}, "UNKNOWN_ROUTE", f"`deardiary login {DEPLOYED}/api`"),
        (DEPLOYED, 403, {"message": "Missing Authentication Token"}, "UNKNOWN_ROUTE", f"login {DEPLOYED}/api`"),
        (f"{DEPLOYED}/dev", 403, {"message": "Forbidden"}, "HTTP_403", f"at {DEPLOYED}/dev: the stage"),
        ("https://diary.example", 403, {"message": "Forbidden"}, "HTTP_403", "or a firewall"),
        (
            f"{LOCAL}/api",
            404,
            {"code": "NOT_FOUND", "message": "There is no such route"},
            "NOT_FOUND",
            f"`deardiary login {LOCAL}`",
        ),
        (
            LOCAL,
            401,
            {"code": "TOKEN_MISSING", "message": "Send a token"},
            "TOKEN_MISSING",
            f"`deardiary login {LOCAL}`",
        ),
    ],
)
def test_a_wrong_url_and_a_missing_login_say_what_to_do(
    url: str, status: int, body: dict[str, str], code: str, advice: str
) -> None:
    error = from_answer(status, {}, json.dumps(body).encode(), url)
    assert (error.status, error.code) == (status, code)
    assert advice in error.message


@pytest.mark.parametrize(
    ("url", "status", "body"),
    [
        (LOCAL, 404, {"code": "NOT_FOUND", "message": "There is no such route"}),
        (DEPLOYED, 403, {"code": "ADMIN_REQUIRED", "message": "Only an admin may do this"}),
    ],
)
def test_other_refusals_keep_their_words(url: str, status: int, body: dict[str, str]) -> None:
    assert from_answer(status, {}, json.dumps(body).encode(), url).message == body["message"]


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "TOKEN_EXPIRED", deardiary.Unauthorized),
        (403, "PROJECT_PERMISSION_REQUIRED", deardiary.Forbidden),
        (404, "NOT_FOUND", deardiary.NotFound),
        (409, "CONFLICT", deardiary.Conflict),
        (422, "INVALID_PAYLOAD", deardiary.Invalid),
        (413, "PAYLOAD_TOO_LARGE", deardiary.Invalid),
        (429, "TOO_MANY_REQUESTS", deardiary.Overloaded),
        (503, "UNAVAILABLE", deardiary.Overloaded),
        (0, "CONNECTION_FAILED", deardiary.ConnectionFailed),
        (404, "ANSWER_INVALID", deardiary.ClientError),
        (403, "STORE_REFUSED", deardiary.ClientError),
        (500, "SERVER_ERROR", deardiary.ClientError),
    ],
)
def test_errors_can_be_caught_by_kind(status: int, code: str, kind: type[deardiary.ClientError]) -> None:
    error = deardiary.ClientError(status, code, "no", {"field": "name"})
    assert type(error) is kind
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(copy), copy.args) == (kind, error.args)
