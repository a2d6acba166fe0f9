"""Interactive shells: notebook kernels, IPython, Python's own prompt. An error in a shell does not end the process."""

from __future__ import annotations

import inspect
import sys
from typing import Any

_SUSPENDABLE = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


def shell() -> Any:
    """Return IPython's shell, in a kernel or a terminal; None in a script and at Python's own prompt."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def cell() -> int | None:
    """Return the number of the running cell; None outside of IPython."""
    running = shell()
    return None if running is None else running.execution_count


def last_cell_failed() -> bool:
    """True if the last complete cell raised or was interrupted, else False."""
    running = shell()
    return running is not None and not running.last_execution_succeeded


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
    typed = (bool(sys.flags.interactive) or hasattr(sys, "ps1")) and outermost.f_code.co_filename.startswith("<")
    return error if is_bottom and not typed else None
