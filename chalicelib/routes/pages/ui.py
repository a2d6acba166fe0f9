"""The dashboard at `/` and `/ui`: the folder `chalicelib/ui`, which `python -m infra.dashboard` builds from `web/`.

The server reads a file at the first request for it, so that the dashboard costs a cold start nothing.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

from chalicelib import config
from chalicelib.errors import not_found
from chalicelib.routes.http.answer import Answer
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.pages import assets
from chalicelib.services.blobs import served

routes = Routes(__name__, assets.PAGES)

BUILT = Path(__file__).parents[2] / "ui"
# Why there is no build, written by the command that failed to make one.
FAILURE = "failure.txt"
_PLAIN_PAGE, _PLAIN_STYLE = "unbuilt.html", "unbuilt.css"
_NAME = re.compile(r"(?=.{1,100}\Z)[\w-]+(\.[\w-]+)*", re.ASCII)
# The build puts a hash of the content into the name.
_HASHED = re.compile(r".+-[\w-]{8}\.\w+", re.ASCII)
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


@routes.get("/", public=True)
def get_root(call: Call[None, None]) -> Answer[None]:
    return Answer(302, None, {"Location": f"{call.site}/ui"})


@routes.get("/ui", public=True)
def get_dashboard(call: Call[None, None]) -> Answer[str]:
    index = BUILT / "index.html"
    if not index.is_file():
        return _unbuilt(call.site)
    return assets.answer(index, _headers(), _with_site(assets.read(index).text, call.site))


@routes.get("/ui/{asset}", public=True)
def get_dashboard_asset(_call: Call[None, None], asset: str) -> Answer[str]:
    path = _find(asset)
    if path is None:
        raise not_found("asset", asset[:100])
    return assets.answer(path, _headers() | (_FOR_EVER if _HASHED.fullmatch(asset) else {}))


def _find(name: str) -> Path | None:
    """The asset of this name. The pattern keeps the path in the folder."""
    if not _NAME.fullmatch(name) or Path(name).suffix not in assets.MEDIA_TYPES or name.endswith(".html"):
        return None
    path = Path(__file__).with_name(name) if name == _PLAIN_STYLE else BUILT / name
    return path if path.is_file() else None


def _headers() -> dict[str, str]:
    """The page reads artifacts from the store too, shows media, and starts workers. No script writes HTML."""
    store = served.store_origin()
    own = f"'self' {store}" if store else "'self'"
    return assets.headers_of(
        img_src=f"{own} blob: data:",
        media_src="blob:",
        connect_src=own,
        worker_src="'self'",
        form_action="'self'",
        require_trusted_types_for="'script'",
    )


def _with_site(text: str, site: str) -> str:
    """Write the server's URL into the page: to API Gateway `/ui` and `/ui/` are one, so relative URLs would break."""
    escaped = html.escape(site)
    settings = config.settings()
    sign_in = "required" if settings.enable_auth else "off"
    undo_days = settings.undo.days if settings.undo else 0
    known = f'data-site="{escaped}" data-sign-in="{sign_in}" data-undo-days="{undo_days}"'
    if settings.oidc and settings.enable_auth:
        password = "any" if settings.password_sign_in else "admin"
        known += f' data-provider="{html.escape(settings.oidc.name)}" data-password="{password}"'
    text = text.replace('data-site=""', known)
    return text.replace('="./', f'="{escaped}/ui/')


def _unbuilt(site: str) -> Answer[str]:
    """A page that says why there is no dashboard."""
    failure, page = BUILT / FAILURE, Path(__file__).with_name(_PLAIN_PAGE)
    reason = failure.read_text("utf-8") if failure.is_file() else "It has not been built in this checkout."
    text = page.read_text("utf-8").replace("REASON", html.escape(reason))
    return assets.answer(page, _headers(), _with_site(text, site))
