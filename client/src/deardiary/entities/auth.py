"""Sign in and refresh the session."""

from __future__ import annotations

from deardiary.api import SIGN_IN, Api
from deardiary.wire.shapes import Me, Session, User


def sign_in(api: Api, username: str, password: str) -> Session:
    """Exchange a password for a token, which ``api`` sends from now on."""
    body = {"username": username, "password": password}
    return _keep(api, api.post(Session, SIGN_IN, body, repeatable=True))


def refresh(api: Api) -> Session:
    """Exchange the token for a new one."""
    return _keep(api, api.post(Session, "/auth/refresh", repeatable=True))


def who_am_i(api: Api) -> User:
    return api.get(User, "/auth/me")


def who_am_i_with_permissions(api: Api) -> Me:
    return api.get(Me, "/auth/me?include=permissions")


def _keep(api: Api, session: Session) -> Session:
    api.token = session.access_token
    return session
