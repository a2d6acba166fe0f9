"""A client, a store and a file for uploads in parts; more than 64 KiB is large here."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Callable
from typing import Any

import boto3
import pytest
import requests

import deardiary
from chalicelib import clock, config
from deardiary.http.transport import Request, Response
from deardiary.wire import limits, parts
from tests.support.server import Server

KIB = 1024
PART = 16 * KIB
BYTES = random.Random(1).randbytes(10 * PART + 5)  # noqa: S311
CUT = parts.Cut(alone=64 * KIB, part=PART, most=limits.TIB)


class Watching:
    """A transport that records the requests to the store, and lets a test interfere."""

    def __init__(self, server: Server) -> None:
        self._inner = server.transport
        self._lock = threading.Lock()
        self.puts: list[Request] = []
        self.interfere: Callable[[int, Request], Request] = lambda _number, request: request

    def send(self, request: Request) -> Response:
        if request.method == "PUT":
            with self._lock:
                self.puts.append(request)
                number = len(self.puts)
            request = self.interfere(number, request)
        return self._inner.send(request)

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    @property
    def sent_bytes(self) -> int:
        return sum(request.size_bytes for request in self.puts)


def client_over(server: Server, watching: Watching) -> deardiary.Client:
    return deardiary.connect("http://127.0.0.1:9", token=server.token(), transport=watching)


def hashes(data: bytes = BYTES) -> list[str]:
    return [hashlib.sha256(data[at : at + PART]).hexdigest() for at in range(0, len(data), PART)]


def declare(server: Server, experiment: deardiary.Experiment, data: bytes = BYTES) -> str:
    body = {"name": "model.bin", "size_bytes": len(data), "content_hash": hashlib.sha256(data).hexdigest()}
    made: str = server.call("POST", f"/experiments/{experiment.id}/resources", body).body["id"]
    return made


def ask(server: Server, resource_id: str, first: int = 1, declared: list[str] | None = None) -> Any:
    body = {"first_part": first, "part_hashes": hashes()[first - 1 :] if declared is None else declared}
    return server.call("POST", f"/resources/{resource_id}/upload", body).body["requests"]


def put(signed: Any, data: bytes) -> int:
    headers = {name: value for name, value in signed["headers"].items() if name != "Content-Length"}
    return requests.put(signed["url"], data=data, headers=headers, timeout=60).status_code


def piece(signed: Any) -> bytes:
    return BYTES[signed["offset"] : signed["offset"] + signed["size_bytes"]]


def unfinished(experiment: deardiary.Experiment) -> list[str]:
    listed = boto3.client("s3").list_multipart_uploads(Bucket=config.settings().artifact_bucket)
    return [each["Key"] for each in listed.get("Uploads", []) if experiment.project_id in each["Key"]]


def objects(experiment: deardiary.Experiment) -> list[str]:
    prefix = f"projects/{experiment.project_id}/"
    listed = boto3.client("s3").list_objects_v2(Bucket=config.settings().artifact_bucket, Prefix=prefix)
    return [each["Key"] for each in listed.get("Contents", [])]


def at(monkeypatch: pytest.MonkeyPatch, moment: Any) -> None:
    monkeypatch.setattr(clock, "now", lambda: moment)
