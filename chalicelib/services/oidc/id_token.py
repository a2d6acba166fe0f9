"""The check of an ID token (OpenID Connect Core 1.0, section 3.1.3.7), by PyJWT and `cryptography`.

`cryptography` is imported at the first check only: `chalicelib.security` hides it from PyJWT at the start.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib
import threading
from typing import Any

import jwt

from chalicelib.config import OidcSettings
from chalicelib.errors import SignInRefused
from chalicelib.services.oidc import bounds
from chalicelib.services.oidc.provider import find_keys

LEEWAY_SECONDS = 60
MIN_RSA_BITS = 2048
# The algorithm follows from the kind of the published key, never from the token alone.
_ALGORITHMS = {"RSA": "RS256", "EC": "ES256"}
_REQUIRED = ["iss", "sub", "aud", "exp", "iat"]
_lock = threading.Lock()


def verify(token: str, settings: OidcSettings, *, nonce: str, access_token: str) -> dict[str, Any]:
    """The claims of a token that this provider signed for this client and this sign-in; else SignInRefused."""
    try:
        claims = _decode(token, settings)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        raise _refused("its signature, issuer, audience or time is wrong") from None
    _check_parties(claims, settings.client_id)
    if not _same(claims.get("nonce"), nonce):
        raise _refused("it belongs to another sign-in")
    if "at_hash" in claims and not _same(claims["at_hash"], _hash_of(access_token)):
        raise _refused("it belongs to another access token")
    return claims


def _decode(token: str, settings: OidcSettings) -> dict[str, Any]:
    if len(token) > bounds.MAX_TOKEN_CHARACTERS:
        raise ValueError("too long")
    _load_cryptography()
    header = jwt.get_unverified_header(token)
    key, algorithm = _key(header, settings)
    # The decoder of `jwt.decode` was made without `cryptography`; this one knows RS256 and ES256.
    return jwt.PyJWT().decode(
        token,
        key,
        algorithms=[algorithm],
        audience=settings.client_id,
        issuer=settings.issuer,
        leeway=LEEWAY_SECONDS,
        options={"require": _REQUIRED},
    )


def _key(header: dict[str, Any], settings: OidcSettings) -> tuple[Any, str]:
    """The published key that the token names. KeyError if there is none, or if several have no name."""
    kid = header.get("kid")
    found = [each for each in find_keys(settings, kid) if _fits(each, header)]
    if len(found) != 1 or not (kid is None or isinstance(kid, str)):
        raise KeyError(kid)
    (published,) = found
    algorithm = _ALGORITHMS[published["kty"]]
    key: Any = jwt.algorithms.get_default_algorithms()[algorithm].from_jwk(published)
    if algorithm == "RS256" and key.key_size < MIN_RSA_BITS:
        raise KeyError(kid)
    return key, algorithm


def _fits(published: dict[str, Any], header: dict[str, Any]) -> bool:
    """True for a public key for signatures of an allowed algorithm, which the token names too."""
    algorithm = _ALGORITHMS.get(str(published.get("kty")))
    return (
        algorithm is not None
        and header.get("alg") == algorithm
        and published.get("alg", algorithm) == algorithm
        and published.get("use", "sig") == "sig"
        and published.get("crv", "P-256") == "P-256"
        and "d" not in published
    )


def _check_parties(claims: dict[str, Any], client_id: str) -> None:
    audience, party, subject = claims["aud"], claims.get("azp"), claims["sub"]
    if party is None and isinstance(audience, list) and len(audience) > 1:
        raise _refused("it is for several applications and names none")
    if party is not None and party != client_id:
        raise _refused("it was issued to another application")
    if not isinstance(subject, str) or not 1 <= len(subject) <= bounds.MAX_SUBJECT_CHARACTERS:
        raise _refused("it has no subject")


def _load_cryptography() -> None:
    """Let PyJWT define what it left out when `cryptography` was hidden from it."""
    with _lock:
        if not jwt.algorithms.has_crypto:
            importlib.reload(jwt.utils)
            importlib.reload(jwt.algorithms)


def _hash_of(access_token: str) -> str:
    """The left half of the SHA-256: both allowed algorithms use it."""
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(half).decode().rstrip("=")


def _same(given: object, expected: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode(), expected.encode())


def _refused(reason: str) -> SignInRefused:
    return SignInRefused(f"The provider's ID token was refused: {reason}. Start the sign-in again")
