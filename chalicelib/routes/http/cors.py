"""Which web pages may use this server: CORS, and the guard of a server without sign-in.

`endpoint.py` answers preflight requests. `infra/resources/gateway.py` sets the headers of API Gateway's own answers,
`infra/resources/bucket.py` those of presigned requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from chalicelib import config
from chalicelib.errors import OriginForbidden

PREFLIGHT = {
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-None-Match",
    "Access-Control-Max-Age": "600",
}


def guard(headers: Mapping[str, str]) -> None:
    """Without sign-in, refuse requests that a foreign page sends from a browser on this machine.

    A foreign Host is a DNS name that resolves to loopback; a foreign Origin is a page that posts across sites.
    """
    if config.settings().enable_auth:
        return
    origin = headers.get("origin")
    if not _is_here("//" + headers.get("host", "")) or (origin is not None and not _is_here(origin)):
        raise OriginForbidden


def cors_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """CORS headers for the origins in the settings, none by default; without sign-in only for origins on loopback."""
    origin, settings = headers.get("origin"), config.settings()
    if origin is None or not settings.cors_origins:
        return {}
    if origin not in settings.cors_origins or not (settings.enable_auth or _is_here(origin)):
        return {"Vary": "Origin"}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": "ETag, Location, Retry-After, X-Freed-Bytes",
        "Vary": "Origin",
    }


def site(headers: Mapping[str, str], path: str, route: str) -> str:
    """The URL of this server as the client reached it, stage or base path included, without a slash at the end.

    `path` is the requested path with a stage or base path, `route` the pattern of the route without it.
    """
    scheme = headers.get("x-forwarded-proto", "http").partition(",")[0]
    parts = path.rstrip("/").split("/")
    before = parts[: len(parts) - route.rstrip("/").count("/")]
    return f"{scheme}://{headers.get('host', '127.0.0.1')}{'/'.join(before)}"


def _is_here(url: str) -> bool:
    try:
        return config.is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False
