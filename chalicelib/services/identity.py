"""Identity patterns: which AWS roles and users may act in a project, and with which permissions.

A role gets a machine account at its first sign-in. The permissions of that account are those that the patterns give
its role: each sign-in writes them, and the deletion of a pattern takes them back at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from chalicelib import arn, clock, ids
from chalicelib.arn import Principal
from chalicelib.errors import Conflict, InvalidPayload, NotFound
from chalicelib.paging import Page
from chalicelib.retry import until_not_overtaken
from chalicelib.services import access
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.storage import identity as storage
from chalicelib.storage import permission as permissions
from chalicelib.storage.user import find_users
from deardiary.wire.shapes import Identity, UserPermission

# A sign-in reads all patterns of its AWS account.
MAX_IDENTITIES = 25
_NEEDS = [need.value for need in Need]


def create_identity(
    actor: Actor, *, pattern: str, project_id: str, create: bool, read: bool, update: bool, delete: bool
) -> tuple[Identity, bool]:
    """The identity and whether it is new. Conflict if the project has this pattern with other permissions."""
    _require_manager(actor, project_id)
    allowed = arn.pattern_of(pattern)
    of_project = storage.identities_of_project(project_id)
    identity = Identity(
        id=f"{allowed.account}.{ids.hash_texts(project_id, allowed.arn)}",
        project_id=project_id,
        pattern=pattern,
        read_only=read and not (create or update or delete),
        create_permission=create,
        read_permission=read,
        update_permission=update,
        delete_permission=delete,
        created_by=actor.user.id,
        created_date=clock.now(),
    )
    if len(of_project) >= MAX_IDENTITIES and identity.id not in {each.id for each in of_project}:
        raise InvalidPayload(f"A project has at most {MAX_IDENTITIES} patterns; delete one first", field="pattern")
    return _created(identity)


def _created(identity: Identity) -> tuple[Identity, bool]:
    try:
        storage.create_identity(identity)
    except Conflict:
        before = storage.find_identity(identity.id)
        if before is None or _rights_of([before]) != _rights_of([identity]):
            raise Conflict(
                "The project has this pattern with other permissions; delete it first", field="pattern"
            ) from None
        return before, False
    return identity, True


def list_identities(actor: Actor, project_id: str | None, limit: int, cursor: str | None) -> Page[Identity]:
    """The identities of a project, or of all projects that the caller manages."""
    if project_id is not None:
        access.require_all(actor, access.find_as_member(actor, project_id))
    managed = _managed(actor, project_id or actor.only_project_id)
    found: list[Identity] = []
    while True:
        page = storage.list_identities(limit - len(found), cursor)
        found += [each for each in page.data if managed is None or each.project_id in managed]
        cursor = page.next_cursor
        if cursor is None or len(found) >= limit:
            return Page(found, cursor)


def delete_identity(actor: Actor, identity_id: str) -> None:
    """Delete a pattern, and take the permissions back that only it gave.

    Take them back first: if the process dies in between, the pattern is still there for a repetition. Then again,
    because a role may have signed in meanwhile.
    """
    identity = storage.find_identity(identity_id)
    if identity is None:
        raise NotFound
    try:
        _require_manager(actor, identity.project_id)
    except NotFound:
        raise NotFound from None
    _take_back(identity)
    storage.delete_identity(identity_id)
    _take_back(identity)


def matching(principal: Principal) -> dict[str, list[Identity]]:
    """The identities that allow this principal, by their projects."""
    found: dict[str, list[Identity]] = {}
    for each in storage.identities_of_account(principal.account):
        if arn.allows(arn.pattern_of(each.pattern), principal):
            found.setdefault(each.project_id, []).append(each)
    return found


def permission_by(identities: Iterable[Identity], user_id: str, before: UserPermission | None) -> UserPermission:
    """The permission of a machine account: all that any of the identities of one project gives."""
    given = list(identities)
    rights = _rights_of(given)
    return UserPermission(
        id=before.id if before else ids.new_id(), user_id=user_id, project_id=given[0].project_id, **rights
    )


def _rights_of(identities: Iterable[Identity]) -> dict[str, bool]:
    given = list(identities)
    return {name: any(getattr(each, name) for each in given) for name in _NEEDS}


def _take_back(identity: Identity) -> None:
    for user_id, principal in _machines_of(identity).items():
        until_not_overtaken(partial(_grant_without, identity, user_id, principal))


def _grant_without(identity: Identity, user_id: str, principal: Principal) -> None:
    """Write the permission that the other identities give, or none."""
    project_id = identity.project_id
    left = [each for each in matching(principal).get(project_id, ()) if each.id != identity.id]
    if not left:
        permissions.remove_permission(user_id, project_id)
    else:
        before = permissions.find_permission(user_id, project_id)
        storage.put_permission(permission_by(left, user_id, before), left)


def _machines_of(identity: Identity) -> dict[str, Principal]:
    """The machine accounts with a permission on the project that the pattern allows, and their principals."""
    users = find_users(permissions.each_member_id(identity.project_id))
    pattern = arn.pattern_of(identity.pattern)
    principals = {user_id: arn.principal_of_username(user.username) for user_id, user in users.items()}
    return {user_id: each for user_id, each in principals.items() if each and arn.allows(pattern, each)}


def _require_manager(actor: Actor, project_id: str) -> None:
    access.require_all(actor, access.find_as_member(actor, project_id))
    actor.require_session()


def _managed(actor: Actor, only: str | None) -> set[str] | None:
    """The projects on which the caller has all four permissions, or `only` this one of them; None: all projects."""
    if actor.user.is_admin:
        return None if only is None else {only}
    held = permissions.read_permissions_of_user(actor.user.id)
    return {each.project_id for each in held if access.holds_all(each) and only in (None, each.project_id)}
