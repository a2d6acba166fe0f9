"""Artifacts by paths, as a client of MLflow asks for them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import requests

import deardiary
from tests.support.server import Reply, Server

ROOT = "/api/2.0/mlflow-artifacts"


def files_of(run: deardiary.Iteration) -> str:
    return f"{run.experiment_id}/{run.id}/artifacts"


class Artifacts:
    """Asks like a client of MLflow, which encodes each segment of a path."""

    def __init__(self, server: Server, root: str, **headers: str) -> None:
        self.server, self.root, self.headers = server, root, headers

    def call(self, method: str, what: str, path: str = "", body: Any = None, **headers: str) -> Reply:
        whole = quote(f"{self.root}/{path}".rstrip("/"), safe="/~+&=,;@()'!*[]")
        return self.server.call(method, f"{ROOT}/{what}/{whole}", body, headers={**self.headers, **headers})

    def list(self, folder: str = "") -> Any:
        path = quote(f"{self.root}/{folder}".rstrip("/"))
        reply = self.server.call("GET", f"{ROOT}/artifacts?path={path}", headers=self.headers)
        assert reply.status == 200, reply.body
        return reply.body["files"]

    def put(self, path: str, data: bytes, **headers: str) -> Reply:
        return self.call("PUT", "artifacts", path, data, **headers)

    def get(self, path: str) -> bytes:
        reply = self.call("GET", "artifacts", path)
        assert reply.status == 302, reply.body
        return requests.get(reply.headers["location"], timeout=60).content

    def upload(self, folder: str, local_path: str, *parts: bytes) -> Reply:
        body: dict[str, Any] = {"path": local_path, "num_parts": len(parts)}
        made = self.call("POST", "mpu/create", folder, body)
        assert made.status == 200, made.body
        sent = []
        for credential, data in zip(made.body["credentials"], parts, strict=True):
            etag = requests.put(credential["url"], data=data, headers=credential["headers"], timeout=60).headers["ETag"]
            sent.append({"part_number": credential["part_number"], "etag": etag, "url": credential["url"]})
        done = {"path": local_path, "upload_id": made.body["upload_id"], "parts": sent}
        return self.call("POST", "mpu/complete", folder, done)
