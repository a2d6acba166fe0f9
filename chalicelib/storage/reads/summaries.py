"""The summaries of iterations, also of wide ones, whose SERIES does not hold them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from chalicelib.errors import NotFound
from chalicelib.retry import Retry
from chalicelib.storage import series as storage
from chalicelib.storage.points import wide
from chalicelib.storage.points.codec import Batch
from chalicelib.storage.points.summary import PackedSummaries, Summary
from chalicelib.storage.points.wide import Current, Wide
from chalicelib.storage.series import Series
from chalicelib.storage.table import item, keys, nearby


class Progress(NamedTuple):
    """What a poll compares: the state of the summaries, and the last heartbeat in µs since 1970.

    The state is the packed summaries. Of a wide iteration it is a name for them, as if each announced batch had a
    chunk: only `read_states` knows which of them have.
    """

    state: bytes
    heartbeat_us: int
    is_wide: bool = False


class State(NamedTuple):
    """The state of an iteration as in `Progress`, and its summaries."""

    state: bytes
    summaries: Mapping[str, Summary]


def read_current(experiment_id: str, iteration_id: str) -> Series:
    """The series with the summaries of all stored points. NotFound like `read_series`."""
    series = storage.read_series(experiment_id, iteration_id)
    found = _with_summaries(experiment_id, {iteration_id: series})
    if iteration_id not in found:
        raise NotFound
    return found[iteration_id]


def read_current_of_iterations(
    experiment_id: str, iteration_ids: Iterable[str], *, consistent: bool = True
) -> dict[str, Series]:
    """The series that exist, by iteration, with the summaries of all stored points.

    Not `consistent`: without the points of the last moment, at a lower price.
    """
    found = storage.read_series_of_iterations(experiment_id, iteration_ids)
    return _with_summaries(experiment_id, found, consistent=consistent)


def _with_summaries(experiment_id: str, found: Mapping[str, Series], *, consistent: bool = True) -> dict[str, Series]:
    """Read the summaries of the wide iterations among these. Those that are removed meanwhile are left out."""
    whole = {each: series for each, series in found.items() if not series.wide}
    left = {each: series for each, series in found.items() if series.wide}
    for _ in Retry() if left else ():
        parts = wide.read({each: series.apart for each, series in left.items()}, consistent=consistent)
        whole |= {each: replace(left[each], summaries=part) for each, part in parts.items() if part is not None}
        misfits = {each: left[each] for each, part in parts.items() if part is None}
        if not misfits:
            break
        again = storage.read_series_of_iterations(experiment_id, misfits)
        # Of the same version: a backup of a table in use restored rows that do not fit.
        lost = {each for each in again if consistent and again[each].version == misfits[each].version}
        whole |= {each: replace(again[each], summaries=wide.count(each)) for each in lost}
        whole |= {each: series for each, series in again.items() if not series.wide}
        left = {each: series for each, series in again.items() if series.wide and each not in lost}
        consistent = True
        if not left:
            break
    return whole


def read_summaries_of_span(
    experiment_id: str, first_id: str, last_id: str, *, consistent: bool = True
) -> dict[str, Mapping[str, Summary]]:
    """The summaries of the iterations from one id to another, by iteration."""
    span = keys.series_span(experiment_id, first_id, last_id)
    rows = item.raw_rows(span, ["SK", "digests"], consistent=consistent)
    return _summaries(experiment_id, {row["SK"]["S"]: row for row in rows}, consistent=consistent)


def read_summaries_of_iterations(
    experiment_id: str, iteration_ids: Iterable[str], *, consistent: bool = True
) -> dict[str, Mapping[str, Summary]]:
    """Like `read_summaries_of_span` for iterations that may be far apart: those between them are not read."""
    wanted = [keys.series(experiment_id, each) for each in iteration_ids]
    rows = nearby.read_nearby(wanted, ["digests"], consistent=consistent).rows
    return _summaries(experiment_id, {key.sk: row for key, row in rows.items()}, consistent=consistent)


def _summaries(
    experiment_id: str, rows: Mapping[str, Mapping[str, Any]], *, consistent: bool
) -> dict[str, Mapping[str, Summary]]:
    """The summaries of these rows by iteration. Those of wide iterations take further calls."""
    found: dict[str, Mapping[str, Summary]] = {
        keys.owner_of_series(sk): PackedSummaries(row["digests"]["B"]) for sk, row in rows.items() if "digests" in row
    }
    apart = [keys.owner_of_series(sk) for sk, row in rows.items() if "digests" not in row]
    read = read_current_of_iterations(experiment_id, apart, consistent=consistent) if apart else {}
    return found | {each: series.summaries for each, series in read.items()}


def read_settled_of_span(
    experiment_id: str, first_id: str, last_id: str
) -> tuple[dict[str, Mapping[str, Summary]], list[str]]:
    """The summaries of the iterations from one id to another that only a new batch or edit can change, by iteration.

    And the iterations whose edited points, or announced batches, are still to be summarised. Not consistent.
    """
    span = keys.series_span(experiment_id, first_id, last_id)
    names = ["SK", "digests", "announced", "recount", "closed"]
    rows = {keys.owner_of_series(row["SK"]["S"]): row for row in item.raw_rows(span, names, consistent=False)}
    settled: dict[str, Mapping[str, Summary]] = {
        each: PackedSummaries(row["digests"]["B"])
        for each, row in rows.items()
        if not _is_unsummarised(row) and row["announced"]["S"] == "{}" and "closed" not in row
    }
    return settled, [each for each, row in rows.items() if _is_unsummarised(row)]


def _is_unsummarised(row: Mapping[str, Any]) -> bool:
    """True with edited points to recompute, or of a wide iteration."""
    return "recount" in row or "digests" not in row


def read_progress_nearby(experiment_id: str, iteration_ids: Iterable[str]) -> dict[str, Progress]:
    """The progress of these iterations, as of about a second ago at worst."""
    wanted = [keys.series(experiment_id, each) for each in iteration_ids]
    rows = nearby.read_nearby(wanted, ["digests", "last_at", "wide", "announced"]).rows
    return {keys.owner_of_series(key.sk): _progress(row) for key, row in rows.items()}


def _progress(row: Mapping[str, Any]) -> Progress:
    heartbeat_us = int(row["last_at"]["N"]) if "last_at" in row else 0
    if "digests" in row:
        return Progress(row["digests"]["B"], heartbeat_us)
    announced = storage.batches_of(storage.open_announced(json.loads(row["announced"]["S"])))
    return Progress(_name_of(Wide.of(json.loads(row["wide"]["S"])), announced), heartbeat_us, is_wide=True)


def read_states(experiment_id: str, iteration_ids: Iterable[str]) -> dict[str, State]:
    """The states and summaries of iterations that were wide a moment ago. Not consistent."""
    found = read_current_of_iterations(experiment_id, iteration_ids, consistent=False)
    return {each: State(_state(series), series.summaries) for each, series in found.items()}


def _state(series: Series) -> bytes:
    if series.wide and isinstance(series.summaries, Current):
        return _name_of(series.wide, filter(series.summaries.has, series.unmerged))
    return series.packed_summaries


def _name_of(of: Wide, stored: Iterable[Batch]) -> bytes:
    return json.dumps([of.summaries_version, sorted(stored)]).encode()
