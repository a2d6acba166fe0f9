"""A second public protocol over the same services: its own errors, unknown fields ignored, everything else shared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from chalice.app import Chalice
from chalice.config import Config
from chalice.local import LocalGateway
from msgspec import Struct

from chalicelib.errors import DomainError, ServerError, Unavailable
from chalicelib.routes.http.answer import Answer, error_headers, ok, status_of
from chalicelib.routes.http.endpoint import Call, Routes
from chalicelib.routes.http.face import Face
from chalicelib.routes.http.parse import Body, Query
from chalicelib.services import project as service
from tests.support.api import new_person, new_project
from tests.support.server import Server, server_on_moto

HERE = "https://app.example.com"
PAGE = "<!doctype html><title>runs</title>"


class NewRun(Struct, kw_only=True):
    experiment: str
    metric: float = 0.0


def _refuse(error: DomainError) -> Answer[Any]:
    """The error form of this face, with codes and statuses of its own."""
    body = {"error_code": f"TINY_{error.code}", "message": error.message}
    return Answer(400 if error.code == "INVALID_PAYLOAD" else status_of(error), body, error_headers(error))


TINY = Face("tiny", _refuse, ignores_unknown_fields=True, headers=frozenset({"x-workspace"}))
routes = Routes(__name__, TINY)


@routes.get("/tiny/projects/{project_id}")
def get_project(call: Call[None, None], project_id: str) -> Answer[dict[str, str]]:
    project = service.get_project(call.actor, project_id)
    return Answer(200, {"name": project.name}, etag=project.name)


@routes.post("/tiny/runs", body=NewRun)
def create_run(call: Call[NewRun, None]) -> Answer[dict[str, Any]]:
    return ok({"experiment": call.body.experiment, "headers": dict(call.headers)})


@routes.get("/tiny/page", public=True)
def get_page(call: Call[None, None]) -> Answer[str]:
    headers = {"Cache-Control": "public, max-age=60", "Content-Security-Policy": "default-src 'none'"}
    return Answer(200, PAGE, headers, media_type="text/html; charset=utf-8", etag="1")


@routes.get("/tiny/fault", public=True)
def fail(call: Call[None, None]) -> Answer[None]:
    raise RuntimeError("a secret")


@routes.get("/tiny/overload", public=True)
def overload(call: Call[None, None]) -> Answer[None]:
    raise Unavailable(retry_after=7)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)


class Tiny:
    """An app with the second face alone, on the table of a server."""

    def __init__(self, server: Server) -> None:
        app = Chalice("tiny", configure_logs=False)
        app.register_blueprint(routes)
        self.server, self._gateway = server, LocalGateway(app, Config())

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = "", **headers: str) -> Reply:
        given = {"Host": "127.0.0.1", "Accept": "*/*", **{name.replace("_", "-"): headers[name] for name in headers}}
        if token is not None:
            given["Authorization"] = f"Bearer {token or self.server.token()}"
        content = b"" if body is None else json.dumps(body).encode()
        answer = self._gateway.handle_request(method, path, given, content)
        answered = {name.lower(): value for name, value in answer["headers"].items()}
        return Reply(answer["statusCode"], answered, answer["body"])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto(DEARDIARY_CORS_ORIGINS=HERE) as running:
        yield running


@pytest.fixture(scope="module")
def tiny(server: Server) -> Tiny:
    return Tiny(server)


def test_every_error_has_the_form_of_the_face(server: Server, tiny: Tiny) -> None:
    stranger = new_person(server).token
    project = new_project(server)
    replies = [
        tiny.call("GET", f"/tiny/projects/{project}", token=None),
        tiny.call("GET", f"/tiny/projects/{project}", token=stranger),
        tiny.call("GET", "/tiny/projects/NO_ID"),
        tiny.call("POST", "/tiny/runs", {"metric": 1}),
        tiny.call("GET", "/tiny/fault"),
        tiny.call("GET", "/tiny/overload"),
    ]
    codes = ["TOKEN_MISSING", "NOT_FOUND", "NOT_FOUND", "INVALID_PAYLOAD", ServerError.code, Unavailable.code]
    assert [reply.status for reply in replies] == [401, 404, 404, 400, 500, 503]
    assert [reply.body["error_code"] for reply in replies] == [f"TINY_{code}" for code in codes]
    assert all(reply.body.keys() == {"error_code", "message"} for reply in replies)
    assert not any("a secret" in reply.text for reply in replies)
    assert replies[-1].headers["retry-after"] == "7"


def test_unknown_fields_are_ignored_and_others_checked(tiny: Tiny) -> None:
    assert tiny.call("POST", "/tiny/runs?unknown=1", {"experiment": "e", "unknown": {}}).body["experiment"] == "e"
    assert tiny.call("POST", "/tiny/runs", {"experiment": 1}).status == 400


def test_a_struct_that_refuses_unknown_fields_does_not_fit_the_face() -> None:
    class Strict(Body):
        experiment: str

    class StrictQuery(Query):
        page: int = 1

    unused = Routes(__name__, TINY)
    for register in (unused.post("/tiny/strict", body=Strict), unused.get("/tiny/strict", query=StrictQuery)):
        with pytest.raises(TypeError, match="unknown fields"):
            register(lambda call: ok({}))
    assert TINY.methods("/tiny/strict") == []
    app = Chalice("unused", configure_logs=False)
    app.register_blueprint(unused)
    assert not app.routes


def test_views_see_the_headers_that_the_face_names_and_no_others(tiny: Tiny) -> None:
    reply = tiny.call("POST", "/tiny/runs", {"experiment": "e"}, X_Workspace="w", Range="bytes=0-", Cookie="c")
    assert reply.body["headers"] == {"x-workspace": "w"}


def test_faces_share_cors_and_preflight(server: Server, tiny: Tiny) -> None:
    for reply in (tiny.call("GET", "/tiny/fault", Origin=HERE), tiny.call("GET", "/tiny/page", Origin=HERE)):
        assert reply.headers["access-control-allow-origin"] == HERE
    preflight = tiny.call("OPTIONS", "/tiny/runs", token=None, Origin=HERE)
    assert preflight.headers["access-control-allow-methods"] == "POST"


def test_an_answer_has_its_own_media_type_and_headers(tiny: Tiny) -> None:
    reply = tiny.call("GET", "/tiny/page", token=None)
    assert (reply.status, reply.text) == (200, PAGE)
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["cache-control"] == "public, max-age=60"
    assert reply.headers["content-security-policy"] == "default-src 'none'"
    assert reply.headers["etag"] == '"1"'


@pytest.mark.parametrize(
    ("if_none_match", "matches"),
    [
        ('"1"', True),
        ('W/"1"', True),
        ("*", True),
        ('"0", W/"1"', True),
        ('"0","1"', True),
        ('"0"', False),
        ("1", False),
        ('w/"1"', False),
        ("", False),
    ],
)
def test_a_known_etag_is_answered_304(tiny: Tiny, if_none_match: str, *, matches: bool) -> None:
    reply = tiny.call("GET", "/tiny/page", token=None, Origin=HERE, If_None_Match=if_none_match)
    assert (reply.status, reply.text) == ((304, "") if matches else (200, PAGE))
    assert reply.headers["etag"] == '"1"'
    assert reply.headers["cache-control"] == "public, max-age=60"
    assert reply.headers["access-control-allow-origin"] == HERE
    assert "ETag" in reply.headers["access-control-expose-headers"]
    assert reply.headers["vary"] == "Origin"
    assert ("content-type" in reply.headers) is not matches


def test_an_etag_neither_signs_in_nor_hides_an_error(server: Server, tiny: Tiny) -> None:
    project = new_project(server)
    path = f"/tiny/projects/{project}"
    etag = tiny.call("GET", path).headers["etag"]
    assert tiny.call("GET", path, If_None_Match=etag).status == 304
    assert tiny.call("GET", path, token=None, If_None_Match=etag).status == 401
    assert tiny.call("GET", path, token=new_person(server).token, If_None_Match="*").status == 404


def test_an_answer_with_an_etag_is_kept_but_asked_for_again(server: Server, tiny: Tiny) -> None:
    reply = tiny.call("GET", f"/tiny/projects/{new_project(server)}")
    assert reply.headers["cache-control"] == "private, no-cache"
    assert tiny.call("POST", "/tiny/runs", {"experiment": "e"}).headers["cache-control"] == "no-store"
