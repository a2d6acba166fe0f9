"""Capture what Python prints while an iteration runs, as lines of its output.

The capture replaces the method `write` of the two streams, not the streams: a logging handler or a progress bar that
holds a stream is captured too, and a terminal stays one. It does not redirect the file descriptors, though that would
also reach subprocesses and C libraries: they would then print into a pipe, and lose their output if this process dies.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from types import TracebackType
from typing import Any, Protocol, cast

from deardiary.spool.output import Line
from deardiary.tracking import interactive
from deardiary.tracking.finish_hooks import FinishHooks
from deardiary.tracking.screen import Screen
from deardiary.wire import limits
from deardiary.wire.shapes import IterationStatus

_DRAIN_SECONDS = 1.0  # SIGKILL loses the lines of this time
_PATIENCE_SECONDS = 10.0
# A program that prints without end must not slow down, nor cost: after a burst only a part is kept.
_BURST_CHARACTERS, _CHARACTERS_PER_SECOND = 8 * limits.MIB, limits.MIB // 5


class Keeping(Protocol):
    """The part of a journal that keeps the output; `output` returns False if it has no room."""

    @property
    def flush_seconds(self) -> float: ...

    def output(self, printed: Sequence[Line], *, last: bool = ...) -> bool: ...


class Printing(Protocol):
    finish_hooks: FinishHooks

    @property
    def journal(self) -> Keeping: ...


class CapturedOutput:
    """Capture the output to ``sys.stdout`` and ``sys.stderr`` until the iteration ends.

    A ``with`` block of its own ends the capture earlier. If several iterations capture, the one that began last gets
    the output. Output that bypasses the two streams, of subprocesses and of forked processes is not captured.
    """

    def __init__(self, iteration: Printing) -> None:
        self._iteration = iteration
        # Appending to a deque takes no lock: a signal handler may print inside a print.
        self._pending: deque[tuple[str, int, str]] = deque()
        self._room: float = _BURST_CHARACTERS
        self._screens = {"stdout": Screen(), "stderr": Screen()}
        self._order = 0
        self._lost = 0
        self._draining = threading.Lock()
        self._drainer = 0  # the thread that holds the lock
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="deardiary-output", daemon=True)
        _captures.append(self)
        _patch()
        self._thread.start()
        iteration.finish_hooks.add(self.stop)

    def receive(self, stream: str, text: str) -> None:
        if self._room < len(text):
            self._lost += text.count("\n")
            return
        self._room -= len(text)
        self._pending.append((stream, int(time.time() * 1000), text))

    def drain(self, *, unfinished: bool = True, last: bool = False) -> None:
        """Write the printed lines into the spool; with ``unfinished`` also the state of a line that has no end yet."""
        # A signal handler may come here in the middle of this method.
        if self._drainer == threading.get_ident() or not self._draining.acquire(timeout=_PATIENCE_SECONDS):
            return
        try:
            self._drainer = threading.get_ident()
            lines = self._lines(unfinished=unfinished)
            if lines or self._lost:
                self._write(lines, last=last)
        finally:
            self._drainer = 0
            self._draining.release()

    def stop(self, status: IterationStatus | None = None, error_message: str = "") -> None:  # noqa: ARG002
        """Stop capturing; the end of the iteration calls this too."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        self._iteration.finish_hooks.remove(self.stop)
        with contextlib.suppress(ValueError):  # a fork has forgotten it
            _captures.remove(self)
        _unpatch()
        with contextlib.suppress(Exception):
            self.drain(last=True)

    @property
    def has_stopped(self) -> bool:
        return self._stopped.is_set()

    def __enter__(self) -> CapturedOutput:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        shown_at = time.monotonic()
        while not self._stopped.wait(_DRAIN_SECONDS):
            self._room = min(_BURST_CHARACTERS, self._room + _DRAIN_SECONDS * _CHARACTERS_PER_SECOND)
            with contextlib.suppress(Exception):  # the iteration may have ended meanwhile
                is_due = time.monotonic() - shown_at >= self._iteration.journal.flush_seconds
                shown_at = time.monotonic() if is_due else shown_at
                self.drain(unfinished=is_due)

    def _lines(self, *, unfinished: bool) -> list[Line]:
        # What is printed meanwhile waits: this must come to an end.
        printed = [self._pending.popleft() for _ in range(len(self._pending))]
        for (stream, time_ms), pieces in groupby(printed, itemgetter(0, 1)):
            self._order += 1
            self._screens[stream].feed("".join([text for _, _, text in pieces]), time_ms, self._order)
        found = [
            (order, Line(stream, text, time_ms))
            for stream, screen in self._screens.items()
            for order, time_ms, text in screen.take(unfinished=unfinished)
        ]
        return _redacted([line for _, line in sorted(found, key=itemgetter(0))])

    def _write(self, lines: list[Line], *, last: bool) -> None:
        lost, self._lost = self._lost, 0
        if lost:
            said = f"[deardiary: {lost} lines of output were not kept]"
            lines = [*lines, Line("stderr", said, int(time.time() * 1000))]
        if not self._iteration.journal.output(lines, last=last):
            self._lost += lost + len(lines) - bool(lost)


