"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def stem_of(name: str) -> str:
    """The beginning of a file's name that leaves room for more: systems count 255 bytes."""
    return os.fsencode(name)[:100].decode("utf-8", "ignore")


def write_whole(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Put content in a file's place, in one step, also when the machine loses power. ``mode`` is less the umask."""
    part = path.with_name(f".{stem_of(path.name)}.{secrets.token_hex(8)}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
