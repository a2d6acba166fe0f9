"""Unpacking an archive that may be hostile: into a folder, within limits, with little memory."""

from __future__ import annotations

import contextlib
import errno
import gzip
import os
import shutil
import struct
import tarfile
import zlib
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any, cast

from deardiary import settings

if TYPE_CHECKING:
    from pathlib import Path

GIB, MIB = 2**30, 2**20
MAX_MEMBERS = 250_000
_DEPTH = 8
# Logs shrink to a tenth. A thousandth, which zlib reaches, is a bomb.
_MAX_RATIO = 100
_ALWAYS_ALLOWED = GIB
# What names and attributes of one member take in the archive; a few KB in an honest one.
_MAX_HEADER = MIB
_COPY = 256 * 1024
_GZIP = b"\x1f\x8b"
_DAMAGE = (
    *(tarfile.TarError, gzip.BadGzipFile, zlib.error, struct.error, EOFError),
    *(ValueError, LookupError, OverflowError, RecursionError),
)


class ArchiveRefused(ValueError):
    """An archive that is damaged, or breaks a limit. The message names both."""


def unpack(archive: Path, folder: Path) -> int:
    """Write the plain files of an archive below a folder; how many members, such as links, were passed over.

    ArchiveRefused, with files left in the folder for the caller to remove.
    """
    limit = _limit(archive, folder)
    try:
        with archive.open("rb") as raw, _decompressed(raw) as stream:
            return _Unpacking(archive, folder.resolve(), stream, limit).run()
    except ArchiveRefused:
        raise
    except _DAMAGE as error:
        raise ArchiveRefused(f"{archive} cannot be read: {error}") from error


def room_in(folder: Path) -> int:
    """Bytes that may be written there: a tenth of what is free stays free."""
    return shutil.disk_usage(folder).free * 9 // 10


def _limit(archive: Path, folder: Path) -> int:
    """Bytes that an archive may hold: as the user says, or in proportion to its size; never more than there is room."""
    chosen = settings.unpack_bytes()
    allowed = max(_ALWAYS_ALLOWED, _MAX_RATIO * archive.stat().st_size) if chosen is None else chosen
    return min(allowed, room_in(folder))


def _decompressed(raw: IO[bytes]) -> IO[bytes]:
    packed = raw.read(len(_GZIP)) == _GZIP
    raw.seek(0)
    return cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if packed else raw


class _Stream:
    """The archive as `tarfile` reads it: forwards, never further than the limit, headers only as long as they may be.

    `tarfile` steps back by one byte between two members. `gzip` would begin at the start again for that.
    """

    def __init__(self, content: IO[bytes], archive: Path, limit: int) -> None:
        self._content = content
        self._archive = archive
        self._limit = limit
        self._at = 0
        self._last = b""
        self._is_back = False
        self.header_left: int | None = None

    def read(self, size: int) -> bytes:
        if self.header_left is not None:
            self.header_left -= size
            if self.header_left < 0:
                raise ArchiveRefused(f"{self._archive} is refused: the header of a member has more than 1 MiB")
        self._check(self._at + size)
        before, self._is_back = self._last if self._is_back else b"", False
        return before + self._fetch(size - len(before))

    def seek(self, position: int) -> None:
        self._check(position)
        self._is_back = position == self._at - 1
        if position < self._at - 1:
            raise ArchiveRefused(f"{self._archive} is refused: its members overlap")
        while self._at < position and self._fetch(min(_COPY, position - self._at)):
            pass

    def tell(self) -> int:
        return self._at - self._is_back

    def _fetch(self, size: int) -> bytes:
        data = self._content.read(size)
        self._at += len(data)
        self._last = data[-1:] or self._last
        return data

    def _check(self, position: int) -> None:
        if position > self._limit + _MAX_HEADER:
            raise too_large(self._archive, self._limit)


class _Unpacking:
    def __init__(self, archive: Path, root: Path, content: IO[bytes], limit: int) -> None:
        self._archive = archive
        self._root = root
        self._limit = limit
        self._stream = _Stream(content, archive, limit)
        self._left = limit

    def run(self) -> int:
        passed_over = members = 0
        self._stream.header_left = _MAX_HEADER
        with tarfile.open(fileobj=cast("IO[bytes]", self._stream), mode="r:") as content:
            while (member := content.next()) is not None:
                self._stream.header_left = None
                # A deep name is as many folders to make.
                members += max(1, member.name.count("/") - _DEPTH)
                if members > MAX_MEMBERS:
                    raise self._refused(f"it has more than {MAX_MEMBERS:,} members")
                passed_over += not self._take(content, member)
                _forget_members(content)
                self._stream.header_left = _MAX_HEADER
        return passed_over

    def _take(self, content: tarfile.TarFile, member: tarfile.TarInfo) -> bool:
        """False for what is no plain file. Folders are made for the files in them."""
        target = self._target(member.name)
        if member.issparse():
            raise self._refused(f"{member.name!r} is sparse: it takes more room than its bytes")
        if not member.isfile():
            return member.isdir()
        self._left -= member.size
        if self._left < 0:
            raise too_large(self._archive, self._limit)
        source = content.extractfile(member)
        if source is not None:
            _write(target, source, member.mtime)
        return True

    def _target(self, name: str) -> Path:
        path = PurePosixPath(name.replace("\\", "/"))
        target = (self._root / name).resolve()
        if path.is_absolute() or ".." in path.parts or not target.is_relative_to(self._root):
            raise self._refused(f"the name {name!r} leads out of it")
        return target

    def _refused(self, why: str) -> ArchiveRefused:
        return ArchiveRefused(f"{self._archive} is refused: {why}")


def too_large(source: object, limit: int) -> ArchiveRefused:
    return ArchiveRefused(
        f"{source} is refused: it holds more than {limit / GIB:.2f} GiB, the limit for its size and for the room on "
        "this disk; DEARDIARY_UNPACK_GIB sets another, and a folder that you have unpacked yourself needs none"
    )


def _forget_members(content: Any) -> None:
    """Keep no list of what is done: `tarfile` would, in memory."""
    content.members.clear()
    content.pax_headers.clear()


def _write(target: Path, content: IO[bytes], time: float) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            shutil.copyfileobj(content, file, _COPY)
    except OSError as error:
        # A name that no file can have here, or another has already: none of our names.
        if error.errno not in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG):
            raise
        return
    with contextlib.suppress(OverflowError, ValueError):
        os.utime(target, (time, time))
