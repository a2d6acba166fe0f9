"""Projections of iterations: some fields of thousands of rows, read without models."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from pynamodb.attributes import UTCDateTimeAttribute

from chalicelib import clock
from chalicelib.paging import Cursor, Page
from chalicelib.storage import label
from chalicelib.storage.iteration import IterationRow
from chalicelib.storage.label import Texts
from chalicelib.storage.table import item, keys, nearby
from deardiary.wire.shapes import Iteration, IterationStatus

_EMPTY: dict[str, Any] = {
    "created_date": clock.EPOCH,
    "status_id": IterationStatus.RUNNING,
    "git_dirty": False,
    **dict.fromkeys(("notes", "error_message", "python_version", "julia_version", "git_sha", "entrypoint"), ""),
}
_FIELDS = [field.name for field in fields(Iteration)]
_TIMES = {"created_date", "end_date"}
_ENDS_PER_CALL = 2000
_time: Any = UTCDateTimeAttribute()
_texts = Texts()


def read_iterations(
    experiment_id: str, parent_id: str | None, names: Collection[str], *, consistent: bool = True
) -> list[Iteration]:
    """All iterations in the order of their ids, or the children of a parent; fields not in `names` are empty."""
    condition = None if parent_id is None else IterationRow.parent_iteration_id == parent_id
    span = keys.iterations_span(experiment_id)
    found = list(item.raw_rows(span, _attributes(names), condition=condition, consistent=consistent))
    deleted = {row["id"]["S"] for row in found if "deleting" in row}
    return _from_rows(experiment_id, [_shown(row, deleted) for row in found])


def read_even_hidden(experiment_id: str, names: Collection[str]) -> tuple[list[Iteration], set[str]]:
    """All iterations in the order of their ids, and the ids of those that are in the trash or being removed."""
    found = list(item.raw_rows(keys.iterations_span(experiment_id), _attributes(names)))
    hidden = {row["id"]["S"] for row in found if "deleting" in row}
    rows = ({name: value for name, value in row.items() if name != "deleting"} for row in found)
    return _from_rows(experiment_id, rows), hidden


def read_between(
    experiment_id: str, after_id: str, last_id: str | None, names: Collection[str], *, consistent: bool
) -> list[Iteration]:
    """The visible iterations after an id (empty: from the first on) up to another one (None: to the last one)."""
    span = keys.iterations_between(experiment_id, after_id, last_id)
    return _from_rows(experiment_id, item.raw_rows(span, _attributes(names), consistent=consistent))


def read_ends(experiment_id: str, after_id: str, last_id: str) -> Iterator[tuple[str, bool]]:
    """The ids of the iterations between two ids, also of hidden ones, and True for each visible one with an end.

    Not consistent; the reader may stop early.
    """
    span = keys.iterations_between(experiment_id, after_id, last_id)
    for row in item.raw_rows(span, ["id", "end_date", "deleting"], consistent=False, per_call=_ENDS_PER_CALL):
        yield row["id"]["S"], "end_date" in row and "deleting" not in row


def find_even_hidden(experiment_id: str, iteration_ids: Sequence[str]) -> list[Iteration]:
    """The iterations that there are, also in the trash, in the order given."""
    item_keys = [keys.iteration(experiment_id, each) for each in iteration_ids]
    found = item.raw_many(item_keys, _attributes(_FIELDS))
    rows = (
        {name: value for name, value in found[key].items() if name != "deleting"} for key in item_keys if key in found
    )
    return _from_rows(experiment_id, rows)


def _shown(row: Mapping[str, Any], deleted: Collection[str]) -> Mapping[str, Any]:
    """The row as readers see it: a parent that is deleted counts as none."""
    parent = row.get("parent_iteration_id", {}).get("S") if deleted else None
    if parent not in deleted:
        return row
    return {name: value for name, value in row.items() if name != "parent_iteration_id"}


def page_of_iterations(
    experiment_id: str, names: Collection[str], limit: int, cursor: Cursor | None
) -> Page[Iteration]:
    """A page in the order of ids, read without consistency; fields not in `names` are empty."""
    page = item.raw_page(keys.iterations_span(experiment_id), _attributes(names), limit=limit, cursor=cursor)
    return Page(_from_rows(experiment_id, page.data), page.next_cursor)


def find_iterations(
    experiment_id: str, iteration_ids: Sequence[str], names: Collection[str] = _FIELDS, *, consistent: bool = True
) -> list[Iteration]:
    """The iterations that exist, in the order given; fields not in `names` are empty."""
    item_keys = [keys.iteration(experiment_id, each) for each in iteration_ids]
    found = item.raw_many(item_keys, _attributes(names), consistent=consistent)
    return _from_rows(experiment_id, [found[key] for key in item_keys if key in found])


def find_iterations_nearby(
    experiment_id: str, iteration_ids: Sequence[str], *, consistent: bool
) -> tuple[list[Iteration], bool]:
    """The iterations that exist, in the order given, and True if few others are between the first and the last id."""
    item_keys = [keys.iteration(experiment_id, each) for each in iteration_ids]
    found = nearby.read_nearby(item_keys, _attributes(_FIELDS), consistent=consistent)
    rows = [found.rows[key] for key in item_keys if key in found.rows]
    return _from_rows(experiment_id, rows), found.are_close


def existing_iterations(experiment_id: str, wanted: Sequence[str]) -> dict[str, Iteration]:
    """Those of these iterations that are in the experiment, in the order given; all, oldest first, without any."""
    if not wanted:
        found = read_iterations(experiment_id, None, ("end_date",))
    else:
        found = find_iterations(experiment_id, list(dict.fromkeys(wanted)), ("end_date",))
    return {iteration.id: iteration for iteration in found}


def iteration_of(experiment_id: str, iteration_id: str, given: dict[str, Any]) -> Iteration:
    """The iteration with these fields; the others are empty."""
    return Iteration(**_EMPTY | {"id": iteration_id, "experiment_id": experiment_id} | given)


def _attributes(names: Collection[str]) -> list[str]:
    """The attributes to read for these fields. The hash says that long labels are elsewhere."""
    return sorted({"id", "deleting", *names, *(["labels_hash"] if "labels" in names else [])})


def _from_rows(experiment_id: str, rows: Iterable[Mapping[str, Any]]) -> list[Iteration]:
    """The visible iterations, with their labels: one Query more if some of them are long."""
    visible = [row for row in rows if "deleting" not in row]
    apart = [row["id"]["S"] for row in visible if "labels_hash" in row and "labels" not in row]
    iterations = [_from_row(experiment_id, row) for row in visible]
    return label.fill(iterations, label.read_span(experiment_id, apart)) if apart else iterations


def _from_row(experiment_id: str, row: Mapping[str, Any]) -> Iteration:
    """Convert a row in DynamoDB's form; fields that it lacks are empty."""
    given = {name: next(iter(row[name].values())) for name in _FIELDS if name in row}
    if "labels" in given:
        given["labels"] = _texts.deserialize(given["labels"])
    for name in _TIMES & given.keys():
        given[name] = _time.deserialize(given[name])
    if "status_id" in given:
        given["status_id"] = IterationStatus(int(given["status_id"]))
    return Iteration(**_EMPTY | {"experiment_id": experiment_id} | given)
