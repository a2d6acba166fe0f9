"""Unpack an archive that may be hostile: into one folder, within limits, with little memory."""

import contextlib
import errno
import gzip
import os
import shutil
import struct
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from deardiary import settings

GIB, MIB = 2**30, 2**20
MAX_MEMBERS = 250_000
_DEPTH = 8
# Logs compress to a tenth. zlib can reach a thousandth: a decompression bomb.
_MAX_RATIO = 100
_ALWAYS_ALLOWED = GIB
# The most bytes of one member's name and attributes; an honest archive has a few KB.
_MAX_HEADER = MIB
_COPY = 256 * 1024
_GZIP = b"\x1f\x8b"
_DAMAGE = (
    *(tarfile.TarError, gzip.BadGzipFile, zlib.error, struct.error, EOFError),
    *(ValueError, LookupError, OverflowError, RecursionError),
)


class ArchiveRefused(ValueError):
    """The archive is damaged or breaks a limit. The message names the archive and the reason."""


def unpack(archive: Path, folder: Path) -> int:
    """Write the regular files of an archive below a folder. Return the number of skipped members, such as links.

    On ArchiveRefused the caller removes the files in the folder.
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
    """Bytes that may be written to the folder's disk: a tenth of the free space stays free."""
    return shutil.disk_usage(folder).free * 9 // 10


def _limit(archive: Path, folder: Path) -> int:
    """The most bytes in an archive: the user's setting or in proportion to its size, within the room on the disk."""
    chosen = settings.unpack_bytes()
    allowed = max(_ALWAYS_ALLOWED, _MAX_RATIO * archive.stat().st_size) if chosen is None else chosen
    return min(allowed, room_in(folder))


def _decompressed(raw: IO[bytes]) -> IO[bytes]:
    packed = raw.read(len(_GZIP)) == _GZIP
    raw.seek(0)
    return cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if packed else raw


class _Stream:
    """A forward-only stream for `tarfile`, with limits on the whole archive and on each header.

    `tarfile` seeks back by one byte between two members. `gzip` would decompress from the start again for that.
    """

    def __init__(self, content: IO[bytes], archive: Path, limit: int) -> None:
        self._content = content
        self._archive = archive
        self._limit = limit
        self._offset = 0
        self._last = b""
        self._is_back = False
        self.header_left: int | None = None

    def read(self, size: int) -> bytes:
        if self.header_left is not None:
            self.header_left -= size
            if self.header_left < 0:
                raise ArchiveRefused(f"{self._archive} is refused: the header of a member has more than 1 MiB")
        self._check(self._offset + size)
        before, self._is_back = self._last if self._is_back else b"", False
        return before + self._fetch(size - len(before))

    def seek(self, position: int) -> None:
        self._check(position)
        self._is_back = position == self._offset - 1
        if position < self._offset - 1:
            raise ArchiveRefused(f"{self._archive} is refused: its members overlap")
        while self._offset < position and self._fetch(min(_COPY, position - self._offset)):
            pass

    def tell(self) -> int:
        return self._offset - self._is_back

    def _fetch(self, size: int) -> bytes:
        data = self._content.read(size)
        self._offset += len(data)
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
                # Count a deep name as several members: each folder in it has to be created.
                members += max(1, member.name.count("/") - _DEPTH)
                if members > MAX_MEMBERS:
                    raise self._refused(f"it has more than {MAX_MEMBERS:,} members")
                passed_over += not self._take(content, member)
                _forget_members(content)
                self._stream.header_left = _MAX_HEADER
        return passed_over

    def _take(self, content: tarfile.TarFile, member: tarfile.TarInfo) -> bool:
        """Write a member. False if it is neither a regular file nor a folder; folders are created with their files."""
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
    """Clear the list of read members that `tarfile` keeps in memory."""
    content.members.clear()
    content.pax_headers.clear()


def _write(target: Path, content: IO[bytes], time: float) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            shutil.copyfileobj(content, file, _COPY)
    except OSError as error:
        # A name that is invalid on this system or already taken: no spool file has such a name.
        if error.errno not in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG):
            raise
        return
    with contextlib.suppress(OverflowError, ValueError):
        os.utime(target, (time, time))
