"""Views: rows in the partition of their project, by id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute, UTCDateTimeAttribute

from chalicelib.errors import Conflict, NotFound
from chalicelib.paging import Page
from chalicelib.storage import project
from chalicelib.storage.table import item, keys
from chalicelib.storage.table.conditional import otherwise
from chalicelib.storage.table.item import Item
from chalicelib.storage.table.mapping import row_of, shape_of
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import View


class ViewRow(Item, discriminator="view"):
    id = UnicodeAttribute()
    project_id = UnicodeAttribute()
    name = UnicodeAttribute()
    state = JSONAttribute()
    created_by = UnicodeAttribute(null=True)
    created_date = UTCDateTimeAttribute()


def create_view(view: View) -> None:
    """Create a view. NotFound without the project."""
    write = Transaction()
    project.check_alive(view.project_id, write)
    write.put(row_of(ViewRow, keys.view(view.project_id, view.id), view), Conflict)
    write.commit()


def get_view(project_id: str, view_id: str) -> View:
    return _shape(item.get(ViewRow, keys.view(project_id, view_id)))


def list_views(project_id: str, limit: int, cursor: str | None) -> Page[View]:
    rows = item.page(ViewRow, keys.project_partition(project_id), keys.VIEW, limit=limit, cursor=cursor)
    return Page([_shape(row) for row in rows.data], rows.next_cursor)


def update_view(project_id: str, view_id: str, changes: Mapping[str, Any]) -> View:
    """Set these fields and leave the others. Return the view as stored; NotFound without it."""
    item.connection()
    row = ViewRow(*keys.view(project_id, view_id))
    actions = [getattr(ViewRow, name).set(value) for name, value in {"id": view_id, **changes}.items()]
    with otherwise(NotFound):
        row.update(actions, condition=ViewRow.pk.exists())
    return _shape(row)


def delete_view(project_id: str, view_id: str) -> None:
    """Delete a view, in a transaction: a repetition after a lost answer succeeds too."""
    write = Transaction()
    write.delete(ViewRow(*keys.view(project_id, view_id)), ViewRow.pk.exists(), NotFound)
    write.commit()


def _shape(row: ViewRow) -> View:
    return shape_of(row, View)
