"""The client declares, uploads and deletes a resource."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from deardiary import ClientError
from deardiary.wire import parts
from deardiary.wire.limits import MIB, TIB
from tests.support import transports
from tests.support.resources import DATA, HASH
from tests.support.transports import FakeServer, body_of, client_of, page, resource

if TYPE_CHECKING:
    from pathlib import Path

    from deardiary.http.transport import Request
    from tests.support.transports import Answer

CREATE = "POST /experiments/e1/resources"


def storing_server() -> FakeServer:
    put = {"method": "PUT", "url": "https://store/1?X-Amz-Signature=s", "headers": {"x-amz-a": "b"}, "offset": 0}
    server = FakeServer()
    server.answers = {
        CREATE: (201, resource(size_bytes=len(DATA))),
        "POST /resources/r1/upload": (
            200,
            {"requests": [{**put, "size_bytes": len(DATA)}], "expires_at": transports.NOW},
        ),
        "PUT store/1": (200, None),
        "POST /resources/r1/complete": (200, resource(state="ready")),
    }
    return server


def test_an_upload_in_parts_that_broke_off_goes_on_in_its_resource_on_every_backend(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(bytes(5 * MIB))
    content_hash = hashlib.sha256(path.read_bytes()).hexdigest()
    begun = resource(id="r7", iteration_id="i1", backend="filesystem", size_bytes=5 * MIB, content_hash=content_hash)
    server = FakeServer()
    server.answers = {
        "GET /experiments/e1/resources": (200, page(begun)),
        "POST /resources/r7/upload": (200, {"requests": [], "expires_at": transports.NOW}),
        "POST /resources/r7/complete": (200, {**begun, "state": "ready"}),
    }
    assert client_of(server).resources.upload("e1", path, iteration_id="i1").id == "r7"


def test_an_upload_announces_sends_and_completes(model: Path) -> None:
    server = storing_server()

    stored = client_of(server).resources.upload("e1", model, iteration_id="i1", id_key="k")

    assert stored.state == "ready"
    declared = {"name": "model.bin", "size_bytes": 5120, "content_hash": HASH, "description": "", "iteration_id": "i1"}
    assert server.bodies(CREATE) == [declared | {"id_key": "k"}]
    assert server.names() == list(server.answers)
    assert body_of(server.requests[2]) == DATA


def test_the_store_gets_the_signed_headers_and_no_token(model: Path) -> None:
    server = storing_server()
    client_of(server).resources.upload("e1", model)
    assert server.requests[2].headers == {"x-amz-a": "b"}


def test_bytes_that_the_project_has_are_not_sent(model: Path) -> None:
    server = FakeServer()
    server.answers = {CREATE: (201, resource(state="ready"))}
    assert client_of(server).resources.upload("e1", model, "other.bin").state == "ready"
    assert server.bodies(CREATE)[0]["name"] == "other.bin"


def test_an_upload_that_the_store_refuses_is_not_completed(model: Path) -> None:
    server = storing_server()
    server.answers["PUT store/1"] = (403, b"<Error><Code>AccessDenied</Code><Message>expired</Message></Error>")
    with pytest.raises(ClientError, match="AccessDenied: expired") as caught:
        client_of(server).resources.upload("e1", model)
    assert caught.value.code == "STORE_REFUSED"
    assert server.names()[-1] == "PUT store/1"
    assert len(server.bodies("POST /resources/r1/upload")) == 3, "an expired URL is asked for again, but not for ever"


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of three parts."""
    monkeypatch.setitem(parts.CUTS, "s3", parts.Cut(alone=4 * MIB, part=2 * MIB, most=TIB))
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(5 * MIB))
    return path


def losing_server(times: int) -> FakeServer:
    """A store that loses the second part this many times, which only the completion notices."""
    lost: list[Request] = []

    def sign(request: Request) -> Answer:
        numbers = [2] if lost else [1, 2, 3]
        size = {1: 2 * MIB, 2: 2 * MIB, 3: MIB}
        signed = [
            {"method": "PUT", "url": f"https://store/{number}", "headers": {}, "offset": (number - 1) * 2 * MIB}
            | {"size_bytes": size[number], "part_number": number}
            for number in numbers
        ]
        return 200, {"requests": signed, "expires_at": transports.NOW}

    def take(request: Request) -> Answer:
        return 200, body_of(request)[:0]

    def complete(request: Request) -> Answer:
        if len(lost) == times:
            return 200, resource(state="ready")
        lost.append(request)
        details = {"field": "part_hashes", "first_missing_part": 2}
        return 422, {"code": "INVALID_PAYLOAD", "message": "1 of 3 parts has not arrived", "details": details}

    server = FakeServer()
    server.answers = {
        "GET /experiments/e1/resources": (200, page()),
        CREATE: (201, resource(size_bytes=5 * MIB)),
        "POST /resources/r1/upload": sign,
        "PUT store/1": take,
        "PUT store/2": take,
        "PUT store/3": take,
        "POST /resources/r1/complete": complete,
    }
    return server


def test_parts_cost_four_calls_of_the_api(large: Path) -> None:
    server = losing_server(0)
    client_of(server).resources.upload("e1", large)
    assert sorted(server.names()) == sorted(server.answers)


@pytest.mark.parametrize("times", [1, 2])
def test_a_part_that_the_store_has_lost_is_sent_again(large: Path, times: int) -> None:
    server = losing_server(times)
    seen: list[tuple[int, int]] = []
    stored = client_of(server).resources.upload("e1", large, progress=lambda *given: seen.append(given))
    assert stored.state == "ready"
    assert [server.names().count(f"PUT store/{number}") for number in (1, 2, 3)] == [1, 1 + times, 1]
    assert seen[-1] == (5 * MIB, 5 * MIB)


def test_a_store_that_keeps_losing_a_part_ends_the_upload(large: Path) -> None:
    server = losing_server(9)
    with pytest.raises(ClientError, match="has not arrived"):
        client_of(server).resources.upload("e1", large)
    assert server.names().count("PUT store/2") == 3


@pytest.mark.parametrize("name", ["../evil.txt", "/etc/evil", "C:\\evil", "folder/"])
def test_a_name_that_no_folder_could_take_back_is_not_stored(model: Path, name: str) -> None:
    server = FakeServer()
    with pytest.raises(ValueError, match="resource's name"):
        client_of(server).resources.upload("e1", model, name)
    assert server.requests == []


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError):
        client_of(FakeServer()).resources.upload_folder("e1", tmp_path / "absent")


def test_a_deletion_reports_the_bytes_freed() -> None:
    server = FakeServer()
    server.answers["DELETE /resources/r1"] = (204, None, {"x-freed-bytes": "5120"})
    assert client_of(server).resources.delete("r1") == 5120
