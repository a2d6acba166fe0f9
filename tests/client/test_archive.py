"""An archive passed to `sync` fills neither disk nor memory, and writes nothing outside its folder."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
from deardiary.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MIB = 2**20


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder into which archives are unpacked."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


class Zeros(io.RawIOBase):
    """A file of zeros without end."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        buffer[:] = bytes(len(buffer))
        return len(buffer)


def member(name: str, size: int = 0, **fields: Any) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.size = size
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def archive_of(path: Path, *members: tarfile.TarInfo) -> Path:
    with gzip.open(path, "wb", compresslevel=1) as packed, tarfile.open(fileobj=packed, mode="w") as content:
        for each in members:
            content.addfile(each, Zeros() if each.size else None)
    return path


def sparse(path: Path) -> Path:
    """A file of 1 TiB in a few bytes: GNU's format 1.0, with the map of the holes before the data."""
    headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "a.log"}
    made = member("GNUSparseFile.0/a.log", 512, pax_headers={**headers, "GNU.sparse.realsize": str(2**40)})
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as content:
        content.addfile(made, io.BytesIO(f"1\n{2**40}\n0\n".encode().ljust(512, b"\0")))
    return path


def endless_header(path: Path) -> Path:
    """A name of 512 MiB, which `tarfile` reads at once."""
    return archive_of(path, member("././@LongLink", 512 * MIB, type=tarfile.GNUTYPE_LONGNAME), member("a"))


def endless_map(path: Path) -> Path:
    """A sparse member whose map has 100 million holes."""
    headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "a"}
    numbers = b"100000000\n" + b"1\n" * (32 * MIB)
    made = member("a", len(numbers), pax_headers={**headers, "GNU.sparse.realsize": "9"})
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as content:
        content.addfile(made, io.BytesIO(numbers))
    return path


HOSTILE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "one large member": (lambda path: archive_of(path, member("a.log", 65 * MIB)), "more than 0.06 GiB"),
    "many members": (lambda path: archive_of(path, *(member(f"{n}", MIB) for n in range(65))), "more than 0.06 GiB"),
    "more members than the limit": (lambda path: archive_of(path, *map(member, map(str, range(60)))), "50 members"),
    "deep folders": (lambda path: archive_of(path, member("d/" * 60 + "a")), "50 members"),
    "a large folder": (lambda path: archive_of(path, member("d", 65 * MIB, type=b"Z")), "more than 0.06 GiB"),
    "sparse": (sparse, "is sparse"),
    "an endless header": (endless_header, "header of a member"),
    "an endless map": (endless_map, "header of a member"),
    "an absolute name": (lambda path: archive_of(path, member("/etc/x")), "'/etc/x' leads out"),
    "upwards": (lambda path: archive_of(path, member("a/../../x")), "leads out"),
    "upwards for Windows": (lambda path: archive_of(path, member("a\\..\\..\\x")), "leads out"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_is_refused_and_leaves_nothing(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("DEARDIARY_UNPACK_GIB", "0.0625")
    monkeypatch.setattr("deardiary.sending.archive.MAX_MEMBERS", 50 if "50" in HOSTILE[kind][1] else 1000)
    make, message = HOSTILE[kind]
    path = make(tmp_path / "hostile.tar.gz")
    with pytest.raises(ValueError, match=message) as caught:
        deardiary.sync(path)
    assert str(path) in str(caught.value)
    assert list(temporary.iterdir()) == []


def test_the_limit_follows_the_size_of_the_archive_and_the_room_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = archive_of(tmp_path / "a.tar.gz", member("a", 3 * MIB))
    monkeypatch.setattr("deardiary.sending.archive._ALWAYS_ALLOWED", MIB)
    with pytest.raises(ValueError, match="holds more than"):
        deardiary.sync(path)
    monkeypatch.setattr("deardiary.sending.archive._MAX_RATIO", 2000)
    assert deardiary.sync(path) == []
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=3 * MIB))
    with pytest.raises(ValueError, match="room on this disk"):
        deardiary.sync(path)


@pytest.mark.parametrize("text", ["-1", "0", "much", "nan", "inf"])
def test_a_limit_that_is_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("DEARDIARY_UNPACK_GIB", text)
    with pytest.raises(ValueError, match="DEARDIARY_UNPACK_GIB"):
        deardiary.sync(archive_of(tmp_path / "a.tar.gz", member("a")))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_passed_over(
    tmp_path: Path, kind: bytes, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """The output of a training job may contain some."""
    path = archive_of(tmp_path / "a.tar.gz", member("link", type=kind, linkname="/etc/passwd"), member("link/run.json"))
    assert deardiary.sync(path) == []
    assert f"{path}: 1 members that are no plain files" in caplog.text
    assert main(["sync", str(path)]) == 0
    assert "no plain files" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b", b"none", gzip.compress(b"none", mtime=0), b"\0" * 100])
def test_a_file_that_is_no_archive_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar.gz").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.tar\.gz cannot be read"):
        deardiary.sync(tmp_path / "a.tar.gz")


_SYNC = """
import resource, sys, deardiary
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    deardiary.sync(sys.argv[1], tell=lambda _: None)
except ValueError as error:
    print(error, file=sys.stderr)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB there")
@pytest.mark.parametrize("kind", ["large", "many", "an endless header", "an endless map"])
def test_memory_stays_flat(tmp_path: Path, temporary: Path, kind: str) -> None:
    makers = {
        "large": lambda path: archive_of(path, member("a.log", 200 * MIB)),
        "many": lambda path: archive_of(path, *(member(f"{n:0200}", 8192) for n in range(10_000))),
    }
    path = makers[kind](tmp_path / "a.tar.gz") if kind in makers else HOSTILE[kind][0](tmp_path / "a.tar.gz")
    settings = os.environ | {"TMPDIR": str(temporary)}
    done = subprocess.run([sys.executable, "-c", _SYNC, path], env=settings, capture_output=True, text=True, check=True)  # noqa: S603
    assert bool(done.stderr) == (kind not in makers), done.stderr
    assert int(done.stdout) < 24 * 1024, f"{done.stdout} KiB"
