from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING

import pytest

from deardiary import ClientError
from deardiary.wire.limits import MIB
from tests.support import transports
from tests.support.transports import FakeServer, body_of, client_of, page, resource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deardiary.http.transport import Request
    from tests.support.transports import Answer

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


def serving_server(content: bytes, name: str = "model.bin") -> FakeServer:
    source = {
        "url": "https://store/r1?sig=s",
        "expires_at": transports.NOW,
        "size_bytes": len(DATA),
        "content_hash": HASH,
    }
    server = FakeServer()
    server.answers = {
        "GET /resources/r1": (200, resource(name=name, size_bytes=len(DATA))),
        "GET /resources/r1/download": (200, source),
        "GET store/r1": (200, content),
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


def test_a_download_writes_the_bytes_to_a_file(folder: Path) -> None:
    server = serving_server(DATA)
    target = folder / "mine.bin"
    target.write_bytes(b"old")

    assert client_of(server).resources.download("r1", target) == target

    assert target.read_bytes() == DATA
    assert list(folder.iterdir()) == [target]
    assert "Authorization" not in server.requests[-1].headers


@pytest.mark.parametrize("name", ["model.bin", "../../model.bin", "C:\\temp\\model.bin", "/etc/model.bin"])
def test_a_download_into_a_directory_stays_in_it(folder: Path, name: str) -> None:
    path = client_of(serving_server(DATA, name)).resources.download("r1", folder)
    assert path == folder / "model.bin"
    assert path.read_bytes() == DATA


@pytest.mark.parametrize("name", ["漢" * 80, "😀" * 63])
def test_a_name_may_be_as_long_as_systems_allow(folder: Path, name: str) -> None:
    client_of(serving_server(DATA, name)).resources.download("r1", folder)
    assert [each.name for each in folder.iterdir()] == [name]


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


def ranged(content: bytes, *, most: int | None = None) -> Callable[[Request], Answer]:
    """A store that returns the requested range, at most this many bytes of it."""

    def answer(request: Request) -> Answer:
        first = int(request.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        piece = content[first:][:most]
        return 206, piece, {"content-range": f"bytes {first}-{first + len(piece) - 1}/{len(content)}"}

    return answer


def part_of(folder: Path) -> Path:
    return folder / f".model.bin.{HASH[:16]}.part"


def test_a_download_in_pieces(folder: Path) -> None:
    server = serving_server(b"")
    server.answers["GET store/r1"] = ranged(DATA, most=2000)
    path = client_of(server).resources.download("r1", folder)
    assert path.read_bytes() == DATA
    assert server.names().count("GET store/r1") == 3


def test_a_download_resumes_after_a_killed_one(folder: Path) -> None:
    part_of(folder).write_bytes(DATA[:3000])
    server = serving_server(b"")
    server.answers["GET store/r1"] = ranged(DATA)
    assert client_of(server).resources.download("r1", folder).read_bytes() == DATA
    assert [request.headers["Range"] for request in server.requests if "Range" in request.headers] == ["bytes=3000-"]
    assert [path.name for path in folder.iterdir()] == ["model.bin"]


@pytest.mark.parametrize("left", [b"x" * 3000, b"x" * len(DATA), b"x" * (len(DATA) + 1)])
def test_a_beginning_that_is_wrong_is_fetched_again(folder: Path, left: bytes) -> None:
    part_of(folder).write_bytes(left)
    server = serving_server(b"")
    server.answers["GET store/r1"] = ranged(DATA)
    assert client_of(server).resources.download("r1", folder).read_bytes() == DATA


def test_a_store_that_knows_no_ranges_sends_everything(folder: Path) -> None:
    part_of(folder).write_bytes(DATA[:3000])
    assert client_of(serving_server(DATA)).resources.download("r1", folder).read_bytes() == DATA


def test_an_expired_download_is_asked_for_again(folder: Path) -> None:
    server, whole = serving_server(b""), ranged(DATA, most=3000)
    expired: Answer = (403, b"<Error><Code>AccessDenied</Code></Error>")
    answers = iter([whole, lambda _request: expired, whole])

    def answer(request: Request) -> Answer:
        return next(answers)(request)

    server.answers["GET store/r1"] = answer
    assert client_of(server).resources.download("r1", folder).read_bytes() == DATA
    assert server.names().count("GET /resources/r1/download") == 2


def test_a_failed_network_keeps_the_bytes_that_arrived(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    server, whole = serving_server(b""), ranged(DATA, most=3000)
    broken = ClientError(0, "CONNECTION_FAILED", "no answer")

    def answer(request: Request) -> Answer:
        return whole(request) if request.headers["Range"] == "bytes=0-" else broken

    server.answers["GET store/r1"] = answer
    with pytest.raises(ClientError, match="no answer"):
        client_of(server).resources.download("r1", folder)
    assert part_of(folder).read_bytes() == DATA[:3000]


def test_two_downloads_to_one_target_do_not_meet(folder: Path) -> None:
    server, inner = serving_server(b""), serving_server(DATA)

    def answer(request: Request) -> Answer:
        if not (folder / "model.bin").exists():
            client_of(inner).resources.download("r1", folder)
        return ranged(DATA)(request)

    server.answers["GET store/r1"] = answer
    assert client_of(server).resources.download("r1", folder).read_bytes() == DATA
    assert [path.name for path in folder.iterdir()] == ["model.bin"]


def test_a_link_where_the_bytes_would_be_collected_is_not_followed(folder: Path, tmp_path: Path) -> None:
    part_of(folder).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"(?i)symbolic link"):
        client_of(serving_server(DATA)).resources.download("r1", folder)
    assert not (tmp_path / "elsewhere").exists()


def listing(*resources: dict[str, object]) -> FakeServer:
    server = serving_server(DATA)
    server.answers["GET /experiments/e1/resources"] = (200, transports.page(*resources))
    return server


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "C:\\evil", "a/../../evil"])
def test_one_name_that_leads_out_and_nothing_is_written(folder: Path, name: str) -> None:
    server = listing(resource(name="fine", state="ready"), resource(id="r2", name=name, state="ready"))
    with pytest.raises(ValueError, match="leads out"):
        client_of(server).resources.download_all("e1", folder)
    assert list(folder.iterdir()) == []


