"""Groups of the OpenID Connect provider: the rights on projects that their members have from sign-in to sign-in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from contextlib import suppress

from chalicelib.errors import NotFound
from chalicelib.paging import Page
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.permission import require_manager
from chalicelib.storage import group as storage
from chalicelib.storage import permission as permissions
from chalicelib.storage.group import Group as Group  # the routes answer with it


def list_groups(actor: Actor, project_id: str, limit: int, cursor: str | None) -> Page[Group]:
    access.project(actor, project_id, Need.READ)
    return storage.list_groups(project_id, limit, cursor)


def put_group(
    actor: Actor, project_id: str, group: str, *, create: bool, read: bool, update: bool, delete: bool
) -> Group:
    """Replace the rights of a group. Members have them after their next sign-in."""
    require_manager(actor, project_id)
    written = Group(
        id=storage.id_of(group),
        project_id=project_id,
        group=group,
        create_permission=create,
        read_permission=read,
        update_permission=update,
        delete_permission=delete,
    )
    storage.put_group(written)
    return written


def delete_group(actor: Actor, project_id: str, group_id: str) -> None:
    require_manager(actor, project_id)
    storage.delete_group(project_id, group_id)


def give_rights(user_id: str, groups: Collection[str]) -> None:
    """Make the rights by groups those of these groups. Repeatable: a sign-in that died is completed by the next."""
    wanted, held = _rights_of(frozenset(groups)), permissions.read_rights_of_groups(user_id)
    for project_id in sorted(wanted.keys() | held.keys()):
        rights = wanted.get(project_id, frozenset())
        if rights != held.get(project_id, frozenset()):
            # The project may have been deleted since: then there is nothing to give.
            with suppress(NotFound):
                permissions.put_rights_of_groups(user_id, project_id, rights)


def _rights_of(groups: frozenset[str]) -> dict[str, frozenset[str]]:
    """The rights that these groups give together, by project."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for each in storage.each_group() if groups else ():
        if each.group in groups:
            found[each.project_id] |= {right for right in permissions.RIGHTS if getattr(each, f"{right}_permission")}
    return {project_id: frozenset(rights) for project_id, rights in found.items() if rights}
