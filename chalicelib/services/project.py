"""Projects."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TypedDict

from chalicelib import clock, config, ids
from chalicelib.errors import Conflict, NotFound, PermissionRequired
from chalicelib.paging import Page
from chalicelib.retry import until_not_overtaken
from chalicelib.services import access, label, permission
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.label import NO_LABELS, LabelChanges, Labels
from chalicelib.storage import label as labels_of
from chalicelib.storage import permission as permissions
from chalicelib.storage import project as storage
from chalicelib.storage.reads.lineage import ProjectLineage
from chalicelib.storage.table.transaction import Transaction
from deardiary.wire.shapes import Project


class ProjectChanges(TypedDict, total=False):
    """The fields of a project that a PATCH may carry; those absent stay."""

    name: str
    description: str
    labels: LabelChanges


def create_project(
    actor: Actor,
    *,
    name: str,
    description: str,
    id_key: str | None,
    created_date: datetime | None = None,
    labels: Labels = NO_LABELS,
) -> tuple[Project, bool]:
    """The project and whether it is new: the same id_key of the same user finds the earlier one."""
    actor.require_unscoped()
    actor.require_person("create projects")
    if config.settings().project_creation_by_admin_only:
        actor.require_admin("create projects here")
    created = _find_created(actor, id_key)
    if created is not None:
        return created, False
    project = Project(
        id=ids.new_id(),
        name=name,
        description=description,
        created_by=actor.user.id,
        created_date=clock.past(created_date),
        labels=label.checked(labels),
    )
    try:
        _create(actor, project, id_key)
    except Conflict:
        created = _find_created(actor, id_key)
        if created is None:
            raise
        return created, False
    return project, True


def get_project(actor: Actor, project_id: str) -> Project:
    return _whole(access.project(actor, project_id, Need.READ))


def list_projects(actor: Actor, limit: int, cursor: str | None, name: str | None) -> Page[Project]:
    """All projects for an admin, the readable ones for others; a token for one project lists that one."""
    if actor.only_project_id is not None:
        return _only(actor, actor.only_project_id, name)
    if actor.user.is_admin:
        return storage.list_all_projects(limit, cursor, name)
    return _list_own(actor, limit, cursor, name)


def update_project(actor: Actor, project_id: str, changes: ProjectChanges) -> Project:
    """Change the project; decide again after a concurrent change of its labels."""

    def update() -> Project:
        before = _whole(access.project(actor, project_id, Need.UPDATE))
        return storage.update_project(before, replace(before, **label.merged(before, changes)))

    return until_not_overtaken(update)


def _whole(line: ProjectLineage) -> Project:
    return labels_of.complete(line.project, apart=line.labels_apart)


def _create(actor: Actor, project: Project, id_key: str | None) -> None:
    write = Transaction()
    storage.create_project(project, actor.user.id, id_key, write)
    permissions.add_permission(permission.all_four(actor.user.id, project.id), write)
    write.commit()


def _find_created(actor: Actor, id_key: str | None) -> Project | None:
    if id_key is None:
        return None
    project_id = storage.find_id_by_id_key(actor.user.id, id_key)
    if project_id is None:
        return None
    try:
        return _whole(access.project(actor, project_id, Need.READ))
    except NotFound:
        return None


def _only(actor: Actor, project_id: str, name: str | None) -> Page[Project]:
    try:
        project = _whole(access.project(actor, project_id, Need.READ))
    except (NotFound, PermissionRequired):
        return Page([], None)
    return Page([project] if name in (None, project.name) else [], None)


def _list_own(actor: Actor, limit: int, cursor: str | None, name: str | None) -> Page[Project]:
    """Fill the page up to the limit: permissions without read and other names do not count."""
    found: list[Project] = []
    while True:
        held = permissions.list_permissions_of_user(actor.user.id, limit - len(found), cursor)
        readable = [each.project_id for each in held.data if each.read_permission]
        found += [each for each in storage.get_projects(readable) if name in (None, each.name)]
        cursor = held.next_cursor
        if cursor is None or len(found) >= limit:
            return Page(found, cursor)
