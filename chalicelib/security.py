"""Passwords and tokens as pure functions: this module reads no settings, no clock and no table."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import sys
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import bcrypt

from chalicelib import limits
from chalicelib.errors import TokenExpired, TokenInvalid, TokenPayloadInvalid

# PyJWT imports `cryptography` if it is installed. Sessions do not need it, and it would slow down every cold start.
_hidden = sys.modules.setdefault("cryptography", None) is None  # type: ignore[arg-type]
import jwt  # noqa: E402
from jwt.exceptions import InvalidSubjectError  # noqa: E402

if _hidden:
    del sys.modules["cryptography"]

ALGORITHM = "HS256"
ISSUER = AUDIENCE = "deardiary"
TICKET_AUDIENCE, SHARE_AUDIENCE = "deardiary-artifacts", "deardiary-share"
# Before the token of a share's session.
SHARE_PREFIX = "dds_"
# Of a browser's cookie while it signs in at a provider.
PROVIDER_AUDIENCE = "deardiary-provider"
SESSION_LIFE = timedelta(hours=12)
# After this time a user must enter the password again, even if the session was refreshed.
SIGN_IN_LIFE = timedelta(days=30)
# Of the token of a machine account.
MACHINE_LIFE = timedelta(hours=1)
# In place of a hash: the account has no password, and none matches.
NO_PASSWORD = "!"  # noqa: S105
MIN_SECRET_BYTES = 32
BCRYPT_COST = 12


class Keyring(NamedTuple):
    """The secrets that sign tokens: `signing` names the secret for new tokens, all of them verify."""

    signing: str
    secrets: dict[str, str]

    @classmethod
    def parse(cls, document: str) -> Keyring:
        """Parse the JSON from the parameter store: {"signing": kid, "secrets": {kid: secret}}."""
        data = json.loads(document)
        ring = cls(signing=data["signing"], secrets=data["secrets"])
        short = [kid for kid, secret in ring.secrets.items() if len(secret.encode()) < MIN_SECRET_BYTES]
        if ring.signing not in ring.secrets or short:
            raise ValueError("The JWT secret lacks its signing key, or one is shorter than 32 bytes")
        return ring


class Claims(NamedTuple):
    """The content of a session token: its user, the epoch of that user's tokens, the time of the password sign-in.

    ``auth_time`` is in seconds since 1970; None: now.
    """

    user_id: str
    epoch: int
    auth_time: int | None = None


def hash_password(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(BCRYPT_COST)).decode()


def check_password(password: str, hashed: str | None) -> bool:
    """True if the password matches. Without a hash (no such user, or no password) False, after the same time."""
    raw = password.encode()
    hashed = None if hashed in ("", NO_PASSWORD) else hashed
    matches = bcrypt.checkpw(raw[: limits.MAX_PASSWORD_BYTES], (hashed or _nobody()).encode())
    return matches and hashed is not None and len(raw) <= limits.MAX_PASSWORD_BYTES


def issue_token(ring: Keyring, claims: Claims, now: datetime, life: timedelta = SESSION_LIFE) -> tuple[str, datetime]:
    """Return a signed session token and its end, which is at most SIGN_IN_LIFE after the password sign-in."""
    # JWT times are whole seconds: truncate first, so that the returned end is that of the token.
    issued = now.astimezone(timezone.utc).replace(microsecond=0)
    signed_in = issued if claims.auth_time is None else datetime.fromtimestamp(claims.auth_time, timezone.utc)
    expires = min(issued + life, signed_in + SIGN_IN_LIFE)
    payload = {"sub": claims.user_id, "epoch": claims.epoch, "iat": issued, "exp": expires}
    payload["auth_time"] = int(signed_in.timestamp())
    token = jwt.encode(
        payload | {"iss": ISSUER, "aud": AUDIENCE},
        ring.secrets[ring.signing],
        algorithm=ALGORITHM,
        headers={"kid": ring.signing},
    )
    return token, expires


def read_token(ring: Keyring, token: str) -> Claims:
    """Verify a session token and return its claims. Unauthenticated if it is forged, incomplete or expired."""
    try:
        payload = jwt.decode(
            token,
            ring.secrets.get(key_id(token) or "") or _no_such_secret(),
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
    except jwt.ExpiredSignatureError:
        raise TokenExpired from None
    except (jwt.MissingRequiredClaimError, InvalidSubjectError, jwt.InvalidIssuedAtError):
        raise TokenPayloadInvalid from None
    except (jwt.InvalidIssuerError, jwt.InvalidAudienceError, jwt.ImmatureSignatureError):
        raise TokenPayloadInvalid from None
    except (jwt.InvalidTokenError, TypeError, ValueError):
        raise TokenInvalid from None
    return _claims(payload)


def issue_ticket(
    ring: Keyring, said: dict[str, Any], now: datetime, life: timedelta, audience: str = TICKET_AUDIENCE
) -> str:
    """Sign data that the server gives away and reads back itself, valid for `life`; for one purpose, its audience."""
    payload = said | {"aud": audience, "exp": now.astimezone(timezone.utc) + life}
    key = _ticket_key(ring.secrets[ring.signing], audience)
    return jwt.encode(payload, key, algorithm=ALGORITHM, headers={"kid": ring.signing}, json_encoder=_Utf8Encoder)


class _Utf8Encoder(json.JSONEncoder):
    """Write UTF-8: in ASCII escapes a name of 255 emoji is three times as long, too long for a URL."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given | {"ensure_ascii": False})


