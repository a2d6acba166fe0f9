"""Sign-in with an OpenID Connect provider: the two requests that a browser makes by following links.

Errors are pages, because a person reads them. The first answer to a sign-in is a redirect to the provider, the last one
to the dashboard; both addresses are those of the settings and of this server, whatever the request says.
"""

from __future__ import annotations

import html
from typing import Annotated, Any

from msgspec import Meta, Struct

from chalicelib.errors import DomainError
from chalicelib.routes.http import cookie
from chalicelib.routes.http.answer import Answer, error_headers, status_of
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.face import Face
from chalicelib.routes.pages import assets
from chalicelib.services.oidc import sign_in as service
from chalicelib.services.oidc.flow import LIFE, Return

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign-in · DearDiary</title>
<h1>You are not signed in</h1>
<p>MESSAGE.</p>
<p><a href="../../ui">Back to DearDiary</a></p>
</html>
"""


def _refuse(error: DomainError) -> Answer[Any]:
    text = _PAGE.replace("MESSAGE", html.escape(error.message.rstrip(".")))
    headers = assets.headers_of() | error_headers(error)
    return Answer(status_of(error), text, headers, media_type="text/html; charset=utf-8")


# Providers add parameters of their own to their answers.
PROVIDER = Face("provider", _refuse, ignores_unknown_fields=True, headers=frozenset({"cookie"}))
routes = Routes(__name__, PROVIDER)


class StartQuery(Struct):
    page: Annotated[str, Meta(description="The page of the dashboard to show afterwards: #/projects/ID")] = ""


class ReturnQuery(Struct):
    state: str | None = None
    code: str | None = None
    iss: str | None = None
    error: str | None = None


@routes.get("/auth/oidc/start", query=StartQuery, public=True)
def start_sign_in(call: Call[None, StartQuery]) -> Answer[None]:
    """Send the browser to the provider; to the dashboard if the server has none."""
    begun = service.begin(call.site, call.query.page)
    if begun is None:
        return _redirect(f"{call.site}/ui")
    return _redirect(begun.url, cookie.sign_in_setting(call.site, begun.cookie, int(LIFE.total_seconds())))


@routes.get("/auth/oidc/callback", query=ReturnQuery, public=True)
def finish_sign_in(call: Call[None, ReturnQuery]) -> Answer[None]:
    """Sign in the browser that the provider has sent back."""
    query = call.query
    given = Return(query.state, query.code, query.iss, query.error)
    finished = service.finish(call.site, cookie.read_sign_in(call.headers, call.site), given)
    if finished is None:
        return _redirect(f"{call.site}/ui")
    cookies = [cookie.sign_in_clearing(call.site)]
    if finished.session:
        session = finished.session
        cookies.append(cookie.setting(call.site, session.access_token, session.expires_at)["Set-Cookie"])
    return _redirect(f"{call.site}/ui{finished.page}", *cookies)


def _redirect(url: str, *cookies: str) -> Answer[None]:
    headers: dict[str, str | list[str]] = {"Location": url, "Referrer-Policy": "no-referrer"}
    return Answer(302, None, headers | ({"Set-Cookie": [*cookies]} if cookies else {}))
