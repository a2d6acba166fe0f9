"""Iterations that never were stored, to be filtered and ordered."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from chalicelib.services.search.facts import Facts
from chalicelib.services.search.order import sort_key
from chalicelib.services.search.parse import parse_order
from chalicelib.storage.points.summary import Summary
from deardiary.wire.shapes import Iteration, IterationStatus

NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


def summary(last: float, **others: Any) -> Summary:
    """A series of which everything is one value, but for what is named."""
    same = {"first": last, "last": last, "min": last, "max": last}
    positions = {"count": 1, "first_step": 0, "first_time": 0, "last_step": 0, "last_time": 0}
    return Summary(**{**same, **positions, **others})


def facts(
    *, parameters: dict[str, str] | None = None, summaries: Any = None, tags: tuple[str, ...] = (), **fields: Any
) -> Facts:
    whole: dict[str, Any] = {"id": "i1", "experiment_id": "e", "notes": "", "created_date": NOON, "error_message": ""}
    whole |= {"status_id": IterationStatus.RUNNING, "python_version": "", "julia_version": "", "git_sha": ""}
    whole |= {"git_dirty": False, "entrypoint": ""}
    return Facts(Iteration(**{**whole, **fields}), parameters or {}, summaries or {}, tags)


def ordered(text: str, *subjects: Facts) -> list[str]:
    """Their ids in this order."""
    terms = parse_order(text)
    return [each.iteration.id for each in sorted(subjects, key=lambda each: sort_key(terms, each))]
