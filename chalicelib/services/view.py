"""Views of a project: names with a state that clients keep, such as the columns of a table."""

from __future__ import annotations

from typing import Any, TypedDict

from chalicelib import clock, ids
from chalicelib.paging import Page
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.storage import view as storage
from deardiary.wire.shapes import View


class ViewChanges(TypedDict, total=False):
    """The fields of a view that a PATCH may carry; those absent stay."""

    name: str
    state: dict[str, Any]


def create_view(actor: Actor, project_id: str, *, name: str, state: dict[str, Any]) -> View:
    access.project(actor, project_id, Need.CREATE)
    view = View(
        id=ids.new_id(),
        project_id=project_id,
        name=name,
        state=state,
        created_by=actor.user.id,
        created_date=clock.now(),
    )
    storage.create_view(view)
    return view


def get_view(actor: Actor, project_id: str, view_id: str) -> View:
    access.project(actor, project_id, Need.READ)
    return storage.get_view(project_id, view_id)


def list_views(actor: Actor, project_id: str, limit: int, cursor: str | None) -> Page[View]:
    access.project(actor, project_id, Need.READ)
    return storage.list_views(project_id, limit, cursor)


def update_view(actor: Actor, project_id: str, view_id: str, changes: ViewChanges) -> View:
    access.project(actor, project_id, Need.UPDATE)
    return storage.update_view(project_id, view_id, changes)


def delete_view(actor: Actor, project_id: str, view_id: str) -> None:
    access.project(actor, project_id, Need.DELETE)
    storage.delete_view(project_id, view_id)
