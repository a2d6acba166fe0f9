"""Who a provider says has signed in, and who may become a user."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from chalicelib import ids
from chalicelib.config import OidcSettings
from chalicelib.errors import SignInRefused
from chalicelib.limits import MAX_USERNAME_CHARACTERS
from chalicelib.services.oidc import bounds
from deardiary.wire import limits

GOOGLE = "https://accounts.google.com"
_NUMBERED = 20
_NOT_IN_USERNAMES = re.compile(r"[^A-Za-z0-9._@-]+")


class Identity(NamedTuple):
    """An account at the provider. `email` is empty unless the provider has verified it."""

    issuer: str
    subject: str
    email: str
    hosted_domain: str
    groups: frozenset[str]
    username: str
    first_name: str
    last_name: str


def identity_of(claims: Mapping[str, Any], settings: OidcSettings) -> Identity:
    """Read the claims of a verified ID token, to which those of the userinfo endpoint have been added."""
    verified = claims.get("email_verified") in (True, "true")
    email = _text(claims, "email")
    return Identity(
        issuer=settings.issuer,
        subject=str(claims["sub"]),
        email=email.lower() if verified else "",
        hosted_domain=_text(claims, "hd").lower(),
        groups=_groups(claims, settings.groups_claim),
        username=_text(claims, "preferred_username") or email,
        first_name=(_text(claims, "given_name") or _text(claims, "name"))[: limits.MAX_NAME_CHARACTERS],
        last_name=_text(claims, "family_name")[: limits.MAX_NAME_CHARACTERS],
    )


def may_become_user(identity: Identity, settings: OidcSettings) -> bool:
    """True if a group of the account is allowed, or the domain of its verified e-mail. False without a rule."""
    return bool(identity.groups & settings.allowed_groups) or _domain_of(identity) in settings.allowed_domains


def usernames(identity: Identity) -> Iterator[str]:
    """Names for a new user: that of the provider, then with a number, in case another user has the name."""
    most = MAX_USERNAME_CHARACTERS
    suffix = ids.hash_texts(identity.issuer, identity.subject)[:12]
    name = _NOT_IN_USERNAMES.sub("-", identity.username).strip("-") or "user"
    yield name[:most]
    for number in (*range(2, _NUMBERED), suffix):
        yield f"{name[: most - len(suffix) - 1]}-{number}"


def _domain_of(identity: Identity) -> str:
    """The domain that vouches for the account. Google verifies e-mails of any domain: its `hd` must name it too."""
    domain = identity.email.rpartition("@")[2]
    return domain if identity.issuer != GOOGLE or identity.hosted_domain == domain else ""


def _groups(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    """The groups. SignInRefused if they are too many: rights would otherwise end without a reason."""
    given = claims.get(name, [])
    if name in _mapping(claims.get("_claim_names")) or (isinstance(given, list) and len(given) > bounds.MAX_GROUPS):
        text = "Your account is in more groups than the provider puts into an ID token"
        raise SignInRefused(
            f"{text}. An administrator of the provider can limit them to the groups of this application"
        )
    return frozenset(each for each in (given if isinstance(given, list) else [given]) if isinstance(each, str))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    # JSON can hold half of a surrogate pair, which no row can.
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""
