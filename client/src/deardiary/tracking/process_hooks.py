"""The ways in which a process can end, or split in two, while iterations are running."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from deardiary import settings
from deardiary.tracking import interactive, outcome
from deardiary.wire.shapes import IterationStatus

if TYPE_CHECKING:
    from types import FrameType

KILLED_SECONDS = 5.0  # a container has ten seconds from SIGTERM to SIGKILL; a DataLoader waits five for a worker

_log = logging.getLogger(__name__)


class Endable(Protocol):
    """The part of an iteration that the end of its process, or a fork, has to reach."""

    @property
    def id(self) -> str: ...

    def finish(
        self, status: IterationStatus = ..., error_message: str = ..., *, seconds: float | None = ...
    ) -> None: ...

    def flush(self, seconds: float | None = ...) -> bool: ...

    def before_fork(self) -> None: ...

    def after_fork(self) -> None: ...

    def is_left_open(self, project: str | None, experiment: str | None, cell: int | None, /) -> bool: ...


_running: list[Endable] = []  # oldest first, so that children end before their parents
_own: list[Endable] = []  # of these, those that this process began
_state: dict[str, Any] = {
    "hooked": False,
    "terminated": False,
    "previous": None,
    "pid": 0,
    "exit": None,
    "exited": None,
}


def watch(iteration: Endable) -> None:
    """Have the iteration ended if the process ends before it."""
    if not _state["hooked"]:
        _state["hooked"] = True
        atexit.register(_end_all)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
    if not _running:
        _state["terminated"] = False
    _running.append(iteration)
    _own.append(iteration)
    _catch_sigterm()
    _catch_exit()


def watch_fork(iteration: Endable) -> None:
    """Have what a worker of `multiprocessing` logged sent before it ends, for it ends without `atexit`.

    Its parent may have ended by then, and could not send it.
    """
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.Finalize(None, iteration.finish, kwargs={"seconds": KILLED_SECONDS}, exitpriority=0)


def forget(iteration: Endable) -> None:
    """It has ended; after the last one, SIGTERM does again what it did before the first."""
    for known in (_running, _own):
        known[:] = [each for each in known if each is not iteration]
    if not _own:
        _release_sigterm()
    if not _running and sys.exit is _exit:
        sys.exit = _state["exit"]


def status_of(error: BaseException | None) -> IterationStatus:
    """How work ended that an exception left, or none; after SIGTERM it was killed, whatever it made of that."""
    return IterationStatus.KILLED if _state["terminated"] else outcome.status_of(error)


def _catch_exit() -> None:
    """The interpreter forgets with which code it was left, so what `sys.exit` is given is kept while iterations run."""
    _state["exited"] = None
    if sys.exit is not _exit:
        _state["exit"] = sys.exit
        sys.exit = _exit


def _exit(status: Any = None, /) -> NoReturn:
    try:
        _state["exit"](status)
    except SystemExit as error:
        if threading.current_thread() is threading.main_thread():  # in another it ends no more than that
            _state["exited"] = error
        raise
    raise SystemExit(status)  # whoever replaced it before us had it do nothing


def _catch_sigterm() -> None:
    """In the main thread, which alone may; unless the process does not heed SIGTERM anyway."""
    if threading.current_thread() is not threading.main_thread():
        return
    current = signal.getsignal(signal.SIGTERM)
    if current in (_on_sigterm, signal.SIG_IGN, None):
        return
    _state["previous"] = current
    _state["pid"] = os.getpid()
    signal.signal(signal.SIGTERM, _on_sigterm)


def _release_sigterm() -> None:
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGTERM) is _on_sigterm:
        signal.signal(signal.SIGTERM, _state["previous"])


def _on_sigterm(number: int, frame: FrameType | None) -> None:
    """Whoever had a handler goes first, and may go on; otherwise everything ends here, and the process with it."""
    previous = _state["previous"]
    if os.getpid() != _state["pid"]:
        # A child so young that `_after_fork` did not run yet: the iterations here are its parent's.
        signal.signal(number, previous)
        os.kill(os.getpid(), number)
        return
    _state["terminated"] = True
    if callable(previous):
        previous(number, frame)
        return
    finish_all(IterationStatus.KILLED, "The process was terminated (SIGTERM)", KILLED_SECONDS)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _end_all() -> None:
    """At the end of the interpreter, end what is still open by the exception that ended the program, if one did."""
    error = interactive.fatal_error()
    if error is None and interactive.shell() is not None:
        status, error_message = _end_of_shell()
    else:
        error = error or _state["exited"]
        status, error_message = status_of(error), outcome.message_of(error)
    finish_all(status, error_message, settings.finish_seconds(strict=False))


def _end_of_shell() -> tuple[IterationStatus, str]:
    """A shell outlives every error, so an error is not the iteration's own; but a failed last cell is no success."""
    failed = _state["terminated"] or interactive.last_cell_failed()
    return (IterationStatus.KILLED if failed else IterationStatus.SUCCEEDED), ""


def finish_earlier_cells(project: str | None, experiment: str | None) -> None:
    """End iterations of the same experiment that an earlier cell has left open: their variable is about to be lost.

    An iteration that is in a ``with`` block, has a parent, or was named by an id_key or ``resume`` stays open.
    """
    for iteration in [each for each in _own if each.is_left_open(project, experiment, interactive.cell())]:
        status, _ = _end_of_shell()
        _log.warning(
            "Iteration %s, started by an earlier cell, was still running: it is ended %s. End an iteration with "
            "finish() or a with block before you start the next",
            iteration.id,
            status.name,
        )
        iteration.finish(status)


def finish_all(status: IterationStatus, error_message: str, seconds: float) -> None:
    """End every running iteration, and wait no longer than so many seconds for all of them together."""
    until = time.monotonic() + seconds
    for iteration in reversed(_running):
        iteration.finish(status, error_message, seconds=max(0.0, until - time.monotonic()))
        # One that was just being ended, when a signal came in between, is waited for as well.
        iteration.flush(max(0.0, until - time.monotonic()))


def _before_fork() -> None:
    for iteration in _running:
        iteration.before_fork()


def _after_fork() -> None:
    """A worker dies of SIGTERM as if we were not there: what it logs is in its file.

    A handler in Python can miss a signal that comes just before a wait for a lock, and then `Pool.terminate` hangs.
    """
    _own.clear()
    _release_sigterm()
    for iteration in _running:
        iteration.after_fork()
