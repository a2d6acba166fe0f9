"""Iterations: their end, their ancestors, their creation keys."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.storage import iteration as storage
from chalicelib.storage import series
from deardiary.wire.names import name_of
from tests.support.api import (
    check_invalid,
    check_refused,
    end,
    found,
    made,
    new_experiment,
    new_iteration,
    new_ready_resource,
    objects,
    rows,
)
from tests.support.server import Reply, Server

RUNNING, SUCCEEDED, FAILED, KILLED = 1, 2, 3, 4


def _patch(server: Server, iteration: str, **body: Any) -> Reply:
    return server.call("PATCH", f"/iterations/{iteration}", body)


def _get(server: Server, iteration: str) -> Any:
    return found(server.call("GET", f"/iterations/{iteration}"))


def test_a_new_iteration_whole(server: Server) -> None:
    experiment = new_experiment(server)
    iteration = made(server.call("POST", f"/experiments/{experiment}/iterations", {"notes": "first"}))
    absent: dict[str, Any] = {
        "end_date": None,
        "parent_iteration_id": None,
        "error_message": "",
        "git_dirty": False,
        "labels": {},
    }
    absent |= {"python_version": "", "julia_version": "", "git_sha": "", "entrypoint": ""}
    own = {"id": iteration["id"], "experiment_id": experiment, "created_date": iteration["created_date"]}
    own |= {"name": name_of(iteration["id"]), "created_by": found(server.call("GET", "/auth/me"))["id"]}
    assert iteration == absent | own | {"notes": "first", "status_id": RUNNING}
    assert _get(server, iteration["id"]) == iteration


def test_a_patch_changes_the_fields_that_it_names(server: Server) -> None:
    iteration = new_iteration(server)
    fields = {"notes": "n", "python_version": "3.12", "julia_version": "1.11", "git_sha": "abc", "git_dirty": True}
    fields |= {"entrypoint": "train.py", "error_message": "e"}
    before = _get(server, iteration)
    assert found(_patch(server, iteration, **fields)) == before | fields
    assert _get(server, iteration) == before | fields


@pytest.mark.parametrize("status", [SUCCEEDED, FAILED, KILLED])
def test_an_end_locks(server: Server, status: int) -> None:
    iteration = new_iteration(server)
    parameter = made(server.call("POST", f"/iterations/{iteration}/parameters", {"key": "k", "value": "1"}))["id"]
    made(server.call("POST", f"/iterations/{iteration}/tags", {"value": "t"}))
    found(server.call("PUT", f"/iterations/{iteration}/snapshot", {"git_sha": "abc"}))
    ended = found(_patch(server, iteration, status_id=status, error_message="why"))
    assert ended["end_date"] >= ended["created_date"]
    here = f"/iterations/{iteration}"
    for method, path, body in (
        ("POST", f"{here}/parameters", {"key": "new", "value": "1"}),
        ("PATCH", f"/parameters/{parameter}", {"value": "2"}),
        ("DELETE", f"/parameters/{parameter}", None),
        ("POST", f"{here}/metrics", {"key": "m", "value": 1.0}),
        ("POST", f"{here}/metrics/batch", {"batch_id": "b", "metrics": [{"key": "m", "value": 1.0}]}),
        ("POST", f"{here}/log", {"batch_id": "b", "metrics": {"m": {"value": [1.0]}}}),
        ("POST", f"{here}/log", {"batch_id": "c", "parameters": {"new": "1"}}),
        ("POST", f"{here}/log", {"batch_id": "d", "tags": ["new"], "metrics": {"m": {"value": [1.0]}}}),
        ("PUT", f"{here}/snapshot", {"python_version": "3.13"}),
        ("PATCH", here, {"python_version": "3.13"}),
        ("PATCH", here, {"notes": "new", "git_sha": "def"}),
        ("PATCH", here, {"error_message": "new"}),
        ("PATCH", here, {"end_date": "2001-01-01T00:00:00Z"}),
        ("PATCH", here, {"status_id": SUCCEEDED if status != SUCCEEDED else FAILED}),
        ("PATCH", here, {"status_id": RUNNING, "notes": "new"}),
    ):
        check_invalid(server.call(method, path, body), "end_date")
    assert _get(server, iteration) == ended
    assert found(server.call("GET", f"{here}/metrics"))["data"] == []
    assert len(found(server.call("GET", f"{here}/parameters"))["data"]) == 1
    assert len(found(server.call("GET", f"{here}/tags"))["data"]) == 1


def test_an_ended_iteration_is_still_annotated(server: Server) -> None:
    iteration = new_iteration(server)
    ended = end(server, iteration, status_id=FAILED, error_message="why")
    here = f"/iterations/{iteration}"
    assert found(_patch(server, iteration, name="the good one")) == ended | {"name": "the good one"}
    both = {"notes": "see it", "name": "best"}
    assert found(_patch(server, iteration, **both)) == ended | both
    # A client may repeat fields that it does not change.
    assert found(_patch(server, iteration, notes="n", status_id=FAILED, end_date=ended["end_date"]))["notes"] == "n"
    tag = made(server.call("POST", f"{here}/tags", {"value": "paper"}))["id"]
    made(server.call("POST", f"{here}/log", {"batch_id": "late tags", "tags": ["figure 3"]}))
    assert server.call("DELETE", f"{here}/tags/{tag}").status == 204
    assert [each["value"] for each in found(server.call("GET", f"{here}/tags"))["data"]] == ["figure 3"]
    assert _get(server, iteration) == ended | {"notes": "n", "name": "best"}


def test_an_annotation_does_not_reopen_what_the_server_ended(server: Server) -> None:
    iteration = new_iteration(server)
    experiment = _get(server, iteration)["experiment_id"]
    stored = storage.find_iteration(experiment, iteration)
    heard = series.read_series(experiment, iteration)
    assert stored is not None
    storage.end_as_lost(stored, stored.created_date, "no sign of life", heard)
    lost = _get(server, iteration)
    named = found(_patch(server, iteration, name="lost", notes="node 7 died"))
    assert named == lost | {"name": "lost", "notes": "node 7 died"}
    assert found(_patch(server, iteration, error_message="x"))["status_id"] == RUNNING, "its writer is back"


def test_an_end_date_alone_ends_as_succeeded(server: Server) -> None:
    iteration = new_iteration(server)
    check_invalid(_patch(server, iteration, status_id=RUNNING, end_date="2026-01-02T03:04:05Z"), "end_date")
    ended = found(_patch(server, iteration, end_date="2026-01-02T03:04:05Z"))
    assert (ended["status_id"], ended["end_date"]) == (SUCCEEDED, "2026-01-02T03:04:05.000Z")
    assert found(_patch(server, iteration, end_date="2026-01-02T03:04:05Z")) == ended
    check_invalid(_patch(server, iteration, end_date="2026-01-02T03:04:06Z"), "end_date")


def test_the_status_running_alone_resumes(server: Server) -> None:
    iteration = new_iteration(server)
    end(server, iteration, status_id=FAILED, error_message="out of memory")
    resumed = found(_patch(server, iteration, status_id=RUNNING))
    assert (resumed["status_id"], resumed["end_date"], resumed["error_message"]) == (RUNNING, None, "")
    made(server.call("POST", f"/iterations/{iteration}/parameters", {"key": "k", "value": "1"}))
    made(server.call("POST", f"/iterations/{iteration}/metrics", {"key": "m", "value": 1.0}))
    found(_patch(server, iteration, notes="goes on"))
    assert end(server, iteration)["status_id"] == SUCCEEDED


def test_to_finish_twice_alike_answers_alike(server: Server) -> None:
    iteration = new_iteration(server)
    ended = end(server, iteration)
    assert end(server, iteration) == ended


def test_a_given_end_date_is_kept(server: Server) -> None:
    iteration = new_iteration(server)
    assert end(server, iteration, end_date="2026-01-02T03:04:05")["end_date"] == "2026-01-02T03:04:05.000Z"


def test_the_same_creation_key_in_the_same_experiment_is_the_same_iteration(server: Server) -> None:
    experiment, other = new_experiment(server), new_experiment(server)
    first = new_iteration(server, experiment, id_key="key", notes="a")
    again = found(server.call("POST", f"/experiments/{experiment}/iterations", {"id_key": "key", "notes": "b"}))
    assert (again["id"], again["notes"]) == (first, "a")
    assert new_iteration(server, other, id_key="key") != first
    assert server.call("DELETE", f"/iterations/{first}?purge=true").status == 204
    assert new_iteration(server, experiment, id_key="key") != first


def test_an_iteration_can_have_begun_before_the_server_knew(server: Server) -> None:
    path = f"/experiments/{new_experiment(server)}/iterations"
    began = made(server.call("POST", path, {"created_date": "2026-01-02T03:04:05"}))
    assert began["created_date"] == "2026-01-02T03:04:05.000Z"
    ahead = made(server.call("POST", path, {"created_date": "2999-01-01T00:00:00Z"}))
    assert ahead["created_date"] < "2999"
    check_invalid(server.call("POST", path, {"created_date": "yesterday"}), "created_date")
    check_invalid(server.call("POST", path, {"created_date": "0001-01-01T00:00:00+23:00"}), "created_date")


def test_a_deleted_iteration_is_not_created_again_by_its_creation_key(server: Server) -> None:
    """This holds for a late request; an iteration that begins after the deletion is a new one."""
    path = f"/experiments/{new_experiment(server)}/iterations"
    body = {"id_key": "job", "created_date": "2026-01-02T03:04:05Z"}
    first = made(server.call("POST", path, body))["id"]
    assert server.call("DELETE", f"/iterations/{first}?purge=true").status == 204
    check_refused(server.call("POST", path, body), 404, "NOT_FOUND")
    assert found(server.call("GET", path))["data"] == []
    second = made(server.call("POST", path, {"id_key": "job"}))["id"]
    assert second != first
    assert found(server.call("POST", path, body))["id"] == second


def test_a_parent_is_in_the_same_experiment(server: Server) -> None:
    experiment, foreign = new_experiment(server), new_iteration(server)
    iteration = new_iteration(server, experiment)
    for parent in (foreign, "0" * 24, "no such id ☃"):
        body = {"parent_iteration_id": parent}
        check_invalid(server.call("POST", f"/experiments/{experiment}/iterations", body), "parent_iteration_id")
        check_invalid(_patch(server, iteration, parent_iteration_id=parent), "parent_iteration_id")
    assert _get(server, iteration)["parent_iteration_id"] is None


def test_nothing_is_its_own_ancestor(server: Server) -> None:
    experiment = new_experiment(server)
    top = new_iteration(server, experiment)
    middle = new_iteration(server, experiment, parent_iteration_id=top)
    bottom = new_iteration(server, experiment, parent_iteration_id=middle)
    for parent in (top, middle, bottom):
        check_invalid(_patch(server, top, parent_iteration_id=parent), "parent_iteration_id")
    assert _children(server, bottom) == []


def _children(server: Server, iteration: str) -> list[str]:
    return [each["id"] for each in found(server.call("GET", f"/iterations/{iteration}/children"))["data"]]


def test_children_follow_their_parent(server: Server) -> None:
    experiment = new_experiment(server)
    one, other = new_iteration(server, experiment), new_iteration(server, experiment)
    child = new_iteration(server, experiment, parent_iteration_id=one)
    assert (_children(server, one), _children(server, other)) == ([child], [])
    found(_patch(server, child, parent_iteration_id=other))
    assert (_children(server, one), _children(server, other)) == ([], [child])
    listed = found(server.call("GET", f"/experiments/{experiment}/iterations?parent_iteration_id={other}"))["data"]
    assert [each["id"] for each in listed] == [child]
    assert found(_patch(server, child, parent_iteration_id=None))["parent_iteration_id"] is None
    assert _children(server, other) == []


def test_a_deleted_parent_leaves_its_children(server: Server) -> None:
    experiment = new_experiment(server)
    top = new_iteration(server, experiment)
    parent = new_iteration(server, experiment, parent_iteration_id=top)
    children = [new_iteration(server, experiment, parent_iteration_id=parent) for _ in range(3)]
    end(server, children[0])
    assert server.call("DELETE", f"/iterations/{parent}?purge=true").status == 204
    assert [_get(server, child)["parent_iteration_id"] for child in children] == [None] * 3
    assert _children(server, top) == []
    check_refused(server.call("GET", f"/iterations/{parent}/children"), 404, "NOT_FOUND")


def test_a_deleted_iteration_takes_everything_with_it_and_nothing_else(server: Server) -> None:
    experiment = new_experiment(server)
    parent = new_iteration(server, experiment)
    kept = new_ready_resource(server, experiment, b"shared")
    before, stored = rows(), objects()
    iteration = new_iteration(server, experiment, parent_iteration_id=parent, id_key="k")
    flush = {"batch_id": "b", "parameters": {"k": "v"}, "metrics": [{"key": "m", "value": 1.0}], "tags": ["u"]}
    made(server.call("POST", f"/iterations/{iteration}/log", flush))
    own = new_ready_resource(server, experiment, b"own", iteration_id=iteration)
    shared = {key: kept[key] for key in ("name", "size_bytes", "content_hash")} | {"iteration_id": iteration}
    made(server.call("POST", f"/experiments/{experiment}/resources", shared))
    end(server, iteration)
    assert server.call("DELETE", f"/iterations/{iteration}?purge=true").status == 204
    for path in (f"/iterations/{iteration}", f"/iterations/{iteration}/metrics", f"/resources/{own['id']}"):
        check_refused(server.call("GET", path), 404, "NOT_FOUND")
    assert rows() == before
    assert objects() == stored
