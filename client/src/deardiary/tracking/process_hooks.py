"""Hooks for the end or a fork of the process while iterations are running."""

import atexit
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any, NoReturn, Protocol

from deardiary import settings
from deardiary.tracking import interactive, outcome
from deardiary.wire.shapes import IterationStatus

KILLED_SECONDS = 5.0  # a container has ten seconds from SIGTERM to SIGKILL; a DataLoader waits five for a worker

_log = logging.getLogger(__name__)


class Endable(Protocol):
    @property
    def id(self) -> str: ...

    def finish(
        self, status: IterationStatus = ..., error_message: str = ..., *, seconds: float | None = ...
    ) -> None: ...

    def end_with_process(self, status: IterationStatus, error_message: str, *, seconds: float) -> None: ...

    def flush(self, seconds: float | None = ...) -> bool: ...

    def before_fork(self) -> None: ...

    def after_fork(self) -> None: ...

    def is_left_open(self, project: str | None, experiment: str | None, cell: object, /) -> bool: ...


_running: list[Endable] = []  # oldest first; ended in reverse, so children end before their parents
_own: list[Endable] = []  # the running iterations that this process started itself


@dataclass(slots=True)
class _Process:
    is_hooked: bool = False
    is_terminated: bool = False  # SIGTERM came
    pid: int = 0  # of the process that caught SIGTERM
    worker_pid: int = 0  # of the `multiprocessing` worker whose end is hooked
    previous_handler: Any = None  # of SIGTERM
    previous_exit: Any = None  # the function `sys.exit`
    exit_error: SystemExit | None = None  # raised by `sys.exit` in the main thread


_process = _Process()


def register(iteration: Endable) -> None:
    if not _process.is_hooked:
        _process.is_hooked = True
        atexit.register(_end_all)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
    if is_worker() and _process.worker_pid != os.getpid():
        _process.worker_pid = os.getpid()
        _at_worker_end(_end_worker)
    if not _running:
        _process.is_terminated = False
    interactive.follow_cells()
    _running.append(iteration)
    _own.append(iteration)
    _catch_sigterm()
    _catch_exit()


def latest() -> Endable | None:
    """Return the iteration that this process started last, of those that run; None if none runs."""
    return _own[-1] if _own else None


def is_worker() -> bool:
    """Whether `multiprocessing` started this process, whose end is not the end of the work."""
    multiprocessing = sys.modules.get("multiprocessing.process")
    return multiprocessing is not None and multiprocessing.parent_process() is not None


def register_fork(iteration: Endable) -> None:
    """Send the records of a `multiprocessing` worker before it ends, as it ends without `atexit`.

    Its parent process may have ended by then, and could not send them.
    """
    _at_worker_end(iteration.finish, seconds=KILLED_SECONDS)


def _at_worker_end(work: Callable[..., object], **given: object) -> None:
    """Call `work` when this `multiprocessing` worker ends, before it waits for its own child processes."""
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.Finalize(None, work, kwargs=given, exitpriority=0)


def unregister(iteration: Endable) -> None:
    """Unregister an ended iteration. After the last one, restore the SIGTERM handler and `sys.exit`."""
    for known in (_running, _own):
        known[:] = [each for each in known if each is not iteration]
    if not _own:
        _release_sigterm()
    if not _running and sys.exit is _exit:
        sys.exit = _process.previous_exit


def status_of(error: BaseException | None) -> IterationStatus:
    """Return the status for an exception or None; after SIGTERM always KILLED."""
    return IterationStatus.KILLED if _process.is_terminated else outcome.status_of(error)


def _catch_exit() -> None:
    """Replace `sys.exit` while iterations run, to keep its exit code: the interpreter does not."""
    _process.exit_error = None
    if sys.exit is not _exit:
        _process.previous_exit = sys.exit
        sys.exit = _exit


def _exit(status: Any = None, /) -> NoReturn:
    try:
        _process.previous_exit(status)
    except SystemExit as error:
        if threading.current_thread() is threading.main_thread():  # in another thread it ends only that thread
            _process.exit_error = error
        raise
    raise SystemExit(status)  # an earlier replacement of sys.exit returned


