"""A sign-in in two requests: to the provider, and back with a code.

What belongs to a sign-in travels in a signed cookie of the browser that began it, so the server stores nothing: the
state, the nonce, the PKCE verifier, the page to return to and, where a signed-in user adds a subject, that user.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode

from chalicelib import clock, security
from chalicelib.config import OidcSettings
from chalicelib.errors import SignInRefused, Unauthenticated, Unavailable
from chalicelib.security import PROVIDER_AUDIENCE
from chalicelib.services import auth
from chalicelib.services.actor import Actor
from chalicelib.services.oidc import id_token
from chalicelib.services.oidc.fetch import Refused, fetch_json
from chalicelib.services.oidc.identity import Identity, identity_of
from chalicelib.services.oidc.provider import Provider, find_provider
from chalicelib.storage.keyring import read_keyring, read_secret

CALLBACK = "/auth/oidc/callback"
LIFE = timedelta(minutes=10)
# A page of the dashboard, within this server: what follows the # reaches no server.
_PAGE = re.compile(r"#/[\x21-\x7e]{0,1500}")
_AGAIN = "Start the sign-in again"
_MEANINGS = {
    "access_denied": "The provider did not let you in, or you declined",
    "login_required": "You are not signed in at the provider",
    "consent_required": "The provider needs your consent first",
    "interaction_required": "The provider needs an answer from you first",
    "invalid_scope": "The provider does not know the scopes in DEARDIARY_OIDC_SCOPES",
    "unauthorized_client": "The provider does not allow this application to sign users in",
    "invalid_client": "The provider does not know this application, or its secret is wrong",
    "invalid_grant": "This sign-in was used before, or is too old",
    "server_error": "The provider has a fault",
    "temporarily_unavailable": "The provider is overloaded",
}


class Begun(NamedTuple):
    """The URL at the provider, and the value of the cookie."""

    url: str
    cookie: str


class Return(NamedTuple):
    """What the provider sends the browser back with."""

    state: str | None = None
    code: str | None = None
    iss: str | None = None
    error: str | None = None


class Proven(NamedTuple):
    """The account that has signed in, the page to return to, and the user who adds it as a subject, if any."""

    identity: Identity
    page: str
    user_id: str | None
    epoch: int | None


def begin(settings: OidcSettings, site: str, page: str, actor: Actor | None = None) -> Begun:
    """Begin a sign-in; with an actor, the account becomes a subject of that user."""
    provider = find_provider(settings)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    said: dict[str, Any] = {
        "state": state,
        "nonce": nonce,
        "verifier": verifier,
        "page": page if _PAGE.fullmatch(page) else "",
    }
    if actor is not None:
        said |= {"user_id": actor.user.id, "epoch": actor.epoch}
    query = {
        "response_type": "code",
        "client_id": settings.client_id,
        "redirect_uri": site + CALLBACK,
        "scope": settings.scopes,
        "state": state,
        "nonce": nonce,
        "code_challenge": _base64url(hashlib.sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
    }
    joint = "&" if "?" in provider.authorization_endpoint else "?"
    cookie = security.issue_ticket(read_keyring(), said, clock.now(), LIFE, PROVIDER_AUDIENCE)
    return Begun(f"{provider.authorization_endpoint}{joint}{urlencode(query)}", cookie)


def prove(settings: OidcSettings, site: str, cookie: str | None, given: Return) -> Proven:
    """Trade the code for an ID token and check it. SignInRefused, with the reason, otherwise."""
    said = _read_cookie(cookie)
    if given.state is None or not hmac.compare_digest(given.state.encode(), said["state"].encode()):
        raise SignInRefused(f"This sign-in was begun in another browser, or another one was begun since. {_AGAIN}")
    provider = find_provider(settings)
    if given.iss != settings.issuer and (given.iss is not None or provider.names_issuer):
        raise SignInRefused(f"The answer is of another provider. {_AGAIN}")
    if given.error is not None or given.code is None:
        raise _provider_refused(given.error or "")
    tokens = _trade(settings, provider, site, given.code, said["verifier"])
    id_text, access_token = _text(tokens, "id_token"), _text(tokens, "access_token")
    claims = id_token.verify(id_text, settings, nonce=said["nonce"], access_token=access_token)
    identity = identity_of(_with_userinfo(claims, settings, provider, tokens), settings)
    return Proven(identity, said["page"], said.get("user_id"), said.get("epoch"))


def _read_cookie(cookie: str | None) -> dict[str, Any]:
    try:
        return security.read_ticket(auth.keyring_for(cookie or ""), cookie or "", PROVIDER_AUDIENCE)
    except Unauthenticated:
        minutes = int(LIFE.total_seconds() // 60)
        text = f"This sign-in has expired, after {minutes} minutes, or was begun in another browser"
        raise SignInRefused(f"{text}. {_AGAIN}") from None


def _trade(settings: OidcSettings, provider: Provider, site: str, code: str, verifier: str) -> dict[str, Any]:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": site + CALLBACK,
        "client_id": settings.client_id,
        "code_verifier": verifier,
    }
    headers = {}
    if settings.client_secret_parameter:
        secret = read_secret(settings.client_secret_parameter)
        if provider.basic:
            # RFC 6749, section 2.3.1: both are form-encoded first.
            pair = f"{quote_plus(settings.client_id)}:{quote_plus(secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form["client_secret"] = secret
    try:
        answer = fetch_json(provider.token_endpoint, form, headers)
    except Refused as error:
        raise _provider_refused(error.code) from None
    if not isinstance(answer, dict):
        raise Unavailable("The sign-in provider does not answer as it should", retry_after=5)
    return answer


def _with_userinfo(
    claims: dict[str, Any], settings: OidcSettings, provider: Provider, tokens: dict[str, Any]
) -> dict[str, Any]:
    """The claims, with those of the userinfo endpoint if the ID token lacks e-mail or groups. The ID token wins."""
    if {"email", settings.groups_claim} <= claims.keys() or provider.userinfo_endpoint is None:
        return claims
    try:
        headers = {"Authorization": f"Bearer {_text(tokens, 'access_token')}"}
        more = fetch_json(provider.userinfo_endpoint, headers=headers)
    except Refused:
        return claims
    # OpenID Connect Core 1.0, section 5.3.2: it may be about another account.
    return {**more, **claims} if isinstance(more, dict) and more.get("sub") == claims["sub"] else claims


def _provider_refused(code: str) -> SignInRefused:
    """The error for a code of the provider. Do not repeat its own text: any page can put one into a link."""
    return SignInRefused(f"{_MEANINGS.get(code, 'The provider did not sign you in')}. {_AGAIN}")


def _text(tokens: dict[str, Any], name: str) -> str:
    value = tokens.get(name)
    if not isinstance(value, str):
        raise SignInRefused(f"The provider sent no {name.replace('_', ' ')}. {_AGAIN}")
    return value


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
