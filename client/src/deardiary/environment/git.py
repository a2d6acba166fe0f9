"""Asking git, with an end to its patience and to what it may answer."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS = 15.0
_BLOCK = 64 * 1024


class GitFailed(Exception):
    """Git is not there, is not content, or takes too long."""


def ask(folder: Path, *arguments: str, limit: int = 8 * 2**20, seconds: float = SECONDS) -> str:
    """What git prints, without the line's end. GitFailed says why there is none, or that it is longer than that."""
    content = b"".join(stream(folder, *arguments, limit=limit, seconds=seconds))
    if len(content) > limit:
        raise GitFailed(f"git {arguments[0]} prints more than {limit} bytes")
    return content.decode("utf-8", "surrogateescape").rstrip("\n")


def stream(folder: Path, *arguments: str, limit: int, seconds: float = SECONDS) -> Iterator[bytes]:
    """What git prints, in pieces; with the piece that goes over ``limit`` bytes it is stopped, which is no error."""
    with tempfile.TemporaryFile() as errors:
        process = _start(folder, arguments, errors)
        watch = threading.Timer(seconds, process.kill)
        watch.start()
        left = limit
        try:
            with process.stdout as output:  # type: ignore[union-attr]
                while left >= 0 and (piece := output.read(_BLOCK)):
                    left -= len(piece)
                    yield piece
            if left >= 0:
                process.wait()
        finally:
            watch.cancel()
            process.kill()
            process.wait()
        if left >= 0 and process.returncode:
            raise GitFailed(_reason(arguments[0], errors, process.returncode))


def _start(folder: Path, arguments: tuple[str, ...], errors: IO[bytes]) -> subprocess.Popen[bytes]:
    # Without optional locks, so that nothing of ours gets in the way of what the user does with git meanwhile.
    command = ["git", "--no-pager", "--no-optional-locks", "-C", str(folder), "-c", "core.quotePath=false", *arguments]
    try:
        return subprocess.Popen(  # noqa: S603 - no shell, our own arguments
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
        )
    except (OSError, ValueError) as error:
        raise GitFailed(f"git cannot be run: {error}") from error


def _reason(verb: str, errors: IO[bytes], returncode: int) -> str:
    errors.seek(0)
    lines = errors.read(4096).decode("utf-8", "replace").strip().splitlines()
    if lines:
        return f"git {verb}: {lines[0]}"
    return f"git {verb} took too long" if returncode < 0 else f"git {verb} failed"
