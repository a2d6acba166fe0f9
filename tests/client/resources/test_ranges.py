"""The client downloads a resource in pieces, and resumes with the bytes that it has."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from deardiary import ClientError
from tests.support.resources import DATA, HASH, serving_server
from tests.support.transports import client_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deardiary.http.transport import Request
    from tests.support.transports import Answer


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
