"""The trash: deleted objects are hidden, can be restored as they were, and are purged in the end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import filterfalse
from typing import Any

import pytest

from chalicelib import clock, config
from chalicelib.routes import upkeep
from chalicelib.storage import trash
from chalicelib.storage.table import item, keys
from deardiary.wire.times import parse_time
from tests.support.api import (
    end,
    found,
    made,
    new_experiment,
    new_iteration,
    new_member,
    new_person,
    new_project,
    new_ready_resource,
    new_resource,
    objects,
    pages,
    rows,
)
from tests.support.consistency import check_consistency
from tests.support.fresh import Fresh
from tests.support.server import Server, server_on_moto
from tests.support.table import read_table
from tests.support.world import World, make_world


@pytest.fixture(scope="module")
def _fresh() -> Iterator[Fresh]:
    with server_on_moto() as running:
        yield Fresh(running)


@pytest.fixture
def server(_fresh: Fresh) -> Server:
    return _fresh.again()


@pytest.fixture(scope="module")
def _inhabited(_fresh: Fresh) -> tuple[Fresh, World]:
    server = _fresh.again()
    world = make_world(server)
    return Fresh(server), world


@pytest.fixture
def world(server: Server, _inhabited: tuple[Fresh, World]) -> World:
    """A world that is created once, and restored for each test."""
    fresh, world = _inhabited
    fresh.again()
    return world


@pytest.fixture(autouse=True)
def _consistent_at_the_end(server: Server) -> Iterator[None]:
    yield
    check_consistency()


KINDS = ("project", "experiment", "iteration", "resource", "model")


def delete(server: Server, kind: str, object_id: str, query: str = "") -> None:
    assert server.call("DELETE", f"/{kind}s/{object_id}{query}").status == 204


def restore(server: Server, object_id: str, **body: Any) -> Any:
    return found(server.call("POST", f"/trash/{object_id}", body))


def trash_of(server: Server, project_id: str, token: str = "") -> list[str]:
    return [each["id"] for each in pages(server, f"/projects/{project_id}/trash", 2, token)]


def in_days(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    later = clock.now() + timedelta(days=days)
    monkeypatch.setattr(clock, "now", lambda: later)


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_is_restored_as_it_was(server: Server, world: World, kind: str) -> None:
    object_id = world.ids[f"{kind}_id"]
    path = f"/{kind}s/{object_id}"
    shown = found(server.call("GET", path))
    before = read_table()
    delete(server, kind, object_id)
    assert server.call("GET", path).error == (404, "NOT_FOUND")
    assert server.call("DELETE", path).error == (404, "NOT_FOUND")
    hidden = read_table()
    new = {key for key in set(hidden) - set(before) if not _is_note(key)}
    assert len(new) == 2, "nothing below is touched"
    assert restore(server, object_id) == shown
    assert restore(server, object_id) == shown, "sent twice, it has the same effect"
    after = read_table()
    changed = {key for key, row in after.items() if row != before.get(key) and not _is_note(key)}
    assert changed <= _refreshed(world.ids)
    assert {key for key in after if not _is_note(key)} == set(filterfalse(_is_note, before))


def _is_note(key: tuple[str, str]) -> bool:
    """True for the note of a change, which expires."""
    return key[1].startswith("CHANGE#")


def left_of(object_id: str) -> list[tuple[str, str]]:
    return [key for key in rows() if object_id in "".join(key) and not _is_note(key)]


def _refreshed(ids: dict[str, str]) -> set[tuple[str, str]]:
    """The row that changes: the restored iteration's writer gets its time again."""
    return {(f"EXPERIMENT#{ids['experiment_id']}", f"SERIES#{ids['iteration_id']}")}


