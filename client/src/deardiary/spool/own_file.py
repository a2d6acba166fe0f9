"""Reading a spool's own files. A spool may come from elsewhere: no link in it leads to other files."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a pipe would wait for its writer
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def read(path: Path, most: int) -> bytes:
    """The whole file. PermissionError for what `check` refuses and for a link, OSError if it is too large."""
    if path.is_symlink():  # on systems without O_NOFOLLOW
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
    """PermissionError for a device, a pipe, a folder, and for a hard link to another user's file."""
    if not stat.S_ISREG(found.st_mode):
        raise _refused(path, "is no file")
    if found.st_nlink > 1 and found.st_uid != path.parent.stat().st_uid:
        raise _refused(path, "is a hard link to a file of another user")


def _refused(path: Path, why: str) -> PermissionError:
    return PermissionError(f"{path} {why}, and may lead out of the spool")
