"""Uploads without a hash, by paths: the process dies after any call, two requests are sent at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

import deardiary
from chalicelib import clock, config
from chalicelib.errors import InvalidPayload, NotFound
from chalicelib.services import file as files
from chalicelib.services import loggedmodel as loggedmodels
from chalicelib.services.access import Need
from chalicelib.services.actor import Actor
from chalicelib.services.blobs import staging
from chalicelib.services.file import Entry, Signed, Tree
from chalicelib.services.lifecycle import expiry, sweep
from chalicelib.storage import user as users
from chalicelib.storage.table import item
from tests.support.consistency import check_consistency
from tests.support.interleaving import stage
from tests.support.server import ADMIN, Server
from tests.support.table import read_objects, read_table

DATA = b"weights" * 1000
PATH = "model/weights.bin"


@pytest.fixture
def actor(server: Server) -> Actor:
    account = users.find_account_by_username(ADMIN)
    assert account is not None
    return Actor(account.user)


@pytest.fixture
def iteration(server: Server) -> deardiary.Iteration:
    client = server.client()
    experiment = client.experiments.create(client.projects.create("p").id, "e")
    return client.iterations.create(experiment.id)


@pytest.fixture
def tree(actor: Actor, iteration: deardiary.Iteration) -> Tree:
    return files.tree_of_iteration(actor, iteration.id, Need.CREATE)


def begin(actor: Actor, tree: Tree, data: bytes = DATA) -> tuple[Signed, dict[int, str]]:
    signed = files.begin_parts(actor, tree, PATH, 1)
    return signed, {1: requests.put(signed.urls[0], data=data, timeout=60).headers["ETag"]}


def content(tree: Tree, path: str = PATH) -> bytes:
    return requests.get(files.request_download(tree, path, "").url, timeout=60).content


def settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the upkeep until nothing is due, two days from now."""
    now = clock.now()
    for _ in range(3):
        now += timedelta(days=1)
        monkeypatch.setattr(clock, "now", lambda moment=now: moment)
        expiry.sweep_uploads(60)
        sweep.resume_deletions(60)
    monkeypatch.undo()


def staged_rows() -> int:
    return sum(1 for row in read_table().values() if row.get("kind") == "upload" and "owner_id" in row)


def objects() -> set[str]:
    return read_objects()["s3"]


def test_bytes_without_a_hash_are_stored_under_their_hash(actor: Actor, tree: Tree) -> None:
    signed, etags = begin(actor, tree)
    resource = files.complete_parts(tree, PATH, signed.token, etags)
    assert (resource.content_hash, resource.size_bytes) == (hashlib.sha256(DATA).hexdigest(), len(DATA))
    assert content(tree) == DATA
    assert files.list_folder(tree, "") == [Entry("model", None)]
    assert files.list_folder(tree, "model") == [Entry("weights.bin", len(DATA))]
    assert objects() == {f"projects/{tree.project_id}/blobs/{resource.content_hash}"}
    assert files.complete_parts(tree, PATH, signed.token, etags).id == resource.id
    check_consistency()


def test_a_file_replaces_the_earlier_one_and_frees_its_bytes(actor: Actor, tree: Tree) -> None:
    for data in (b"one", b"two", b"two"):
        signed, etags = begin(actor, tree, data)
        files.complete_parts(tree, PATH, signed.token, etags)
        assert content(tree) == data
        assert len(objects()) == 1
    files.put_file(actor, tree, PATH, b"three")
    assert content(tree) == b"three"
    assert len(objects()) == 1
    files.delete_files(tree, "model")
    assert objects() == set()
    assert files.list_folder(tree, "") == []
    check_consistency()