@pytest.mark.parametrize("kind", KINDS)
def test_the_trash_names_what_was_deleted_until_it_is_purged(
    server: Server, world: World, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    object_id, path = world.ids[f"{kind}_id"], f"/projects/{world.ids['project_id']}/trash"
    name = found(server.call("GET", f"/{kind}s/{object_id}"))["name"]
    reply = server.call("DELETE", f"/{kind}s/{object_id}", token=world.token)
    assert reply.status == 204
    listed = pages(server, "/trash" if kind == "project" else path, 50, world.token)
    (entry,) = [each for each in listed if each["id"] != world.ids["object_id"]]
    assert entry | {"id": object_id, "kind": kind, "name": name, "deleted_by": world.ids["user_id"]} == entry
    lasts = parse_time(entry["purge_date"]) - parse_time(entry["deleted_date"])
    assert set(entry) == {"id", "kind", "name", "deleted_by", "deleted_date", "purge_date"}
    assert lasts == timedelta(days=7)
    in_days(monkeypatch, 6.9)
    assert upkeep.run(60)
    assert left_of(object_id)
    in_days(monkeypatch, 0.2)
    assert upkeep.run(60)
    assert left_of(object_id) == []
    assert server.call("POST", f"/trash/{object_id}").error == (404, "NOT_FOUND")
    check_consistency()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["?purge=true", "trash", "no undo"])
