"""Interactive shells: a notebook's kernel, IPython, Python's own prompt. An error in them does not end the process."""

from __future__ import annotations

import inspect
import sys
from typing import Any

_SUSPENDABLE = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


def shell() -> Any:
    """IPython's shell, in a kernel or a terminal; None in a script and at Python's own prompt."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def cell() -> int | None:
    """The number of the running cell; None outside of IPython."""
    running = shell()
    return None if running is None else running.execution_count


def last_cell_failed() -> bool:
    """Whether the last complete cell raised or was interrupted."""
    running = shell()
    return running is not None and not running.last_execution_succeeded


def fatal_error() -> BaseException | None:
    """At the interpreter's end: the exception that ended the program.

    ``sys.last_value`` alone does not tell: shells, debuggers and test runners set it for errors that they catch. An
    exception that ended the program has left the outermost frame of the stack. So has an error at Python's own prompt,
    whose code has no file; after ``python -i`` the script's error counts.
    """
    error: BaseException | None = getattr(sys, "last_value", None)
    if error is None or error.__traceback__ is None:
        return None
    outermost = error.__traceback__.tb_frame
    # The frame of a coroutine or a generator that has ended has nothing below it, wherever it ran.
    is_bottom = outermost.f_back is None and not outermost.f_code.co_flags & _SUSPENDABLE
    typed = (bool(sys.flags.interactive) or hasattr(sys, "ps1")) and outermost.f_code.co_filename.startswith("<")
    return error if is_bottom and not typed else None
