"""Sign-in, and the actors of tokens."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections import OrderedDict
from dataclasses import replace
from datetime import timedelta

from chalicelib import clock, config, limits, security
from chalicelib.errors import InvalidCredentials, SignInRefused, TokenExpired, TokenInvalid, TokenMissing, Unavailable
from chalicelib.security import SESSION_LIFE, SIGN_IN_LIFE, Claims, Keyring
from chalicelib.services import sign_in_attempt, token
from chalicelib.services.actor import Actor
from chalicelib.storage import permission as permissions
from chalicelib.storage.keyring import read_keyring
from chalicelib.storage.user import Account, find_account, find_first_admin, find_user_id
from deardiary.wire.shapes import Session, User, UserPermission

_local_admin_ids: dict[str, str] = {}
# Basic sign-ins whose password this process has checked, by `_basic_key`, and their users' ids, the oldest first.
_MAX_CHECKED = 256
_checked: OrderedDict[bytes, str] = OrderedDict()
_process_secret = secrets.token_bytes(32)


def sign_in(username: str, password: str, source: str) -> Session:
    """InvalidCredentials for an unknown user and a wrong password alike, after the same work.

    TooManyRequests, before the check of the password, after too many attempts of the account or address.
    """
    account = _check(username, password, source)
    return open_session(Claims(account.user.id, account.epoch), account.user)


def _check(username: str, password: str, source: str) -> Account:
    """The account of these credentials, after counting the attempt. For its errors see `sign_in`."""
    account = _find(username)
    user_id = account.user.id if account else None
    counted = sign_in_attempt.count(username, source, user_id)
    if not security.check_password(password, account.password_hash if account else None) or account is None:
        raise InvalidCredentials
    sign_in_attempt.forgive(counted, source, account.user.id)
    if not (config.settings().password_sign_in or account.user.is_admin):
        raise SignInRefused("This server signs in with a password only admins; sign in with the provider")
    return account


def refresh(actor: Actor) -> Session:
    """A new token of the same epoch and sign-in, so that a session that a new password ended stays ended.

    TokenExpired if the sign-in is too long ago: a stolen session must end.
    """
    actor.require_session()
    if actor.auth_time is not None and clock.now().timestamp() - actor.auth_time > SIGN_IN_LIFE.total_seconds():
        raise TokenExpired(f"Sign in again: that was {SIGN_IN_LIFE.days} days ago")
    return open_session(Claims(actor.user.id, actor.epoch, actor.auth_time), actor.user)


def read_own_permissions(actor: Actor) -> list[UserPermission]:
    """The permissions of the caller; with a token for one project only those on that project."""
    held = permissions.read_permissions_of_user(actor.user.id)
    return [each for each in held if actor.only_project_id in (None, each.project_id)]


def authenticate(authorization: str | None, _source: str = "") -> Actor:
    """The actor of an Authorization header; without sign-in the first admin, except for the session of a share."""
    scheme, is_share, ticket = (authorization or "").partition(security.SHARE_PREFIX)
    if is_share and scheme.lower() == "bearer ":
        return _viewer(ticket)
    if not config.settings().enable_auth:
        return _local_admin()
    bearer = _bearer(authorization)
    if bearer.startswith(token.PREFIX):
        return token.authenticate(bearer)
    claims = security.read_token(keyring_for(bearer), bearer)
    account = find_account(claims.user_id)
    if account is None or account.epoch != claims.epoch:
        raise TokenInvalid
    machine = account.is_machine
    return Actor(account.user, account.epoch, claims.auth_time, is_session=not machine, is_machine=machine)


def _viewer(ticket: str) -> Actor:
    """The actor of a share's session."""
    # Most cold starts do not need it.
    from chalicelib.services import share

    return share.authenticate(security.read_ticket(keyring_for(ticket), ticket, security.SHARE_AUDIENCE))


def authenticate_program(authorization: str | None, source: str) -> Actor:
    """Like `authenticate`, also by HTTP's Basic scheme, with a password or an API token in its place.

    A program signs each request: it is no session, and a process checks the same password only once.
    """
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic" or not config.settings().enable_auth:
        return replace(authenticate(authorization), is_session=False)
    username, password = _credentials(encoded)
    if password.startswith(token.PREFIX):
        return token.authenticate(password)
    return _authenticate_basic(username, password, source)


def _authenticate_basic(username: str, password: str, source: str) -> Actor:
    """The actor, without another check of a password that this process has checked against the same account."""
    known = _checked.get(_basic_key(username, password, None))
    account = find_account(known) if known else None
    key = None if account is None else _basic_key(username, password, account)
    if account is None or key not in _checked:
        account = _check(username, password, source)
        _remember(account.user.id, _basic_key(username, password, None), _basic_key(username, password, account))
    return Actor(account.user, account.epoch, is_session=False)


def _remember(user_id: str, *known: bytes) -> None:
    _checked.update(dict.fromkeys(known, user_id))
    while len(_checked) > _MAX_CHECKED:
        _checked.popitem(last=False)


def _basic_key(username: str, password: str, account: Account | None) -> bytes:
    """A hash of the credentials, and of the account as it is now: a new password or name has another."""
    current = "" if account is None else f"{account.user.username}\0{account.password_hash}\0{account.epoch}"
    return hmac.digest(_process_secret, f"{username}\0{password}\0{current}".encode(), "sha256")


def _credentials(encoded: str) -> tuple[str, str]:
    try:
        username, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise InvalidCredentials from None
    if max(len(username), len(password)) > limits.MAX_CREDENTIAL_CHARACTERS:
        raise InvalidCredentials
    return username, password


def _find(username: str) -> Account | None:
    """The account, with the same reads for a user that does not exist."""
    user_id = find_user_id(username) if len(username) <= limits.MAX_USERNAME_CHARACTERS else None
    return find_account(user_id or "nobody")


def keyring_for(bearer: str) -> Keyring:
    """The keyring, read again if the token names a secret that it lacks."""
    ring = read_keyring()
    return ring if security.key_id(bearer) in ring.secrets else read_keyring(fresh=True)


def open_session(claims: Claims, user: User, life: timedelta = SESSION_LIFE) -> Session:
    """A new token with these claims, and its end."""
    signed, expires_at = security.issue_token(read_keyring(), claims, clock.now(), life)
    return Session(access_token=signed, token_type="bearer", expires_at=expires_at, user=user)  # noqa: S106


def _bearer(authorization: str | None) -> str:
    scheme, _, bearer = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not bearer.strip():
        raise TokenMissing
    return bearer.strip()


def _local_admin() -> Actor:
    """The first admin: searched once per process, then read as one item."""
    table = config.settings().table
    account = find_account(_local_admin_ids.get(table, ""))
    if account is not None and account.user.is_admin:
        return Actor(account.user)
    admin = find_first_admin()
    if admin is None:
        raise Unavailable("There is no admin yet; run: python -m infra up --stage local", retry_after=1)
    _local_admin_ids[table] = admin.id
    return Actor(admin)
