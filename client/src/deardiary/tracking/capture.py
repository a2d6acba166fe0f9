"""The parts that `start` captures by itself: console output, environment, load of the machine."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from deardiary import settings
from deardiary.forks import no_fork
from deardiary.tracking.iteration import ActiveIteration

if TYPE_CHECKING:
    from deardiary.environment.capture import Environment

PARTS = ("environment", "output", "system")
_PATIENCE_SECONDS = 2.0  # the end of an iteration waits so long for its snapshot

_log = logging.getLogger(__name__)


def parts_of(capture: Iterable[str] | None, *, has_parent: bool) -> tuple[str, ...]:
    """The parts to capture: ``capture``, else for a child nothing, else DEARDIARY_CAPTURE, else all.

    ValueError for an unknown part in ``capture``; one in DEARDIARY_CAPTURE is a warning.
    """
    if capture is not None:
        parts = (capture,) if isinstance(capture, str) else tuple(capture)
        if unknown := _unknown(parts):
            raise ValueError(f"capture is one or more of {', '.join(PARTS)}, or () for none, not {unknown[0]!r}")
        return parts
    if has_parent:
        return ()
    named = settings.captured()
    if named is None:
        return PARTS
    if unknown := _unknown(named):
        _log.warning("DEARDIARY_CAPTURE is none or some of %s, not %r", ", ".join(PARTS), unknown[0])
    return tuple(part for part in named if part in PARTS)


def _unknown(parts: Iterable[str]) -> list[str]:
    return [part for part in parts if part not in PARTS]


def begin(iteration: ActiveIteration, parts: Iterable[str], *, by_default: bool) -> None:
    """Begin to capture; only the output begins before this returns.

    A part that fails is left out: the training goes on without it. Unless ``by_default``, a warning says so.
    """
    level = logging.DEBUG if by_default else logging.WARNING
    attempt = partial(_attempt, level)
    if "output" in parts:
        attempt("output", iteration.capture_output)
    work: list[Callable[[], None]] = []
    if "environment" in parts:
        work.append(lambda: attempt("environment", lambda: _snapshot(iteration, tells=not by_default)))
    if "system" in parts:
        work.append(lambda: attempt("system", lambda: _watch(iteration)))
    if work:
        _in_thread(iteration, work)


def _in_thread(iteration: ActiveIteration, work: Iterable[Callable[[], None]]) -> None:
    def run() -> None:
        for each in work:
            each()

    thread = threading.Thread(target=run, name="deardiary-capture", daemon=True)
    thread.start()
    iteration.finish_hooks.add(lambda *_: thread.join(_PATIENCE_SECONDS))


def _attempt(level: int, part: str, function: Callable[[], object]) -> None:
    try:
        function()
    except Exception as error:  # noqa: BLE001 - no fault of the machine may reach the training
        _log.log(level, "The %s of this iteration is not captured: %s", part, error)


def _snapshot(iteration: ActiveIteration, *, tells: bool) -> None:
    with no_fork:
        from deardiary.environment import capture, diff, installed, project  # noqa: F401 - imported for later
        from deardiary.environment.kinds import julia  # noqa: F401
    environment: Environment = capture.capture_environment()
    if tells:
        capture.log_remarks(environment)
    iteration.record_environment(environment)


def _watch(iteration: ActiveIteration) -> None:
    with no_fork:
        from deardiary.tracking.system import SystemWatch
    SystemWatch(iteration)