def _redacted(lines: list[Line]) -> list[Line]:
    if not lines:
        return []
    # Compiling its patterns takes longer than a start should.
    from deardiary.environment.redact import redacted

    texts = redacted("\n".join(line.text for line in lines)).split("\n")
    return [line._replace(text=text) for line, text in zip(lines, texts, strict=True)]


_captures: list[CapturedOutput] = []  # the latest one gets the output


@dataclass(frozen=True, slots=True)
class _Patch:
    """A stream, the `write` that this module gave it, and the attribute of that name that it had before."""

    stream: Any
    write: Any
    before: Any

    @property
    def is_outermost(self) -> bool:
        return vars(self.stream).get("write") is self.write

    def undo(self) -> None:
        if self.before is None:
            del self.stream.write
        else:
            self.stream.write = self.before


_patches: list[_Patch] = []
_originals: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()  # what each replacement calls


def _patch(_cell: object = None) -> None:
    """Patch the two streams, unless they are. IPython also calls this before each cell, while there is a capture.

    It gives the streams back their own `write` after a cell, so a patch that is gone there is not below another one.
    """
    shell = interactive.shell()
    if shell is not None:
        _patches[:] = [each for each in _patches if each.is_outermost]
        shell.events.register("pre_run_cell", _patch)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not any(each.stream is stream for each in _patches):
            write = _capturing(name, stream.write)
            # A stream that refuses the attribute is not captured.
            with contextlib.suppress(AttributeError, TypeError):
                before = vars(stream).get("write")
                stream.write = write
                _patches.append(_Patch(stream, write, before))


def _unpatch() -> None:
    """After the last capture, undo the patches, except below one of another library: that still calls ours."""
    if _captures:
        return
    shell = interactive.shell()
    if shell is not None:
        with contextlib.suppress(ValueError):  # it is not registered
            shell.events.unregister("pre_run_cell", _patch)
    for patch in list(_patches):
        if patch.is_outermost:
            patch.undo()
            _patches[:] = [each for each in _patches if each is not patch]


def _capturing(name: str, write: Any) -> Any:
    def write_and_capture(text: Any, /) -> Any:
        written = write(text)
        if _captures:
            try:  # noqa: SIM105 - this runs several times in each print
                _captures[-1].receive(name, text)
            except Exception:  # noqa: BLE001, S110
                pass
        return written

    _originals[write_and_capture] = write
    return write_and_capture


def uncaptured(stream: Any) -> Callable[[str], object]:
    write = stream.write
    while write in _originals:
        write = _originals[write]
    return cast("Callable[[str], object]", write)


def _forget() -> None:
    """Leave the output of a forked process: its parent's lines would be sent twice."""
    _captures.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
