"""The current run of this process."""

from __future__ import annotations

from typing import Any

from deardiary.wandb.errors import UsageError

run: Any = None  # a `Run`, or None


def current(what: str) -> Any:
    """The current run. UsageError if none has begun."""
    if run is None:
        raise UsageError(f"Call wandb.init() before {what}")
    return run


def set_run(new: Any) -> None:
    global run
    run = new
