"""Machine accounts: an AWS role or user signs in by a signed request, without a secret of this server."""

from __future__ import annotations

from chalicelib import arn, clock, ids
from chalicelib.arn import Principal
from chalicelib.aws import sts
from chalicelib.aws.sts import SignedRequest
from chalicelib.errors import Conflict, InvalidCredentials, NotFound, Overtaken, PermissionRequired
from chalicelib.retry import until_not_overtaken
from chalicelib.security import MACHINE_LIFE, NO_PASSWORD, Claims
from chalicelib.services import auth, identity
from chalicelib.storage import identity as identities
from chalicelib.storage import permission as permissions
from chalicelib.storage.user import Account, create_account, find_account_by_username
from deardiary.wire.form import to_json
from deardiary.wire.shapes import Identity, Session, User, UserPermission


def sign_in(signed: SignedRequest, site: str) -> Session:
    """A token of an hour for the signer, whose permissions are those of all patterns that allow it.

    PermissionRequired if no project allows it. For the other errors see `sts.identify`.
    """
    principal = _principal(*sts.identify(signed, site, clock.now()))
    if not identity.matching(principal):
        raise _not_allowed(principal)
    account = until_not_overtaken(lambda: _account(principal))
    if not until_not_overtaken(lambda: _set_permissions(account.user.id, principal)):
        raise _not_allowed(principal)
    return auth.open_session(Claims(account.user.id, account.epoch), account.user, MACHINE_LIFE)


def _principal(account: str, caller: str) -> Principal:
    principal = arn.principal_of(caller)
    if principal is None or principal.account != account:
        raise InvalidCredentials(f"{caller} is neither a role nor a user of an AWS account")
    return principal


def _not_allowed(principal: Principal) -> PermissionRequired:
    how = f"deardiary identities create {principal.arn} PROJECT"
    message = f"No project allows {principal.arn}. An owner of a project runs: {how}"
    return PermissionRequired(message, arn=principal.arn)


def _account(principal: Principal) -> Account:
    """The machine account of a principal, created at its first sign-in. Overtaken if another request created it."""
    found = find_account_by_username(principal.username)
    if found is not None:
        return found
    account = _new_account(principal)
    try:
        create_account(account)
    except Conflict:
        raise Overtaken from None
    return account


def _new_account(principal: Principal) -> Account:
    user = User(
        id=ids.new_id(),
        first_name=principal.name,
        last_name="",
        username=principal.username,
        created_date=clock.now(),
        is_admin=False,
    )
    return Account(user=user, password_hash=NO_PASSWORD, epoch=0)


def _set_permissions(user_id: str, principal: Principal) -> bool:
    """Give the account exactly the permissions of the patterns. False if it has none then. Overtaken: call again.

    Read the permissions first: a pattern that is created after that is not missed in those to remove.
    """
    held = {each.project_id: each for each in permissions.read_permissions_of_user(user_id)}
    allowed = identity.matching(principal)
    for project_id in held.keys() - allowed.keys():
        permissions.remove_permission(user_id, project_id)
    given = [_set_permission(user_id, held.get(project_id), found) for project_id, found in allowed.items()]
    return any(given)


def _set_permission(user_id: str, before: UserPermission | None, given: list[Identity]) -> bool:
    """Write the permission on one project, if it differs. False if the project is deleted."""
    permission = identity.permission_by(given, user_id, before)
    if before is not None and to_json(permission) == to_json(before):
        return True
    try:
        identities.put_permission(permission, given)
    except NotFound:
        return False
    return True
