"""Actions to run before an iteration ends."""

import logging
from collections.abc import Callable

from deardiary.wire.shapes import IterationStatus

Action = Callable[[IterationStatus, str], object]


class FinishHooks:
    """Actions that receive the final status and error message; each runs once, the latest first."""

    def __init__(self) -> None:
        self._actions: list[Action] = []

    def add(self, action: Action) -> None:
        self._actions.append(action)

    def remove(self, action: Action) -> None:
        self._actions[:] = [each for each in self._actions if each != action]

    def run(self, status: IterationStatus, error_message: str) -> None:
        while self._actions:
            action = self._actions.pop()
            try:
                action(status, error_message)
            except Exception:
                # A failing action must not prevent the end.
                logging.getLogger(__name__).warning("Something before the end of an iteration failed", exc_info=True)