def test_a_purge_removes_everything_at_once(
    server: Server, world: World, kind: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    object_id = world.ids[f"{kind}_id"]
    if way == "no undo":
        without = config.settings()._replace(undo=None)
        monkeypatch.setattr(config, "settings", lambda: without)
    delete(server, kind, object_id, "?purge=true" if way == "?purge=true" else "")
    if way == "trash":
        assert server.call("DELETE", f"/trash/{object_id}").status == 204
    assert left_of(object_id) == []
    assert server.call("DELETE", f"/trash/{object_id}").error == (404, "NOT_FOUND")
    assert server.call("POST", f"/trash/{object_id}").error == (404, "NOT_FOUND")
    if kind == "project":
        assert objects() == set()


@pytest.mark.parametrize("value", ["yes please", "2"])
def test_purge_is_true_or_false(server: Server, value: str) -> None:
    assert server.call("DELETE", f"/experiments/{new_experiment(server)}?purge={value}").field == "purge"


@pytest.mark.parametrize(("kind", "path"), [("experiment", "experiments"), ("model", "models")])
def test_a_name_taken_meanwhile_needs_another(server: Server, kind: str, path: str) -> None:
    project = new_project(server)
    old = made(server.call("POST", f"/projects/{project}/{path}", {"name": "sweep"}))["id"]
    delete(server, kind, old)
    new = made(server.call("POST", f"/projects/{project}/{path}", {"name": "sweep"}))["id"]
    for body in ({}, {"name": "sweep"}):
        reply = server.call("POST", f"/trash/{old}", body)
        assert (*reply.error, reply.field) == (409, "CONFLICT", "name")
        assert "another name" in reply.body["message"]
    assert trash_of(server, project) == [old], "a refused restoration changes nothing"
    assert restore(server, old, name="older")["name"] == "older"
    assert restore(server, old, name="older")["id"] == old
    again = server.call("POST", f"/trash/{old}", {"name": "else"})
    assert (*again.error, again.field) == (409, "CONFLICT", "name")
    reply = server.call("POST", f"/projects/{project}/{path}", {"name": "older"})
    assert reply.error == (409, "CONFLICT"), "the restored name is claimed"
    assert found(server.call("GET", f"/{path}/{new}"))["name"] == "sweep"


@pytest.mark.parametrize("kind", ["project", "iteration", "resource"])
def test_any_object_can_be_restored_under_another_name(server: Server, world: World, kind: str) -> None:
    object_id = world.ids[f"{kind}_id"]
    delete(server, kind, object_id)
    assert restore(server, object_id, name="renamed")["name"] == "renamed"
    assert found(server.call("GET", f"/{kind}s/{object_id}"))["name"] == "renamed"


def test_an_id_key_used_meanwhile_stays_with_its_new_owner(server: Server) -> None:
    experiment = new_experiment(server)
    resource = {"id_key": "r", "name": "r", "size_bytes": 1, "content_hash": "0" * 64}
    created = {"/iterations": {"id_key": "job"}, "/resources": resource}
    for path, body in created.items():
        first = made(server.call("POST", f"/experiments/{experiment}{path}", body))["id"]
        delete(server, path[1:-1], first)
        second = made(server.call("POST", f"/experiments/{experiment}{path}", body))["id"]
        restore(server, first)
        assert found(server.call("POST", f"/experiments/{experiment}{path}", body))["id"] == second != first


@pytest.mark.parametrize(
    "path", ["/projects", "/projects/{project}/experiments", "/experiments/{experiment}/iterations"]
)
def test_a_restored_object_has_its_id_key_again(server: Server, path: str) -> None:
    project = new_project(server)
    path = path.format(project=project, experiment=new_experiment(server, project))
    body = {"id_key": "k"} if path.endswith("iterations") else {"id_key": "k", "name": "n"}
    object_id = made(server.call("POST", path, body))["id"]
    delete(server, path.rpartition("/")[2][:-1], object_id)
    restore(server, object_id)
    assert found(server.call("POST", path, body))["id"] == object_id


def test_what_is_below_another_deleted_object_shows_once_that_is_restored(server: Server) -> None:
    project = new_project(server)
    experiment = new_experiment(server, project)
    iteration = new_iteration(server, experiment)
    resource = new_resource(server, experiment, b"r", iteration_id=iteration)["id"]
    for kind, each in (("resource", resource), ("iteration", iteration), ("experiment", experiment)):
        delete(server, kind, each)
    for shown, hidden in ((experiment, [iteration, resource]), (iteration, [resource]), (resource, [])):
        assert trash_of(server, project) == [shown]
        for each in hidden:
            reply = server.call("POST", f"/trash/{each}")
            assert reply.error == (404, "NOT_FOUND")
            assert reply.body["details"]["trash_id"] == shown
        restore(server, shown)
    assert trash_of(server, project) == []
    assert found(server.call("GET", f"/resources/{resource}"))["iteration_id"] == iteration


def test_a_purge_takes_along_what_was_in_the_trash_before(server: Server) -> None:
    project = new_project(server)
    experiment = new_experiment(server, project)
    iteration = new_iteration(server, experiment)
    resource = new_ready_resource(server, experiment, b"r", iteration_id=iteration)["id"]
    delete(server, "resource", resource)
    delete(server, "iteration", iteration)
    assert server.call("DELETE", f"/trash/{iteration}").status == 204
    assert trash_of(server, project) == []
    assert objects() == set()
    delete(server, "iteration", new_iteration(server, experiment))
    delete(server, "experiment", experiment)
    delete(server, "project", project)
    assert server.call("DELETE", f"/trash/{project}").status == 204
    assert not list(trash.each_due(clock.now() + timedelta(days=9)))
    assert left_of(project) == []


def test_shared_bytes_stay_for_a_resource_in_the_trash(server: Server) -> None:
    experiment = new_experiment(server)
    one = new_ready_resource(server, experiment, b"shared")
    other = new_resource(server, experiment, b"shared")
    gone = server.call("DELETE", f"/resources/{one['id']}")
    assert (gone.status, gone.headers["x-freed-bytes"]) == (204, "0")
    delete(server, "resource", other["id"], "?purge=true")
    assert len(objects()) == 1
    assert restore(server, one["id"]) == one
    assert found(server.call("GET", f"/resources/{one['id']}/download"))["size_bytes"] == 6


def test_an_unfinished_upload_expires_in_the_trash_too(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = new_experiment(server)
    resource = new_resource(server, experiment, b"never sent")["id"]
    delete(server, "resource", resource)
    for path in ("upload", "complete"):
        assert server.call("POST", f"/resources/{resource}/{path}").error == (404, "NOT_FOUND")
    in_days(monkeypatch, 1.1)
    assert upkeep.run(60)
    assert left_of(resource) == []


def test_readers_see_nothing_of_a_deleted_parent_and_its_restoration_brings_the_link_back(server: Server) -> None:
    experiment = new_experiment(server)
    parent = new_iteration(server, experiment)
    child = new_iteration(server, experiment, parent_iteration_id=parent)
    lists = f"/experiments/{experiment}/iterations"

    def parents_of_child() -> set[str | None]:
        queries = ("", "?order_by=created_date", '?filter=status = "RUNNING"', "?include=tags")
        listed = [found(server.call("GET", lists + each.replace(" ", "%20")))["data"] for each in queries]
        one = [server.call("GET", f"/iterations/{child}"), server.call("GET", f"/iterations/{child}/snapshot")]
        one.append(server.call("PATCH", f"/iterations/{child}", {"notes": "n"}))
        shown = [*map(found, one), *(each for page in listed for each in page if each["id"] == child)]
        assert len(shown) == len(queries) + 3
        return {each["parent_iteration_id"] for each in shown}

    assert parents_of_child() == {parent}
    delete(server, "iteration", parent)
    assert parents_of_child() == {None}
    for query in ("", "&order_by=created_date"):
        assert pages(server, f"{lists}?parent_iteration_id={parent}{query}", 50) == []
    filtered = f'{lists}?filter=parent_iteration_id%20%3D%20"{parent}"'
    assert found(server.call("GET", filtered))["data"] == []
    restore(server, parent)
    assert parents_of_child() == {parent}
    assert [each["id"] for each in pages(server, f"/iterations/{parent}/children", 50)] == [child]
    delete(server, "iteration", child)
    assert pages(server, f"/iterations/{parent}/children", 50) == []
    delete(server, "iteration", parent, "?purge=true")
    assert restore(server, child)["parent_iteration_id"] is None


def test_a_deleted_ancestor_cannot_become_its_own_descendant(server: Server) -> None:
    experiment = new_experiment(server)
    top = new_iteration(server, experiment)
    middle = new_iteration(server, experiment, parent_iteration_id=top)
    bottom = new_iteration(server, experiment, parent_iteration_id=middle)
    delete(server, "iteration", middle)
    reply = server.call("PATCH", f"/iterations/{top}", {"parent_iteration_id": bottom})
    assert reply.field == "parent_iteration_id"
    found(server.call("PATCH", f"/iterations/{bottom}", {"parent_iteration_id": None}))
    found(server.call("PATCH", f"/iterations/{top}", {"parent_iteration_id": bottom}))
    assert restore(server, middle)["parent_iteration_id"] == top
    assert pages(server, f"/iterations/{middle}/children", 50) == [], "it was taken from its parent on purpose"


def test_the_resources_of_a_deleted_iteration_are_in_no_list(server: Server) -> None:
    experiment = new_experiment(server)
    iteration = new_iteration(server, experiment)
    resource = new_resource(server, experiment, b"r", iteration_id=iteration)["id"]
    other = new_resource(server, experiment, b"other")["id"]
    listed = f"/experiments/{experiment}/resources"
    delete(server, "iteration", iteration)
    assert [each["id"] for each in pages(server, listed, 50)] == [other]
    assert pages(server, f"{listed}?iteration_id={iteration}", 50) == []
    assert {each["id"] for each in pages(server, f"/search?q={resource[:8]}", 50)}.isdisjoint({resource, iteration})
    restore(server, iteration)
    assert [each["id"] for each in pages(server, listed, 50)] == [resource, other]


@pytest.mark.parametrize("kind", ["iteration", "experiment", "project"])
def test_a_late_batch_is_told_of_the_trash_and_taken_after_the_restoration(server: Server, kind: str) -> None:
    project = new_project(server)
    experiment = new_experiment(server, project)
    iteration = new_iteration(server, experiment)
    trashed = {"iteration": iteration, "experiment": experiment, "project": project}[kind]
    resource = {"name": "r", "size_bytes": 1, "content_hash": "0" * 64, "iteration_id": iteration}
    model = made(server.call("POST", f"/projects/{project}/models", {"name": "m"}))["id"]
    late: list[tuple[str, str, Any]] = [
        ("POST", f"/iterations/{iteration}/log", {"batch_id": "late", "metrics": [{"key": "loss", "value": 1.0}]}),
        ("POST", f"/experiments/{experiment}/resources", resource),
        ("POST", f"/models/{model}/versions", {"iteration_id": iteration}),
        ("PATCH", f"/iterations/{iteration}", {"status_id": 2}),
    ]
    delete(server, kind, trashed)
    for request in late:
        reply = server.call(*request)
        assert reply.error == (404, "NOT_FOUND")
        assert reply.body["details"]["trash_id"] == trashed
        assert parse_time(reply.body["details"]["purge_date"]) > clock.now()
        assert f"deardiary trash restore {trashed}" in reply.body["message"]
    restore(server, trashed)
    assert [server.call(*request).status for request in late] == [201, 201, 201, 200]
    delete(server, kind, trashed, "?purge=true")
    reply = server.call(*late[0])
    assert reply.error == (404, "NOT_FOUND")
    assert "trash_id" not in reply.body["details"]


def test_a_version_of_a_resource_in_the_trash_is_created_after_the_restoration(server: Server) -> None:
    project = new_project(server)
    experiment = new_experiment(server, project)
    model = made(server.call("POST", f"/projects/{project}/models", {"name": "m"}))["id"]
    resource = new_ready_resource(server, experiment, b"weights")["id"]
    body = {"iteration_id": new_iteration(server, experiment), "resource_id": resource}
    delete(server, "resource", resource)
    reply = server.call("POST", f"/models/{model}/versions", body)
    assert (reply.error, reply.body["details"]["trash_id"]) == ((404, "NOT_FOUND"), resource)
    restore(server, resource)
    assert made(server.call("POST", f"/models/{model}/versions", body))["resource_id"] == resource


def test_liveness_ends_a_restored_iteration_whose_writer_is_gone(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    iteration = new_iteration(server)
    delete(server, "iteration", iteration)
    in_days(monkeypatch, 1)
    assert upkeep.run(60)
    assert restore(server, iteration)["status_id"] == 1
    assert upkeep.run(60)
    assert found(server.call("GET", f"/iterations/{iteration}"))["status_id"] == 1, "its writer gets its time again"
    in_days(monkeypatch, 0.1)
    assert upkeep.run(60)
    assert found(server.call("GET", f"/iterations/{iteration}"))["error_message"].startswith("Lost:")
    delete(server, "iteration", iteration)
    restore(server, iteration)
    ended = end(server, new_iteration(server))["id"]
    delete(server, "iteration", ended)
    assert restore(server, ended)["status_id"] == 2


def test_only_who_may_delete_restores_and_purges(server: Server) -> None:
    project = new_project(server)
    model = made(server.call("POST", f"/projects/{project}/models", {"name": "secret"}))["id"]
    reader, deleter = new_member(server, project, "read"), new_member(server, project, "delete")
    outsider = new_person(server)
    delete(server, "model", model)
    for method in ("POST", "DELETE"):
        statuses = [server.call(method, f"/trash/{model}", token=each.token).status for each in (outsider, reader)]
        assert statuses == [404, 403]
    for stranger in (outsider.token,):
        reply = server.call("GET", f"/models/{model}", token=stranger)
        unknown = server.call("GET", f"/models/{model[:-1]}0", token=stranger)
        assert reply.body["message"] == unknown.body["message"]
        assert "trash_id" not in reply.body["details"]
        assert server.call("GET", f"/projects/{project}/trash", token=stranger).status == 404
    assert server.call("GET", f"/projects/{project}/trash", token=deleter.token).status == 403
    assert trash_of(server, project, reader.token) == [model]
    restored = found(server.call("POST", f"/trash/{model}", token=deleter.token))
    assert (restored["id"], restored["name"]) == (model, ""), "a member who may not read sees no names"


def test_a_deleted_project_is_in_the_trash_of_who_may_delete_it(server: Server) -> None:
    project = new_project(server)
    owner = new_member(server, project, "read", "delete")
    others = [new_member(server, project, "read", "update"), new_member(server, project, "delete"), new_person(server)]
    delete(server, "project", project)
    assert [each["id"] for each in pages(server, "/trash", 1, owner.token)] == [project]
    assert [each["id"] for each in pages(server, "/trash", 1)] == [project]
    assert [pages(server, "/trash", 50, each.token) for each in others] == [[], [], []]
    assert server.call("POST", f"/trash/{project}", token=others[0].token).status == 403
    found(server.call("POST", f"/trash/{project}", token=owner.token))
    assert found(server.call("GET", f"/projects/{project}", token=others[0].token))["id"] == project
    assert pages(server, "/trash", 50, owner.token) == []


def test_a_purge_date_without_its_object_is_forgotten(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A removal of both rows of an entry was cut short between the two."""
    project = new_project(server)
    delete(server, "experiment", new_experiment(server, project))
    (entry,) = trash.list_entries_of_project(project, 1, None).data
    item.delete_items([keys.trash(project, entry.target_id, entry.target_id)])
    in_days(monkeypatch, 8)
    assert upkeep.run(60)
    assert list(trash.each_due(clock.now())) == []
    experiment = keys.experiment(project, entry.target_id)
    item.delete_items([experiment, keys.experiment_ref(entry.target_id)])


@pytest.mark.parametrize("days", ["a week", "-1", "1.5", "9999999"])
def test_the_days_are_a_whole_number(days: str) -> None:
    with pytest.raises(config.ConfigurationError, match="DEARDIARY_UNDO_DAYS"):
        config.read({"DEARDIARY_UNDO_DAYS": days})
    assert config.read({"DEARDIARY_UNDO_DAYS": "0"}).undo is None
    assert config.read({"DEARDIARY_UNDO_DAYS": "30"}).undo == timedelta(days=30)
