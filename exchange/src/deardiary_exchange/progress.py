"""A bar that counts objects, on stderr if that is a terminal. It goes away when the work is done."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from types import TracebackType

_REDRAW_SECONDS, _CELLS = 0.2, 24


class Bar:
    """A progress callback: ``with Bar("iterations") as progress: progress(done, total)``; 0 for an unknown total."""

    def __init__(self, what: str, stream: TextIO | None = None) -> None:
        self._what = what
        self._stream = stream or sys.stderr
        self._shown = self._stream.isatty()
        self._drawn = 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if not self._shown or (done != total and now - self._drawn < _REDRAW_SECONDS):
            return
        self._drawn = now
        line = f"{done:,} {self._what if done != 1 else self._what.removesuffix('s')}"
        if total:
            share = min(1.0, done / total)
            line = (
                f"[{('#' * round(share * _CELLS)).ljust(_CELLS, '.')}] {share:4.0%}  {done:,} of {total:,} {self._what}"
            )
        self._stream.write("\r" + line[: shutil.get_terminal_size().columns - 1] + "\x1b[K")
        self._stream.flush()

    def clear(self) -> None:
        """Remove the bar, so that a line can be printed. The next call draws it again."""
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._drawn = 0.0

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.clear()
