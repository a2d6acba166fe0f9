from __future__ import annotations

import dataclasses
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
import deardiary.client
from deardiary.cli.main import main
from tests.support.server import ADMIN, PASSWORD, URL, Server, server_on_moto

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One server for all tests of a module; each test creates its objects under a name of its own."""
    with server_on_moto() as running:
        yield running


@dataclasses.dataclass(frozen=True)
class Said:
    """The output of a command, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.status == 0, self.err
        return json.loads(self.out)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def run(server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run a command as the admin, with these words and this stdin, which is no terminal without ``tty``."""
    monkeypatch.setenv("DEARDIARY_URL", URL)
    monkeypatch.setenv("DEARDIARY_TOKEN", server.token())
    monkeypatch.setattr(deardiary.client, "_default_transport", lambda: server.transport)

    def run(*words: str, stdin: str = "", tty: bool = False) -> Said:
        monkeypatch.setattr("sys.stdin", Terminal(stdin) if tty else io.StringIO(stdin))
        capsys.readouterr()
        try:
            status = main(words)
        except SystemExit as end:  # argparse
            status = int(end.code or 0)
        return Said(status, *capsys.readouterr())

    return run


@pytest.fixture
def client(server: Server) -> deardiary.Client:
    return server.client()


@pytest.fixture
def admin() -> tuple[str, str]:
    return ADMIN, PASSWORD
