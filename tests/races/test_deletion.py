"""Large deletions: hidden at once, removed in steps, interrupted anywhere, nothing left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from chalicelib import clock, config
from chalicelib.services.lifecycle import deletion, expiry, sweep
from chalicelib.storage import deletion as storage
from chalicelib.storage.table import item
from tests.support.consistency import check_consistency
from tests.support.server import Server
from tests.support.table import read_table

ITERATIONS, PARAMETERS, BATCHES = 25, 215, 3


@pytest.fixture(autouse=True)
def _consistent_at_the_end(real_server: Server) -> Iterator[None]:
    yield
    check_consistency()


@pytest.fixture
def large(real_server: Server, tmp_path: Path) -> str:
    """A project with artifacts, and an experiment of more than 5,000 rows in it."""
    client = real_server.client()
    project = client.projects.create("large")
    for name, iterations in (("one", ITERATIONS - 1), ("two", 1)):
        experiment = client.experiments.create(project.id, name)
        real_server.call("POST", f"/experiments/{experiment.id}/tags", {"value": "tagged"})
        for n in range(iterations):
            fill(real_server, experiment.id, n)
        (tmp_path / name).write_text(name)
        client.resources.upload(experiment.id, tmp_path / name)
    assert len(list(rows())) > 5000
    return project.id


def fill(server: Server, experiment_id: str, n: int) -> None:
    client = server.client()
    iteration = client.iterations.create(experiment_id)
    parameters = {f"p{each}": str(each) for each in range(PARAMETERS)}
    for batch in range(BATCHES):
        body: dict[str, Any] = {"batch_id": f"b{batch}", "metrics": [{"key": "loss", "value": 1.0}]}
        if batch == 0:
            body |= {"parameters": parameters, "tags": ["a", "b"]}
        assert server.call("POST", f"/iterations/{iteration.id}/log", body).status == 201
    resource = {"name": "x", "size_bytes": 1, "content_hash": f"{n % 7:064x}", "iteration_id": iteration.id}
    assert server.call("POST", f"/experiments/{experiment_id}/resources", resource).status == 201


def rows() -> Iterator[tuple[str, str]]:
    """The keys of all rows, except those of sign-ins and changes, which expire."""
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=config.settings().table)
    keys = ((row["PK"]["S"], row["SK"]["S"]) for page in pages for row in page["Items"])
    return (key for key in keys if not key[0].startswith("ATTEMPTS#") and not key[1].startswith("CHANGE#"))


def test_a_large_project_goes_in_steps_that_can_be_killed(
    real_server: Server, large: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, iteration = real_server, next(sk for _, sk in rows() if sk.startswith("ITERATION#"))
    _delete_and_restore(server, large)
    monkeypatch.setattr(deletion, "REQUEST_SECONDS", 0.5)
    assert server.call("DELETE", f"/projects/{large}?purge=true").status == 202
    for path in (f"/projects/{large}", f"/iterations/{iteration.removeprefix('ITERATION#')}"):
        assert server.call("GET", path).error == (404, "NOT_FOUND")
    assert all(project["id"] != large for project in server.call("GET", "/projects").body["data"])
    left = len(list(rows()))
    assert left > 1000, "the first step was to be cut"
    _die_after(monkeypatch, 30)
    with pytest.raises(KeyboardInterrupt):
        sweep.resume_deletions(60)
    assert 1000 < len(list(rows())) < left
    monkeypatch.undo()
    while not sweep.resume_deletions(2):
        pass
    assert [key for key in rows() if large in "".join(key)] == []
    tomorrow = clock.now() + timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: tomorrow)
    assert expiry.sweep_uploads(60), "URLs that were signed before have died"
    assert {pk.partition("#")[0] for pk, _ in rows()} <= {"USER", "USERS", "USERNAME"}
    assert list(storage.each_deletion()) == []
    bucket = boto3.client("s3").list_objects_v2(Bucket=config.settings().artifact_bucket)
    assert bucket.get("Contents", []) == []


def _delete_and_restore(server: Server, project: str) -> None:
    """Every one of the rows comes back, and a deletion adds no more than the two that name it in the trash."""
    experiment = server.call("GET", f"/projects/{project}/experiments").body["data"][0]["id"]
    before = read_table()
    assert sum(f"EXPERIMENT#{experiment}" in key for key in before) > 5000
    for kind, object_id in (("experiments", experiment), ("projects", project)):
        assert server.call("DELETE", f"/{kind}/{object_id}").status == 204
        assert server.call("GET", f"/{kind}/{object_id}").error == (404, "NOT_FOUND")
        hidden = read_table()
        assert sum(row != before.get(key) for key, row in hidden.items()) <= 3, "the object itself, and its entry"
        assert server.call("POST", f"/trash/{object_id}").status == 200
        assert read_table() == before


def _die_after(monkeypatch: pytest.MonkeyPatch, calls: int) -> None:
    """Simulate a killed process: after this many removals, none of our code runs."""
    whole, done = item.delete_items, iter(range(calls))

    def dying(item_keys: Any) -> None:
        if next(done, None) is None:
            raise KeyboardInterrupt
        whole(item_keys)

    monkeypatch.setattr(item, "delete_items", dying)


@pytest.mark.usefixtures("three_writes")
def test_a_deletion_waits_for_a_batch_in_flight(real_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its writer announced it before the deletion and puts its chunk afterwards: no orphan may remain."""
    from chalicelib.services.points import batch, merging

    client = real_server.client()
    experiment = client.experiments.create(client.projects.create("p").id, "e")
    iteration = client.iterations.create(experiment.id)
    before = set(rows())
    put, answers = batch._put, []

    def delete_first(*arguments: Any) -> Any:
        answers.append(real_server.call("DELETE", f"/iterations/{iteration.id}?purge=true").status)
        return put(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(batch, "_put", delete_first)
        body = {"batch_id": "late", "metrics": [{"key": "loss", "value": 1.0}]}
        assert real_server.call("POST", f"/iterations/{iteration.id}/log", body).status == 404
    assert answers == [202]
    later = clock.to_milliseconds(clock.now()) + merging.STALE_AFTER // 1000 + 1
    monkeypatch.setattr(clock, "now", lambda: clock.from_milliseconds(later))
    assert sweep.resume_deletions(60)
    assert {key for key in set(rows()) - before if not key[1].startswith("SOURCE#")} == set()
    assert not any(iteration.id in "".join(key) for key in rows())
