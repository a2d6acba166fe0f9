"""Segments: the numbered files of records in a spool, each sent and acknowledged as a unit."""

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deardiary.spool import own_file

# A segment has at most 2 MiB, or a single line, which is no longer than a request.
_MAX_BYTES = 64 * 2**20
_NAME = re.compile(r"\d{8,}\.log")


class Segment(Protocol):
    """A segment to be sent.

    ``read`` raises FileNotFoundError if another process has delivered it or the folder is gone, and another OSError if
    it cannot be read now.
    """

    @property
    def number(self) -> int: ...

    def read(self) -> bytes: ...

    def discard(self) -> None:
        """Remove the delivered segment; repeating this is no error."""


@dataclass(frozen=True, slots=True)
class FileSegment:
    number: int
    path: Path

    def read(self) -> bytes:
        return own_file.read(self.path, _MAX_BYTES)

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)


@dataclass(slots=True)
class OwnSegment:
    """A file of ``records`` records that this process has written.

    While ``fd`` is open, its content stays readable after the file is deleted or its folder renamed.
    """

    number: int
    path: Path
    records: int
    fd: int = -1

    @property
    def is_there(self) -> bool:
        return os.path.exists(self.path)  # noqa: PTH110 - False after any OSError

    def read(self) -> bytes:
        try:
            return own_file.read(self.path, _MAX_BYTES)
        except OSError as error:
            content = self._read_open()
            if content is None:
                raise error from None
            return content

    def _read_open(self) -> bytes | None:
        with contextlib.suppress(OSError, ValueError), os.fdopen(os.dup(self.fd), "rb") as file:
            file.seek(0)
            return file.read()
        return None

    def fsync(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # ValueError: it is closed
            os.fsync(self.fd)

    def close(self) -> None:
        fd, self.fd = self.fd, -1
        close_quietly(fd)

    def discard(self) -> None:
        self.close()
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class MemorySegment:
    """Records that could not be written to a file."""

    number: int
    lines: list[bytes]

    @property
    def records(self) -> int:
        return len(self.lines)

    def read(self) -> bytes:
        return b"".join(self.lines)

    def discard(self) -> None:
        self.lines.clear()


def close_quietly(fd: int) -> None:
    """Close; ignore the failure of an earlier write, which network file systems report here, too late for a retry."""
    with contextlib.suppress(OSError):
        os.close(fd)


def path_of(folder: Path, number: int) -> Path:
    return folder / f"{number:08}.log"


def segments_in(folder: Path) -> list[FileSegment]:
    """The segments on disk, in order; empty without a folder."""
    if not folder.is_dir():
        return []
    found = [
        FileSegment(int(path.stem), path) for path in folder.iterdir() if _NAME.fullmatch(path.name) and _is_one(path)
    ]
    return sorted(found, key=lambda segment: segment.number)


def _is_one(path: Path) -> bool:
    """True for files and links: listing a link makes its read report the fault of the spool."""
    return path.is_symlink() or path.is_file()
