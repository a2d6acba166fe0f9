"""The provider as its discovery document describes it, and the keys that sign its ID tokens; both are cached."""

from __future__ import annotations

import threading
import time
from typing import Any, NamedTuple

from chalicelib import config
from chalicelib.config import OidcSettings
from chalicelib.errors import Unavailable
from chalicelib.services.oidc.fetch import Refused, fetch_json

FRESH_SECONDS = 3600.0
# A token that names an unknown key causes another read, but forged tokens must not cause a request each.
REFETCH_SECONDS = 60.0
MAX_KEYS = 100
_WELL_KNOWN = "/.well-known/openid-configuration"


class Provider(NamedTuple):
    """The endpoints of a provider. `basic`: its token endpoint takes the client's secret in the Authorization header.

    `names_issuer`: its answers to the browser name the issuer (RFC 9207).
    """

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    basic: bool
    names_issuer: bool


class _Kept(NamedTuple):
    """The provider and its keys, each with the time at which it was read."""

    provider: Provider
    read: float
    keys: tuple[dict[str, Any], ...] = ()
    keys_read: float = float("-inf")


_lock = threading.Lock()
# By issuer: a process has one, tests have several.
_kept: dict[str, _Kept] = {}


def find_provider(settings: OidcSettings) -> Provider:
    """The provider. Unavailable if it does not answer, or if its document is of another issuer."""
    with _lock:
        return _fresh(settings).provider


def find_keys(settings: OidcSettings, kid: str | None) -> list[dict[str, Any]]:
    """The keys with this id, all of them without an id. Read again, once a minute at most, for an unknown id."""
    with _lock:
        kept, now = _fresh(settings), time.monotonic()
        age = now - kept.keys_read
        if age > FRESH_SECONDS or (age >= REFETCH_SECONDS and not _matching(kept, kid)):
            kept = kept._replace(keys=_read_keys(kept.provider), keys_read=now)
            _kept[settings.issuer] = kept
        return _matching(kept, kid)


def _matching(kept: _Kept, kid: str | None) -> list[dict[str, Any]]:
    return [each for each in kept.keys if kid is None or each.get("kid") == kid]


def _fresh(settings: OidcSettings) -> _Kept:
    kept = _kept.get(settings.issuer)
    if kept is None or time.monotonic() - kept.read > FRESH_SECONDS:
        _kept[settings.issuer] = kept = _Kept(_read_provider(settings), time.monotonic())
    return kept


def _read_provider(settings: OidcSettings) -> Provider:
    document = _document(settings.issuer.rstrip("/") + _WELL_KNOWN)
    if document.get("issuer") != settings.issuer:
        raise Unavailable("The sign-in provider has another name than DEARDIARY_OIDC_ISSUER", retry_after=60)
    methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    userinfo = document.get("userinfo_endpoint")
    return Provider(
        authorization_endpoint=_endpoint(document, "authorization_endpoint"),
        token_endpoint=_endpoint(document, "token_endpoint"),
        jwks_uri=_endpoint(document, "jwks_uri"),
        userinfo_endpoint=userinfo if isinstance(userinfo, str) else None,
        basic="client_secret_basic" in methods,
        names_issuer=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _endpoint(document: dict[str, Any], name: str) -> str:
    url = document.get(name)
    if not isinstance(url, str) or not config.is_safe_url(url, in_lambda=config.settings().in_lambda):
        raise Unavailable(f"The sign-in provider has no {name} at https", retry_after=60)
    return url


def _read_keys(provider: Provider) -> tuple[dict[str, Any], ...]:
    keys = _document(provider.jwks_uri).get("keys")
    if not isinstance(keys, list):
        raise Unavailable("The sign-in provider publishes no keys", retry_after=60)
    return tuple(each for each in keys[:MAX_KEYS] if isinstance(each, dict))


def _document(url: str) -> dict[str, Any]:
    try:
        document = fetch_json(url)
    except Refused:
        document = None
    if not isinstance(document, dict):
        raise Unavailable("The sign-in provider does not answer as it should", retry_after=60)
    return document
