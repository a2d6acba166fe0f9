"""From an account at the provider to a user: found by its subject, or created on the first sign-in."""

from __future__ import annotations

from typing import NamedTuple

from chalicelib import clock, config, ids
from chalicelib.config import OidcSettings
from chalicelib.errors import Conflict, NotFound, Overtaken, SignInRefused
from chalicelib.retry import Retry
from chalicelib.security import Claims
from chalicelib.services import auth, group
from chalicelib.services.actor import Actor
from chalicelib.services.oidc import flow
from chalicelib.services.oidc.flow import Begun, Proven, Return
from chalicelib.services.oidc.identity import Identity, may_become_user, usernames
from chalicelib.services.subject import new_subject
from chalicelib.storage import subject as subjects
from chalicelib.storage.user import Account, find_account
from deardiary.wire.shapes import Session, User


class Finished(NamedTuple):
    """The page to show, and the new session; none if a signed-in user has added a subject."""

    page: str
    session: Session | None


def begin(site: str, page: str) -> Begun | None:
    """Begin a sign-in. None if the server has no provider."""
    settings = _settings()
    return None if settings is None else flow.begin(settings, site, page)


def begin_link(actor: Actor, site: str) -> Begun | None:
    """Begin a sign-in that adds the account to the caller's subjects. None if the server has no provider."""
    actor.require_session()
    settings = _settings()
    return None if settings is None else flow.begin(settings, site, "#/account", actor)


def finish(site: str, cookie: str | None, given: Return) -> Finished | None:
    """Finish a sign-in. None if the server has no provider; SignInRefused says why there is no session."""
    settings = _settings()
    if settings is None:
        return None
    proven = flow.prove(settings, site, cookie, given)
    if proven.user_id is not None:
        _link(proven, proven.user_id)
        return Finished(proven.page, None)
    account = _find_or_create(proven.identity, settings)
    group.give_rights(account.user.id, proven.identity.groups)
    return Finished(proven.page, auth.open_session(Claims(account.user.id, account.epoch), account.user))


def _settings() -> OidcSettings | None:
    settings = config.settings()
    return settings.oidc if settings.enable_auth else None


def _find_or_create(identity: Identity, settings: OidcSettings) -> Account:
    """The user of a subject. Of several first sign-ins at once, one creates the user and the others find it."""
    for _ in Retry():
        user_id = subjects.find_owner(subjects.id_of(identity.issuer, identity.subject))
        if user_id is not None:
            return _require_user(user_id)
        if not may_become_user(identity, settings):
            text = "The provider knows you, but you are not a user of this server"
            raise SignInRefused(f"{text}. An admin can create your user and link this subject: {identity.subject}")
        try:
            return _create(identity)
        except Overtaken:
            continue
    raise AssertionError("Retry ends with an error")


def _require_user(user_id: str) -> Account:
    account = find_account(user_id)
    if account is None:
        raise SignInRefused("Your user was removed from this server. An admin can link you to another one")
    return account


def _create(identity: Identity) -> Account:
    """Create the user under the first name that is free. A user of that name is another person: it is not linked."""
    for username in usernames(identity):
        account = _new_account(identity, username)
        try:
            subjects.create_user(account, new_subject(account.user.id, identity.issuer, identity.subject))
        except Overtaken:
            raise
        except Conflict:
            continue
        return account
    raise SignInRefused("No username is free for you. An admin can create your user and link you to it")


def _new_account(identity: Identity, username: str) -> Account:
    user = User(
        id=ids.new_id(),
        first_name=identity.first_name,
        last_name=identity.last_name,
        username=username,
        created_date=clock.now(),
        is_admin=False,
    )
    return Account(user=user, password_hash="", epoch=0)


def _link(proven: Proven, user_id: str) -> None:
    account = find_account(user_id)
    if account is None or account.epoch != proven.epoch:
        raise SignInRefused("Your session has ended since. Sign in, and add the provider again")
    identity = proven.identity
    try:
        subjects.link(new_subject(user_id, identity.issuer, identity.subject))
    except NotFound:
        raise SignInRefused("Your user was removed") from None
    except Conflict:
        raise SignInRefused("This account of the provider signs in another user of this server") from None
    group.give_rights(user_id, identity.groups)
