"""Run git, with limits on its time and its output."""

import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from deardiary.forks import no_fork

SECONDS = 15.0
_BLOCK = 64 * 1024


class GitFailed(Exception):
    """Git is missing, reports an error, or takes too long."""


def ask(folder: Path, *arguments: str, limit: int = 8 * 2**20, seconds: float = SECONDS) -> str:
    """The output of git, without the last line end. GitFailed with the reason, also if it exceeds the limit."""
    content = b"".join(stream(folder, *arguments, limit=limit, seconds=seconds))
    if len(content) > limit:
        raise GitFailed(f"git {arguments[0]} prints more than {limit} bytes")
    return content.decode("utf-8", "surrogateescape").rstrip("\n")


def stream(folder: Path, *arguments: str, limit: int, seconds: float = SECONDS) -> Iterator[bytes]:
    """The output of git in pieces. Stop git after the piece that exceeds ``limit`` bytes; that is no error."""
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
    # Without optional locks, so that the user's own git commands are not blocked meanwhile.
    command = ["git", "--no-pager", "--no-optional-locks", "-C", str(folder), "-c", "core.quotePath=false", *arguments]
    try:
        with no_fork:
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
