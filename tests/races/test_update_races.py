"""Concurrent updates of different fields of one object: none is lost."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from deardiary.wire import limits
from tests.support.consistency import check_consistency
from tests.support.emulator import Emulator
from tests.support.server import Server, server_on_emulator

ROUNDS = 12


@pytest.fixture(scope="module")
def server(emulator: Emulator) -> Iterator[Server]:
    with server_on_emulator(emulator.environment()) as running:
        yield running


@pytest.fixture(autouse=True)
def _consistent_at_the_end(server: Server) -> Iterator[None]:
    yield
    check_consistency()


@pytest.fixture(scope="module")
def paths(server: Server) -> dict[str, str]:
    """The path of one object of each kind."""
    project = make(server, "/projects", name="p")
    experiment = make(server, f"/projects/{project}/experiments", name="e")
    iteration = make(server, f"/experiments/{experiment}/iterations")
    resource = {"name": "r", "size_bytes": 1, "content_hash": hashlib.sha256(b"x").hexdigest()}
    model = make(server, f"/projects/{project}/models", name="m")
    user = make(server, "/users", username="anna", password="long enough")
    permission = f"/projects/{project}/permissions/{user}"
    server.call("PUT", permission, {"update_permission": True})
    return {
        "permission": permission,
        "view": f"/projects/{project}/views/" + make(server, f"/projects/{project}/views", name="v", state={}),
        "project": f"/projects/{project}",
        "experiment": f"/experiments/{experiment}",
        "iteration": f"/iterations/{iteration}",
        "resource": "/resources/" + make(server, f"/experiments/{experiment}/resources", **resource),
        "model": f"/models/{model}",
        "version": "/modelversions/" + make(server, f"/models/{model}/versions", iteration_id=iteration),
        "user": f"/users/{user}",
    }


def make(server: Server, path: str, **body: Any) -> str:
    made: str = server.call("POST", path, body).body["id"]
    return made


@pytest.mark.parametrize(
    ("noun", "one", "other"),
    [
        ("project", {"name": "{}"}, {"description": "{}"}),
        ("experiment", {"name": "{}"}, {"description": "{}"}),
        ("experiment", {"status_id": 2}, {"name": "{}"}),
        ("experiment", {"status_id": 1}, {"description": "{}"}),
        ("iteration", {"notes": "{}"}, {"git_sha": "{}"}),
        ("iteration", {"entrypoint": "{}"}, {"git_dirty": True, "python_version": "{}"}),
        ("resource", {"name": "{}"}, {"description": "{}"}),
        ("model", {"name": "{}"}, {"description": "{}"}),
        ("version", {"stage_id": 2}, {"description": "{}"}),
        ("version", {"stage_id": 3}, {"description": "{}"}),
        ("user", {"first_name": "{}"}, {"last_name": "{}"}),
        ("view", {"name": "{}"}, {"state": {"columns": ["loss"]}}),
        ("permission", {"read_permission": True}, {"delete_permission": True, "create_permission": False}),
    ],
)
def test_both_are_there(
    server: Server, paths: dict[str, str], noun: str, one: dict[str, Any], other: dict[str, Any]
) -> None:
    for number in range(ROUNDS):
        bodies = [{name: _in_round(value, number) for name, value in each.items()} for each in (one, other)]
        start = threading.Barrier(len(bodies))

        def update(body: dict[str, Any], start: threading.Barrier = start) -> int:
            start.wait()
            return server.call("PATCH", paths[noun], body).status

        with ThreadPoolExecutor(len(bodies)) as pool:
            assert list(pool.map(update, bodies)) == [200, 200]
        found = server.call("GET", paths[noun]).body
        wanted = bodies[0] | bodies[1]
        assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize("long", [False, True], ids=["short", "long"])
@pytest.mark.parametrize("noun", ["project", "experiment", "iteration", "model", "version"])
def test_merges_of_different_labels_all_count(server: Server, paths: dict[str, str], noun: str, long: bool) -> None:
    value = "v" * 3000 if long else "v"
    merges: list[dict[str, str | None]] = [{f"{number}": value} for number in range(4)]
    assert server.call("PATCH", paths[noun], {"labels": {"gone": "x", "kept": "y"}}).status == 200
    merges.append({"gone": None})
    start = threading.Barrier(len(merges))

    def merge(labels: dict[str, str | None]) -> int:
        start.wait()
        return server.call("PATCH", paths[noun], {"labels": labels}).status

    with ThreadPoolExecutor(len(merges)) as pool:
        assert list(pool.map(merge, merges)) == [200] * len(merges)
    wanted = {"kept": "y", **{f"{number}": value for number in range(4)}}
    assert server.call("GET", paths[noun]).body["labels"] == wanted


def test_concurrent_merges_do_not_exceed_the_number_of_labels(server: Server, paths: dict[str, str]) -> None:
    labels = {f"{number}": "" for number in range(limits.MAX_LABELS - 1)}
    experiment = make(server, f"{paths['project']}/experiments", name="labelled")
    iteration = make(server, f"/experiments/{experiment}/iterations", labels=labels)
    start = threading.Barrier(4)

    def flush(number: int) -> int:
        start.wait()
        body = {"batch_id": f"{number}", "labels": {f"new {number}": ""}}
        return server.call("POST", f"/iterations/{iteration}/log", body).status

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(flush, range(4))) == [201, 422, 422, 422]
    assert len(server.call("GET", f"/iterations/{iteration}").body["labels"]) == limits.MAX_LABELS


def _in_round(value: Any, number: int) -> Any:
    if isinstance(value, bool):
        return value is (number % 2 == 0)
    return value.format(f"round {number}") if isinstance(value, str) else value
