"""The server's own code in this process, on the table of a running local server, to count the reads of a request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.kit.connection import RequestFailed
from benchmarks.kit.processes import HOST, Served
from deardiary.http.default import HttpTransport
from infra.emulator.launcher import environment_of
from infra.stage import locate
from tests.support.server import Server, environment


class Inside:
    """Has the interface of `benchmarks.kit.connection.Connection`, without a socket."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def call(self, method: str, path: str, body: Any = None) -> Any:
        reply = self._server.call(method, path, body, token=None)
        if not 200 <= reply.status < 300:
            raise RequestFailed(f"{method} {path} answered {reply.status}: {reply.body}")
        return reply.body


@contextmanager
def server_inside(served: Served) -> Iterator[Inside]:
    """The app on the same stage, without sign-in like the server itself."""
    aws = environment_of(served.aws_endpoint_url)
    with environment(aws):
        stage, _clients = locate("local")
    open_to_all = {"DEARDIARY_ENABLE_AUTH": "false", "DEARDIARY_LISTEN": HOST}
    with environment(aws | stage.settings() | open_to_all):
        yield Inside(Server(HttpTransport()))
