"""Signing in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deardiary.shapes import Session, User

if TYPE_CHECKING:
    from deardiary.api import Api


def sign_in(api: Api, username: str, password: str) -> Session:
    """Trade a password for a token, which ``api`` sends from now on."""
    body = {"username": username, "password": password}
    return _keep(api, api.post(Session, "/auth", body, repeatable=True))


def refresh(api: Api) -> Session:
    """Trade the token for a younger one."""
    return _keep(api, api.post(Session, "/auth/refresh", repeatable=True))


def who_am_i(api: Api) -> User:
    return api.get(User, "/auth/me")


def _keep(api: Api, session: Session) -> Session:
    api.token = session.access_token
    return session
