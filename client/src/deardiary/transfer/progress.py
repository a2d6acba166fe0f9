"""The progress of a transfer: a counter for threads, and a bar on a terminal."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

from deardiary.terminal import one_line, size

Progress = Callable[[int, int], None]

_REDRAW_SECONDS = 0.1
_CELLS = 24


class Meter:
    """Counts transferred bytes of a known total and passes both to ``report``, from one thread at a time."""

    def __init__(self, total: int, report: Progress | None = None) -> None:
        self._total = total
        self._report = report
        self._done = 0
        self._lock = threading.Lock()

    def add(self, size_bytes: int) -> None:
        """Count bytes; a negative number for bytes that must be sent again."""
        if self._report is None:
            return
        with self._lock:
            self._done += size_bytes
            self._report(self._done, self._total)


class Bar:
    """A `progress` callback that redraws one line on stderr, if that is a terminal."""

    def __init__(self, label: str, stream: TextIO | None = None) -> None:
        self._label = one_line(label)
        self._stream = sys.stderr if stream is None else stream
        self._shown = self._stream.isatty()
        self._started = time.monotonic()
        self._drawn = 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self._shown and (now - self._drawn >= _REDRAW_SECONDS or done >= total):
            import shutil

            self._drawn = now
            line = _line(self._label, done, total, now - self._started)
            self._stream.write("\r" + line[: shutil.get_terminal_size().columns - 1] + "\x1b[K")
            self._stream.flush()

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._drawn:
            self._stream.write("\n")


def _line(label: str, done: int, total: int, seconds: float) -> str:
    share = min(1.0, done / total) if total else 1.0
    cells = ("#" * round(share * _CELLS)).ljust(_CELLS, ".")
    speed = f"  {size(done / seconds)}/s" if seconds else ""
    return f"{label}  [{cells}] {share:4.0%}  {size(done)} of {size(total)}{speed}"
