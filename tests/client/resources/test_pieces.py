"""The client downloads a large resource in pieces over several connections, and resumes what a killed one has left."""

from __future__ import annotations

import errno
import os
import re
import struct
import threading
import time
from typing import TYPE_CHECKING

import pytest

from deardiary import ClientError
from deardiary.transfer import pieces, store
from tests.support.resources import DATA, HASH, serving_server
from tests.support.transports import client_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deardiary.http.transport import Request
    from tests.support.transports import Answer, FakeServer

SIZE = 512


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE_BYTES", SIZE)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)


def bounds(request: Request) -> tuple[int, int]:
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers["Range"])
    assert match is not None
    return int(match[1]), int(match[2] or len(DATA) - 1)


def ranged(content: bytes, most: int | None = None) -> Callable[[Request], Answer]:
    def answer(request: Request) -> Answer:
        first, last = bounds(request)
        piece = content[first : last + 1][:most]
        return 206, piece, {"content-range": f"bytes {first}-{first + len(piece) - 1}/{len(content)}"}

    return answer


def server_with(answer: Callable[[Request], Answer]) -> FakeServer:
    server = serving_server(b"")
    server.answers["GET store/r1"] = answer
    return server


def asked(server: FakeServer) -> list[int]:
    """Where the requested ranges begin."""
    return sorted(bounds(request)[0] for request in server.requests if "Range" in request.headers)


def part_of(folder: Path) -> Path:
    return folder / f".model.bin.{HASH[:16]}.part"


def marked(content: bytes, complete: int) -> bytes:
    return content.ljust(len(DATA), b"\0") + struct.pack(">Q", complete)


def test_every_byte_is_fetched_once(folder: Path) -> None:
    server = server_with(ranged(DATA))
    path = client_of(server).resources.download("r1", folder)
    assert path.read_bytes() == DATA
    assert asked(server) == list(range(0, len(DATA), SIZE))
    assert list(folder.iterdir()) == [path]


def test_several_pieces_are_fetched_at_once(folder: Path) -> None:
    together = threading.Barrier(4, timeout=60)
    whole = ranged(DATA)

    def answer(request: Request) -> Answer:
        if bounds(request)[0] < 4 * SIZE:
            together.wait()
        return whole(request)

    assert client_of(server_with(answer)).resources.download("r1", folder).read_bytes() == DATA


def test_a_slow_piece_leaves_no_connection_idle(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "CONNECTIONS", 3)
    later = threading.Event()
    whole = ranged(DATA)

    def answer(request: Request) -> Answer:
        first = bounds(request)[0]
        if first == 4 * SIZE:
            later.set()
        assert first or later.wait(30), "the other two connections stopped after two pieces"
        return whole(request)

    assert client_of(server_with(answer)).resources.download("r1", folder).read_bytes() == DATA


@pytest.mark.parametrize("error", [OSError(errno.ENOSYS, "no such call"), AttributeError("posix_fadvise")])
def test_a_system_may_not_know_how_to_write_early(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_given: int) -> None:
        raise error

    monkeypatch.setattr(os, "posix_fadvise", fail, raising=False)
    assert client_of(server_with(ranged(DATA))).resources.download("r1", folder).read_bytes() == DATA


def test_a_store_may_send_less_than_a_piece(folder: Path) -> None:
    assert client_of(server_with(ranged(DATA, most=100))).resources.download("r1", folder).read_bytes() == DATA


def test_a_store_that_ignores_ranges_sends_everything(folder: Path) -> None:
    assert client_of(serving_server(DATA)).resources.download("r1", folder).read_bytes() == DATA


def test_a_killed_download_resumes_after_the_complete_pieces(folder: Path) -> None:
    # The third piece had arrived, the second had not.
    part_of(folder).write_bytes(marked(DATA[:SIZE] + b"\0" * SIZE + DATA[2 * SIZE : 3 * SIZE], SIZE))
    server = server_with(ranged(DATA))
    assert client_of(server).resources.download("r1", folder).read_bytes() == DATA
    assert asked(server)[0] == SIZE


@pytest.mark.parametrize("complete", [SIZE, len(DATA), 2**60])
def test_a_wrong_beginning_is_fetched_again(folder: Path, complete: int) -> None:
    part_of(folder).write_bytes(marked(b"x" * SIZE, complete))
    assert client_of(server_with(ranged(DATA))).resources.download("r1", folder).read_bytes() == DATA


def test_a_failure_keeps_the_complete_pieces(folder: Path) -> None:
    whole = ranged(DATA)

    def answer(request: Request) -> Answer:
        if bounds(request)[0] >= 3 * SIZE:
            raise ClientError(0, "CONNECTION_FAILED", "no answer")
        return whole(request)

    with pytest.raises(ClientError, match="no answer"):
        client_of(server_with(answer)).resources.download("r1", folder)
    assert part_of(folder).read_bytes() == DATA[: 3 * SIZE]


def test_an_expired_url_is_signed_again_once(folder: Path) -> None:
    expired = threading.Event()
    whole = ranged(DATA)

    def answer(request: Request) -> Answer:
        if not expired.is_set() and bounds(request)[0] == 2 * SIZE:
            expired.set()
            return 403, b"<Error><Code>AccessDenied</Code></Error>"
        return whole(request)

    server = server_with(answer)
    assert client_of(server).resources.download("r1", folder).read_bytes() == DATA
    assert server.names().count("GET /resources/r1/download") == 2


def test_wrong_bytes_leave_no_file(folder: Path) -> None:
    with pytest.raises(ClientError) as caught:
        client_of(server_with(ranged(b"x" * len(DATA)))).resources.download("r1", folder)
    assert caught.value.code == "CONTENT_MISMATCH"
    assert list(folder.iterdir()) == []
