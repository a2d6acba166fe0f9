"""Common requests of the route tests, and checks of answers and of the store."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import requests
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from chalicelib import config
from chalicelib.storage.table import item
from tests.support import fast_moto
from tests.support.server import PASSWORD, Reply, Server

ALL = ("create", "read", "update", "delete")
_number = itertools.count(1)


@dataclass(frozen=True)
class Person:
    """A user who is no admin."""

    id: str
    username: str
    token: str


def made(reply: Reply) -> Any:
    """The body of a 201."""
    assert reply.status == 201, reply
    return reply.body


def found(reply: Reply) -> Any:
    """The body of a 200."""
    assert reply.status == 200, reply
    return reply.body


def check_refused(reply: Reply, status: int, code: str, field: str | None = None) -> None:
    assert (*reply.error, reply.field) == (status, code, field), reply


def check_invalid(reply: Reply, field: str) -> None:
    check_refused(reply, 422, "INVALID_PAYLOAD", field)


def new_person(server: Server, **fields: Any) -> Person:
    username = f"person{next(_number)}"
    user = made(server.call("POST", "/users", {"username": username, "password": PASSWORD, **fields}))
    return Person(user["id"], username, server.token(username))


def new_member(server: Server, project_id: str, *may: str) -> Person:
    """A user with exactly these permissions on the project."""
    person = new_person(server)
    record = {f"{what}_permission": True for what in may}
    found(server.call("PUT", f"/projects/{project_id}/permissions/{person.id}", record))
    return person


def new_project(server: Server, **body: Any) -> str:
    return str(made(server.call("POST", "/projects", {"name": "a project", **body}))["id"])


def new_experiment(server: Server, project_id: str | None = None, **body: Any) -> str:
    path = f"/projects/{project_id or new_project(server)}/experiments"
    return str(made(server.call("POST", path, {"name": f"experiment {next(_number)}", **body}))["id"])


def new_iteration(server: Server, experiment_id: str | None = None, **body: Any) -> str:
    path = f"/experiments/{experiment_id or new_experiment(server)}/iterations"
    return str(made(server.call("POST", path, body))["id"])


def end(server: Server, iteration_id: str, **body: Any) -> Any:
    """End the iteration as SUCCEEDED."""
    return found(server.call("PATCH", f"/iterations/{iteration_id}", {"status_id": 2, **body}))


def new_resource(server: Server, experiment_id: str, content: bytes, **body: Any) -> Any:
    """A resource that is declared, whatever state that brings it to."""
    sha256 = hashlib.sha256(content).hexdigest()
    declared = {"name": "model.bin", "size_bytes": len(content), "content_hash": sha256, **body}
    return made(server.call("POST", f"/experiments/{experiment_id}/resources", declared))


def upload(server: Server, resource_id: str, content: bytes) -> None:
    """Send the presigned request unchanged."""
    (request,) = found(server.call("POST", f"/resources/{resource_id}/upload"))["requests"]
    # moto keeps a checksum only when this header asks for it; S3 always does.
    headers = {**request["headers"], "x-amz-sdk-checksum-algorithm": "SHA256"}
    requests.request(request["method"], request["url"], headers=headers, data=content, timeout=60).raise_for_status()


def new_ready_resource(server: Server, experiment_id: str, content: bytes, **body: Any) -> Any:
    resource = new_resource(server, experiment_id, content, **body)
    upload(server, resource["id"], content)
    return found(server.call("POST", f"/resources/{resource['id']}/complete"))


def pages(server: Server, path: str, limit: int, token: str = "") -> list[Any]:
    """All rows of a list, read page by page."""
    items: list[Any] = []
    cursor, joint = "", "&" if "?" in path else "?"
    while True:
        page = found(server.call("GET", f"{path}{joint}limit={limit}{cursor}", token=token))
        assert len(page["data"]) <= limit
        items += page["data"]
        if page["next_cursor"] is None:
            return items
        cursor = f"&cursor={page['next_cursor']}"


def rows() -> dict[tuple[str, str], Any]:
    """All rows of the table, except those that expire by themselves.

    These are counts of sign-ins, checks for late bytes, changes, and creation keys of deleted entities. Read from
    moto's memory, because its Scan never ends on a table of several pages.
    """
    backend = dynamodb_backends[DEFAULT_ACCOUNT_ID][config.settings().region]
    with fast_moto.lock:
        everything = [row.to_json()["Attributes"] for row in backend.get_table(config.settings().table).all_items()]
    everything = [row for row in everything if not row["PK"]["S"].startswith("ATTEMPTS#")]
    everything = [row for row in everything if not row["SK"]["S"].startswith("CHANGE#")]
    everything = [row for row in everything if "#late." not in row["SK"]["S"] and "retired_at" not in row]
    return {(row["PK"]["S"], row["SK"]["S"]): row for row in everything}


def objects() -> set[str]:
    """The keys of all objects in the bucket."""
    answer = boto3.client("s3").list_objects_v2(Bucket=config.settings().artifact_bucket)
    return {each["Key"] for each in answer.get("Contents", [])}


@contextmanager
def counted_calls() -> Iterator[list[str]]:
    """The operations that DynamoDB receives inside the block."""
    calls: list[str] = []
    events = item.connection().connection.client.meta.events

    def count(model: Any, **_: Any) -> None:
        calls.append(model.name)

    events.register("before-call.dynamodb", count)
    try:
        yield calls
    finally:
        events.unregister("before-call.dynamodb", count)
