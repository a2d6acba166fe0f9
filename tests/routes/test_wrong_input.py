"""Errors about wrong input: plain words and the field, without the validator's own language."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from chalicelib.routes.http.face import API
from tests.support.api import check_invalid, new_experiment, new_iteration
from tests.support.server import Server

VALIDATOR = re.compile(r"Expected `|\$\.|regex|pattern|\[\.\.\.\]")
WHOLE = "Expected a whole number"
CONTROL = "Expected no control characters"


def log(**fields: Any) -> tuple[str, str, dict[str, Any]]:
    return "POST", "/iterations/{iteration}/log", {"batch_id": "b", **fields}


def columns(**fields: Any) -> tuple[str, str, dict[str, Any]]:
    return log(metrics={"acc": {"value": [1.0]}, "loss": fields, "late": {"value": "worse"}})


def user(**fields: Any) -> tuple[str, str, dict[str, Any]]:
    return "POST", "/users", {"username": "u", "password": "12345678", **fields}


def resource(**fields: Any) -> tuple[str, str, dict[str, Any]]:
    return "POST", "/experiments/{experiment}/resources", {"name": "r", **fields}


@pytest.mark.parametrize(
    ("call", "field", "message"),
    [
        (("GET", "/projects?limit=ten", None), "limit", f"{WHOLE}, got text"),
        (("GET", "/projects?limit=0", None), "limit", "Expected at least 1"),
        (("GET", "/projects?limit=201", None), "limit", "Expected at most 200"),
        (("GET", "/projects?colour=red", None), "colour", "There is no such field here"),
        (
            ("GET", "/iterations/{iteration}/snapshot?field=x", None),
            "field[0]",
            "Expected one of project_toml, manifest_toml, git_diff",
        ),
        (("POST", "/projects", {}), "name", "This field is required"),
        (("POST", "/projects", {"name": "n", "colour": "red"}), "colour", "There is no such field here"),
        (("POST", "/projects", {"name": ""}), "name", "Expected at least 1 character"),
        (("POST", "/projects", {"name": "n" * 256}), "name", "Expected at most 255 characters"),
        (("POST", "/projects", {"name": None}), "name", "Expected text, got null"),
        (("POST", "/projects", []), "body", "Expected an object, got a list"),
        (
            ("PATCH", "/iterations/{iteration}", {"status_id": 9}),
            "status_id",
            "Expected one of 1 (RUNNING), 2 (SUCCEEDED), 3 (FAILED), 4 (KILLED)",
        ),
        (
            ("PATCH", "/iterations/{iteration}", {"status_id": "SUCCEEDED"}),
            "status_id",
            "Expected one of 1 (RUNNING), 2 (SUCCEEDED), 3 (FAILED), 4 (KILLED)",
        ),
        (
            ("PATCH", "/iterations/{iteration}", {"end_date": "noon"}),
            "end_date",
            "Expected a time as in 2026-01-31T12:00:00Z",
        ),
        (user(username="a b"), "username", "Expected letters of a to z, digits and . _ - @ only"),
        (user(is_admin=1), "is_admin", "Expected true or false, got a whole number"),
        (user(password="short"), "password", "Expected at least 8 characters"),
        (resource(size_bytes=-1), "size_bytes", "Expected at least 0"),
        (resource(content_hash="x"), "content_hash", "Expected 64 digits from 0-9 and a-f"),
        (resource(content_type="x"), "content_type", "Expected a type and a subtype, as in text/plain"),
        (log(tags=["fine", ""]), "tags[1]", "Expected at least 1 character"),
        (log(tags=["t"] * 1001), "tags", "Expected at most 1000 entries"),
        (log(parameters={"fine": "1", "lr": 1, "x": 2}), "parameters.lr", "Expected text, got a whole number"),
        (log(parameters={"fine": "1", "l\nr": "1"}), "parameters", rf'Key "l\nr": {CONTROL}'),
        (log(parameters={"": "1"}), "parameters", 'Key "": Expected at least 1 character'),
        (log(parameters={"k": "v" * 6001}), "parameters.k", "Expected at most 6000 characters"),
        (log(metrics=[{"key": "k", "value": 1.0, "step": "x"}]), "metrics[0].step", f"{WHOLE} or null, got text"),
        (
            log(metrics=[{"key": "k", "value": "much"}]),
            "metrics[0].value",
            "Expected a number, or one of NaN, Infinity and -Infinity",
        ),
        (log(metrics=3), "metrics", "Expected an object or a list, got a whole number"),
        (columns(value=[1.0] * 4, step=[0, 1, 2, "x"]), "metrics.loss.step[3]", f"{WHOLE} or null, got text"),
        (columns(value=[1.0], step=[2**63]), "metrics.loss.step[0]", f"Expected at most {2**63 - 1}"),
        (columns(step=[1]), "metrics.loss.value", "This field is required"),
        (columns(value=[1.0], steps=[1]), "metrics.loss.steps", "There is no such field here"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_wrong_input_is_told_in_plain_words(
    server: Server, call: tuple[str, str, Any], field: str, message: str
) -> None:
    method, path, body = call
    target = path.format(iteration=new_iteration(server), experiment=new_experiment(server))
    reply = server.call(method, target, body) if body is not None else server.call(method, target)
    check_invalid(reply, field)
    assert reply.body["message"] == message
    assert not VALIDATOR.search(reply.body["message"] + field)


@pytest.mark.parametrize("wrong", [{"\x00": []}, {"": 1}, 1, [1], None, "x", [], {}, {"x": {"y": 1}}], ids=repr)
def test_no_operation_speaks_the_validators_language(server: Server, wrong: Any) -> None:
    for each in API.operations:
        names = [] if each.body is None else each.body.__struct_fields__
        for body in (wrong, *({name: wrong} for name in names)):
            reply = server.call(each.method, each.path.replace("{", "").replace("}", ""), body)
            if reply.status == 422:
                # The field of an identity has this name.
                said = str(reply.body).replace("'field': 'pattern'", "")
                assert not VALIDATOR.search(said), (each.path, body, reply)
                assert "This value is invalid" not in str(reply.body), (each.path, body, reply)


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b'"metrics":{"loss":{"value":[1e999]}}', "metrics"),
        (b'"parameters":{"lr":1e999}', "parameters"),
        (b'"metrics":[{"key":"loss","value":1e999}]', "metrics[0].value"),
        (b'"parameters":{"lr":1,"momentum":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "parameters"),
        (b'"tags":' + b"[" * 30_000 + b"]" * 30_000, "tags[0]"),
    ],
)
def test_json_that_no_parser_holds_is_refused(server: Server, raw: bytes, field: str) -> None:
    headers = {"Authorization": f"Bearer {server.token()}"}
    path, body = f"/iterations/{new_iteration(server)}/log", b'{"batch_id":"b",' + raw + b"}"
    status, _, content = server.transport.call("POST", path, headers, body)
    assert (status, json.loads(content)["details"]) == (422, {"field": field})
