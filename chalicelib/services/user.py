"""Users: their accounts, and the rules for their names and passwords."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypedDict

from chalicelib import clock, config, ids, limits, security
from chalicelib.errors import InvalidPayload, NotFound, Overtaken, PasswordWrong
from chalicelib.paging import Page
from chalicelib.retry import Retry
from chalicelib.services import sign_in_attempt
from chalicelib.services.actor import Actor
from chalicelib.storage import user as storage
from chalicelib.storage.user import Account
from deardiary.wire.shapes import User, UserName

# A change of these gives the power to sign in as another user, or with more rights.
_SIGN_IN = {"username", "password", "is_admin"}


class UserChanges(TypedDict, total=False):
    """The fields of a user that a PATCH may carry; those absent stay."""

    first_name: str
    last_name: str
    username: str
    password: str
    is_admin: bool


def create_user(actor: Actor, *, username: str, password: str, first_name: str, last_name: str, is_admin: bool) -> User:
    actor.require_admin("create users")
    actor.require_session()
    return _create(username, password, first_name, last_name, is_admin=is_admin)


def get_user(actor: Actor, user_id: str) -> User:
    actor.require_self_or_admin(user_id)
    return _account(user_id).user


def find_user(username: str) -> UserName | None:
    """The id and the names of the user of this name, in any letter case; for every signed-in user."""
    account = storage.find_account_by_username(username)
    if account is None:
        return None
    user = account.user
    return UserName(id=user.id, username=user.username, first_name=user.first_name, last_name=user.last_name)


def list_users(actor: Actor, limit: int, cursor: str | None) -> Page[User]:
    actor.require_admin("list all users")
    return storage.list_users(limit, cursor)


def update_user(
    actor: Actor, user_id: str, changes: UserChanges, *, current_password: str | None = None, source: str
) -> User:
    """Change a user. A new password or a demotion ends all tokens of the user.

    To change their own password, users must give the present one. PasswordWrong if it is wrong, TooManyRequests after
    too many wrong ones; `source` is the address of the caller.
    """
    actor.require_self_or_admin(user_id)
    if "is_admin" in changes:
        actor.require_admin("make or unmake admins")
    if _SIGN_IN & changes.keys():
        actor.require_session()
    # Without sign-in the user has given no password.
    if "password" in changes and actor.user.id == user_id and config.settings().enable_auth:
        return _change_own_password(actor, changes, current_password, source)
    return _change(lambda: _account(user_id), changes)


def ensure_first_admin(username: str, password: str) -> User | None:
    """Create the first admin; None if an admin exists."""
    if storage.count_admins() > 0:
        return None
    return _create(username, password, "", "", is_admin=True)


def set_password_of(username: str, password: str) -> User:
    """Replace a lost password, for an operator with AWS credentials. NotFound if there is no such user."""
    account = storage.find_account_by_username(username)
    if account is None:
        raise NotFound(f"There is no user {username!r}")
    return _change(lambda: _account(account.user.id), {"password": password})


def end_tokens(user_id: str) -> int:
    """End every session and API token of a user; return the number of API tokens.

    The new epoch is the time in milliseconds, which no count of changes reaches. In a table restored from a backup, the
    next number could be an epoch that sessions of the lost table name.
    """
    for _ in Retry():
        before = storage.find_account(user_id)
        if before is None:
            break
        epoch = max(before.epoch + 1, clock.to_milliseconds(clock.now()))
        try:
            storage.update_account(before, replace(before, epoch=epoch, tokens={}))
        except Overtaken:
            continue
        return len(before.tokens)
    return 0


def _create(username: str, password: str, first_name: str, last_name: str, *, is_admin: bool) -> User:
    password_hash = _hashed(password)
    user = User(
        id=ids.new_id(),
        first_name=first_name,
        last_name=last_name,
        username=username,
        created_date=clock.now(),
        is_admin=is_admin,
    )
    storage.create_account(Account(user=user, password_hash=password_hash, epoch=0))
    return user


def _change_own_password(actor: Actor, changes: UserChanges, current: str | None, source: str) -> User:
    """Require the present password: a stolen session must neither set a password nor guess it."""
    if current is None:
        raise InvalidPayload("A new password of your own takes your present one", field="current_password")
    _check_password(changes["password"])
    counted = sign_in_attempt.count(actor.user.username, source, actor.user.id)

    def read() -> Account:
        account = _account(actor.user.id)
        if not security.check_password(current, account.password_hash):
            raise PasswordWrong
        return account

    user = _change(read, changes)
    sign_in_attempt.forgive(counted, source, actor.user.id)
    return user


def _change(read: Callable[[], Account], changes: UserChanges) -> User:
    """Change the account; after a concurrent change, decide again."""
    rest = dict(changes)
    password = rest.pop("password", None)
    password_hash = _hashed(password) if isinstance(password, str) else None
    for _ in Retry():
        before = read()
        if before.is_machine and _SIGN_IN & changes.keys():
            raise InvalidPayload("A machine account has no password, and its name and rights stay", field="user_id")
        user = replace(before.user, **rest)  # type: ignore[arg-type]
        after = replace(before, user=user, password_hash=password_hash or before.password_hash)
        if password_hash or (before.user.is_admin and not user.is_admin):
            after = replace(after, epoch=before.epoch + 1, tokens={})
        try:
            storage.update_account(before, after)
        except Overtaken:
            continue
        break
    return user


def _hashed(password: str) -> str:
    _check_password(password)
    return security.hash_password(password)


def _account(user_id: str) -> Account:
    account = storage.find_account(user_id)
    if account is None:
        raise NotFound
    return account


def _check_password(password: str) -> None:
    if len(password) < limits.MIN_PASSWORD_CHARACTERS:
        raise InvalidPayload(f"A password has at least {limits.MIN_PASSWORD_CHARACTERS} characters", field="password")
    if len(password.encode()) > limits.MAX_PASSWORD_BYTES:
        raise InvalidPayload(f"A password has at most {limits.MAX_PASSWORD_BYTES} bytes in UTF-8", field="password")
