"""Automatic step numbers of an iteration that this process created.

The server numbers the points of all others: resumed iterations, forked processes, other clients of the API.
"""

import threading
from collections.abc import Collection

from deardiary.wire import limits


class StepCounter:
    """Assign each key one more than its highest step so far, from 0. Threads may share it."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}
        self._lock = threading.Lock()

    def assign(self, keys: Collection[str], step: int | None) -> list[int]:
        """Return the step of each key: ``step``, or its next one if None. ValueError after the last int64."""
        following = self._next
        with self._lock:
            steps = [following.get(key, 0) for key in keys] if step is None else [step] * len(keys)
            if steps and max(steps) > limits.MAX_STEP:
                raise ValueError("There is no step after the last int64; give one")
            for key, taken in zip(keys, steps, strict=True):
                if taken >= following.get(key, 0):
                    following[key] = taken + 1
        return steps
