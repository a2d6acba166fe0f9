"""The parameters and metrics of iterations as columns of a table, and those of them that a terminal has room for."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING

from deardiary.cli.output import GAP, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deardiary.shapes import IterationOverview


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """A value of each iteration, None where it has none."""

    key: str
    values: Sequence[object]

    @property
    def differs(self) -> bool:
        return len(set(map(repr, self.values))) > 1

    @property
    def width(self) -> int:
        return len(GAP) + width_of(self.key, self.values)


def columns_of(iterations: Sequence[IterationOverview]) -> list[Column]:
    """The parameters and then the metrics, as their last values; those first that most iterations have."""
    summaries = [each.metrics or {} for each in iterations]
    parameters = [each.parameters or {} for each in iterations]
    lasts = [{key: summary.last for key, summary in each.items()} for each in summaries]
    return [
        Column(key, [each.get(key) for each in owners])
        for owners in (parameters, lasts)
        for key, _ in Counter(key for each in owners for key in each).most_common()
    ]


def fitting(columns: Sequence[Column], room: int | None) -> list[Column]:
    """Those that so many signs have room for, in the order given; all when ``room`` is None.

    What tells the iterations apart goes before what does not, and then the narrow before the wide.
    """
    if room is None:
        return list(columns)
    chosen: set[int] = set()
    for at in sorted(range(len(columns)), key=lambda at: (not columns[at].differs, columns[at].width)):
        room -= columns[at].width
        if room < 0:
            break
        chosen.add(at)
    return [column for at, column in enumerate(columns) if at in chosen]
