"""`GET /docs`: a page to read the API and to try it, drawn by its script from `/openapi.json`."""

from __future__ import annotations

from pathlib import Path

from chalicelib.routes.http.answer import Answer
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.pages import assets

routes = Routes(__name__, assets.PAGES)

_HEADERS = assets.headers_of()


@routes.get("/docs", public=True)
def get_docs(_call: Call[None, None]) -> Answer[str]:
    return _answer("docs.html")


@routes.get("/docs/docs.js", public=True)
def get_docs_script(_call: Call[None, None]) -> Answer[str]:
    return _answer("docs.js")


@routes.get("/docs/docs.css", public=True)
def get_docs_style(_call: Call[None, None]) -> Answer[str]:
    return _answer("docs.css")


def _answer(name: str) -> Answer[str]:
    return assets.answer(Path(__file__).with_name(name), _HEADERS)
