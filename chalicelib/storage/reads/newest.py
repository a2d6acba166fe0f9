"""The newest objects of an owner, for overviews: read backwards and eventually consistent, at half the price."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from pynamodb.attributes import UTCDateTimeAttribute

from chalicelib.storage.table import item, keys
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.keys import Span

_time: Any = UTCDateTimeAttribute()
_FIELDS = ("id", "name", "created_by", "created_date", "end_date", "status_id", "version", "deleting")


class Newest(NamedTuple):
    """The fields of an object that an overview shows; None for a field without a value, or that its kind lacks."""

    id: str
    name: str | None
    created_by: str | None
    created_date: datetime
    end_date: datetime | None
    status_id: int
    version: int | None


def newest_project_ids(limit: int) -> list[str]:
    return [row["project_id"]["S"] for row in _rows(keys.projects_span(), limit, ["project_id"])]


def newest_project_ids_of_user(user_id: str, limit: int) -> list[str]:
    """The newest projects that the user may read."""
    rows = _rows(keys.permissions_span(user_id), limit, ["project_id", "read_permission", "by_groups"])
    return [row["project_id"]["S"] for row in rows if row["read_permission"]["BOOL"] or _reads_by_groups(row)]


def _reads_by_groups(row: dict[str, Any]) -> bool:
    return "read" in row.get("by_groups", {}).get("S", "").split()


def newest_experiments(project_id: str, limit: int) -> list[Newest]:
    return _visible(_rows(keys.experiments_span(project_id), limit, _FIELDS))


def newest_models(project_id: str, limit: int) -> list[Newest]:
    return _visible(_rows(keys.models_span(project_id), limit, _FIELDS))


def newest_versions(model_id: str, limit: int) -> list[Newest]:
    return _visible(_rows(keys.versions_span(model_id), limit, _FIELDS))


def newest_iterations(
    experiment_id: str, limit: int, before_stamp: str | None = None
) -> tuple[list[Newest], str | None]:
    """The newest iterations, of those before a time (`ids.stamp`), and the id of the last row if there may be more."""
    span = keys.iterations_span(experiment_id)
    if before_stamp is not None:
        span = keys.iterations_span_before(experiment_id, before_stamp)
    rows = _rows(span, limit, _FIELDS)
    return _visible(rows), rows[-1]["id"]["S"] if len(rows) == limit else None


def _rows(span: Span, limit: int, names: Sequence[str]) -> list[dict[str, Any]]:
    item.connection()
    answer = item.connection().query(
        span.pk,
        Item.sk.between(span.first, span.last),
        attributes_to_get=list(names),
        consistent_read=False,
        limit=limit,
        scan_index_forward=False,
    )
    rows: list[dict[str, Any]] = answer["Items"]
    return rows


def _visible(rows: Sequence[dict[str, Any]]) -> list[Newest]:
    return [_newest(row) for row in rows if "deleting" not in row]


def _newest(row: dict[str, Any]) -> Newest:
    end, version = row.get("end_date"), row.get("version")
    return Newest(
        id=row["id"]["S"],
        name=row["name"]["S"] if "name" in row else None,
        created_by=row["created_by"]["S"] if "created_by" in row else None,
        created_date=_time.deserialize(row["created_date"]["S"]),
        end_date=None if end is None else _time.deserialize(end["S"]),
        status_id=int(row["status_id"]["N"]) if "status_id" in row else 0,
        version=None if version is None else int(version["N"]),
    )
