"""A member who may write and not read learns nothing from the answers to writes."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

import app  # noqa: F401 - registers the routes
import deardiary
from tests.security.test_matrix import RULES, Rule
from tests.support.asks import ASKS
from tests.support.server import Reply, Server, server_on_moto
from tests.support.world import World, make_world

# After these the experiment or the iteration accepts no writes.
ENDING = (
    *("PATCH /experiments/{experiment_id}", "PATCH /iterations/{iteration_id}"),
    *(
        "POST /api/2.0/mlflow/experiments/delete",
        "POST /api/2.0/mlflow/runs/delete",
        "POST /api/2.0/mlflow/runs/update",
    ),
)
# Each text of the owner contains one of these.
SECRET = "sesame"
SECRET_VALUE = 31415926.5
STORING = "POST /experiments/{experiment_id}/resources"
SHA256 = hashlib.sha256(SECRET.encode()).hexdigest()
WRITE_RULES = (Rule.CREATE, Rule.UPDATE, Rule.DELETE)
WRITES = [route for route, rule in RULES.items() if rule in WRITE_RULES and not route.startswith("GET ")]
BLIND = {"create_permission": True, "update_permission": True, "delete_permission": True}
FILE = {"size_bytes": len(SECRET), "content_hash": SHA256}

# The owner's earlier requests, by route; the blind writer then uses the same keys.
PLANTED: dict[str, dict[str, Any]] = {
    "PATCH /projects/{project_id}": {"name": SECRET, "description": SECRET, "labels": {SECRET: SECRET}},
    "PATCH /projects/{project_id}/views/{view_id}": {"name": SECRET, "state": {SECRET: [SECRET]}},
    "POST /projects/{project_id}/experiments": {
        "name": SECRET,
        "description": SECRET,
        "id_key": "k",
        "labels": {SECRET: SECRET},
    },
    "PATCH /experiments/{experiment_id}": {"name": f"{SECRET} seeds", "description": SECRET},
    "POST /experiments/{experiment_id}/iterations": {
        "name": SECRET,
        "notes": SECRET,
        "id_key": "k",
        "labels": {SECRET: SECRET},
    },
    "PATCH /iterations/{iteration_id}": (
        {
            "name": SECRET,
            "notes": SECRET,
            "error_message": SECRET,
            "python_version": SECRET,
            "git_sha": SECRET,
            "entrypoint": SECRET,
            "labels": {SECRET: SECRET},
        }
    ),
    "PUT /iterations/{iteration_id}/snapshot": (
        {"project_toml": SECRET, "manifest_toml": SECRET, "git_diff": SECRET, "julia_version": SECRET}
    ),
    "POST /iterations/{iteration_id}/parameters": {"key": "k", "value": SECRET},
    "PATCH /parameters/{parameter_id}": {"value": SECRET},
    "POST /iterations/{iteration_id}/inputs": (
        {"kind": "dataset", "name": "k", "source": SECRET, "description": SECRET, "labels": {SECRET: SECRET}}
    ),
    "POST /iterations/{iteration_id}/metrics/batch": (
        {"batch_id": "k", "metrics": [{"key": SECRET, "value": SECRET_VALUE}]}
    ),
    "POST /iterations/{iteration_id}/log": (
        {"batch_id": "l", "metrics": [{"key": SECRET, "value": SECRET_VALUE}], "parameters": {"l": SECRET}}
    ),
    "PATCH /metrics/{metric_id}": {"value": SECRET_VALUE},
    "POST /experiments/{experiment_id}/resources": ({"name": SECRET, "description": SECRET, "id_key": "k"} | FILE),
    "PATCH /resources/{resource_id}": {"name": SECRET, "description": SECRET},
    "POST /projects/{project_id}/models": {"name": "k", "description": SECRET},
    "PATCH /models/{model_id}": {"name": SECRET, "description": SECRET, "labels": {SECRET: SECRET}},
    "PATCH /modelversions/{version_id}": {"description": SECRET, "labels": {SECRET: SECRET}},
}

# Additional fields of the blind writer's bodies, beside those of the matrix.
PROBES: dict[str, list[dict[str, Any]]] = {
    "POST /projects/{project_id}/experiments": [{"name": "x", "id_key": "k"}, {"name": SECRET}],
    "POST /experiments/{experiment_id}/iterations": [{"id_key": "k"}],
    "POST /iterations/{iteration_id}/parameters": [{"key": "k", "value": "x"}],
    "POST /iterations/{iteration_id}/inputs": [{"kind": "dataset", "name": "k"}],
    "POST /iterations/{iteration_id}/metrics/batch": [{"batch_id": "k", "metrics": []}],
    "POST /iterations/{iteration_id}/log": [
        {"batch_id": "l"},
        {"batch_id": "l", "tags": ["x"]},
        {"batch_id": "m", "parameters": {"k": "x", "l": "x"}},
    ],
    "PATCH /metrics/{metric_id}": [{"step": 3}],
    "PATCH /modelversions/{version_id}": [{}, {"stage_id": 2}],
    "POST /experiments/{experiment_id}/resources": [
        {"name": "x"} | FILE,
        {"name": "x", "id_key": "k"} | FILE,
        {"name": "x", "id_key": "k", "size_bytes": 1, "content_hash": "0" * 64},
    ],
    "POST /models/{model_id}/versions": [],
    "POST /projects/{project_id}/models": [{"name": "k"}],
}


# After these requests the others would find no object, or one that accepts no writes.
LAST = ("DELETE", *ENDING)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        running.newcomer("blind")
        yield running


def send(server: Server, world: World, route: str, body: Any, token: str | None) -> Reply:
    method, _, path = route.partition(" ")
    return server.call(method, path.format(**world.ids | ASKS[route](world).ids), body, token=token)


def plant(server: Server, **resource: str) -> World:
    """The owner's planted texts, and a member with every permission but read."""
    made = make_world(server)
    for route, body in PLANTED.items():
        given = body | resource if route == STORING else body
        assert send(server, made, route, given, made.token).status in (200, 201), route
    blind = server.client("blind").whoami().id
    path = f"/projects/{made.ids['project_id']}/permissions/{blind}"
    assert server.call("PUT", path, BLIND, token=made.token).status == 200
    return made


