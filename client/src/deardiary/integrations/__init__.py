"""Loggers and callbacks for training frameworks, a module for each; `import deardiary` imports none of them."""

from __future__ import annotations

from deardiary.tracking.iteration import ActiveIteration


def active() -> ActiveIteration:
    """Return the iteration that a training of this thread would join: the trial or job, or the one started last.

    RuntimeError if none runs.
    """
    from deardiary.integrations._run import running

    found = running()
    if found is None:
        raise RuntimeError("No iteration runs in this process: call deardiary.start first")
    return found
