"""The consistency checker finds an orphan of each kind, a missing row, a wrong count, a wrong summary."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest

from chalicelib import clock, config
from chalicelib.services.lifecycle import packing
from chalicelib.services.points import compaction, merging, rollups
from chalicelib.storage import captured
from chalicelib.storage import experiment as experiments
from chalicelib.storage import iteration as iterations
from chalicelib.storage.blocks import request
from chalicelib.storage.table import keys
from chalicelib.storage.table.keys import Key
from tests.support.api import found, made
from tests.support.consistency import CHECKS, check_consistency, find_faults
from tests.support.server import Server, server_on_moto
from tests.support.table import read_table
from tests.support.world import World, make_world

NOBODY = "01ZZZZZZZZZZZZZZZZZZZZZZZZ"
# Rows that no other row needs.
FREE = {
    *("change", "parameter", "tag", "known-source", "preferences", "view", "logged-link", "logged-points", "rollup"),
    *("study-append", "study-lease", "share", "alert", "captured", "event", "group", "identity"),
}
# Rows that need no other row: the row of a subject stays when its user is removed.
ALONE = {"admins", "event", "subject"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture(scope="module")
def world(server: Server) -> World:
    """One row of each kind, except the bytes in the table."""
    world = make_world(server)
    experiment_id = world.ids["experiment_id"]
    for path, body in (
        ("/projects", {"name": "p", "id_key": "k"}),
        (f"/projects/{world.ids['project_id']}/experiments", {"name": "e", "id_key": "k"}),
        (f"/experiments/{experiment_id}/iterations", {"id_key": "k", "labels": {"long": "v" * 8000}}),
        (f"/experiments/{experiment_id}/resources", _announced("k")),
        (f"/models/{world.ids['model_id']}/versions", {"iteration_id": world.ids["iteration_id"], "id_key": "k"}),
    ):
        made(server.call("POST", path, body, token=world.token))
    logged_model = {"run_id": world.ids["iteration_id"], "model_id": world.ids["loggedmodel_id"]}
    metric = {"key": "loss", "value": 0.5, "timestamp": 1, **logged_model}
    found(server.call("POST", "/api/2.0/mlflow/runs/log-metric", metric, token=world.token))
    outputs = {"models": [logged_model], **logged_model}
    found(server.call("POST", "/api/2.0/mlflow/runs/outputs", outputs, token=world.token))
    small = f"/iterations/{world.parent_iteration_id}/metrics"
    for _ in range(3):
        made(server.call("POST", small, {"key": "loss", "value": 1.5}, token=world.token))
    parent = iterations.find_iteration(experiment_id, world.parent_iteration_id)
    assert parent is not None
    assert compaction.compact(parent, 1) == 3
    found(server.call("PATCH", f"/modelversions/{world.ids['version_id']}", {"stage_id": 3}, token=world.token))
    alert = {"title": "It diverged", "text": "loss is NaN"}
    made(server.call("POST", f"/iterations/{world.parent_iteration_id}/alerts", alert, token=world.token))
    captured.keep_facts(world.ids["project_id"], "training job", {}, 1, clock.now())
    _pack(server, world)
    _widen(server, world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rollups, "WORTH_POINTS", 0)
        patch.setattr(rollups, "is_at_rest", lambda _: True)
        found(server.call("GET", f"/experiments/{experiment_id}/metrics/curves?key=loss", token=world.token))
    return world


def _pack(server: Server, world: World) -> None:
    """An ended iteration in a block, and changed since."""
    experiment = experiments.find_experiment(world.ids["project_id"], world.ids["experiment_id"])
    assert experiment is not None
    path = f"/experiments/{experiment.id}/iterations"
    ended_id = made(server.call("POST", path, {}, token=world.token))["id"]
    found(server.call("PATCH", f"/iterations/{ended_id}", {"status_id": 2}, token=world.token))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "QUIET_US", 0)
        patch.setattr(request, "ENOUGH_ROWS", 1)
        assert packing.pack(experiment)
    found(server.call("PATCH", f"/iterations/{ended_id}", {"notes": "changed"}, token=world.token))


def _widen(server: Server, world: World) -> None:
    """An iteration whose summaries are in a row of their own."""
    body = {"batch_id": "b", "metrics": [{"key": key, "value": 1.5} for key in "ab"]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "MOST_KEYS", 1)
        patch.setattr(merging, "ENOUGH_BATCHES", 1)
        made(server.call("POST", f"/iterations/{world.parent_iteration_id}/log", body, token=world.token))


def _announced(id_key: str) -> dict[str, Any]:
    return {"name": "r", "size_bytes": 1, "content_hash": "1" * 64, "id_key": id_key}


def test_all_rows_that_the_server_writes_are_consistent(world: World) -> None:
    check_consistency()


def _client(service: str) -> Any:
    return boto3.client(service)  # type: ignore[call-overload]


def raw(key: Key) -> dict[str, Any]:
    answer = _client("dynamodb").get_item(TableName=config.settings().table, Key=_wire_key(key), ConsistentRead=True)
    return dict(answer.get("Item", {}))


def put(row: dict[str, Any]) -> None:
    _client("dynamodb").put_item(TableName=config.settings().table, Item=row)


def delete(key: Key) -> None:
    _client("dynamodb").delete_item(TableName=config.settings().table, Key=_wire_key(key))


def _wire_key(key: Key) -> dict[str, Any]:
    return {"PK": {"S": key.pk}, "SK": {"S": key.sk}}


@contextmanager
def restored(*places: Key) -> Iterator[None]:
    """Restore these rows after the block."""
    before = {key: raw(key) for key in places}
    yield
    for key, row in before.items():
        put(row) if row else delete(key)


def keys_of(kind: str) -> list[Key]:
    return [key for key, row in read_table().items() if row["kind"] == kind]


KINDS = sorted(CHECKS.keys() - {"attempts", "bytes", "deletion", "packing"})


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ALONE])
def test_an_orphan_of_each_kind_is_found(world: World, kind: str) -> None:
    for key in keys_of(kind):
        orphan = _of_nobody(raw(key), world)
        orphan_key = Key(orphan["PK"]["S"], orphan["SK"]["S"])
        if orphan_key == key:
            continue
        with restored(orphan_key):
            put(orphan)
            assert any(fault.startswith(f"{orphan_key.pk} {orphan_key.sk}: ") for fault in find_faults()), orphan_key
        return
    raise AssertionError(f"the world has no {kind} of its own")


def _of_nobody(row: dict[str, Any], world: World) -> dict[str, Any]:
    """The same row, with owners that do not exist."""
    others = world.colleague_id, world.parent_iteration_id, world.announced_id, world.uploaded_id, world.username
    names = *world.ids.values(), *others
    assert min(map(len, names)) > 4, "a shorter name would be replaced in times and other ids too"

    def renamed(text: str) -> str:
        for name in names:
            text = text.replace(name, NOBODY)
        return text

    texts = {name: {"S": renamed(value["S"])} for name, value in row.items() if "S" in value and name != "kind"}
    return row | texts


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in FREE])
def test_a_row_that_is_missing_is_found(world: World, kind: str) -> None:
    noticed = []
    for key in keys_of(kind)[:12]:
        with restored(key):
            delete(key)
            noticed.append(any(find_faults()))
    # No other row needs a version that is not in PRODUCTION and has neither an alias nor a creation key.
    assert any(noticed) if kind == "model-version" else all(noticed)


def _object(world: World, sha256: str) -> dict[str, str]:
    path = f"projects/{world.ids['project_id']}/blobs/{sha256}"
    return {"Bucket": config.settings().artifact_bucket, "Key": path}


@pytest.mark.parametrize("change", [1, -1])
def test_a_wrong_count_of_owners_is_found(world: World, change: int) -> None:
    (key, *_) = keys_of("blob")
    with restored(key):
        row = raw(key)
        put(row | {"owners": {"N": str(int(row["owners"]["N"]) + change)}})
        assert any("owners" in fault or "no owner" in fault for fault in find_faults())


def test_a_wrong_count_of_admins_is_found(world: World) -> None:
    with restored(keys.admins()):
        put(raw(keys.admins()) | {"number": {"N": "7"}})
        assert any("7 admins" in fault for fault in find_faults())


def test_a_summary_that_is_not_of_its_points_is_found(world: World) -> None:
    key = keys.series(world.ids["experiment_id"], world.ids["iteration_id"])
    with restored(key):
        put(raw(key) | {"digests": raw(keys.summaries(world.parent_iteration_id))["digests"]})
        assert any("the summary of 'loss'" in fault for fault in find_faults())


def test_an_object_that_no_blob_owns_is_found(world: World) -> None:
    stray, s3 = _object(world, "f" * 64), _client("s3")
    s3.put_object(**stray, Body=b"x")
    assert any("which no blob owns" in fault for fault in find_faults())
    s3.delete_object(**stray)
    check_consistency()


def test_an_object_that_a_blob_misses_is_found(world: World) -> None:
    ready = next(row for row in read_table().values() if row["kind"] == "blob" and row.get("ready"))
    key, s3 = _object(world, ready["sha256"]), _client("s3")
    data = s3.get_object(**key)["Body"].read()
    s3.delete_object(**key)
    assert any("does not have its bytes" in fault for fault in find_faults())
    s3.put_object(**key, Body=data)
    check_consistency()


def test_bytes_in_the_table_that_no_blob_owns_are_found(world: World) -> None:
    key = keys.inline_bytes(world.ids["project_id"], "f" * 64, 0)
    with restored(key):
        put({**_wire_key(key), "kind": {"S": "bytes"}, "data": {"B": b"x"}})
        assert [fault.partition(":")[0] for fault in find_faults()] == [f"{key.pk} {key.sk}"]


def test_a_row_of_no_known_kind_is_found(world: World) -> None:
    key = Key("NOBODY", "KNOWS")
    with restored(key):
        put(_wire_key(key))
        assert any("no known kind" in fault for fault in find_faults())
