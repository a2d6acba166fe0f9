"""Bytes in the table: sent with the declaration, returned with the resource, served by URLs of our own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from chalicelib import artifacts, clock, config
from chalicelib.artifacts import Location
from chalicelib.artifacts.ticket import Ticket, url_of
from chalicelib.services.blobs import served
from chalicelib.storage import blob
from tests.support.api import check_invalid, check_refused, found, made, new_experiment, new_ready_resource
from tests.support.server import URL, Server, environment, server_on_moto

DATA = b"\x00\x01notes\xff"
TEXT = base64.b64encode(DATA).decode()
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto(DEARDIARY_ARTIFACT_BACKEND="inline") as running:
        yield running


def declare(server: Server, experiment: str | None = None, **body: Any) -> Any:
    given = {"name": "notes", "size_bytes": len(DATA), "content_hash": SHA256, "data": TEXT, **body}
    return server.call("POST", f"/experiments/{experiment or new_experiment(server)}/resources", given)


def test_data_with_the_declaration_makes_it_ready(server: Server) -> None:
    resource = made(declare(server, description="d"))
    assert (resource["state"], resource["backend"], resource["data"]) == ("ready", "inline", TEXT)
    path = f"/resources/{resource['id']}"
    assert found(server.call("GET", path)) == resource
    assert found(server.call("PATCH", path, {"name": "new"}))["data"] == TEXT
    (listed,) = found(server.call("GET", f"/experiments/{resource['experiment_id']}/resources"))["data"]
    assert "data" not in listed
    download = found(server.call("GET", f"{path}/download"))
    assert (download["size_bytes"], download["content_hash"]) == (len(DATA), SHA256)
    assert server.call("GET", f"{path}/download?redirect=1").headers["location"].startswith(f"{URL}/artifacts?")
    assert server.call("GET", download["url"].removeprefix(URL), token=None).body == DATA


def test_a_retry_stores_the_data_of_a_request_that_died(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = new_experiment(server)
    with monkeypatch.context() as patch:
        patch.setattr(blob, "mark_ready", _die)
        check_refused(declare(server, experiment, id_key="key"), 500, "SERVER_ERROR")
    retried = found(declare(server, experiment, id_key="key"))
    assert (retried["state"], retried["data"]) == ("ready", TEXT)
    (only,) = found(server.call("GET", f"/experiments/{experiment}/resources"))["data"]
    assert only["id"] == retried["id"]


def _die(*_: Any) -> None:
    raise RuntimeError


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"data": "no base64!"}, "data"),
        ({"data": TEXT[:-4]}, "size_bytes"),
        ({"data": base64.b64encode(DATA[::-1]).decode()}, "content_hash"),
        ({"data": "A" * (400 * 1024)}, "data"),
        ({"data": None, "size_bytes": 256 * 1024 + 1}, "size_bytes"),
        ({"description": "d" * (64 * 1024 + 1)}, "description"),
        ({"description": "ü" * (64 * 1024)}, "description"),
    ],
)
def test_data_that_does_not_fit(server: Server, body: dict[str, Any], field: str) -> None:
    check_invalid(declare(server, **body), field)


def test_the_most_that_fits(server: Server) -> None:
    data = bytes(256 * 1024)
    text, sha256 = base64.b64encode(data).decode(), hashlib.sha256(data).hexdigest()
    resource = made(declare(server, data=text, size_bytes=len(data), content_hash=sha256))
    assert resource["data"] == text
    assert server.call("DELETE", f"/resources/{resource['id']}?purge=true").headers["x-freed-bytes"] == str(len(data))


def test_data_is_not_for_other_backends(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEARDIARY_ARTIFACT_BACKEND", "s3")
    config.settings.cache_clear()
    check_invalid(declare(server, content_hash="0" * 64), "data")
    monkeypatch.undo()
    config.settings.cache_clear()


def test_reads_follow_the_resource_and_not_the_setting(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    resource = new_ready_resource_here(server)
    monkeypatch.setenv("DEARDIARY_ARTIFACT_BACKEND", "s3")
    config.settings.cache_clear()
    assert found(server.call("GET", f"/resources/{resource['id']}"))["data"] == TEXT
    assert new_ready_resource(server, new_experiment(server), b"other")["backend"] == "s3"
    monkeypatch.undo()
    config.settings.cache_clear()


def new_ready_resource_here(server: Server) -> Any:
    return made(declare(server))


def ticket(method: str = "GET", **fields: Any) -> str:
    known: dict[str, Any] = {
        "backend": "inline",
        "project_id": "p",
        "sha256": SHA256,
        "size_bytes": len(DATA),
        "name": "notes",
    }
    return urlsplit(url_of(Ticket(method=method, **(known | fields)), "")).query


def get(server: Server, query: str, **headers: str) -> Any:
    return server.call("GET", f"/artifacts?{query}", token=None, headers=headers)


@pytest.mark.parametrize(
    ("span", "status", "wanted"),
    [
        ("bytes=0-", 206, DATA),
        ("bytes=2-4", 206, DATA[2:5]),
        ("bytes=7-99", 206, DATA[7:]),
        ("bytes=-3", 206, DATA[-3:]),
        ("bytes=-99", 206, DATA),
        ("items=0-", 200, DATA),
        ("bytes=0-1,3-4", 200, DATA),
        ("bytes=3-2", 200, DATA),
        ("bytes=-", 200, DATA),
    ],
)
def test_ranges(server: Server, span: str, status: int, wanted: bytes) -> None:
    artifacts.store("inline").write(Location("p", SHA256), len(DATA), [DATA])
    reply = get(server, ticket(), Range=span)
    assert (reply.status, reply.body) == (status, wanted)
    first = DATA.index(wanted)
    expected = f"bytes {first}-{first + len(wanted) - 1}/{len(DATA)}"
    assert reply.headers.get("content-range") == (expected if status == 206 else None)
    assert reply.headers["content-disposition"].startswith("attachment; ")


@pytest.mark.parametrize("span", [f"bytes={len(DATA)}-", f"bytes={len(DATA)}-99", "bytes=-0"])
def test_a_range_beyond_the_end(server: Server, span: str) -> None:
    reply = get(server, ticket(), Range=span)
    check_refused(reply, 416, "RANGE_NOT_SATISFIABLE")
    assert reply.headers["content-range"] == f"bytes */{len(DATA)}"


def test_much_comes_in_pieces(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    artifacts.store("inline").write(Location("p", SHA256), len(DATA), [DATA])
    monkeypatch.setattr(served, "MAX_PIECE", 5)
    check_refused(get(server, ticket()), 413, "PAYLOAD_TOO_LARGE")
    assert get(server, ticket(), Range="bytes=0-").body == DATA[:5]
    assert get(server, ticket(), Range="bytes=5-").body == DATA[5:]


def test_a_url_dies(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = clock.now() - timedelta(minutes=16)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: earlier)
        old = ticket()
    check_refused(get(server, old), 401, "TOKEN_EXPIRED")


@pytest.mark.parametrize("query", ["ticket=x", "ticket=a.b.c", "ticket="])
def test_a_url_that_is_not_ours(server: Server, query: str) -> None:
    check_refused(get(server, query), 401, "TOKEN_INVALID")


def test_a_session_is_no_ticket_and_a_ticket_no_session(server: Server) -> None:
    check_refused(get(server, f"ticket={server.token()}"), 401, "TOKEN_INVALID")
    text = ticket().removeprefix("ticket=")
    assert server.call("GET", "/auth/me", token=text).error[0] == 401


def test_a_ticket_is_for_one_method(server: Server) -> None:
    check_refused(get(server, ticket("PUT")), 401, "TOKEN_INVALID")
    put = server.call("PUT", f"/artifacts?{ticket()}", DATA, token=None)
    check_refused(put, 401, "TOKEN_INVALID")


def test_bytes_without_a_resource_are_refused(server: Server) -> None:
    query = ticket("PUT", project_id="nobody", part_bytes=len(DATA), part_sha256=SHA256)
    check_refused(server.call("PUT", f"/artifacts?{query}", DATA, token=None), 404, "NOT_FOUND")
    check_refused(get(server, ticket(project_id="nobody")), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"DEARDIARY_ARTIFACT_BACKEND": "ftp"}, "DEARDIARY_ARTIFACT_BACKEND"),
        ({"DEARDIARY_ARTIFACT_BACKEND": "filesystem"}, "DEARDIARY_ARTIFACT_FS_ROOT"),
        ({"DEARDIARY_ARTIFACT_FS_ROOT": "here"}, "DEARDIARY_ARTIFACT_FS_ROOT"),
    ],
)
def test_settings_that_cannot_be(given: dict[str, str], named: str) -> None:
    with pytest.raises(config.ConfigurationError, match=named):
        config.read(given)


def test_the_stage_is_part_of_the_url(server: Server) -> None:
    """API Gateway reports the requested path, with the stage or a domain's base path."""
    from chalicelib.routes.http import cors

    headers = {"host": "abc.execute-api.eu-west-1.amazonaws.com", "x-forwarded-proto": "https"}
    route = "/resources/{resource_id}/upload"
    assert cors.site(headers, "/api/resources/r1/upload", route) == f"https://{headers['host']}/api"
    assert cors.site(headers, "/resources/r1/upload", route) == f"https://{headers['host']}"
    with environment({}):
        assert cors.site({}, "/a/b/c/artifacts", "/artifacts") == "http://127.0.0.1/a/b/c"
