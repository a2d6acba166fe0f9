"""The envelope of every error, and malformed requests of every kind."""

from __future__ import annotations

import logging
from typing import Any

import botocore.client
import pytest
from botocore.exceptions import ClientError

from chalicelib.routes.http.face import API
from chalicelib.services import project as project_service
from tests.support.api import check_invalid, check_refused, made, new_experiment, new_iteration, new_project
from tests.support.server import Server

KIB = 1024


def test_without_a_token_nothing_is_answered(server: Server) -> None:
    private = [each for each in API.operations if not each.public]
    assert len(private) > 50
    for each in private:
        path = each.path.replace("{", "").replace("}", "")
        check_refused(server.call(each.method, path, b"not even JSON", token=None), 401, "TOKEN_MISSING")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "name"),
        (b"{", "body"),
        (b"not JSON", "body"),
        (b"{'name': 'n'}", "body"),
        (b'{"name": "n"} trailing', "body"),
        (b"\xff\xfe\x00", "body"),
        (b'{"name": "\xff"}', "body"),
        (b'{"name": "\\ud800"}', "body"),
        (b"[]", "body"),
        (b'["name"]', "body"),
        (b'"name"', "body"),
        (b"null", "body"),
        (b"1", "body"),
        (b'{"name": NaN}', "body"),
        (b"{}", "name"),
        (b'{"name": null}', "name"),
        (b'{"name": 1}', "name"),
        (b'{"name": ["n"]}', "name"),
        (b'{"name": ""}', "name"),
        (b'{"name": "n", "colour": "red"}', "colour"),
        (b'{"name": "n", "id": "chosen"}', "id"),
        (b'{"name": "n", "description": null}', "description"),
        (b"[" * 100_000, "body"),
        (b'{"name": ' + b"[" * 100_000, "name"),
    ],
    ids=lambda value: str(value[:30]),
)
def test_bodies_of_the_wrong_form(server: Server, body: bytes, field: str) -> None:
    check_invalid(server.call("POST", "/projects", body), field)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"{", ": it, or a text in it, ends too early"),
        (b'{"name": "\\ud800"}', ": it, or a text in it, ends too early"),
        (b"not JSON", " at byte 4"),
        (b"{'name': 'n'}", " at byte 1"),
        (b'{"name": "n"} trailing', " at byte 15"),
        (b'{"name": "\xff"}', ": a text in it is not UTF-8"),
    ],
)
def test_a_body_that_is_not_json_is_said_in_plain_words(server: Server, body: bytes, where: str) -> None:
    reply = server.call("POST", "/projects", body)
    assert reply.body["message"] == f"The body is not valid JSON{where}"


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_is_json_whatever_it_calls_itself(server: Server, kind: str) -> None:
    made(server.call("POST", "/projects", {"name": "n"}, headers={"Content-Type": kind}))


@pytest.mark.parametrize("name", ["n", "n" * 255, "😀" * 255])
def test_names_that_fit(server: Server, name: str) -> None:
    assert made(server.call("POST", "/projects", {"name": name}))["name"] == name


@pytest.mark.parametrize("name", ["n" * 256, "😀" * 256])
def test_names_that_are_too_long(server: Server, name: str) -> None:
    project = new_project(server)
    check_invalid(server.call("POST", "/projects", {"name": name}), "name")
    check_invalid(server.call("PATCH", f"/projects/{project}", {"name": name}), "name")
    check_invalid(server.call("POST", f"/projects/{project}/experiments", {"name": name}), "name")


@pytest.mark.parametrize("text", ["t" * 64 * KIB, "é" * 32 * KIB, "😀" * 16 * KIB], ids=["1", "2", "4"])
@pytest.mark.parametrize("noun", ["projects", "experiments", "iterations"])
def test_texts_have_64_kibibytes_and_no_byte_more(server: Server, noun: str, text: str) -> None:
    make = {"projects": new_project, "experiments": new_experiment, "iterations": new_iteration}[noun]
    path = f"/{noun}/{make(server)}"
    for field in ("notes", "error_message") if noun == "iterations" else ("description",):
        assert server.call("PATCH", path, {field: text}).body[field] == text
        check_invalid(server.call("PATCH", path, {field: text + "t"}), field)
        assert server.call("GET", path).body[field] == text


@pytest.mark.parametrize("part", ["a%2Fb", "x" * 5_000, "%E2%98%83", "☃", "%00", "%ff", "..", "%", "A" * 24, " ", "."])
@pytest.mark.parametrize(
    "path",
    [
        "/projects/{}",
        "/experiments/{}/iterations",
        "/iterations/{}/metrics",
        "/parameters/{}",
        "/resources/{}/download",
        "/users/{}",
    ],
)
def test_an_impossible_id_is_not_found(server: Server, path: str, part: str) -> None:
    check_refused(server.call("GET", path.format(part)), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("limit=1.5", "limit"),
        ("limit=1&limit=1", "limit"),
        ("cursor=x&cursor=y", "cursor"),
        ("colour=red", "colour"),
        ("Limit=1", "Limit"),
    ],
)
def test_queries_of_the_wrong_form(server: Server, query: str, field: str) -> None:
    check_invalid(server.call("GET", f"/projects?{query}"), field)


def test_a_query_where_none_is_taken(server: Server) -> None:
    check_invalid(server.call("GET", f"/projects/{new_project(server)}?verbose=1"), "verbose")


def test_an_unexpected_error_shows_no_traceback(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the secret is 42")

    monkeypatch.setattr(project_service, "get_project", fail)
    reply = server.call("GET", "/projects/0")
    check_refused(reply, 500, "SERVER_ERROR")
    assert "42" not in str(reply)
    assert "Traceback" not in str(reply)
    assert "the secret is 42" in caplog.text
    assert [each.levelno for each in caplog.records if each.name == "deardiary.server"] == [logging.ERROR]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("ProvisionedThroughputExceededException", None),
        ("ThrottlingException", None),
        ("RequestLimitExceeded", None),
        ("TransactionCanceledException", "ThrottlingError"),
        ("TransactionCanceledException", "ProvisionedThroughputExceeded"),
    ],
)
def test_a_table_that_throttles_is_unavailable(
    server: Server, monkeypatch: pytest.MonkeyPatch, code: str, reason: str | None
) -> None:
    iteration = new_iteration(server)
    client_class: Any = botocore.client.BaseClient
    call = client_class._make_api_call

    def throttle(client: Any, operation: str, arguments: Any) -> Any:
        if reason is not None and operation != "TransactWriteItems":
            return call(client, operation, arguments)
        answer: Any = {"Error": {"Code": code, "Message": "slow down"}, "CancellationReasons": [{"Code": reason}]}
        raise ClientError(answer, operation)

    monkeypatch.setattr(client_class, "_make_api_call", throttle)
    reply = server.call("POST", f"/iterations/{iteration}/parameters", {"key": "k", "value": "v"})
    check_refused(reply, 503, "UNAVAILABLE")
    assert int(reply.headers["retry-after"]) >= 1


def test_by_default_no_origin_may_read_an_answer(server: Server) -> None:
    for origin in ("https://app.example.com", "http://127.0.0.1:9000", "null"):
        reply = server.call("GET", "/health", token=None, headers={"Origin": origin})
        assert "access-control-allow-origin" not in reply.headers
