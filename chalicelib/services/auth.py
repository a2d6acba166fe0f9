"""Signing in, and who a token belongs to."""

from __future__ import annotations

from chalicelib import clock, config, security
from chalicelib.errors import InvalidCredentials, TokenInvalid, TokenMissing, Unavailable
from chalicelib.security import Claims
from chalicelib.services.access import Actor
from chalicelib.storage.secret import read_keyring
from chalicelib.storage.user import Account, find_account, find_account_by_username, find_first_admin
from deardiary.shapes import Session


def sign_in(username: str, password: str) -> Session:
    """InvalidCredentials for an unknown user and a wrong password alike, after the same work."""
    account = find_account_by_username(username)
    if not security.check_password(password, account.password_hash if account else None) or account is None:
        raise InvalidCredentials
    return _session(account)


def refresh(actor: Actor) -> Session:
    account = find_account(actor.user.id)
    if account is None:
        raise TokenInvalid
    return _session(account)


def authenticate(authorization: str | None) -> Actor:
    """The actor behind an Authorization header; without sign-in everybody is the first admin."""
    if not config.settings().enable_auth:
        return _local_admin()
    claims = security.read_token(read_keyring(), _bearer(authorization))
    account = find_account(claims.user_id)
    if account is None or account.epoch != claims.epoch:
        raise TokenInvalid
    return Actor(account.user)


def _session(account: Account) -> Session:
    claims = Claims(account.user.id, account.epoch)
    token, expires_at = security.issue_token(read_keyring(), claims, clock.now())
    return Session(access_token=token, token_type="bearer", expires_at=expires_at, user=account.user)  # noqa: S106


def _bearer(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenMissing
    return token.strip()


def _local_admin() -> Actor:
    admin = find_first_admin()
    if admin is None:
        raise Unavailable("There is no admin yet; run: python -m infra up --stage local", retry_after=1)
    return Actor(admin)
