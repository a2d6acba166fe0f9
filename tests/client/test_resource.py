from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from deardiary import ClientError
from tests.client import fakes
from tests.client.fakes import FakeServer, body_of, client_of, resource

if TYPE_CHECKING:
    from pathlib import Path

DATA = bytes(range(256)) * 20
HASH = hashlib.sha256(DATA).hexdigest()
CREATE = "POST /experiments/e1/resources"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.bin"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "downloads"
    folder.mkdir()
    return folder


def storing_server() -> FakeServer:
    def put(part: int, offset: int, size_bytes: int) -> dict[str, object]:
        url = f"https://store/{part}?X-Amz-Signature=s"
        return {"method": "PUT", "url": url, "headers": {"x-a": "b"}, "offset": offset, "size_bytes": size_bytes}

    server = FakeServer()
    server.answers = {
        CREATE: (201, resource()),
        "POST /resources/r1/upload": (200, {"requests": [put(1, 0, 5000), put(2, 5000, 120)], "expires_at": fakes.NOW}),
        "PUT store/1": (200, None),
        "PUT store/2": (200, None),
        "POST /resources/r1/complete": (200, resource(state="ready")),
    }
    return server


def serving_server(content: bytes, name: str = "model.bin") -> FakeServer:
    source = {"url": "https://store/r1?sig=s", "expires_at": fakes.NOW, "size_bytes": len(DATA), "content_hash": HASH}
    server = FakeServer()
    server.answers = {
        "GET /resources/r1": (200, resource(name=name)),
        "GET /resources/r1/download": (200, source),
        "GET store/r1": (200, content),
    }
    return server


def test_an_upload_announces_sends_and_completes(model: Path) -> None:
    server = storing_server()

    stored = client_of(server).resources.upload("e1", model, iteration_id="i1")

    assert stored.state == "ready"
    assert server.bodies(CREATE) == [
        {"name": "model.bin", "size_bytes": 5120, "content_hash": HASH, "description": "", "iteration_id": "i1"}
    ]
    assert server.names() == list(server.answers)
    assert body_of(server.requests[2]) + body_of(server.requests[3]) == DATA


def test_the_store_gets_the_signed_headers_and_no_token(model: Path) -> None:
    server = storing_server()
    client_of(server).resources.upload("e1", model)
    assert [request.headers for request in server.requests[2:4]] == [{"x-a": "b"}] * 2


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


def test_a_download_brings_the_bytes_to_a_file(folder: Path) -> None:
    server = serving_server(DATA)
    target = folder / "mine.bin"
    target.write_bytes(b"old")

    assert client_of(server).resources.download("r1", target) == target

    assert target.read_bytes() == DATA
    assert list(folder.iterdir()) == [target]
    assert dict(server.requests[-1].headers) == {}


@pytest.mark.parametrize("name", ["model.bin", "../../model.bin", "C:\\temp\\model.bin", "/etc/model.bin"])
def test_a_download_into_a_directory_stays_in_it(folder: Path, name: str) -> None:
    path = client_of(serving_server(DATA, name)).resources.download("r1", folder)
    assert path == folder / "model.bin"
    assert path.read_bytes() == DATA


@pytest.mark.parametrize("name", ["..", "a/..", "/", "."])
def test_a_name_that_names_no_file_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(ValueError, match="names no file"):
        client_of(serving_server(DATA, name)).resources.download("r1", folder)


@pytest.mark.parametrize("content", [DATA[:-1], DATA + b"x", b"x" + DATA[1:], b""])
def test_wrong_bytes_leave_no_file_and_spare_the_old_one(folder: Path, content: bytes) -> None:
    target = folder / "model.bin"
    target.write_bytes(b"old")
    with pytest.raises(ClientError) as caught:
        client_of(serving_server(content)).resources.download("r1", target)
    assert caught.value.code == "CONTENT_MISMATCH"
    assert target.read_bytes() == b"old"
    assert [path.name for path in folder.iterdir()] == ["model.bin"]


def test_a_refused_download_leaves_no_file(folder: Path) -> None:
    server = serving_server(b"")
    server.answers["GET store/r1"] = (404, b"<Error><Code>NoSuchKey</Code></Error>")
    with pytest.raises(ClientError, match="NoSuchKey"):
        client_of(server).resources.download("r1", folder)
    assert list(folder.iterdir()) == []
