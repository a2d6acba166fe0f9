"""Steps that count themselves."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class StepCounter:
    """Per key, one more than the highest step so far, from 0 on; for several threads at once."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}
        self._lock = threading.Lock()

    def assign(self, keys: Iterable[str], step: int | None) -> dict[str, int]:
        """The step of each key: ``step``, or the next where it is None."""
        with self._lock:
            steps = {key: self._next.get(key, 0) if step is None else step for key in keys}
            for key, taken in steps.items():
                self._next[key] = max(taken + 1, self._next.get(key, 0))
        return steps
