"""The batches that an iteration accepted after a time, found without reading the older ones.

The times of the batches rise in the order of their announcements. If no batch until a time is in writing, later ones
have later times: so the number of batches until a time, and the time, say which they are. SERIES counts all batches.
A reader follows the hashes of the last ones (`storage/points/recent.py`) until it has found as many as are missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from chalicelib.storage.points import recent, rows
from chalicelib.storage.points.rows import Arrived, Rows, Stored
from chalicelib.storage.series import Series

# A chunk that is read by its key is rounded up to a unit: with more batches than this part of all, all rows cost less.
_WORTH_A_PART = 2
_MOST = 512
_READ_BLOCK, _OTHER_BYTES = 4096, 250


class Covered(NamedTuple):
    """All batches accepted until a time, in µs since 1970, and their number. None of them is in writing."""

    batches: int
    until_us: int


class Newer(NamedTuple):
    """The chunks of the batches accepted after a time, and what is covered with them.

    A chunk of a later time than `covered` has is that of a batch in writing, or of one announced after such a batch.
    """

    stored: Sequence[Stored]
    covered: Covered

    @property
    def read_units(self) -> int:
        return sum(-(-(len(row.points) + _OTHER_BYTES) // _READ_BLOCK) for row in self.stored)


def read_newer(iteration_id: str, series: Series, since: Covered) -> Newer | None:
    """The batches that the series has, and `since` has not. None if they are many, or cannot be found this way."""
    missing = series.batches - since.batches
    if not 0 <= missing <= min(_MOST, series.batches // _WORTH_A_PART) or since.until_us > series.heartbeat_us:
        return None
    found = _find(iteration_id, series, since, missing)
    if found is None:
        return None
    stored = [each.stored for each in found if each.stored is not None]
    return (
        None
        if len(stored) < len(found)
        else Newer(stored, _extended(series, since, [each.accepted_us for each in found]))
    )


def covered_by(series: Series, read: Rows) -> Covered | None:
    """What a reading of all rows covers that followed the one of the series. None if the rows do not fit it."""
    times = [*read.moved_us, *(row.batch.accepted_us for row in read.stored if row.batch)]
    known = [each for each in times if each <= series.heartbeat_us]
    if len(known) + len(_absent(series, known)) != series.batches:
        return None
    return _extended(series, Covered(0, 0), known)


def _find(iteration_id: str, series: Series, since: Covered, missing: int) -> list[Arrived] | None:
    """The chunks of the missing batches."""
    seen: dict[str, Arrived | None] = {}
    wanted = [*dict.fromkeys([*recent.hashes(series.recent)[-missing:], *series.announced])] if missing else []
    while wanted:
        read = rows.find_arrived(iteration_id, wanted, edited=series.edited_us > since.until_us)
        seen |= {each: read.get(each) for each in wanted}
        newer = [each for each in seen.values() if each and since.until_us < each.accepted_us <= series.heartbeat_us]
        left = missing - len(newer) - len(_absent(series, [each.accepted_us for each in newer]))
        if left <= 0:
            return newer if not left else None
        wanted = _earlier(series, seen)[-left:]
    return None if missing else []


def _earlier(series: Series, seen: Mapping[str, Arrived | None]) -> list[str]:
    """The known hashes of batches that were not read yet, roughly in the order of their announcements."""
    arrived = sorted((each for each in seen.values() if each), key=lambda each: each.accepted_us)
    known = [each for one in arrived for each in one.others]
    return [each for each in dict.fromkeys([*known, *recent.hashes(series.recent)]) if each not in seen]


def _absent(series: Series, times: Sequence[int]) -> list[int]:
    """The times of the announced batches without a chunk among those of these times."""
    return [one.accepted_us for one in series.announced.values() if one.accepted_us not in times]


def _extended(series: Series, since: Covered, times: Sequence[int]) -> Covered:
    until_us = min((one.accepted_us - 1 for one in series.announced.values()), default=series.heartbeat_us)
    until_us = max(until_us, since.until_us)
    return Covered(since.batches + sum(each <= until_us for each in times), until_us)
