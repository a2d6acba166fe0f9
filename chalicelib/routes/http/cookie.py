"""The cookie that signs a browser in. It carries the session token of `POST /auth`, out of reach of scripts.

A browser adds a cookie to requests by itself, also to requests that another page made it send. So a request that the
cookie signs in must prove that it comes from our own page, whatever its method.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from chalicelib import clock, config
from chalicelib.errors import OriginForbidden

# The prefix makes browsers insist on Secure, on the path / and on this very host.
NAME, LOCAL_NAME = "__Host-deardiary", "deardiary"
# The suffix of a second cookie, which holds what belongs to a sign-in with a provider until it ends.
_SIGN_IN = "-sign-in"
_FOREIGN = "The session of a browser signs in requests of this server's own page only"


def authorization(headers: Mapping[str, str], site: str) -> str | None:
    """The Authorization header; without one, that of the session cookie. OriginForbidden for a foreign page."""
    given = headers.get("authorization")
    token = _read(headers.get("cookie", ""), _name(site)) if given is None else None
    if token is None or not config.settings().enable_auth:
        return given
    if not _is_own_page(headers, site):
        raise OriginForbidden(_FOREIGN)
    return f"Bearer {token}"


def require_no_foreign_page(headers: Mapping[str, str], site: str) -> None:
    """OriginForbidden if another page made a browser send this: it could sign its visitor in as another user.

    A request without both headers is of a program: browsers name the origin of every POST and DELETE.
    """
    if ("sec-fetch-site" in headers or "origin" in headers) and not _is_own_page(headers, site):
        raise OriginForbidden(_FOREIGN)


def setting(site: str, token: str, expires_at: datetime) -> dict[str, str]:
    """The header that stores the session in the browser, until it expires."""
    seconds = int((expires_at - clock.now()).total_seconds())
    return {"Set-Cookie": f"{_name(site)}={token}; Max-Age={max(0, seconds)}; {_attributes(site)}"}


def clearing(site: str) -> dict[str, str]:
    return {"Set-Cookie": f"{_name(site)}=; Max-Age=0; {_attributes(site)}"}


def sign_in_setting(site: str, value: str, seconds: int) -> str:
    """The header that stores a sign-in. SameSite=Lax, because the provider's redirect comes from another site."""
    return f"{_name(site)}{_SIGN_IN}={value}; Max-Age={seconds}; {_attributes(site, 'Lax')}"


def sign_in_clearing(site: str) -> str:
    return sign_in_setting(site, "", 0)


def read_sign_in(headers: Mapping[str, str], site: str) -> str | None:
    return _read(headers.get("cookie", ""), _name(site) + _SIGN_IN)


def _name(site: str) -> str:
    return LOCAL_NAME if _is_local(site) else NAME


def _attributes(site: str, same_site: str = "Strict") -> str:
    secure = "" if _is_local(site) else "; Secure"
    return f"Path=/; HttpOnly; SameSite={same_site}{secure}"


def _is_local(site: str) -> bool:
    """True for plain HTTP on loopback, where browsers accept no Secure cookie. False for a malformed Host."""
    try:
        url = urlsplit(site)
    except ValueError:
        return False
    return url.scheme == "http" and config.is_loopback(url.hostname or "")


def _is_own_page(headers: Mapping[str, str], site: str) -> bool:
    """True if the browser says so. Sec-Fetch-Site decides where it is sent; no page can set it."""
    if "sec-fetch-site" in headers:
        return headers["sec-fetch-site"] == "same-origin"
    scheme, _, host, *_path = site.split("/")
    return headers.get("origin") == f"{scheme}//{host}"


def _read(header: str, name: str) -> str | None:
    """The value of the first cookie of this name; None without one."""
    for each in header.split(";"):
        key, _, value = each.strip().partition("=")
        if key == name:
            return value or None
    return None
