"""A file is hashed once, as a whole and in parts."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from deardiary.transfer import digests
from deardiary.wire import parts
from deardiary.wire.limits import MIB, TIB

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(parts.CUTS, "s3", parts.Cut(alone=2 * MIB, part=MIB, most=TIB))
    monkeypatch.setattr(digests, "_BLOCK", MIB // 2 + 1)


@pytest.mark.parametrize("size", [0, 1, 2 * MIB, 2 * MIB + 1, 3 * MIB, 3 * MIB + 5])
def test_the_hashes_of_a_file_and_its_parts(tmp_path: Path, size: int) -> None:
    content = (bytes(range(251)) * (size // 251 + 1))[:size]
    (tmp_path / "file").write_bytes(content)
    found = digests.digests_of(tmp_path / "file")
    assert (found.size_bytes, found.sha256) == (size, hashlib.sha256(content).hexdigest())
    ranges = [(each.offset, each.size_bytes) for each in parts.cut("s3", size)]
    wanted = {(at, length): hashlib.sha256(content[at : at + length]).hexdigest() for at, length in ranges}
    assert found.of_parts == wanted
    assert len(wanted) == (0 if size <= 2 * MIB else -(-size // MIB))


@pytest.mark.parametrize("size", [2 * MIB + 1, 4 * MIB])
def test_a_file_whose_size_changes_meanwhile_has_no_hashes_of_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(3 * MIB))

    def cut(backend: str, size_bytes: int) -> object:
        path.write_bytes(bytes(size))
        return parts.cut(backend, size_bytes)

    monkeypatch.setattr(digests, "parts", type("Changing", (), {"cut": staticmethod(cut)}))
    assert digests.digests_of(path) == (size, hashlib.sha256(bytes(size)).hexdigest(), {})
