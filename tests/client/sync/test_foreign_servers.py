"""`sync` sends credentials and data only to servers that the user names."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import deardiary
import deardiary.client
from tests.support.server import URL, Server
from tests.support.spools import said, spool_in
from tests.support.transports import respond

if TYPE_CHECKING:
    from deardiary import Request, Response


@pytest.mark.parametrize("named", [None, URL])
def test_no_token_goes_to_a_server_that_only_the_spool_names(
    copies: list[Path], server: Server, monkeypatch: pytest.MonkeyPatch, named: str | None
) -> None:
    seen = _Listening(server)
    monkeypatch.setattr(deardiary.client, "_default_transport", lambda: seen)
    monkeypatch.setenv("DEARDIARY_TOKEN", "dd_mine")
    if named is not None:
        monkeypatch.setenv("DEARDIARY_URL", named)
    said(spool_in(copies[0]), url="https://elsewhere.example/api")
    (result,) = deardiary.sync(copies[0], allow=["https://elsewhere.example/api/"], tell=lambda _: None)
    assert not result.is_done
    assert seen.requests
    assert all("elsewhere.example" in request.url for request in seen.requests)
    assert not any("authorization" in map(str.lower, request.headers) for request in seen.requests)


@pytest.mark.parametrize("named", [None, URL])
@pytest.mark.parametrize("url", ["https://elsewhere.example/api", "http://127.0.0.1:9000"])
def test_sync_sends_nothing_unasked_to_a_server_that_only_the_spool_names(
    copies: list[Path], server: Server, monkeypatch: pytest.MonkeyPatch, named: str | None, url: str
) -> None:
    seen = _Listening(server)
    monkeypatch.setattr(deardiary.client, "_default_transport", lambda: seen)
    monkeypatch.setenv("DEARDIARY_URL", named or "https://mine.example")
    said(spool_in(copies[0]), url=url)
    told: list[str] = []
    (result,) = deardiary.sync(copies[0], tell=told.append)
    assert (result.is_done, result.waiting, seen.requests) == (False, 1, [])
    assert f"deardiary sync --allow {url}" in told[0]
    assert spool_in(copies[0]).is_dir()


@pytest.mark.parametrize(("answer", "is_sent"), [("y\n", True), ("\n", False), ("n\n", False), ("", False)])
def test_a_user_at_a_terminal_is_asked_once_for_each_server(
    copies: list[Path],
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str,
    is_sent: bool,
) -> None:
    seen = _Listening(server)
    monkeypatch.setattr(deardiary.client, "_default_transport", lambda: seen)
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    for folder in copies:
        said(spool_in(folder), url="https://elsewhere.example/api\u202e")
    results = deardiary.sync(copies[0].parent, tell=lambda _: None)
    asked = capsys.readouterr().err
    assert asked.count("https://elsewhere.example/api?") == 1
    assert "\u202e" not in asked
    assert [bool(seen.requests), len(results)] == [is_sent, 2]


def test_signing_in_names_a_server(
    copies: list[Path], server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = _Listening(server)
    monkeypatch.setattr(deardiary.client, "_default_transport", lambda: seen)
    login = tmp_path / "config" / "deardiary" / "credentials.json"
    login.parent.mkdir(parents=True)
    login.write_text(json.dumps({"url": "https://elsewhere.example/api", "token": "dd_elsewhere"}))
    monkeypatch.setenv("DEARDIARY_URL", URL)
    monkeypatch.setenv("DEARDIARY_TOKEN", "dd_mine")
    said(spool_in(copies[0]), url="https://elsewhere.example/api")
    deardiary.sync(copies[0], tell=lambda _: None)
    tokens = {request.headers["Authorization"] for request in seen.requests}
    assert tokens == {"Bearer dd_elsewhere"}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class _Listening:
    """Answers like a server that requires a token."""

    def __init__(self, server: Server) -> None:
        self.requests: list[Request] = []
        self._server = server

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        path = request.url.removeprefix("https://elsewhere.example/api")
        status, headers, content = self._server.transport.call(request.method, path, dict(request.headers), b"")
        return respond(status, content, headers)

    def close(self) -> None:
        """Do nothing: there is nothing to close."""
