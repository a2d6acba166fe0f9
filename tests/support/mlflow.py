"""Requests of the MLflow face, as MLflow's clients send them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.support.server import Reply, Server

ROOT = "/api/2.0/mlflow"


@dataclass(frozen=True)
class Mlflow:
    """A caller of the face, by default the admin without a workspace."""

    server: Server
    token: str | None = ""
    workspace: str | None = None

    def get(self, path: str, **query: Any) -> Reply:
        return self.send("GET", path + ("?" + urlencode(query, doseq=True) if query else ""))

    def post(self, path: str, **body: Any) -> Reply:
        return self.send("POST", path, body)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        whole = path if path.startswith(("/api", "/ajax-api")) else f"{ROOT}/{path}"
        named = {} if self.workspace is None else {"X-MLFLOW-WORKSPACE": self.workspace}
        return self.server.call(method, whole, body, token=self.token, headers=named | headers)


def refusal(reply: Reply) -> tuple[int, str, str]:
    """Status, code and message, after checking the form that every error has."""
    assert reply.body.keys() == {"error_code", "message"}, reply.body
    return reply.status, reply.body["error_code"], reply.body["message"]
