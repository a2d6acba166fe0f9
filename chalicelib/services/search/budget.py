"""Limit of the work of one search."""

from __future__ import annotations

from chalicelib.errors import InvalidPayload

# A step is a comparison or equal work: about 0.5 µs at most, so that one request searches for about a second.
MAX_STEPS = 2_500_000
CHARACTERS_A_STEP = 256


class Budget:
    """Shared by all comparisons of one request."""

    def __init__(self) -> None:
        self._left = MAX_STEPS

    def spend(self, steps: int, column: int) -> None:
        """Count the steps. InvalidPayload, with the column of the comparison that exceeded the budget."""
        self._left -= steps
        if self._left < 0:
            raise InvalidPayload(
                f"filter, column {column}: too much work for one request on so many iterations: use fewer comparisons, "
                "or a shorter pattern, or search a part of the iterations",
                field="filter",
                column=column,
            )
