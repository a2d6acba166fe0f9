"""Subjects: which accounts at the OpenID Connect provider sign in a user."""

from __future__ import annotations

from chalicelib import clock, config
from chalicelib.errors import InvalidPayload, NotFound
from chalicelib.paging import Page
from chalicelib.services.actor import Actor
from chalicelib.storage import subject as storage
from chalicelib.storage.subject import Subject as Subject  # the routes answer with it
from chalicelib.storage.user import find_account


def list_subjects(actor: Actor, user_id: str, limit: int, cursor: str | None) -> Page[Subject]:
    actor.require_self_or_admin(user_id)
    if find_account(user_id) is None:
        raise NotFound
    return storage.list_subjects(user_id, limit, cursor)


def link_subject(actor: Actor, user_id: str, issuer: str | None, subject: str) -> Subject:
    """Let an account at the provider sign in this user. Without an issuer it is that of the settings."""
    actor.require_admin("link a subject to a user; users link their own by signing in")
    actor.require_session()
    account = find_account(user_id)
    if account is None:
        raise NotFound
    if account.is_machine:
        raise InvalidPayload("A machine account signs in by its role of AWS only", field="user_id")
    oidc = config.settings().oidc
    if issuer is None and oidc is None:
        raise InvalidPayload("This server has no provider in its settings: name the issuer", field="issuer")
    linked = new_subject(user_id, issuer or (oidc.issuer if oidc else ""), subject)
    storage.link(linked)
    return linked


def unlink_subject(actor: Actor, user_id: str, subject_id: str) -> None:
    actor.require_self_or_admin(user_id)
    actor.require_session()
    storage.unlink(user_id, subject_id)


def new_subject(user_id: str, issuer: str, subject: str) -> Subject:
    return Subject(
        id=storage.id_of(issuer, subject), user_id=user_id, issuer=issuer, subject=subject, created_date=clock.now()
    )
