"""Interactive shells: notebook kernels, IPython, Python's own prompt. An error in a shell does not end the process."""

import inspect
import sys
import threading
from dataclasses import dataclass
from types import CodeType
from typing import Any

_SUSPENDABLE = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_EXITS = ("exit", "exit()", "quit", "quit()")  # cells that only leave the shell
_cells = {"last_failed": False}


@dataclass(frozen=True, slots=True, eq=False)
class _Input:
    """An input at Python's own prompt, or the script before it; the same text typed again is another input."""

    code: CodeType

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Input) and self.code is other.code

    def __hash__(self) -> int:
        return id(self.code)


def shell() -> Any:
    """Return IPython's shell, in a kernel or a terminal; None in a script and at Python's own prompt."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def cell() -> object | None:
    """The identity of the running cell, or of the input at Python's own prompt; None in a script."""
    running = shell()
    if running is not None:
        return int(running.execution_count)
    return _input() if _has_prompt() and threading.current_thread() is threading.main_thread() else None


def follow_cells() -> None:
    """In IPython, note from now on whether the last complete cell failed. A second call changes nothing."""
    running = shell()
    if running is not None:
        running.events.register("post_run_cell", _note)


def last_cell_failed() -> bool:
    """Whether the last complete cell raised or was interrupted; one that only leaves the shell does not count."""
    return _cells["last_failed"]


def _note(result: Any) -> None:
    if result.info.raw_cell.strip() not in _EXITS:
        _cells["last_failed"] = not result.success


def _has_prompt() -> bool:
    return bool(sys.flags.interactive) or hasattr(sys, "ps1")


def _input() -> _Input | None:
    frame, found = inspect.currentframe(), None
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") == "__main__":
            found = _Input(frame.f_code)
        frame = frame.f_back
    return found


def fatal_error() -> BaseException | None:
    """Return the exception that ended the program, or None. Call it when the interpreter exits.

    ``sys.last_value`` is not enough: shells, debuggers and test runners set it for errors that they catch. An
    exception that ended the program has left the outermost frame of the stack. An error at Python's own prompt has too,
    but its code has no file; after ``python -i`` the script's error counts.
    """
    error: BaseException | None = getattr(sys, "last_value", None)
    if error is None or error.__traceback__ is None:
        return None
    outermost = error.__traceback__.tb_frame
    # An ended coroutine or generator has no f_back, in whatever frame it ran.
    is_bottom = outermost.f_back is None and not outermost.f_code.co_flags & _SUSPENDABLE
    typed = _has_prompt() and outermost.f_code.co_filename.startswith("<")
    return error if is_bottom and not typed else None
