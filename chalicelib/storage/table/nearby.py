"""Read some rows of a partition at the lower of two prices.

A Query costs a read unit for 4 KB in all, a read by key one for each row. Rows that follow each other are cheaper by a
Query, which also reads the rows between them; rows far apart are cheaper by their keys.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from chalicelib.aws.threads import in_threads
from chalicelib.storage.table import item
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Key, Span

# A page of a Query continues the reading if at least one row in four is wanted.
_WORTH_A_PAGE = 4
_SMALLEST_PAGE = 10
# Of `read_below`: rows of the first page for each prefix.
_ROWS_BELOW = 4
_SMALLEST_PAGE_BELOW = 100
# Sorts after every character of a hash.
_AFTER = "~"


class Nearby(NamedTuple):
    """The rows in DynamoDB's form, and True if few other rows are between them."""

    rows: dict[Key, dict[str, Any]]
    are_close: bool


def read_nearby(wanted: Collection[Key], names: Sequence[str], *, consistent: bool = False) -> Nearby:
    """Read these attributes of the rows of one partition that exist, hidden rows too.

    Read pages from the last row backwards as long as they are worth it, then the others by their keys.
    """
    found: dict[Key, dict[str, Any]] = {}
    left, names = set(wanted), ["PK", "SK", *names]
    start: dict[str, Any] | None = None
    while len(left) > 1:
        page, start = _page_backwards(left, len(wanted), names, start, consistent=consistent)
        hits = [key for key in page if key in left]
        found.update((key, page[key]) for key in hits)
        left = {key for key in left if start and key.sk < start["SK"]["S"]}
        if len(hits) * _WORTH_A_PAGE < len(page):
            break
    are_close = not left or len(wanted) == 1
    return Nearby(found | item.raw_many(left, names[2:], consistent=consistent), are_close)


def _page_backwards(
    left: Collection[Key], rows: int, names: Sequence[str], start: dict[str, Any] | None, *, consistent: bool
) -> tuple[dict[Key, dict[str, Any]], dict[str, Any] | None]:
    """One page of the rows from the last wanted one to the first, and its LastEvaluatedKey."""
    first, last = min(left), max(left)
    # DynamoDB refuses a start outside of the range: it may be above the rows that are left.
    highest = last.sk if start is None else max(last.sk, start["SK"]["S"])
    answer = item.connection().query(
        first.pk,
        Item.sk.between(first.sk, highest),
        attributes_to_get=list(names),
        consistent_read=consistent,
        exclusive_start_key=start,
        limit=max(rows, _SMALLEST_PAGE),
        scan_index_forward=False,
    )
    page = {Key(row["PK"]["S"], row["SK"]["S"]): row for row in answer["Items"]}
    return page, answer.get("LastEvaluatedKey")


def read_below(
    pk: str, prefixes: Sequence[str], names: Sequence[str], *, consistent: bool = True
) -> list[dict[str, Any]]:
    """Read these attributes of all rows of a partition whose sort keys are one of these prefixes and a hash.

    Read pages of the span as long as they are worth it, then each of the other prefixes with a Query of its own.
    """
    wanted, names = set(prefixes), ["SK", *names]
    left, found = sorted(wanted), list[dict[str, Any]]()
    start: dict[str, Any] | None = None
    while len(left) > 1:
        page, start = _page_below(
            pk, left, max(_ROWS_BELOW * len(wanted), _SMALLEST_PAGE_BELOW), names, start, consistent
        )
        hits = [row for row in page if _prefix(row["SK"]["S"]) in wanted]
        found += hits
        left = [each for each in left if start and start["SK"]["S"] < each + _AFTER]
        if len(hits) * _WORTH_A_PAGE < len(page):
            break

    def rest(prefix: str) -> list[dict[str, Any]]:
        begun = start if start and start["SK"]["S"].startswith(prefix) else None
        return list(item.raw_rows(Span(pk, prefix, prefix + _AFTER), names, start=begun, consistent=consistent))

    item.connection()
    return found + [row for rows in in_threads(rest, left) for row in rows]


def _page_below(
    pk: str, left: Sequence[str], rows: int, names: Sequence[str], start: dict[str, Any] | None, consistent: bool
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """One page of the rows from the first prefix to the last, and its LastEvaluatedKey."""
    answer = item.connection().query(
        pk,
        Item.sk.between(left[0] if start is None else min(left[0], start["SK"]["S"]), left[-1] + _AFTER),
        attributes_to_get=list(names),
        consistent_read=consistent,
        exclusive_start_key=start,
        limit=rows,
    )
    return answer["Items"], answer.get("LastEvaluatedKey")


def _prefix(sk: str) -> str:
    return sk[: sk.rindex("#") + 1]