def _catch_sigterm() -> None:
    """Install the handler, unless SIGTERM is ignored. Only the main thread may do so."""
    if threading.current_thread() is not threading.main_thread():
        return
    current = signal.getsignal(signal.SIGTERM)
    if current in (_on_sigterm, signal.SIG_IGN, None):
        return
    _process.previous_handler = current
    _process.pid = os.getpid()
    signal.signal(signal.SIGTERM, _on_sigterm)


def _release_sigterm() -> None:
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGTERM) is _on_sigterm:
        signal.signal(signal.SIGTERM, _process.previous_handler)


def _on_sigterm(number: int, frame: FrameType | None) -> None:
    """Call an earlier handler, which may let the process continue; without one, end all iterations and the process."""
    previous = _process.previous_handler
    if os.getpid() != _process.pid:
        # `_after_fork` has not run yet in this forked process: the iterations belong to its parent process.
        signal.signal(number, previous)
        os.kill(os.getpid(), number)
        return
    _process.is_terminated = True
    if callable(previous):
        previous(number, frame)
        return
    finish_all(IterationStatus.KILLED, "The process was terminated (SIGTERM)", KILLED_SECONDS)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _end_all() -> None:
    """End all open iterations when the interpreter exits, by the exception that ended the program, if any."""
    error = interactive.fatal_error()
    if error is None and interactive.shell() is not None:
        status, error_message = _end_of_shell()
    else:
        error = error or _process.exit_error
        status, error_message = status_of(error), outcome.message_of(error)
    finish_all(status, error_message, settings.finish_seconds(strict=False))


def _end_worker() -> None:
    """End all open iterations of a `multiprocessing` worker, which calls this while its exception is handled."""
    error = sys.exc_info()[1]
    finish_all(status_of(error), outcome.message_of(error), settings.finish_seconds(strict=False))


def _end_of_shell() -> tuple[IterationStatus, str]:
    """Return the status at a shell's end: errors do not end a shell, but a failed last cell means KILLED."""
    failed = _process.is_terminated or interactive.last_cell_failed()
    return (IterationStatus.KILLED if failed else IterationStatus.SUCCEEDED), ""


def finish_earlier_cells(project: str | None, experiment: str | None) -> None:
    """End iterations of the same experiment that an earlier cell or input left open: their variable may be lost.

    An iteration that is in a ``with`` block, has a parent, or was named by an id_key or ``resume`` stays open.
    """
    cell = interactive.cell()
    what = "cell" if interactive.shell() is not None else "input"
    for iteration in [each for each in _own if cell is not None and each.is_left_open(project, experiment, cell)]:
        status, _ = _end_of_shell()
        _log.warning(
            "Iteration %s, started by an earlier %s, was still running: it is ended %s. End an iteration with "
            "finish() or a with block before you start the next",
            iteration.id,
            what,
            status.name,
        )
        iteration.finish(status)


def finish_all(status: IterationStatus, error_message: str, seconds: float) -> None:
    """End every running iteration; wait at most ``seconds`` for all of them together, or until Ctrl-C."""
    until = time.monotonic() + seconds
    for iteration in reversed(_running):
        try:
            iteration.end_with_process(status, error_message, seconds=max(0.0, until - time.monotonic()))
            # A signal may interrupt the end of an iteration: finish() then returns at once, so wait here.
            iteration.flush(max(0.0, until - time.monotonic()))
        except KeyboardInterrupt:
            until = time.monotonic()


def _before_fork() -> None:
    for iteration in _running:
        iteration.before_fork()


def _after_fork() -> None:
    """Let SIGTERM kill a worker as without this client; its records are in its spool.

    A Python handler can miss a signal that arrives just before a wait for a lock; then `Pool.terminate` hangs.
    """
    _own.clear()
    _release_sigterm()
    for iteration in _running:
        iteration.after_fork()
