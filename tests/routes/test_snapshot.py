"""Snapshots of iterations."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.artifacts.s3 import S3Store
from chalicelib.services import snapshot
from chalicelib.services.lifecycle import sweep
from chalicelib.storage import blob as blobs
from chalicelib.storage import snapshot as storage
from chalicelib.storage.table import item, keys
from tests.support.api import (
    ALL,
    check_invalid,
    check_refused,
    end,
    found,
    new_experiment,
    new_iteration,
    new_member,
    new_person,
    new_project,
    new_ready_resource,
    new_resource,
    objects,
    rows,
)
from tests.support.server import Reply, Server

TEXTS = ("project_toml", "manifest_toml", "git_diff")
MIB = 1024 * 1024


def put(server: Server, iteration_id: str, **body: Any) -> Reply:
    return server.call("PUT", f"/iterations/{iteration_id}/snapshot", body)


def get(server: Server, iteration_id: str, query: str = "") -> Any:
    return found(server.call("GET", f"/iterations/{iteration_id}/snapshot{query}"))


def object_of(project_id: str, text: str) -> str:
    return f"projects/{project_id}/blobs/{hashlib.sha256(text.encode()).hexdigest()}"


def owners(project_id: str, text: str) -> int:
    row = item.find(blobs.BlobRow, keys.blob(project_id, hashlib.sha256(text.encode()).hexdigest()))
    return int(row.owners) if row else 0


@pytest.fixture
def project(server: Server) -> str:
    return new_project(server)


@pytest.fixture
def iteration(server: Server, project: str) -> str:
    return new_iteration(server, new_experiment(server, project))


def test_a_snapshot_that_was_never_set(server: Server, iteration: str) -> None:
    plain = found(server.call("GET", f"/iterations/{iteration}"))
    assert get(server, iteration) == plain | dict.fromkeys(TEXTS)


def test_a_stored_snapshot_is_returned(server: Server, iteration: str) -> None:
    fields = {
        "python_version": "3.12.1",
        "julia_version": "1.11",
        "git_sha": "a" * 40,
        "git_dirty": True,
        "entrypoint": "train.py",
    }
    texts = {"project_toml": "", "manifest_toml": "ü\r\n\x00☘", "git_diff": "-a\n+b"}
    whole = found(put(server, iteration, **fields, **texts))
    assert whole.items() >= (fields | texts).items()
    assert get(server, iteration) == whole
    assert found(server.call("GET", f"/iterations/{iteration}")).items() >= fields.items()


def test_absent_fields_stay(server: Server, iteration: str) -> None:
    found(put(server, iteration, git_sha="abc", project_toml="p"))
    whole = found(put(server, iteration, manifest_toml="m", git_dirty=True))
    assert [whole[name] for name in ("git_sha", "git_dirty", *TEXTS)] == ["abc", True, "p", "m", None]
    assert found(put(server, iteration)) == whole


def test_texts_can_be_asked_for_singly(server: Server, iteration: str) -> None:
    found(put(server, iteration, project_toml="p", manifest_toml="m", git_diff="d"))
    some = get(server, iteration, "?field=git_diff&field=project_toml")
    assert [some[name] for name in TEXTS] == ["p", None, "d"]
    check_invalid(server.call("GET", f"/iterations/{iteration}/snapshot?field=notes"), "field[0]")


def test_texts_have_4_mib_and_an_answer_holds_5_mb(server: Server, iteration: str) -> None:
    path = f"/iterations/{iteration}/snapshot"
    long = "é" * (2 * MIB)
    check_invalid(server.call("PUT", path, f'{{"git_diff": "{long}x"}}'.encode()), "git_diff")
    check_invalid(put(server, iteration, entrypoint="e" * 4097), "entrypoint")
    assert found(put(server, iteration, git_diff=long.replace("é", "ab")))["git_diff"] is not None
    short = found(put(server, iteration, manifest_toml="m" * MIB))
    assert (len(short["manifest_toml"]), short["git_diff"]) == (MIB, None)
    assert server.call("GET", path).error == (413, "PAYLOAD_TOO_LARGE")
    assert len(get(server, iteration, "?field=git_diff")["git_diff"]) == 4 * MIB
    check_refused(server.call("PUT", path, b'"' + b" " * 5_500_000), 413, "PAYLOAD_TOO_LARGE")


def test_the_client_splits_a_long_snapshot(server: Server, iteration: str) -> None:
    client = server.client()
    texts: dict[str, Any] = {name: name[0] * (3 * MIB) for name in TEXTS}
    client.iterations.set_snapshot(iteration, git_sha="abc", **texts)
    read = client.iterations.snapshot(iteration)
    assert {name: getattr(read, name) for name in TEXTS} == texts
    assert read.git_sha == "abc"
    assert client.iterations.set_snapshot(iteration, git_diff="short").git_diff == "short"


def test_a_locked_iteration_takes_none(server: Server, iteration: str) -> None:
    whole = found(put(server, iteration, git_diff="before"))
    ended = end(server, iteration)
    for body in ({"git_diff": "after"}, {"git_sha": "abc"}, {}):
        check_invalid(put(server, iteration, **body), "end_date")
    assert get(server, iteration) == whole | ended


def test_an_iteration_that_ended_without_a_snapshot_accepts_one_in_several_requests(
    server: Server, iteration: str
) -> None:
    ended = end(server, iteration)
    for body in ({"git_sha": "abc", "git_dirty": True}, {"git_diff": "late"}, {"manifest_toml": "lock"}):
        for _ in range(2):  # a lost answer: the same request again
            assert found(put(server, iteration, **body))["end_date"] == ended["end_date"]
    for body in ({"git_diff": "other"}, {"git_sha": "def"}, {"git_sha": ""}, {"python_version": "3", "git_diff": "x"}):
        check_invalid(put(server, iteration, **body), "end_date")
    late = {"git_sha": "abc", "git_dirty": True, "git_diff": "late", "manifest_toml": "lock"}
    assert get(server, iteration) == ended | dict.fromkeys(TEXTS) | late


def test_a_snapshot_completed_before_a_later_end_is_locked(server: Server, iteration: str) -> None:
    end(server, iteration)
    found(put(server, iteration, git_sha="abc"))
    found(server.call("PATCH", f"/iterations/{iteration}", {"status_id": 1}))
    found(put(server, iteration, git_diff="diff"))
    end(server, iteration)
    check_invalid(put(server, iteration, manifest_toml="lock"), "end_date")


def test_the_permissions_of_each_operation(server: Server, project: str, iteration: str) -> None:
    path = f"/iterations/{iteration}/snapshot"
    for method, body, need in (("GET", None, "read"), ("PUT", {"git_diff": "x"}, "update")):
        check_refused(server.call(method, path, body, token=new_person(server).token), 404, "NOT_FOUND")
        without = new_member(server, project, *(each for each in ALL if each != need)).token
        check_refused(server.call(method, path, body, token=without), 403, "PROJECT_PERMISSION_REQUIRED")
        reply = server.call(method, path, body, token=new_member(server, project, need).token)
        assert reply.status == (200 if need == "read" else 204)


def test_a_text_is_stored_once_and_goes_with_its_last_owner(server: Server, project: str) -> None:
    experiment = new_experiment(server, project)
    first, second = new_iteration(server, experiment), new_iteration(server, experiment)
    lock = f"lock of {project}"
    found(put(server, first, manifest_toml=lock, project_toml=lock))
    found(put(server, second, manifest_toml=lock))
    assert owners(project, lock) == 2
    assert new_resource(server, experiment, lock.encode())["state"] == "ready"
    assert owners(project, lock) == 3
    found(put(server, first, manifest_toml="another", project_toml="another"))
    assert server.call("DELETE", f"/iterations/{second}?purge=true").status == 204
    assert owners(project, lock) == 1
    assert server.call("DELETE", f"/experiments/{experiment}?purge=true").status == 204
    assert {object_of(project, lock), object_of(project, "another")}.isdisjoint(objects())
    assert not [key for key in rows() if key[1].startswith(("BLOB#", "SNAPSHOT#")) and project in key[0]]


def test_a_replaced_text_goes_unless_it_is_shared(server: Server, project: str, iteration: str) -> None:
    experiment = found(server.call("GET", f"/iterations/{iteration}"))["experiment_id"]
    new_ready_resource(server, experiment, b"shared")
    found(put(server, iteration, git_diff="alone", project_toml="shared"))
    found(put(server, iteration, git_diff="new", project_toml="new"))
    assert object_of(project, "alone") not in objects()
    assert {object_of(project, "shared"), object_of(project, "new")} <= objects()
    assert (owners(project, "shared"), owners(project, "new")) == (1, 1)


class _DeathError(Exception):
    """Simulates the death of a process."""


def _die(*_: Any) -> Any:
    raise _DeathError


DEATHS = [
    (S3Store, "write"),
    (blobs, "mark_ready"),
    (snapshot, "_text"),
    (snapshot, "release_blob"),
    (blobs, "delete_blob"),
]


@pytest.mark.parametrize(("owner", "last_words"), DEATHS, ids=[name for _, name in DEATHS])
@pytest.mark.parametrize("retried", [True, False])
def test_a_put_that_died_is_finished_by_its_retry_or_goes_with_the_iteration(
    server: Server,
    project: str,
    iteration: str,
    monkeypatch: pytest.MonkeyPatch,
    owner: object,
    last_words: str,
    retried: bool,
) -> None:
    found(put(server, iteration, git_diff="old"))
    body = {"git_diff": "new", "project_toml": "new"}
    with monkeypatch.context() as dying:
        dying.setattr(owner, last_words, _die)
        assert put(server, iteration, **body).status == 500
    seen = get(server, iteration)
    assert (seen["git_diff"], seen["project_toml"]) in (("old", None), ("new", "new"))
    if retried:
        later(monkeypatch)
        assert found(put(server, iteration, **body)).items() >= body.items()
        assert owners(project, "new") == 1
        assert object_of(project, "old") not in objects()
    server.call("DELETE", f"/iterations/{iteration}?purge=true")
    later(monkeypatch)
    assert sweep.resume_deletions(60)
    assert not [key for key in objects() if project in key]
    assert not [key for key in rows() if key[1].startswith(("BLOB#", "SNAPSHOT#")) and project in key[0]]


def test_a_deletion_waits_for_bytes_on_their_way(
    server: Server, project: str, iteration: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(S3Store, "write", _die)
        put(server, iteration, git_diff="on its way")
    assert server.call("DELETE", f"/iterations/{iteration}?purge=true").status == 202
    check_refused(server.call("GET", f"/iterations/{iteration}/snapshot"), 404, "NOT_FOUND")
    check_refused(put(server, iteration, git_diff="on its way"), 404, "NOT_FOUND")
    later(monkeypatch)
    assert sweep.resume_deletions(60)
    assert not [key for key in rows() if key[1].startswith(("BLOB#", "SNAPSHOT#")) and project in key[0]]


def test_one_that_changes_while_it_is_read_is_read_again(
    server: Server, iteration: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(put(server, iteration, git_diff="first"))
    read_texts, late = storage.read_texts, iter([True])

    def overtaken(experiment_id: str, iteration_id: str) -> storage.Texts:
        texts = read_texts(experiment_id, iteration_id)
        if next(late, False):
            found(put(server, iteration, git_diff="second"))
        return texts

    monkeypatch.setattr(storage, "read_texts", overtaken)
    assert get(server, iteration)["git_diff"] == "second"


def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Advance the clock beyond the longest life of the request that died."""
    now = clock.from_milliseconds(clock.to_milliseconds(clock.now()) + 61_000)
    monkeypatch.setattr(clock, "now", lambda: now)
