"""What all pages share: their face, their headers, and text assets that are read at the first request for each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from chalicelib.routes.http.answer import Answer, refused
from chalicelib.routes.http.face import Face

# Not part of the REST API, so that the OpenAPI document leaves it out.
PAGES = Face("pages", refused)
# Text only: API Gateway would pass other bytes as base64.
MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
# No inline script or style, no other host, no frame, no form that the browser would send by itself.
_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "img-src": "data:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}


class Asset(NamedTuple):
    text: str
    etag: str


def answer(path: Path, headers: Mapping[str, str], text: str | None = None) -> Answer[str]:
    """The asset at the path, or the text in its place. Give it `headers_of` its page."""
    asset = read(path) if text is None else Asset(text, _etag(text))
    media_type = f"{MEDIA_TYPES[path.suffix]}; charset=utf-8"
    return Answer(200, asset.text, headers, media_type=media_type, etag=asset.etag)


def headers_of(**directives: str) -> dict[str, str]:
    """The headers of every asset of a page, with these directives of its policy: `img_src="'self'"`."""
    policy = _POLICY | {name.replace("_", "-"): value for name, value in directives.items()}
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def read(path: Path) -> Asset:
    """The asset, kept in memory until its file changes: a build may replace it under a running server."""
    return _read(path, path.stat().st_mtime_ns)


@cache
def _read(path: Path, _mtime_ns: int) -> Asset:
    text = path.read_text(encoding="utf-8")
    return Asset(text, _etag(text))


def _etag(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
