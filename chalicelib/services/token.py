"""API tokens: credentials of programs, stored in the row of their user; a new password ends them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from chalicelib import clock, ids, security
from chalicelib.errors import InvalidPayload, NotFound, Overtaken, TokenExpired, TokenInvalid
from chalicelib.paging import Page, page_by_id
from chalicelib.retry import Retry
from chalicelib.services.actor import Actor
from chalicelib.storage.user import Account, TokenRecord, find_account, update_account
from deardiary.wire.shapes import ApiToken

PREFIX = "dd_"
# Every request reads the user's row, which must stay within two read units.
MAX_TOKENS = 25
# Fingerprints of tokens that this process has accepted, the oldest first. They only allow a larger read.
_MOST_ACCEPTED = 1024
_accepted: OrderedDict[str, None] = OrderedDict()


class _Parts(NamedTuple):
    user_id: str
    token_id: str
    secret: str


def create_token(
    actor: Actor, *, name: str, expires_in_days: int | None, project_id: str | None, read_only: bool
) -> ApiToken:
    """Create a token; only this answer holds its text."""
    actor.require_session()
    if project_id is not None:
        _check_project(actor, project_id)
    token_id, secret, now = ids.new_id(), security.new_secret(), clock.now()
    expires = now + timedelta(days=expires_in_days) if expires_in_days else None
    record = TokenRecord(
        name=name,
        fingerprint=security.fingerprint(secret),
        created=clock.to_milliseconds(now),
        expires=clock.to_milliseconds(expires) if expires else None,
        project_id=project_id,
        read_only=read_only,
    )
    _change_tokens(actor, lambda account: _added(account, token_id, record))
    return replace(_shape(token_id, record), token=f"{PREFIX}{actor.user.id}_{token_id}_{secret}")


def list_tokens(actor: Actor, limit: int, cursor: str | None) -> Page[ApiToken]:
    actor.require_session()
    tokens = _account(actor).tokens
    shapes = [_shape(token_id, record) for token_id, record in tokens.items()]
    return page_by_id(shapes, f"tokens {actor.user.id}", limit, cursor)


def delete_token(actor: Actor, token_id: str) -> None:
    actor.require_session()
    _change_tokens(actor, lambda account: _removed(account, token_id))


def authenticate(token: str) -> Actor:
    """The actor of an API token, or TokenInvalid or TokenExpired."""
    parts = _split(token)
    # A forged token must not cost more than this read: the rows of a flush can take hundreds of units.
    known = security.fingerprint(token)
    account = find_account(parts.user_id, is_proven=known in _accepted)
    record = account.tokens.get(parts.token_id) if account else None
    if account is None or record is None or not security.matches(parts.secret, record.fingerprint):
        raise TokenInvalid
    if record.expires is not None and record.expires <= clock.to_milliseconds(clock.now()):
        raise TokenExpired("This API token has expired; create another one")
    _remember(known)
    return Actor(account.user, is_session=False, only_project_id=record.project_id, read_only=record.read_only)


def _remember(known: str) -> None:
    _accepted[known] = None
    while len(_accepted) > _MOST_ACCEPTED:
        _accepted.popitem(last=False)


def _split(token: str) -> _Parts:
    parts = token.removeprefix(PREFIX).split("_")
    # A text that cannot be an id must not become a key.
    if len(parts) != 3 or not all(part.isascii() and part.isalnum() and len(part) <= 64 for part in parts):
        raise TokenInvalid
    return _Parts(*parts)


def _check_project(actor: Actor, project_id: str) -> None:
    from chalicelib.services import access  # most cold starts do not need it

    try:
        access.find_as_member(actor, project_id)
    except NotFound:
        raise InvalidPayload("There is no such project", field="project_id") from None


def _change_tokens(actor: Actor, change: Callable[[Account], Account]) -> None:
    """Change the tokens; decide again if another request changed the account."""
    for _ in Retry():
        before = _account(actor)
        try:
            update_account(before, change(before))
        except Overtaken:
            continue
        break


def _added(account: Account, token_id: str, record: TokenRecord) -> Account:
    now = clock.to_milliseconds(clock.now())
    kept = {key: one for key, one in account.tokens.items() if one.expires is None or one.expires > now}
    if len(kept) >= MAX_TOKENS:
        raise InvalidPayload(f"A user has at most {MAX_TOKENS} tokens; delete one first", field="name")
    return replace(account, tokens={**kept, token_id: record})


def _removed(account: Account, token_id: str) -> Account:
    if token_id not in account.tokens:
        raise NotFound
    return replace(account, tokens={key: one for key, one in account.tokens.items() if key != token_id})


def _account(actor: Actor) -> Account:
    account = find_account(actor.user.id)
    if account is None:
        raise TokenInvalid
    return account


def _shape(token_id: str, record: TokenRecord) -> ApiToken:
    return ApiToken(
        id=token_id,
        name=record.name,
        created_date=clock.from_milliseconds(record.created),
        expires_at=None if record.expires is None else clock.from_milliseconds(record.expires),
        project_id=record.project_id,
        read_only=record.read_only,
    )
