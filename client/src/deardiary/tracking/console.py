"""Capture a program's output while an iteration runs, as a resource of the iteration."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

if TYPE_CHECKING:
    from types import TracebackType

    from deardiary.tracking.finish_hooks import FinishHooks
    from deardiary.wire.shapes import IterationStatus

MAX_BYTES = 50 * 2**20
_FULL = b"\n[deardiary: the rest of the output was not kept]\n"


class Storing(Protocol):
    """The part of an iteration that keeps the output."""

    finish_hooks: FinishHooks

    def log_resource(self, path: Path, name: str, description: str, *, wait: bool) -> object: ...


class CapturedOutput:
    """Copy the output to ``sys.stdout`` and ``sys.stderr`` into a file; store it when the iteration ends.

    A ``with`` block of its own ends the capture earlier. At most ``max_bytes`` are kept. Output that bypasses
    ``sys.stdout`` and ``sys.stderr`` is not captured. If the process is killed, the file is lost.
    """

    def __init__(self, iteration: Storing, name: str = "output.log", max_bytes: int = MAX_BYTES) -> None:
        self._iteration = iteration
        self._folder = Path(tempfile.mkdtemp(prefix="deardiary-"))
        self._copy = _Copy(self._folder / "output", max_bytes)
        self._name = name
        self._is_open = True
        self._before = (sys.stdout, sys.stderr)
        self._ours = (_Tee(sys.stdout, self._copy), _Tee(sys.stderr, self._copy))
        sys.stdout, sys.stderr = self._ours
        iteration.finish_hooks.add(self.stop)

    def stop(self, status: IterationStatus | None = None, error_message: str = "") -> None:  # noqa: ARG002
        """Restore the streams and queue the captured output for upload, with the other records."""
        if not self._is_open:
            return
        self._is_open = False
        self._iteration.finish_hooks.remove(self.stop)
        # Another library may have wrapped our stream; then leave it in place, as it still writes through ours.
        if sys.stdout is self._ours[0]:
            sys.stdout = self._before[0]
        if sys.stderr is self._ours[1]:
            sys.stderr = self._before[1]
        try:
            # Do not wait: the end of an iteration, above all after SIGTERM, has little time.
            self._iteration.log_resource(self._copy.close(), self._name, "what was printed", wait=False)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> CapturedOutput:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


class _Copy:
    """A file that streams, threads and forked processes write to, up to a size. Concurrent writes may exceed it.

    It has no buffer, as a fork would copy it, and no lock, as a fork could leave it locked.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path = path
        self._file = path.open("ab", buffering=0)
        self._room = max_bytes

    def write(self, text: str) -> None:
        if self._room <= 0:
            return
        content = text.encode("utf-8", "replace")
        kept = content[: self._room]
        self._room -= len(content)
        with contextlib.suppress(OSError, ValueError):  # full disk or closed file: printing continues
            self._file.write(kept if self._room > 0 else kept + _FULL)

    def close(self) -> Path:
        self._file.close()
        return self._path


class _Tee:
    """A stream that also writes to the copy; all other attributes are those of the stream."""

    def __init__(self, stream: TextIO, copy: _Copy) -> None:
        self._stream = stream
        self._copy = copy

    def write(self, text: str) -> int:
        written = self._stream.write(text)
        self._copy.write(text)
        return written

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