def test_the_same_bytes_are_stored_once(actor: Actor, tree: Tree, server: Server, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(DATA)
    server.client().resources.upload(tree.experiment.id, tmp_path / "f", "f", iteration_id=tree.owner.id)
    signed, etags = begin(actor, tree)
    files.complete_parts(tree, PATH, signed.token, etags)
    files.put_file(actor, tree, "again", DATA)
    assert len(objects()) == 1
    assert {each.name for each in files.list_folder(tree, "")} == {"again", "f", "model"}
    check_consistency()


def test_bytes_that_are_too_many_to_hash_stay_where_they_are(
    actor: Actor, tree: Tree, monkeypatch: pytest.MonkeyPatch, server: Server, tmp_path: Path
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(staging, "MAX_HASHED_BYTES", 10)
        signed, etags = begin(actor, tree)
        resource = files.complete_parts(tree, PATH, signed.token, etags)
    assert (resource.content_hash, resource.state) == ("", "ready")
    assert content(tree) == DATA
    client = server.client()
    client.resources.download(resource.id, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == DATA
    check_consistency()
    settle(monkeypatch)
    assert content(tree) == DATA
    client.resources.delete(resource.id, purge=True)
    settle(monkeypatch)
    assert objects() == set()
    check_consistency()


def test_bytes_put_to_a_plain_url_become_a_file_when_asked_for(
    actor: Actor, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = files.request_put(actor, tree, PATH)
    assert files.list_folder(tree, "") == []
    with pytest.raises(NotFound):
        files.find_file(tree, PATH)
    requests.put(url, data=DATA, timeout=60)
    assert files.list_folder(tree, "model") == [Entry("weights.bin", len(DATA))]
    # Its client may not have heard the answer, and sends the bytes again.
    requests.put(url, data=DATA, timeout=60)
    settle(monkeypatch)
    assert content(tree) == DATA
    assert len(objects()) == 1
    check_consistency()


@pytest.mark.parametrize("arrived", [True, False])
def test_the_upkeep_finishes_or_removes_an_upload_to_a_plain_url(
    actor: Actor, tree: Tree, monkeypatch: pytest.MonkeyPatch, arrived: bool
) -> None:
    url = files.request_put(actor, tree, PATH)
    if arrived:
        requests.put(url, data=DATA, timeout=60)
    settle(monkeypatch)
    assert staged_rows() == 0
    assert len(objects()) == arrived
    assert bool(files.list_folder(tree, "")) is arrived
    check_consistency()


def test_an_unfinished_upload_is_removed_after_a_day(actor: Actor, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    signed, etags = begin(actor, tree)
    settle(monkeypatch)
    assert staged_rows() == 0
    with pytest.raises(NotFound):
        files.complete_parts(tree, PATH, signed.token, etags)
    check_consistency()


def test_an_aborted_upload_leaves_nothing(actor: Actor, tree: Tree) -> None:
    signed, etags = begin(actor, tree)
    files.abort_parts(tree, PATH, signed.token)
    files.abort_parts(tree, PATH, signed.token)
    assert staged_rows() == 0
    with pytest.raises(NotFound):
        files.complete_parts(tree, PATH, signed.token, etags)


def test_an_upload_belongs_to_its_path(actor: Actor, tree: Tree, server: Server) -> None:
    signed, etags = begin(actor, tree)
    other = server.client().iterations.create(tree.experiment.id)
    for elsewhere, path in ((tree, "x"), (files.tree_of_iteration(actor, other.id, Need.CREATE), PATH)):
        with pytest.raises(NotFound):
            files.complete_parts(elsewhere, path, signed.token, etags)
        files.abort_parts(elsewhere, path, signed.token)
    files.complete_parts(tree, PATH, signed.token, etags)
    with pytest.raises(NotFound):
        files.complete_parts(tree, "x", signed.token, etags)


def every_death(work: Callable[[], object]) -> int:
    """Run the work in processes that die before their first call, second call and so on, and once to its end."""
    calls = 0
    while True:
        with stage() as actors:
            one = actors.add(work)
            one.step(calls)
            if one.done:
                return calls
            one.die()
        calls += 1


def test_an_upload_is_completed_after_any_death(actor: Actor, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    files.put_file(actor, tree, PATH, b"an earlier version")
    signed, etags = begin(actor, tree)
    steps = every_death(lambda: files.complete_parts(tree, PATH, signed.token, etags))
    assert steps > 3
    assert content(tree) == DATA
    settle(monkeypatch)
    assert content(tree) == DATA
    assert len(objects()) == 1
    check_consistency()


@pytest.mark.parametrize("steps", [4, 7, 10, 13, 16])
def test_a_death_leaves_nothing_to_the_store(
    actor: Actor, tree: Tree, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    signed, etags = begin(actor, tree)
    with stage() as actors:
        one = actors.add(lambda: files.complete_parts(tree, PATH, signed.token, etags))
        one.step(steps)
        one.die()
    settle(monkeypatch)
    assert staged_rows() == 0
    assert len(objects()) == len(files.list_folder(tree, ""))
    check_consistency()


@pytest.mark.parametrize("steps", [1, 5, 8, 11])
def test_two_complete_one_upload_at_once(actor: Actor, tree: Tree, steps: int) -> None:
    signed, etags = begin(actor, tree)
    with stage() as actors:
        first, second = (actors.add(lambda: files.complete_parts(tree, PATH, signed.token, etags)) for _ in range(2))
        first.step(steps)
        assert second.finish().state == "ready"
        assert first.finish().id == second.result.id
    assert content(tree) == DATA
    check_consistency()


@pytest.mark.parametrize("steps", [1, 3, 5, 7])
def test_two_store_one_path_at_once(actor: Actor, tree: Tree, steps: int) -> None:
    with stage() as actors:
        first = actors.add(lambda: files.put_file(actor, tree, PATH, b"1"))
        second = actors.add(lambda: files.put_file(actor, tree, PATH, b"2"))
        first.step(steps)
        second.finish()
        first.finish()
    assert content(tree) in (b"1", b"2")
    files.put_file(actor, tree, PATH, b"3")
    assert content(tree) == b"3"
    assert len(objects()) == 1
    check_consistency()


def test_files_follow_their_resources(actor: Actor, tree: Tree, server: Server) -> None:
    client = server.client()
    resource = files.put_file(actor, tree, PATH, DATA)
    client.resources.update(resource.id, name="renamed")
    assert files.list_folder(tree, "") == [Entry("renamed", len(DATA))]
    client.resources.delete(resource.id)
    assert files.list_folder(tree, "") == []
    client.trash.restore(resource.id)
    assert files.list_folder(tree, "") == [Entry("renamed", len(DATA))]
    check_consistency()
    client.iterations.delete(tree.owner.id, purge=True)
    sweep.resume_deletions(60)
    assert objects() == set()
    assert not [row for row in read_table().values() if row.get("kind") == "file"]
    check_consistency()


def test_resources_of_an_older_server_are_files_too(actor: Actor, tree: Tree, server: Server) -> None:
    resource = files.put_file(actor, tree, PATH, DATA)
    table: Any = item.connection().connection.client
    key = {"PK": {"S": f"EXPERIMENT#{tree.experiment.id}"}, "SK": {"S": f"ITERATION#{tree.owner.id}"}}
    name = config.settings().table
    table.update_item(TableName=name, Key=key, UpdateExpression="REMOVE has_files")
    for row_key, row in read_table().items():
        if row.get("kind") == "file":
            table.delete_item(TableName=name, Key={"PK": {"S": row_key.pk}, "SK": {"S": row_key.sk}})
    older = files.tree_of_iteration(actor, tree.owner.id, Need.CREATE)
    assert files.list_folder(older, "model") == [Entry("weights.bin", len(DATA))]
    assert files.find_file(older, PATH).id == resource.id
    files.put_file(actor, older, "new", b"new")
    assert [each.name for each in files.list_folder(older, "")] == ["model", "new"]


def test_the_files_of_a_logged_model_are_beside_its_experiment(actor: Actor, tree: Tree) -> None:
    logged = loggedmodels.create_loggedmodel(actor, tree.experiment.id)
    model = files.tree_of_model(actor, tree.experiment.id, logged.id, Need.CREATE)
    resource = files.put_file(actor, model, "MLmodel", b"flavors: {}")
    assert (resource.name, resource.iteration_id) == (f"models/{logged.id}/MLmodel", None)
    assert files.list_folder(model, "") == [Entry("MLmodel", 11)]
    assert files.list_folder(tree, "") == []
    files.put_file(actor, model, "MLmodel", b"flavors: {a: 1}")
    assert content(model, "MLmodel") == b"flavors: {a: 1}"
    assert len(objects()) == 1
    check_consistency()


ELSEWHERE = [
    *("../x", "a/../../b", "/etc/passwd", "a//b", "a/./b", "", "%2e%2e/x", "%252e%252e/x"),
    *("a\\b", "a\0b", "x" * 300),
]


@pytest.mark.parametrize("path", ELSEWHERE)
def test_a_path_that_leads_elsewhere_is_refused(actor: Actor, tree: Tree, path: str) -> None:
    with pytest.raises(InvalidPayload) as refusal:
        files.put_file(actor, tree, path, b"x")
    assert refusal.value.details["field"] == "path"