def test_all_downloads_use_the_latest_and_keep_existing_files(folder: Path) -> None:
    known = {"state": "ready", "size_bytes": len(DATA), "content_hash": HASH}
    server = listing(
        resource(id="r0", name="sub/model.bin", **known),
        resource(id="r1", name="sub/model.bin", **known),
        resource(id="r2", name="half", state="pending"),
    )
    paths = client_of(server).resources.download_all("e1", folder)
    assert [path.relative_to(folder).as_posix() for path in paths] == ["sub/model.bin"]
    assert (folder / "sub" / "model.bin").read_bytes() == DATA
    server.requests.clear()
    client_of(server).resources.download_all("e1", folder)
    assert server.names() == ["GET /experiments/e1/resources"]


def test_iterations_with_files_of_one_name_have_folders_of_their_own(folder: Path) -> None:
    known = {"name": "model.bin", "state": "ready", "size_bytes": len(DATA), "content_hash": HASH}
    owners = ("i1", "i2", None)
    server = listing(*(resource(id="r1", iteration_id=owner, **known) for owner in owners))
    paths = client_of(server).resources.download_all("e1", folder)
    names = [path.relative_to(folder).as_posix() for path in paths]
    assert names == ["i1/model.bin", "i2/model.bin", "model.bin"]
    assert [path.read_bytes() for path in paths] == [DATA] * 3
    one = listing(resource(id="r1", iteration_id="i1", **known))
    (path,) = client_of(one).resources.download_all("e1", folder, iteration_id="i1")
    assert path == folder / "model.bin"


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such rights")
def test_a_downloaded_file_is_not_executable(folder: Path) -> None:
    path = client_of(serving_server(DATA)).resources.download("r1", folder)
    assert not path.stat().st_mode & 0o111


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