def read_ticket(ring: Keyring, ticket: str, audience: str = TICKET_AUDIENCE) -> dict[str, Any]:
    """Verify a ticket and return its data. Unauthenticated if it is forged, expired, or for another audience."""
    try:
        secret = ring.secrets.get(key_id(ticket) or "") or _no_such_secret()
        key = _ticket_key(secret, audience)
        options: Any = {"require": ["exp", "aud"]}
        return jwt.decode(ticket, key, algorithms=[ALGORITHM], audience=audience, options=options)
    except jwt.ExpiredSignatureError:
        raise TokenExpired("This URL has expired; ask for another") from None
    except (jwt.InvalidTokenError, TypeError, ValueError):
        raise TokenInvalid("This URL is not one of ours") from None


def _ticket_key(secret: str, audience: str) -> bytes:
    """Derive the key of an audience's tickets: a ticket of one passes neither as one of another nor as a session."""
    purpose = b"deardiary artifact ticket" if audience == TICKET_AUDIENCE else audience.encode()
    return hmac.digest(secret.encode(), purpose, "sha256")


def key_id(token: str) -> str | None:
    """The secret's id that a token names in its header, unverified; None if it is unreadable."""
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except jwt.InvalidTokenError:
        return None
    return kid if isinstance(kid, str) else None


def new_secret() -> str:
    """A new secret of 256 bits for a keyring or an API token, as text."""
    return secrets.token_hex(MIN_SECRET_BYTES)


def fingerprint(secret: str) -> str:
    """Hash a secret for storage. Plain SHA-256 is enough: 256 random bits cannot be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(secret: str, kept: str) -> bool:
    """True if a secret has this fingerprint; compares in constant time."""
    return hmac.compare_digest(fingerprint(secret), kept)


def _claims(payload: dict[str, Any]) -> Claims:
    # Tokens of older servers have no `auth_time`: use the time of their issue.
    epoch, auth_time = payload.get("epoch"), payload.get("auth_time", payload["iat"])
    if not isinstance(epoch, int) or not isinstance(auth_time, (int, float)):
        raise TokenPayloadInvalid
    return Claims(user_id=payload["sub"], epoch=epoch, auth_time=int(auth_time))


def _no_such_secret() -> str:
    raise TokenInvalid


def _nobody() -> str:
    """A hash of the same cost as a real one, with no known password."""
    return f"$2b${BCRYPT_COST:02}$C6UzMDM.H6dfI/f/IKcEeO7ZQz1yQ3y8L1Jm0o1mZlq9m2wX8b8xS"
