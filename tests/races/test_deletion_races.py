"""Deletions concurrent with other requests, or while the store is unreachable."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from chalicelib.artifacts import Location
from chalicelib.artifacts.s3 import S3Store
from chalicelib.services.lifecycle import deletion, sweep
from chalicelib.storage.iteration import IterationRow
from chalicelib.storage.reads import lineage
from chalicelib.storage.table import item
from tests.support.api import (
    found,
    made,
    new_experiment,
    new_iteration,
    new_ready_resource,
    new_resource,
    objects,
    rows,
    upload,
)
from tests.support.consistency import check_consistency
from tests.support.server import Server, server_on_moto

SHA256 = hashlib.sha256(b"x").hexdigest()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture(autouse=True)
def _consistent_at_the_end(server: Server) -> Iterator[None]:
    yield
    check_consistency()


@pytest.mark.parametrize(
    ("method", "path", "body", "victim"),
    [
        ("POST", "/iterations/{iteration}/tags", {"value": "v"}, "iteration"),
        ("POST", "/iterations/{iteration}/parameters", {"key": "k", "value": "v"}, "iteration"),
        ("POST", "/iterations/{iteration}/metrics", {"key": "k", "value": 1.0}, "iteration"),
        ("POST", "/iterations/{iteration}/log", {"batch_id": "b", "tags": ["t"]}, "iteration"),
        ("PUT", "/iterations/{iteration}/snapshot", {"git_diff": "+ x"}, "iteration"),
        ("PATCH", "/iterations/{iteration}", {"notes": "n"}, "iteration"),
        ("POST", "/iterations/{iteration}/log", {"batch_id": "b", "tags": ["t"]}, "experiment"),
        ("POST", "/experiments/{experiment}/iterations", {"id_key": "k"}, "experiment"),
        (
            "POST",
            "/experiments/{experiment}/resources",
            {"name": "r", "size_bytes": 1, "content_hash": SHA256},
            "experiment",
        ),
        ("POST", "/experiments/{experiment}/tags", {"value": "v"}, "experiment"),
        ("PATCH", "/experiments/{experiment}", {"name": "n"}, "experiment"),
    ],
)
def test_an_entity_deleted_between_the_read_and_the_write_is_not_found(
    server: Server, monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: dict[str, Any], victim: str
) -> None:
    experiment = new_experiment(server)
    ids = {"experiment": experiment, "iteration": new_iteration(server, experiment)}

    def and_delete(read: Callable[..., Any]) -> Callable[..., Any]:
        def read_and_delete(*given: Any, **options: Any) -> Any:
            answer = read(*given, **options)
            monkeypatch.undo()
            assert server.call("DELETE", f"/{victim}s/{ids[victim]}?purge=true").status in (202, 204)
            return answer

        return read_and_delete

    for name in ("find_experiment_lineage", "find_iteration_lineage"):
        monkeypatch.setattr(lineage, name, and_delete(getattr(lineage, name)))
    assert server.call(method, path.format(**ids), body).error == (404, "NOT_FOUND")


def test_a_child_is_moved_while_its_parent_is_deleted(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = new_experiment(server)
    parent, other = new_iteration(server, experiment), new_iteration(server, experiment)
    child = new_iteration(server, experiment, parent_iteration_id=parent)
    find = item.find

    def find_and_move(model: Any, key: Any) -> Any:
        row = find(model, key)
        if model is IterationRow and key.sk.endswith(child):
            monkeypatch.undo()
            found(server.call("PATCH", f"/iterations/{child}", {"parent_iteration_id": other}))
        return row

    monkeypatch.setattr(item, "find", find_and_move)
    assert server.call("DELETE", f"/iterations/{parent}?purge=true").status == 204
    assert found(server.call("GET", f"/iterations/{child}"))["parent_iteration_id"] == other


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A bucket that does not answer until the patch is undone."""

    def fail(_store: S3Store, _location: Location) -> None:
        raise ConnectTimeoutError(endpoint_url="https://away.example")

    monkeypatch.setattr(S3Store, "delete", fail)
    return monkeypatch


def test_bytes_that_cannot_be_removed_now_go_later(server: Server, away: pytest.MonkeyPatch) -> None:
    experiment = new_experiment(server)
    before = rows()
    resource = new_ready_resource(server, experiment, b"one")
    gone = server.call("DELETE", f"/resources/{resource['id']}?purge=true")
    assert (gone.status, gone.headers["x-freed-bytes"]) == (202, "0")
    resource = new_ready_resource(server, experiment, b"other")
    assert server.call("DELETE", f"/experiments/{experiment}?purge=true").status == 202
    for path in (f"/experiments/{experiment}", f"/resources/{resource['id']}"):
        assert server.call("GET", path).error == (404, "NOT_FOUND")
    assert len(objects()) == 2
    away.undo()
    away.setattr("chalicelib.storage.blob.CLAIM_MS", -1)
    assert sweep.resume_deletions(60)
    assert objects() == set()
    assert not any(experiment in "".join(key) for key in rows())
    assert set(rows()) <= set(before)


def test_a_deletion_that_fails_holds_up_no_other(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    experiments = [new_experiment(server) for _ in range(3)]
    resources = [new_ready_resource(server, each, each.encode()) for each in experiments]
    delete, broken = S3Store.delete, resources[0]["content_hash"]

    def fail(store: S3Store, location: Location) -> None:
        if location.sha256 == broken:
            raise RuntimeError("a fault of ours")
        delete(store, location)

    monkeypatch.setattr(S3Store, "delete", fail)
    monkeypatch.setattr("chalicelib.storage.blob.CLAIM_MS", -1)
    monkeypatch.setattr(deletion, "REQUEST_SECONDS", -1.0)
    assert [server.call("DELETE", f"/experiments/{each}?purge=true").status for each in experiments] == [202] * 3
    with pytest.raises(RuntimeError, match="a fault of ours"):
        sweep.resume_deletions(60)
    assert len(objects()) == 1
    monkeypatch.setattr(S3Store, "delete", delete)
    assert sweep.resume_deletions(60)
    assert objects() == set()


def test_a_resource_is_finished_while_it_is_deleted(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    resource = new_resource(server, new_experiment(server), b"finished")
    upload(server, resource["id"], b"finished")
    verify = S3Store.verify

    def verify_and_delete(*given: Any) -> None:
        verify(*given)
        assert server.call("DELETE", f"/resources/{resource['id']}?purge=true").status == 204

    monkeypatch.setattr(S3Store, "verify", verify_and_delete)
    assert server.call("POST", f"/resources/{resource['id']}/complete").error == (404, "NOT_FOUND")


def test_a_deletion_says_it_once(server: Server) -> None:
    experiment = new_experiment(server)
    made(server.call("POST", f"/experiments/{experiment}/tags", {"value": "v"}))
    assert [server.call("DELETE", f"/experiments/{experiment}?purge=true").status for _ in range(2)] == [204, 404]
