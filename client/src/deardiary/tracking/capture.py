"""The parts that `start` captures by itself: console output, environment, load of the machine."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from deardiary import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from deardiary.tracking.iteration import ActiveIteration

PARTS = ("environment", "output", "system")
DEFAULT = ("output",)

_log = logging.getLogger(__name__)


def parts_of(capture: Iterable[str] | None, *, has_parent: bool) -> tuple[str, ...]:
    """The parts to capture: ``capture``, else for a child nothing, else DEARDIARY_CAPTURE, else the default.

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
        return DEFAULT
    if unknown := _unknown(named):
        _log.warning("DEARDIARY_CAPTURE is none or some of %s, not %r", ", ".join(PARTS), unknown[0])
    return tuple(part for part in named if part in PARTS)


def _unknown(parts: Iterable[str]) -> list[str]:
    return [part for part in parts if part not in PARTS]


def begin(iteration: ActiveIteration, parts: Iterable[str]) -> None:
    """Begin to capture. A part that fails is left out, with a warning: the training goes on without it."""
    begins: dict[str, Callable[[], object]] = {
        "environment": iteration.snapshot_environment,
        "system": iteration.watch_system,
        "output": iteration.capture_output,
    }
    for part, function in begins.items():
        if part in parts:
            try:
                function()
            except Exception as error:  # noqa: BLE001
                with contextlib.suppress(Exception):
                    _log.warning("The %s of this iteration is not captured: %s", part, error)
