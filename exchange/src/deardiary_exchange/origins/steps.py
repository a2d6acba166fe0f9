"""Steps that are no whole numbers: GoodSeed and Neptune have them, a point here does not."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal


class Steps:
    """Multiplies each step by a factor, and rounds down what is left: points may share a step."""

    def __init__(self, factor: int = 1) -> None:
        self._factor = factor

    def whole(self, step: float | Decimal) -> int:
        return math.floor(step * self._factor)

    def lost(self, rows: Iterable[tuple[str, float | Decimal | None]]) -> list[str]:
        """A sentence for each key with steps that are rounded."""
        counts: dict[str, int] = {}
        for key, step in rows:
            if step is not None and step * self._factor != self.whole(step):
                counts[key] = counts.get(key, 0) + 1
        return [
            f"the fractions of {count} steps of {key!r}: they are rounded down; --step-factor multiplies them first"
            for key, count in counts.items()
        ]
