"""What a program prints while an iteration runs, as a resource of the iteration."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

if TYPE_CHECKING:
    from types import TracebackType

    from deardiary.tracking.finish_hooks import Endings
    from deardiary.wire.shapes import IterationStatus

MAX_BYTES = 50 * 2**20
_FULL = b"\n[deardiary: the rest of the output was not kept]\n"


class Storing(Protocol):
    """The part of an iteration that keeps the output."""

    endings: Endings

    def log_resource(self, path: Path, name: str, description: str, *, wait: bool) -> object: ...


class CapturedOutput:
    """Copies what is written to ``sys.stdout`` and ``sys.stderr`` to a file, and stores it when the iteration ends.

    Or when its own ``with`` block does. At most ``max_bytes`` are kept. What programs and libraries write past Python
    is not seen, and a process that is killed takes the file with it.
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
        iteration.endings.add(self.stop)

    def stop(self, status: IterationStatus | None = None, error_message: str = "") -> None:  # noqa: ARG002
        """Let go of the streams and have what was written stored, with all else that is on its way."""
        if not self._is_open:
            return
        self._is_open = False
        self._iteration.endings.remove(self.stop)
        # Somebody may have put a stream of theirs over ours, which then goes on writing through.
        if sys.stdout is self._ours[0]:
            sys.stdout = self._before[0]
        if sys.stderr is self._ours[1]:
            sys.stderr = self._before[1]
        try:
            # Without waiting: an end, after SIGTERM above all, has little time.
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
    """A file that streams, threads and forked processes write to, up to a size (or a little more, when all do at once).

    Without a buffer, which a fork would copy, and without a lock, which a fork could leave locked.
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
        with contextlib.suppress(OSError, ValueError):  # a full disk, a file that has been closed: printing goes on
            self._file.write(kept if self._room > 0 else kept + _FULL)

    def close(self) -> Path:
        self._file.close()
        return self._path


class _Tee:
    """A stream that also copies; in all else it is the stream itself."""

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
