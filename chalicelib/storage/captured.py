"""What SageMaker says of each job of the account: a row in the partition of the project that captures them.

The row lives beside the job's iteration, so that a program which begins to log only later finds it.
"""

from __future__ import annotations

import json
import zlib
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, NumberAttribute
from pynamodb.expressions.update import Action

from chalicelib import clock
from chalicelib.errors import NotFound, Overtaken
from chalicelib.storage import project
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.conditional import otherwise
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.transaction import Transaction

# A job lasts at most 28 days; its program can be sent from a spool long after that.
_KEPT = timedelta(days=180)


class CapturedRow(Item, discriminator="captured"):
    facts = BinaryAttribute(legacy_encoding=False)
    # The state of the job: a later one has a higher version.
    version = NumberAttribute()
    # True: the job has, or had, an iteration. Another one is not created: that one has been deleted.
    has_iteration = BooleanAttribute(null=True)
    # DynamoDB's TTL, in seconds since 1970.
    expires_at = NumberAttribute()


def find_facts(project_id: str, job: str) -> tuple[dict[str, Any], bool] | None:
    """What is known of the job, and whether it has or had an iteration."""
    row = item.find(CapturedRow, keys.captured(project_id, job))
    return None if row is None else (json.loads(zlib.decompress(row.facts)), bool(row.has_iteration))


def keep_facts(project_id: str, job: str, facts: dict[str, Any], version: int, created: datetime) -> None:
    """Store what is known of the job. Overtaken if a later state is stored; NotFound without the project."""
    actions: list[Action] = [
        CapturedRow.kind.set(CapturedRow),
        CapturedRow.facts.set(zlib.compress(json.dumps(facts).encode())),
        CapturedRow.version.set(version),
        CapturedRow.expires_at.set(int((max(created, clock.now()) + _KEPT).timestamp())),
    ]
    write = Transaction()
    project.check_alive(project_id, write)
    newer = CapturedRow.version.does_not_exist() | (CapturedRow.version <= version)
    write.update(CapturedRow(*keys.captured(project_id, job)), actions, newer, Overtaken)
    write.commit()


def mark_created(project_id: str, job: str) -> None:
    """Note that the job has an iteration. NotFound if its facts are gone, with their project."""
    item.connection()
    row = CapturedRow(*keys.captured(project_id, job))
    with otherwise(NotFound):
        row.update([CapturedRow.has_iteration.set(True)], CapturedRow.pk.exists())
