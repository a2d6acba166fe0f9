"""Reads of a spool's files. A spool may be another user's, so links out of it are refused."""

import errno
import os
import stat
from pathlib import Path

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # do not wait for the writer of a pipe
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def read(path: Path, most: int) -> bytes:
    """The whole file. PermissionError for a link and as from `check`, OSError for more than ``most`` bytes."""
    if path.is_symlink():  # for systems without O_NOFOLLOW
        raise _refused(path, "is a link")
    with os.fdopen(_open(path), "rb") as file:
        check(path, os.fstat(file.fileno()))
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(f"{path} has more than {most} bytes, which no run writes")
    return content


def _open(path: Path) -> int:
    try:
        return os.open(path, _FLAGS)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.EMLINK):
            raise
        raise _refused(path, "is a link") from None


def check(path: Path, found: os.stat_result) -> None:
    """Raise PermissionError for a device, a pipe, a folder, or a hard link to another user's file."""
    if not stat.S_ISREG(found.st_mode):
        raise _refused(path, "is no file")
    if found.st_nlink > 1 and found.st_uid != path.parent.stat().st_uid:
        raise _refused(path, "is a hard link to a file of another user")


def _refused(path: Path, why: str) -> PermissionError:
    return PermissionError(f"{path} {why}, and may lead out of the spool")
