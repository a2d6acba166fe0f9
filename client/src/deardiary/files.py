"""Files: atomic writes, hashes, locks."""

import contextlib
import hashlib
import os
import secrets
import sys
import threading
from pathlib import Path
from typing import Protocol

BLOCK_BYTES = 1024 * 1024


class Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


def stem_of(name: str) -> str:
    """The first 100 bytes of a file name: file systems allow 255, and callers append to it."""
    return os.fsencode(name)[:100].decode("utf-8", "ignore")


def write_whole(path: Path, content: bytes, *, mode: int = 0o666, is_safe: bool = True) -> None:
    """Write the file atomically, safe against a power failure. The umask applies to ``mode``.

    Unless ``is_safe``, a power failure may leave an empty file until the caller flushes it to the disk.
    """
    part = path.with_name(f".{stem_of(path.name)}.{secrets.token_hex(8)}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            if is_safe:
                os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def parts_of(path: Path) -> list[Path]:
    """The files that a killed `write_whole` of this path, also an earlier version's, has left."""
    found = [*path.parent.glob(f".{stem_of(path.name)}.*.part"), *path.parent.glob(f"{path.name}.*.part")]
    return sorted(found)


def size_and_sha256(stream: Readable) -> tuple[int, str]:
    """The number of bytes in the rest of a stream, and their SHA-256 in lower-case hex."""
    found, size_bytes = hashlib.sha256(), 0
    while block := stream.read(BLOCK_BYTES):
        found.update(block)
        size_bytes += len(block)
    return size_bytes, found.hexdigest()


_position = threading.Lock()


def write_at(fd: int, content: bytes, offset: int) -> None:
    """Write all bytes at this position of an open file, which several threads may do at once."""
    with memoryview(content) as left:
        written = 0
        while written < len(left):
            written += _write(fd, left[written:], offset + written)


def read_at(fd: int, size: int, offset: int) -> bytes:
    """Read up to this many bytes from this position of an open file, which several threads may do at once."""
    if hasattr(os, "pread"):
        return os.pread(fd, size, offset)
    with _position:
        os.lseek(fd, offset, os.SEEK_SET)
        return os.read(fd, size)


def begin_flush(fd: int, offset: int, size: int) -> None:
    """Have the system write these bytes to the disk soon, so that a later `fsync` waits for less."""
    # Only a hint, which not every system and file system knows.
    with contextlib.suppress(AttributeError, OSError):
        os.posix_fadvise(fd, offset, size, os.POSIX_FADV_DONTNEED)


def _write(fd: int, content: memoryview, offset: int) -> int:
    if hasattr(os, "pwrite"):
        return os.pwrite(fd, content, offset)
    with _position:
        os.lseek(fd, offset, os.SEEK_SET)
        return os.write(fd, content)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return size_and_sha256(file)[1]


if sys.platform == "win32":
    import msvcrt

    def lock(fd: int) -> bool:
        """Lock an open file until it is closed. False if another holder has the lock."""
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def lock(fd: int) -> bool:
        """Lock an open file until it is closed. False if another holder has the lock."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
