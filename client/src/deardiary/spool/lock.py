"""A file lock that the system releases at the end of the process, also after a crash."""

import contextlib
import os
from pathlib import Path

from deardiary import files
from deardiary.spool.segment import close_quietly

FILE = "lock"


class FolderLock:
    """A lock on a folder, held from `acquire` until `release` or the end of the process."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._fd = -1

    def acquire(self) -> bool:
        """Take the lock. False if another process or another `FolderLock` holds it. OSError without a folder."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        if not files.lock(fd):
            os.close(fd)
            return False
        self._fd = fd
        return True

    def release(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            close_quietly(fd)

    def is_there(self) -> bool:
        """True if the path still names the locked file, so that other processes see the lock."""
        try:
            return os.path.samestat(self._path.lstat(), os.fstat(self._fd))
        except OSError:
            return False

    def touch(self) -> None:
        """Update the file's time: a sign of life for other machines, which cannot see the lock."""
        with contextlib.suppress(OSError):
            os.utime(self._path)
