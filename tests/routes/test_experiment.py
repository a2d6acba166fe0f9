"""Experiments: the effects of their status, and of their deletion."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.services.lifecycle import deletion, sweep
from tests.support.api import (
    check_invalid,
    check_refused,
    counted_calls,
    found,
    made,
    new_experiment,
    new_iteration,
    new_project,
    new_ready_resource,
    objects,
    rows,
)
from tests.support.consistency import find_faults
from tests.support.older import put_older_experiment
from tests.support.server import Reply, Server

IN_PROGRESS, STOPPED, FINISHED = 1, 2, 3
RESOURCE = {"name": "r", "size_bytes": 1, "content_hash": "0" * 64}


def _patch(server: Server, experiment: str, **body: Any) -> Any:
    return found(server.call("PATCH", f"/experiments/{experiment}", body))


def test_a_new_experiment_whole(server: Server) -> None:
    project = new_project(server)
    experiment = made(server.call("POST", f"/projects/{project}/experiments", {"name": "sweep"}))
    assert set(experiment) == {
        "id",
        "project_id",
        "status_id",
        "name",
        "description",
        "created_by",
        "created_date",
        "end_date",
        "labels",
    }
    assert (experiment["project_id"], experiment["status_id"], experiment["end_date"]) == (project, IN_PROGRESS, None)
    assert found(server.call("GET", f"/experiments/{experiment['id']}")) == experiment


@pytest.mark.parametrize("status", [STOPPED, FINISHED])
def test_an_end_without_a_date_gets_the_servers_clock(server: Server, status: int) -> None:
    experiment = new_experiment(server)
    ended = _patch(server, experiment, status_id=status)
    assert ended["status_id"] == status
    assert ended["end_date"] >= ended["created_date"]
    assert found(server.call("GET", f"/experiments/{experiment}")) == ended


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05.000Z"),
        ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05.000Z"),
    ],
)
def test_an_end_date_that_is_given_is_kept_in_utc(server: Server, sent: str, stored: str) -> None:
    experiment = new_experiment(server)
    assert _patch(server, experiment, status_id=FINISHED, end_date=sent)["end_date"] == stored
    assert found(server.call("GET", f"/experiments/{experiment}"))["end_date"] == stored


@pytest.mark.parametrize("date", ["yesterday", "2026-13-01T00:00:00Z", 5, "0001-01-01T00:00:00+23:59"])
def test_an_end_date_that_is_no_time(server: Server, date: Any) -> None:
    experiment = new_experiment(server)
    body = {"status_id": FINISHED, "end_date": date}
    check_invalid(server.call("PATCH", f"/experiments/{experiment}", body), "end_date")


@pytest.mark.parametrize("status", [0, 4, "1", 1.5, None, True])
def test_a_status_that_there_is_not(server: Server, status: Any) -> None:
    experiment = new_experiment(server)
    check_invalid(server.call("PATCH", f"/experiments/{experiment}", {"status_id": status}), "status_id")


@pytest.mark.parametrize("status", [STOPPED, FINISHED])
def test_an_ended_experiment_takes_nothing_new_until_it_goes_on(server: Server, status: int) -> None:
    experiment = new_experiment(server)
    iteration = new_iteration(server, experiment)
    _patch(server, experiment, status_id=status)
    check_invalid(server.call("POST", f"/experiments/{experiment}/iterations", {}), "experiment_id")
    check_invalid(server.call("POST", f"/experiments/{experiment}/resources", RESOURCE), "experiment_id")
    made(server.call("POST", f"/iterations/{iteration}/metrics", {"key": "k", "value": 1.0}))
    resumed = _patch(server, experiment, status_id=IN_PROGRESS)
    assert (resumed["status_id"], resumed["end_date"]) == (IN_PROGRESS, None)
    new_iteration(server, experiment)
    made(server.call("POST", f"/experiments/{experiment}/resources", RESOURCE))


def test_the_same_creation_key_in_the_same_project_is_the_same_experiment(server: Server) -> None:
    project, other = new_project(server), new_project(server)
    first = new_experiment(server, project, id_key="key")
    again = found(server.call("POST", f"/projects/{project}/experiments", {"name": "x", "id_key": "key"}))
    assert again["id"] == first
    assert new_experiment(server, other, id_key="key") != first


def _named(server: Server, project: str, name: str) -> list[str]:
    listed = found(server.call("GET", f"/projects/{project}/experiments?name={name}"))["data"]
    return [each["id"] for each in listed]


def test_a_list_by_name(server: Server) -> None:
    project = new_project(server)
    wanted, _ = [new_experiment(server, project, name=name) for name in "ab"]
    older = [put_older_experiment(project, "c") for _ in range(2)]
    assert _named(server, project, "a") == [wanted]
    assert _named(server, project, "c") == older
    assert _named(server, project, "d") == []


def test_a_list_by_name_reads_no_other_experiment(server: Server) -> None:
    project = new_project(server)
    wanted, *_ = [new_experiment(server, project, name=name) for name in "abc"]
    with counted_calls() as calls:
        assert _named(server, project, "a") == [wanted]
    assert "Query" not in calls


def _check_names(project: str) -> None:
    """Check that each experiment holds its own name only."""
    assert not [fault for fault in find_faults() if project in fault]


def _check_taken(reply: Reply, by: str) -> None:
    check_refused(reply, 409, "CONFLICT", "name")
    assert reply.body["details"] == {"field": "name", "kind": "experiment", "id": by}


def _create(server: Server, project: str, name: str, **body: Any) -> Reply:
    return server.call("POST", f"/projects/{project}/experiments", {"name": name, **body})


def _rename(server: Server, experiment: str, name: str) -> Reply:
    return server.call("PATCH", f"/experiments/{experiment}", {"name": name, "description": "renamed"})


@pytest.mark.parametrize("is_older", [False, True])
def test_a_name_is_given_once_in_a_project(server: Server, is_older: bool) -> None:
    project, elsewhere = new_project(server), new_project(server)
    holder = put_older_experiment(project, "e") if is_older else new_experiment(server, project, name="e")
    other = new_experiment(server, project, name="other", id_key="other")
    for refused in (
        _create(server, project, "e"),
        _create(server, project, "e", id_key="k"),
        _rename(server, other, "e"),
    ):
        _check_taken(refused, holder)
    # The answer is the object created under the key, whatever name the request has.
    assert found(_create(server, project, "e", id_key="other"))["id"] == other
    assert found(server.call("GET", f"/experiments/{other}"))["description"] == ""
    assert _named(server, project, "e") == [holder]
    made(_create(server, elsewhere, "e"))
    made(_create(server, project, "E"))


@pytest.mark.parametrize("is_older", [False, True])
@pytest.mark.parametrize("way", ["deleted", "renamed"])
def test_a_name_that_is_given_up_is_free_at_once(server: Server, way: str, is_older: bool) -> None:
    project = new_project(server)
    holder = put_older_experiment(project, "e") if is_older else new_experiment(server, project, name="e")
    if way == "deleted":
        assert server.call("DELETE", f"/experiments/{holder}?purge=true").status == 204
    else:
        assert found(_rename(server, holder, "f"))["name"] == "f"
        _check_taken(_create(server, project, "f"), holder)
    successor = made(_create(server, project, "e"))["id"]
    _check_taken(_create(server, project, "e"), successor)
    _check_names(project)


def test_a_name_is_free_while_the_deletion_of_its_experiment_goes_on(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = new_project(server)
    experiment = new_experiment(server, project, name="e")
    new_iteration(server, experiment)
    monkeypatch.setattr(deletion, "REQUEST_SECONDS", -1.0)
    assert server.call("DELETE", f"/experiments/{experiment}?purge=true").status == 202
    successor = made(_create(server, project, "e"))["id"]
    assert sweep.resume_deletions(60)
    _check_taken(_create(server, project, "e"), successor)
    _check_names(project)


def test_a_patch_with_the_name_that_it_has_is_no_conflict(server: Server) -> None:
    experiment = new_experiment(server, name="e")
    renamed = found(_rename(server, experiment, "e"))
    assert (renamed["name"], renamed["description"]) == ("e", "renamed")


def test_two_experiments_of_one_name_from_an_older_server_stay_editable(server: Server) -> None:
    project = new_project(server)
    first, second = (put_older_experiment(project, "e") for _ in range(2))
    for each in (first, second):
        assert _patch(server, each, description="d", status_id=FINISHED, name="e")["description"] == "d"
        assert found(server.call("GET", f"/experiments/{each}"))["name"] == "e"
    _check_taken(_create(server, project, "e"), first)
    assert found(_rename(server, first, "f"))["name"] == "f"
    _check_taken(_create(server, project, "e"), second)
    _check_taken(_rename(server, first, "e"), second)
    assert server.call("DELETE", f"/experiments/{second}?purge=true").status == 204
    assert found(_rename(server, first, "e"))["name"] == "e"
    _check_names(project)


def test_a_deleted_experiment_takes_everything_with_it_and_nothing_else(server: Server) -> None:
    project = new_project(server)
    neighbour = new_experiment(server, project)
    kept = new_ready_resource(server, neighbour, b"shared")
    made(server.call("POST", f"/experiments/{neighbour}/tags", {"value": "stays"}))
    before, stored = rows(), objects()
    experiment = new_experiment(server, project, id_key="again")
    iteration = new_iteration(server, experiment, id_key="i")
    child = new_iteration(server, experiment, parent_iteration_id=iteration)
    made(server.call("POST", f"/experiments/{experiment}/tags", {"value": "goes"}))
    flush = {"batch_id": "b", "parameters": {"k": "v"}, "metrics": [{"key": "m", "value": 1.0}], "tags": ["u"]}
    made(server.call("POST", f"/iterations/{child}/log", flush))
    made(server.call("POST", f"/experiments/{experiment}/resources", RESOURCE))
    new_ready_resource(server, experiment, b"own bytes", iteration_id=iteration)
    body = {key: kept[key] for key in ("name", "size_bytes", "content_hash")}
    made(server.call("POST", f"/experiments/{experiment}/resources", body))
    assert server.call("DELETE", f"/experiments/{experiment}?purge=true").status == 204
    for path in (f"/experiments/{experiment}", f"/iterations/{iteration}", f"/iterations/{child}"):
        check_refused(server.call("GET", path), 404, "NOT_FOUND")
    assert rows() == before
    assert objects() == stored
    found(server.call("GET", f"/resources/{kept['id']}/download"))
    assert new_experiment(server, project, id_key="again") != experiment
