"""Transports without a server, for the tests of the client."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from deardiary.client import Client, connect
from deardiary.http.transport import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://diary.example/api"
NOW = "2026-01-02T03:04:05.678Z"

Answer = tuple[int, Any] | tuple[int, Any, Mapping[str, str]] | Exception


def respond(status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> Response:
    """Create an answer: bytes unchanged, None as an empty body, anything else as JSON."""
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Response(status, headers or {}, io.BytesIO(content))


class FakeServer:
    """Answers "METHOD /path" from ``answers``: a status and body, an exception to raise, or a function of the request.

    Keeps every request.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answers: dict[str, Answer | Callable[[Request], Answer]] = {}

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        answer = self.answers[_name(request)]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        if answer[0] in (413, 422) and answer[1] is None:
            answer = (answer[0], {"code": "INVALID_PAYLOAD", "message": "not so", "details": {}})
        return respond(*answer)

    def close(self) -> None:
        self.requests.append(Request(method="CLOSE", url=URL))

    def bodies(self, name: str) -> list[Any]:
        """The JSON bodies of all requests of that "METHOD /path"."""
        return [json.loads(body_of(request)) for request in self.requests if _name(request) == name]

    def names(self) -> list[str]:
        return [_name(request) for request in self.requests]


def body_of(request: Request) -> bytes:
    body = request.open_body()
    try:
        return body.read()
    finally:
        body.close()


def query_of(request: Request) -> dict[str, list[str]]:
    return parse_qs(urlsplit(request.url).query)


def client_of(server: FakeServer) -> Client:
    return connect(URL, token="secret-token", transport=server)


def page(*items: Any, next_cursor: str | None = None) -> Any:
    return {"data": list(items), "next_cursor": next_cursor}


def project(**fields: Any) -> dict[str, Any]:
    return {"id": "p1", "name": "Iris", "description": "", "created_date": NOW, **fields}


def experiment(**fields: Any) -> dict[str, Any]:
    return {"id": "e1", "project_id": "p1", "status_id": 1, "name": "sweep", "description": "", **_dates(), **fields}


def iteration(**fields: Any) -> dict[str, Any]:
    texts = dict.fromkeys(("notes", "error_message", "python_version", "julia_version", "git_sha", "entrypoint"), "")
    return {"id": "i1", "experiment_id": "e1", "status_id": 1, "git_dirty": False, **texts, **_dates(), **fields}


def resource(**fields: Any) -> dict[str, Any]:
    known = {"id": "r1", "experiment_id": "e1", "name": "model.bin", "description": "", "created_date": NOW}
    return {**known, "backend": "s3", "uri": "", "size_bytes": 0, "content_hash": "", "state": "pending", **fields}


def taken(request: Request) -> Answer:
    """The receipt for a flush, with all its points accepted."""
    metrics = json.loads(body_of(request)).get("metrics", {})
    return 201, receipt(accepted=sum(len(columns["value"]) for columns in metrics.values()))


def receipt(**fields: Any) -> dict[str, Any]:
    return {"batch_id": "b1", "accepted": 1, "last_step": {}, **fields}


def _dates() -> dict[str, Any]:
    return {"created_date": NOW, "end_date": None}


def _name(request: Request) -> str:
    url = urlsplit(request.url)
    path = url.path.removeprefix("/api") if request.url.startswith(URL) else f"{url.netloc}{url.path}"
    return f"{request.method} {path}"
