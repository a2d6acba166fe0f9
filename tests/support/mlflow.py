"""Requests of the MLflow face, as MLflow's clients send them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.support.api import found
from tests.support.server import Reply, Server

_number = itertools.count(1)
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

    def new_experiment(self, **body: Any) -> str:
        name = body.pop("name", None) or f"experiment {next(_number)}"
        return str(found(self.post("experiments/create", name=name, **body))["experiment_id"])

    def new_run(self, experiment_id: str | None = None, **body: Any) -> str:
        body["experiment_id"] = experiment_id or self.new_experiment()
        return str(found(self.post("runs/create", **body))["run"]["info"]["run_id"])

    def run(self, run_id: str) -> dict[str, Any]:
        """A run; its params, tags and last values of metrics are mappings."""
        run: dict[str, Any] = found(self.get("runs/get", run_id=run_id))["run"]
        return run | {name: {each["key"]: each["value"] for each in run["data"][name]} for name in run["data"]}

    def experiment(self, experiment_id: str) -> dict[str, Any]:
        """An experiment; its tags are a mapping."""
        experiment: dict[str, Any] = found(self.get("experiments/get", experiment_id=experiment_id))["experiment"]
        return experiment | {"tags": {each["key"]: each["value"] for each in experiment["tags"]}}

    def search(self, *experiment_ids: str, **body: Any) -> list[str]:
        """The ids of the runs of all pages."""
        ids: list[str] = []
        token: dict[str, str] = {}
        while True:
            page = found(self.post("runs/search", experiment_ids=experiment_ids, **token, **body))
            ids += [each["info"]["run_id"] for each in page["runs"]]
            if "next_page_token" not in page:
                return ids
            token = {"page_token": page["next_page_token"]}


def refusal(reply: Reply) -> tuple[int, str, str]:
    """Status, code and message, after checking the form that every error has."""
    assert reply.body.keys() == {"error_code", "message"}, reply.body
    return reply.status, reply.body["error_code"], reply.body["message"]
