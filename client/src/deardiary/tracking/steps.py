"""Steps that count themselves."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from deardiary.wire import limits

if TYPE_CHECKING:
    from collections.abc import Collection


class StepCounter:
    """Per key, one more than the highest step so far, from 0 on; for several threads at once."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}
        self._lock = threading.Lock()

    def assign(self, keys: Collection[str], step: int | None) -> list[int]:
        """The step of each key: ``step``, or the next where it is None. ValueError after the last int64."""
        following = self._next
        with self._lock:
            steps = [following.get(key, 0) for key in keys] if step is None else [step] * len(keys)
            if steps and max(steps) > limits.MAX_STEP:
                raise ValueError("There is no step after the last int64; give one")
            for key, taken in zip(keys, steps, strict=True):
                if taken >= following.get(key, 0):
                    following[key] = taken + 1
        return steps
