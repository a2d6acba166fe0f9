"""`GET /docs`: a page to read the API and to try it, drawn by its script from `/openapi.json`."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from chalicelib.routes.http.answer import Answer, refused
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.face import Face

# Not part of the REST API, so that the OpenAPI document leaves it out.
PAGES = Face("pages", refused)
routes = Routes(__name__, PAGES)

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
_HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class _Asset(NamedTuple):
    text: str
    etag: str


@routes.get("/docs", public=True)
def get_docs(_call: Call[None, None]) -> Answer[str]:
    return _answer("docs.html", "text/html")


@routes.get("/docs/docs.js", public=True)
def get_docs_script(_call: Call[None, None]) -> Answer[str]:
    return _answer("docs.js", "text/javascript")


@routes.get("/docs/docs.css", public=True)
def get_docs_style(_call: Call[None, None]) -> Answer[str]:
    return _answer("docs.css", "text/css")


def _answer(name: str, media_type: str) -> Answer[str]:
    asset = _asset(name)
    return Answer(200, asset.text, _HEADERS, media_type=f"{media_type}; charset=utf-8", etag=asset.etag)


@cache
def _asset(name: str) -> _Asset:
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return _Asset(text, hashlib.sha256(text.encode()).hexdigest()[:32])
