"""Files that are written atomically."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def stem_of(name: str) -> str:
    """The first 100 bytes of a file name: file systems allow 255, and callers append to it."""
    return os.fsencode(name)[:100].decode("utf-8", "ignore")


def write_whole(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Write the file atomically, safe against a power failure. The umask applies to ``mode``."""
    part = path.with_name(f".{stem_of(path.name)}.{secrets.token_hex(8)}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
