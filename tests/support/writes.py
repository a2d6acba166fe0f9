"""Every kind of write of the server, as calls on one world: every route, variants, and work without a request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.routes import upkeep
from chalicelib.services.blobs.migration import Report, migrate
from chalicelib.services.lifecycle import deletion, expiry, purge, sweep
from tests.support.asks import ASKS, OPERATIONS
from tests.support.sagemaker import JOB, capturing, deliver, training_job
from tests.support.server import PASSWORD, Reply, Server
from tests.support.world import World

LARGE = 100_000_000
ROUTES = sorted(f"{each.method} {each.path}" for each in OPERATIONS if each.method != "GET")
# The deletions that have a trash.
TRASHING = [f"DELETE /{kind}s/{{{kind}_id}}" for kind in ("project", "experiment", "iteration", "resource", "model")]
Act = Callable[[Server, World], Any]


def _route(route: str, body: Any = None, **ids: str) -> Act:
    """A request of the member; `ids` replaces ids of the world."""
    method, _, path = route.partition(" ")

    def act(server: Server, world: World) -> Reply:
        known = world.ids | {name: getattr(world, other) for name, other in ids.items()}
        return server.call(method, path.format(**known), body, token=world.token)

    return act


def _listed(route: str) -> Act:
    """The request of `tests/support/asks.py` for the route."""
    method, _, path = route.partition(" ")

    def act(server: Server, world: World) -> Reply:
        asked = ASKS[route](world)
        token = server.token() if asked.admin else world.token
        return server.call(
            method, path.format(**world.ids | asked.ids) + asked.query, asked.body, token=token, headers=asked.headers
        )

    return act


@contextmanager
def _later(**span: float) -> Iterator[None]:
    then = clock.now() + timedelta(**span)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: then)
        yield


def _upkeep(server: Server, world: World) -> bool:
    """Run the upkeep a day later: iterations are silent, uploads were never finished."""
    with _later(hours=25):
        return upkeep.run(60)


def _captured_job(server: Server, world: World) -> None:
    """A job of SageMaker that begins, whose program logs elsewhere, and that ends."""
    with capturing(world.ids["project_id"]):
        deliver(training_job(minutes=1))
        body = {"id_key": JOB, "name": "mine"}
        server.call("POST", f"/experiments/{world.ids['experiment_id']}/iterations", body, token=world.token)
        deliver(training_job())


def _late_bytes(server: Server, world: World) -> Any:
    """Check the bytes of a resource that was deleted while its URLs were valid."""
    deleted = server.call("DELETE", f"/resources/{world.announced_id}?purge=true", token=world.token).status
    with _later(hours=1):
        return deleted, expiry.sweep_uploads(60)


def _resumed_deletion(server: Server, world: World) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deletion, "REQUEST_SECONDS", -1.0)
        begun = server.call("DELETE", f"/experiments/{world.ids['experiment_id']}?purge=true", token=world.token).status
    with _later(minutes=2):
        return begun, sweep.resume_deletions(60)


def _due_trash(server: Server, world: World) -> Any:
    deleted = server.call("DELETE", f"/iterations/{world.ids['iteration_id']}", token=world.token).status
    with _later(days=8):
        return deleted, purge.purge_due(60)


def _restored(kind: str) -> Act:
    def act(server: Server, world: World) -> Any:
        object_id = world.ids[f"{kind}_id"]
        deleted = server.call("DELETE", f"/{kind}s/{object_id}", token=world.token).status
        return deleted, server.call("POST", f"/trash/{object_id}", token=world.token)

    return act


def _migration(server: Server, world: World) -> Any:
    report = Report()
    return list(migrate("inline", report)), report


def _with_username(server: Server, world: World) -> Reply:
    new = {"username": f"{world.username}-new", "password": "another long one"}
    body = new | {"current_password": PASSWORD}
    return server.call("PATCH", f"/users/{world.ids['user_id']}", body, token=world.token)


def _wrong_password(server: Server, world: World) -> Reply:
    return server.call("POST", "/auth", {"username": world.username, "password": "wrong password"}, token=None)


# More writes of the routes, by their input and the stored data, and writes without a request.
OTHERS: dict[str, Act] = {
    "an experiment without a creation key": _route("POST /projects/{project_id}/experiments", {"name": "e"}),
    "printed lines": _route(
        "POST /iterations/{iteration_id}/log", {"batch_id": "p", "output": [{"stream": "stdout", "text": "a"}]}
    ),
    "a sign of life": _route("POST /iterations/{iteration_id}/log", {"batch_id": "1"}),
    "a flush that gets a command": _route(
        "POST /iterations/{iteration_id}/log", {"batch_id": "1"}, iteration_id="parent_iteration_id"
    ),
    "an acknowledged command": lambda server, world: _route(
        "POST /iterations/{iteration_id}/log",
        {"batch_id": "1", "acknowledged": [{"command_id": world.ids["command_id"], "step": 3}]},
        iteration_id="parent_iteration_id",
    )(server, world),
    "an end before a command is seen": _route(
        "PATCH /iterations/{iteration_id}", {"status_id": 4}, iteration_id="parent_iteration_id"
    ),
    "a batch sent again": _route(
        "POST /iterations/{iteration_id}/metrics/batch", {"batch_id": "0", "metrics": [{"key": "loss", "value": 1.0}]}
    ),
    "points without a step": _route(
        "POST /iterations/{iteration_id}/metrics/batch",
        {"batch_id": "n", "metrics": [{"key": "loss", "value": 1.0}, {"key": "new", "value": 2.0}]},
    ),
    "points of many metrics, merged at once because their steps are announced": _route(
        "POST /iterations/{iteration_id}/log",
        {"batch_id": "w", "metrics": [{"key": f"one metric of many {key}", "value": 1.0} for key in range(200)]},
    ),
    "notes": _route("PATCH /iterations/{iteration_id}", {"notes": "n"}),
    "labels of a project": _route("PATCH /projects/{project_id}", {"labels": {"a": "1"}}),
    "labels of an experiment": _route("PATCH /experiments/{experiment_id}", {"labels": {"a": "1"}}),
    "labels of an iteration": _route("PATCH /iterations/{iteration_id}", {"labels": {"a": "1"}}),
    "long labels of an iteration": _route("PATCH /iterations/{iteration_id}", {"labels": {"a": "1" * 8000}}),
    "labels of a model": _route("PATCH /models/{model_id}", {"labels": {"a": "1" * 8000}}),
    "labels of a version": _route("PATCH /modelversions/{version_id}", {"labels": {"a": "1"}}),
    "labels in a flush": _route("POST /iterations/{iteration_id}/log", {"batch_id": "l", "labels": {"a": "1"}}),
    "labels of a new version": lambda server, world: _route(
        "POST /models/{model_id}/versions",
        {"iteration_id": world.ids["iteration_id"], "id_key": "l", "labels": {"a": "1" * 8000}},
    )(server, world),
    "no parent any more": _route("PATCH /iterations/{iteration_id}", {"parent_iteration_id": None}),
    "a parent": _route("DELETE /iterations/{iteration_id}?purge=true", iteration_id="parent_iteration_id"),
    "an experiment's name": _route("PATCH /experiments/{experiment_id}", {"name": "n"}),
    "a username and a password": _with_username,
    "a user who leaves": _route("DELETE /users/{user_id}"),
    "a wrong password": _wrong_password,
    "a model's name": _route("PATCH /models/{model_id}", {"name": "n"}),
    "a version's description": _route("PATCH /modelversions/{version_id}", {"description": "n"}),
    "a stage other than PRODUCTION": _route("PATCH /modelversions/{version_id}", {"stage_id": 2}),
    "the resource of a version": lambda server, world: _route(
        "PATCH /modelversions/{version_id}", {"resource_id": world.ids["resource_id"]}
    )(server, world),
    "a version with a creation key": lambda server, world: _route(
        "POST /models/{model_id}/versions", {"iteration_id": world.ids["iteration_id"], "id_key": "k"}
    )(server, world),
    "a resource with a creation key": _route(
        "POST /experiments/{experiment_id}/resources",
        {"name": "r", "size_bytes": LARGE, "content_hash": "2" * 64, "id_key": "k"},
    ),
    "a resource that waits for bytes": _route("DELETE /resources/{resource_id}?purge=true", resource_id="announced_id"),
    "the first part of an upload": _route("POST /resources/{large_id}/upload", {"part_hashes": ["0" * 64]}),
    "upkeep": _upkeep,
    "a captured job": _captured_job,
    "late bytes": _late_bytes,
    "a deletion that is resumed": _resumed_deletion,
    "the trash of last week": _due_trash,
    "a migration": _migration,
    **{f"a restored {kind}": _restored(kind) for kind in ("project", "experiment", "iteration", "resource", "model")},
    **{f"{route}?purge=true": _route(f"{route}?purge=true") for route in TRASHING},
}
CASES: dict[str, Act] = {route: _listed(route) for route in ROUTES} | OTHERS
