"""Environments of peers are created once, and again after an interrupted installation or a change of versions."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from benchmarks.kit.environments import Peer, PeerFailed, environment_of


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with one module, and the cache in a folder of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny.py", "print('one')\n")
        archive.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tiny-1.0.dist-info/RECORD", "")
    return path


def test_an_environment_is_made_once_and_again_when_it_was_cut_short(wheel: Path, tmp_path: Path) -> None:
    peer = Peer("tiny", (str(wheel),))
    environment = environment_of(peer)
    assert environment.directory == tmp_path / "cache" / "deardiary-benchmarks" / "tiny"
    assert environment.run("-m", "tiny", cwd=tmp_path) == "one\n"
    kept = environment.directory / "kept"
    kept.touch()
    assert environment_of(peer) == environment
    assert kept.exists()
    (environment.directory / "made-of.txt").unlink()
    assert environment_of(peer) == environment
    assert not kept.exists()


def test_a_failed_installation_does_not_look_complete(wheel: Path, tmp_path: Path) -> None:
    absent = Peer("tiny", (str(tmp_path / "absent-1.0-py3-none-any.whl"),))
    for _ in range(2):
        with pytest.raises(PeerFailed, match="absent"):
            environment_of(absent)


def test_an_installation_that_takes_too_long_is_ended(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.kit.environments.INSTALL_SECONDS", 0.01)
    with pytest.raises(PeerFailed, match="took more than"):
        environment_of(Peer("slow", (str(wheel),)))
