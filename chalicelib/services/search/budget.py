"""The work that one search may do, counted while it is done."""

from __future__ import annotations

from chalicelib.errors import InvalidPayload

# A step is a comparison, or as much work: at most about half a microsecond, so that one request searches for a second.
MAX_STEPS = 2_500_000
CHARACTERS_A_STEP = 256


class Budget:
    """Shared by all comparisons of one request."""

    def __init__(self) -> None:
        self._left = MAX_STEPS

    def spend(self, steps: int, column: int) -> None:
        """InvalidPayload, with the column of the comparison that used up the rest."""
        self._left -= steps
        if self._left < 0:
            raise InvalidPayload(
                f"filter, column {column}: too much work for one request on so many iterations: use fewer comparisons, "
                "or a shorter pattern, or search a part of the iterations",
                field="filter",
                column=column,
            )