@pytest.fixture(scope="module")
def world(server: Server) -> World:
    return plant(server)


def holds_a_secret(reply: Reply) -> bool:
    text = json.dumps([reply.body, reply.headers])
    return any(each in text for each in (SECRET, str(SECRET_VALUE), base64.b64encode(SECRET.encode()).decode()))


READABLE = ["projects/{project_id}", "iterations/{iteration_id}/snapshot", "metrics/{metric_id}", "models/{model_id}"]


def test_the_planted_texts_can_be_read(server: Server, world: World) -> None:
    """Otherwise no test here could fail."""
    for path in READABLE:
        assert holds_a_secret(server.call("GET", "/" + path.format(**world.ids), token=world.token)), path
        assert server.call("GET", "/" + path.format(**world.ids), token=server.token("blind")).status == 403


def write_blindly(server: Server, world: World, route: str) -> None:
    """Send all requests of this route, and search the answers."""
    bodies = [*PROBES.get(route, []), ASKS[route](world).body]
    if route.startswith(("PATCH", "PUT")):
        bodies.insert(0, {})
    replies = [send(server, world, route, body, server.token("blind")) for body in bodies]
    assert any(reply.status < 300 or reply.status == 409 for reply in replies), replies
    assert not any(reply.status in (403, 404, 500) for reply in replies), replies
    for reply in replies:
        assert not holds_a_secret(reply), reply
        if reply.status < 300 and not route.startswith("POST"):
            assert (reply.status, reply.body) == (204, None)


@pytest.mark.parametrize("route", WRITES)
def test_answers_to_writes_hold_no_data_of_other_users(server: Server, world: World, route: str) -> None:
    write_blindly(server, plant(server) if route.startswith(LAST) else world, route)


def test_inline_bytes_are_not_returned_without_read_permission() -> None:
    with server_on_moto(DEARDIARY_ARTIFACT_BACKEND="inline") as server:
        server.newcomer("blind")
        world = plant(server, data=base64.b64encode(SECRET.encode()).decode())
        for route in WRITES:
            if "resources" in route and not route.startswith("DELETE"):
                write_blindly(server, world, route)


def test_a_creation_answers_with_the_senders_own_texts(server: Server, world: World) -> None:
    sent = {"name": "mine", "description": "my own words"}
    reply = send(server, world, "POST /projects/{project_id}/experiments", sent, server.token("blind"))
    assert reply.status == 201
    assert sent.items() <= reply.body.items()
    assert reply.body["project_id"] == world.ids["project_id"]


def test_the_client_writes_without_reading(server: Server, world: World) -> None:
    client = server.client("blind")
    experiment = client.experiments.create(world.ids["project_id"], "blind")
    iteration = client.iterations.create(experiment.id)
    client.metrics.create(iteration.id, "loss", 0.5)
    assert client.iterations.update(iteration.id, status_id=deardiary.IterationStatus.SUCCEEDED) is None
