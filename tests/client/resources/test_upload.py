"""The client declares, uploads and deletes a resource."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from deardiary import ClientError
from deardiary.wire.limits import MIB
from tests.support import transports
from tests.support.resources import DATA, HASH
from tests.support.transports import FakeServer, body_of, client_of, page, resource

if TYPE_CHECKING:
    from pathlib import Path

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
