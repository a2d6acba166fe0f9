"""Studies: the ordered records that the workers of a search share, and the leases of what each works on.

Each append is one row, whose key is the number of its first record. It raises the count of the study in the same
transaction, on the condition that no other append came first; so the numbers have no gap and no record two numbers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice
from typing import Any

from pynamodb.attributes import ListAttribute, NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute

from chalicelib import clock, ids
from chalicelib.errors import NotFound, Overtaken
from chalicelib.paging import Page
from chalicelib.retry import until_not_overtaken
from chalicelib.storage import experiment as experiments
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Span
from chalicelib.storage.table.mapping import shape_of
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Experiment, StudyLease, StudyRecords

# How long a repeated append is recognised, and a lease that no worker renews is kept.
KEPT = timedelta(days=7)
# In the function's answer. With the largest append on top it stays below the 6 MB of Lambda.
_PAGE_BYTES = 2 * 1024 * 1024


class StudyRow(Item, discriminator="study"):
    total = NumberAttribute()


class StudyRecordsRow(Item, discriminator="study-records"):
    records: ListAttribute[Any] = ListAttribute()


class StudyAppendRow(Item, discriminator="study-append"):
    first = NumberAttribute()
    total = NumberAttribute()
    expires_at = NumberAttribute()


class StudyLeaseRow(Item, discriminator="study-lease"):
    id = UnicodeAttribute()
    renewed_date = UTCDateTimeAttribute()
    expires_at = NumberAttribute()


def append_records(experiment: Experiment, study_id: str, append_id: str, records: Sequence[str]) -> tuple[int, int]:
    """Append records; return the number of the first, and the one after the last. NotFound without the experiment.

    An append that was stored already returns its own numbers.
    """
    return until_not_overtaken(lambda: _append(experiment, study_id, append_id, records))


def _append(experiment: Experiment, study_id: str, append_id: str, records: Sequence[str]) -> tuple[int, int]:
    head_key = keys.study(experiment.id, study_id)
    append_key = keys.study_append(experiment.id, study_id, ids.hash_text(append_id))
    found = item.get_many([head_key, append_key])
    stored, head = found.get(append_key), found.get(head_key)
    if isinstance(stored, StudyAppendRow):
        return int(stored.first), int(stored.first + stored.total)
    count = int(head.total) if isinstance(head, StudyRow) else 0
    after = count + len(records)
    write = Transaction()
    if isinstance(head, StudyRow):
        write.update(StudyRow(*head_key), [StudyRow.total.set(after)], StudyRow.total == count, Overtaken)
    else:
        experiments.check_alive(experiment, write)
        write.put(StudyRow(*head_key, total=after), Overtaken)
    write.put(StudyRecordsRow(*keys.study_records(experiment.id, study_id, count), records=list(records)), Overtaken)
    write.put(StudyAppendRow(*append_key, first=count, total=len(records), expires_at=_expiry()), Overtaken)
    write.commit()
    return count, after


def read_records(experiment_id: str, study_id: str, start: int) -> StudyRecords:
    """The records from a number on, as many as an answer may hold. None of a study that does not exist."""
    found: list[str] = _tail_before(experiment_id, study_id, start) if start else []
    size = _answer_bytes(found)
    rows = item.raw_rows(keys.study_records_span(experiment_id, study_id, start), ["SK", "records"])
    for row in rows:
        # A Query that runs beside two appends may miss the first and see the second: read both later.
        if _number(row) != start + len(found):
            return StudyRecords(records=found, next=start + len(found), has_more=False)
        texts = _texts(row)
        found += texts
        size += _answer_bytes(texts)
        if size > _PAGE_BYTES:
            break
    return StudyRecords(records=found, next=start + len(found), has_more=next(rows, None) is not None)


def _tail_before(experiment_id: str, study_id: str, start: int) -> list[str]:
    """The records from a number on that are in a row with earlier ones."""
    span: Span = keys.study_records_before(experiment_id, study_id, start)
    for row in islice(item.raw_rows(span, ["SK", "records"], newest_first=True, per_call=1), 1):
        return _texts(row)[start - _number(row) :]
    return []


def renew_lease(experiment_id: str, study_id: str, lease_id: str) -> StudyLease:
    """Create or renew a lease. NotFound without the study."""
    item.get(StudyRow, keys.study(experiment_id, study_id))
    now = clock.now()
    row = StudyLeaseRow(
        *keys.study_lease(experiment_id, study_id, lease_id), id=lease_id, renewed_date=now, expires_at=_expiry()
    )
    row.save()
    return _lease(row)


def list_leases(experiment_id: str, study_id: str, limit: int, cursor: str | None) -> Page[StudyLease]:
    partition, prefix = keys.experiment_partition(experiment_id), keys.study_lease_prefix(study_id)
    rows = item.page(StudyLeaseRow, partition, prefix, limit=limit, cursor=cursor)
    return Page([_lease(row) for row in rows.data], rows.next_cursor)


def delete_lease(experiment_id: str, study_id: str, lease_id: str) -> None:
    """Delete a lease; NotFound without it. A repetition after a lost answer succeeds too."""
    write = Transaction()
    row = StudyLeaseRow(*keys.study_lease(experiment_id, study_id, lease_id))
    write.delete(row, StudyLeaseRow.pk.exists(), NotFound)
    write.commit()


def _lease(row: StudyLeaseRow) -> StudyLease:
    return shape_of(row, StudyLease, age_seconds=max(0.0, (clock.now() - row.renewed_date).total_seconds()))


def _number(row: dict[str, Any]) -> int:
    """The number of the first record of a row."""
    return int(row["SK"]["S"].rpartition("#")[2])


def _answer_bytes(texts: list[str]) -> int:
    """At least the size of the texts in the function's answer: in JSON, as a text within ASCII JSON."""
    return len(json.dumps(json.dumps(texts)))


def _texts(row: dict[str, Any]) -> list[str]:
    return [each["S"] for each in row["records"]["L"]]


def _expiry() -> int:
    return int((clock.now() + KEPT).timestamp())
