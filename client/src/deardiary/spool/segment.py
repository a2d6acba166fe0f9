"""A numbered piece of a spool: what is sent and acknowledged as one."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Protocol

from deardiary.spool import own_file

if TYPE_CHECKING:
    from pathlib import Path

# A segment has 2 MiB, or one line, which is no longer than a request.
_MAX_BYTES = 64 * 2**20
_NAME = re.compile(r"\d{8,}\.log")


class Segment(Protocol):
    """``read`` raises FileNotFoundError when another process has delivered it meanwhile, OSError when it cannot."""

    @property
    def number(self) -> int: ...

    def read(self) -> bytes: ...

    def discard(self) -> None:
        """It has arrived; again is no error."""


@dataclasses.dataclass(frozen=True, slots=True)
class FileSegment:
    number: int
    path: Path

    def read(self) -> bytes:
        return own_file.read(self.path, _MAX_BYTES)

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)


@dataclasses.dataclass(frozen=True, slots=True)
class MemorySegment:
    """What could not be written to a file."""

    number: int
    lines: list[bytes]

    def read(self) -> bytes:
        return b"".join(self.lines)

    def discard(self) -> None:
        self.lines.clear()


def path_of(folder: Path, number: int) -> Path:
    return folder / f"{number:08}.log"


def segments_in(folder: Path) -> list[FileSegment]:
    """Those on disk, in their order."""
    found = [
        FileSegment(int(path.stem), path) for path in folder.iterdir() if _NAME.fullmatch(path.name) and _is_one(path)
    ]
    return sorted(found, key=lambda segment: segment.number)


def _is_one(path: Path) -> bool:
    """A link is listed, so that reading it says what is wrong with the spool."""
    return path.is_symlink() or path.is_file()
