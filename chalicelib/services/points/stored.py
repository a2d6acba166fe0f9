"""The stored points of an iteration, unchanged, for a client that decodes them."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib import ids
from chalicelib.paging import bad_cursor, decode_cursor, encode_cursor
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.lifecycle import pace
from chalicelib.services.points import compaction
from chalicelib.storage.points import rows
from chalicelib.storage.points.rows import INT64_MAX, INT64_MIN, Stored
from deardiary.wire.points_page import HEAD_BYTES, PointsPage, StoredRow


def read_stored(
    actor: Actor,
    iteration_id: str,
    keys: Sequence[str],
    min_step: int | None,
    max_step: int | None,
    cursor: str | None,
    most_bytes: int,
) -> PointsPage:
    """The rows that may have points of these keys, by default of all, between two steps; of at most `most_bytes`.

    The rows may have points of other keys and steps too, and packed rows may have points that are not visible.
    """
    line = access.iteration(actor, iteration_id, Need.READ)
    pace.watch_iteration(line)
    low = INT64_MIN if min_step is None else min_step
    high = INT64_MAX if max_step is None else max_step
    only = frozenset(keys) or None
    scope = ids.hash_text(repr((iteration_id, sorted(only or ()), low, high)))

    def is_wanted(row: Stored) -> bool:
        return row.high >= low and row.low <= high

    found = rows.read_rows_page(iteration_id, only, _after(cursor, scope), most_bytes - HEAD_BYTES, is_wanted)
    if found.last_sk is None:
        compaction.compact_if_many(line.iteration, compaction.ENOUGH_WHEN_READ)
    more = None if found.last_sk is None else encode_cursor(scope, found.last_sk)
    return PointsPage([StoredRow(row.points, row.batch, row.generation) for row in found.stored], found.homes, more)


def _after(cursor: str | None, scope: str) -> str | None:
    if cursor is None:
        return None
    of, after = decode_cursor(cursor, 2)
    if of != scope:
        raise bad_cursor()
    return after
