"""The client downloads a resource to a file, and only the bytes that were declared."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from deardiary import ClientError
from tests.support.resources import DATA, serving_server
from tests.support.transports import client_of

if TYPE_CHECKING:
    from pathlib import Path


def test_a_download_writes_the_bytes_to_a_file(folder: Path) -> None:
    server = serving_server(DATA)
    target = folder / "mine.bin"
    target.write_bytes(b"old")

    assert client_of(server).resources.download("r1", target) == target

    assert target.read_bytes() == DATA
    assert list(folder.iterdir()) == [target]
    assert "Authorization" not in server.requests[-1].headers
    assert server.names() == ["GET /resources/r1/download", "GET store/r1"]


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


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such rights")
def test_a_downloaded_file_is_not_executable(folder: Path) -> None:
    path = client_of(serving_server(DATA)).resources.download("r1", folder)
    assert not path.stat().st_mode & 0o111
