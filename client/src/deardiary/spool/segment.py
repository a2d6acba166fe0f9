"""A numbered piece of a spool: what is sent and acknowledged as one."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

_NAME = re.compile(r"\d{8,}\.log")


class Segment(Protocol):
    """``read`` raises FileNotFoundError when somebody else has delivered it meanwhile."""

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
        return self.path.read_bytes()

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
        FileSegment(int(path.stem), path) for path in folder.iterdir() if _NAME.fullmatch(path.name) and path.is_file()
    ]
    return sorted(found, key=lambda segment: segment.number)
