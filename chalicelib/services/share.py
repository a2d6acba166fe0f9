"""Shares: links with which people without an account read one experiment or some iterations.

A link holds a secret of its own. Opening it gives a session of an hour at most; each request of the session reads the
share again, so a revocation has effect at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib import clock, ids, security
from chalicelib.errors import InvalidPayload, NotFound, TokenExpired, TokenInvalid, Unauthenticated
from chalicelib.paging import Page
from chalicelib.services import access, sign_in_attempt
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor, Reach
from chalicelib.storage import share as storage
from chalicelib.storage.keyring import read_keyring
from chalicelib.storage.share import StoredShare
from chalicelib.storage.user import find_account
from deardiary.wire.shapes import Share

SESSION_LIFE = timedelta(hours=1)
# The link's path behind the #, which browsers send to no server.
_PAGE = "/ui#/s/"


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened share, and the token of its session. ``iteration_ids`` leaves deleted iterations out."""

    access_token: str
    experiment_id: str | None
    iteration_ids: tuple[str, ...]
    expires_at: datetime


def create_share(
    actor: Actor,
    project_id: str,
    *,
    experiment_id: str | None,
    iteration_ids: Sequence[str],
    expires_in_days: int,
) -> Share:
    """Create a share. Only this answer has its URL.

    It needs the permissions to update and to read, and a sign-in with a password: a stolen API token must not be able
    to prolong its own access.
    """
    access.project(replace(actor, must_read=True), project_id, Need.UPDATE)
    actor.require_session()
    iterations = {each: _experiment_of(actor, project_id, each) for each in iteration_ids}
    if experiment_id is not None:
        _check_experiment(actor, project_id, experiment_id)
    account, secret, now = find_account(actor.user.id), security.new_secret(), clock.now()
    if account is None:
        raise TokenInvalid
    share = Share(
        id=ids.new_id(),
        project_id=project_id,
        experiment_id=experiment_id,
        iteration_ids=tuple(iterations),
        created_by=actor.user.id,
        created_date=now,
        expires_at=(now + timedelta(days=expires_in_days)).replace(microsecond=0),
    )
    storage.create_share(StoredShare(share, iterations, security.fingerprint(secret), account.epoch))
    return replace(share, url=f"{actor.site}{_PAGE}{project_id}_{share.id}_{secret}")


def list_shares(actor: Actor, project_id: str, limit: int, cursor: str | None) -> Page[Share]:
    access.project(actor, project_id, Need.READ)
    return storage.list_shares(project_id, limit, cursor)


def delete_share(actor: Actor, project_id: str, share_id: str) -> None:
    """Revoke a share: the next request of its viewers is refused."""
    access.project(actor, project_id, Need.UPDATE)
    storage.delete_share(project_id, share_id)


def open_share(secret: str, source: str) -> Opened:
    """A session of the share with this secret. NotFound, whatever the reason, if it shows nothing.

    TooManyRequests, before the check, after too many attempts of an address.
    """
    attempt = sign_in_attempt.count_opening(source)
    try:
        stored = _with_secret(secret)
        shown = _shown(_actor(stored), stored)
    except (NotFound, Unauthenticated):
        raise NotFound("This link has expired, was revoked, or shows nothing any more", kind="share") from None
    sign_in_attempt.take_back(attempt)
    share, now = stored.share, clock.now()
    said = {"project_id": share.project_id, "share_id": share.id}
    life = min(SESSION_LIFE, share.expires_at - now)
    ticket = security.issue_ticket(read_keyring(), said, now, life, security.SHARE_AUDIENCE)
    return Opened(f"{security.SHARE_PREFIX}{ticket}", share.experiment_id, shown, share.expires_at)


def authenticate(said: Mapping[str, Any]) -> Actor:
    """The actor of a session. TokenInvalid or TokenExpired if its share has ended."""
    stored = storage.find_share(said["project_id"], said["share_id"])
    if stored is None:
        raise TokenInvalid("This link was revoked")
    return _actor(stored)


def _actor(stored: StoredShare) -> Actor:
    """Its creator, reading only the shared objects."""
    share = stored.share
    if share.expires_at <= clock.now():
        raise TokenExpired("This link has expired")
    account = find_account(share.created_by or "")
    if account is None or account.epoch != stored.epoch:
        raise TokenInvalid("This link has ended, as the tokens of its creator have")
    reach = Reach(share.experiment_id, stored.iterations)
    return Actor(account.user, is_session=False, only_project_id=share.project_id, read_only=True, reach=reach)


def _with_secret(secret: str) -> StoredShare:
    parts = secret.split("_")
    # A text that cannot be an id must not become a key.
    if len(parts) != 3 or not all(part.isascii() and part.isalnum() and len(part) <= 64 for part in parts):
        raise NotFound
    stored = storage.find_share(parts[0], parts[1])
    if stored is None or not security.matches(parts[2], stored.fingerprint):
        raise NotFound
    return stored


def _shown(actor: Actor, stored: StoredShare) -> tuple[str, ...]:
    """The ids of the shared iterations that are there. NotFound if nothing that is shared is there."""
    share, shown = stored.share, []
    if share.experiment_id is not None:
        access.experiment(actor, share.experiment_id, Need.READ)
    for iteration_id in share.iteration_ids:
        with suppress(NotFound):
            shown.append(access.iteration(actor, iteration_id, Need.READ).iteration.id)
    if share.iteration_ids and not shown:
        raise NotFound
    return tuple(shown)


def _experiment_of(actor: Actor, project_id: str, iteration_id: str) -> str:
    """The experiment of an iteration. InvalidPayload if the project has no such iteration."""
    with suppress(NotFound):
        line = access.iteration(actor, iteration_id, Need.READ)
        if line.project.id == project_id:
            return line.experiment.id
    raise InvalidPayload(f"The project has no iteration {iteration_id}", field="iteration_ids")


def _check_experiment(actor: Actor, project_id: str, experiment_id: str) -> None:
    with suppress(NotFound):
        if access.experiment(actor, experiment_id, Need.READ).project.id == project_id:
            return
    raise InvalidPayload(f"The project has no experiment {experiment_id}", field="experiment_id")
