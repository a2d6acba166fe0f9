"""Versions of models."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import deardiary
from chalicelib.services import modelversion as service
from chalicelib.storage.model import ModelRow
from chalicelib.storage.table import item, keys
from tests.support.api import (
    ALL,
    check_invalid,
    check_refused,
    end,
    found,
    made,
    new_experiment,
    new_iteration,
    new_member,
    new_person,
    new_project,
    new_ready_resource,
    pages,
    rows,
)
from tests.support.consistency import check_consistency
from tests.support.server import Server

NO_STAGE, STAGING, PRODUCTION, ARCHIVED = 1, 2, 3, 4


@dataclass(frozen=True)
class Registered:
    """A model, and possible origins of its versions."""

    server: Server
    project_id: str
    experiment_id: str
    iteration_id: str
    model_id: str

    def post(self, **body: Any) -> Any:
        return self.server.call("POST", self.path, {"iteration_id": self.iteration_id, **body})

    def new(self, **body: Any) -> str:
        return str(made(self.post(**body))["id"])

    def get(self, version_id: str) -> Any:
        return found(self.server.call("GET", f"/modelversions/{version_id}"))

    def patch(self, version_id: str, **body: Any) -> Any:
        return found(self.server.call("PATCH", f"/modelversions/{version_id}", body))

    def stages(self) -> list[int]:
        return [each["stage_id"] for each in found(self.server.call("GET", self.path))["data"]]

    @property
    def path(self) -> str:
        return f"/models/{self.model_id}/versions"


@pytest.fixture
def model(server: Server) -> Registered:
    project = new_project(server)
    experiment = new_experiment(server, project)
    made_model = made(server.call("POST", f"/projects/{project}/models", {"name": "iris"}))
    return Registered(server, project, experiment, new_iteration(server, experiment), made_model["id"])


def test_a_new_version_whole(server: Server, model: Registered) -> None:
    resource = new_ready_resource(server, model.experiment_id, b"whole")
    version = made(model.post(resource_id=resource["id"], description="first", source="s3://elsewhere/1"))
    assert version == {
        "id": version["id"],
        "model_id": model.model_id,
        "version": 1,
        "iteration_id": model.iteration_id,
        "resource_id": resource["id"],
        "stage_id": NO_STAGE,
        "description": "first",
        "source": "s3://elsewhere/1",
        "created_by": found(model.server.call("GET", "/auth/me"))["id"],
        "created_date": version["created_date"],
        "updated_date": None,
        "labels": {},
        "aliases": [],
    }
    assert model.get(version["id"]) == version
    second = made(model.post())
    assert (second["resource_id"], second["source"]) == (None, "")
    assert [each["source"] for each in found(server.call("GET", model.path))["data"]] == ["s3://elsewhere/1", ""]
    check_invalid(model.post(source="x" * (64 * 2**10 + 1)), "source")


def test_numbers_go_up_and_none_comes_twice(server: Server, model: Registered) -> None:
    first, second = model.new(), model.new()
    assert server.call("DELETE", f"/modelversions/{second}").status == 204
    check_refused(server.call("GET", f"/modelversions/{second}"), 404, "NOT_FOUND")
    check_refused(server.call("DELETE", f"/modelversions/{second}"), 404, "NOT_FOUND")
    check_refused(server.call("PATCH", f"/modelversions/{second}", {"description": "x"}), 404, "NOT_FOUND")
    third = model.new()
    assert [model.get(each)["version"] for each in (first, third)] == [1, 3]
    assert first < second < third


def test_an_id_key_finds_what_it_created(server: Server, model: Registered) -> None:
    before = set(rows())
    first = model.new(id_key="key", description="first")
    again = found(model.post(id_key="key", description="again"))
    assert (again["id"], again["description"]) == (first, "first")
    other = new_iteration(server, model.experiment_id)
    check_refused(model.post(id_key="key", iteration_id=other), 409, "CONFLICT")
    assert server.call("DELETE", f"/modelversions/{first}").status == 204
    assert {key for key in set(rows()) - before if model.model_id in "".join(key)} == set()
    assert model.get(model.new(id_key="key"))["version"] == 2


@pytest.mark.parametrize(
    "version_id", ["x", "1", "{model}", "{model}.1", "{model}.00000000x", "{model}.x.000000001", ".000000001"]
)
def test_an_impossible_version_id_is_not_found(server: Server, model: Registered, version_id: str) -> None:
    model.new()
    path = f"/modelversions/{version_id.format(model=model.model_id)}"
    for method, body in (("GET", None), ("PATCH", {"stage_id": STAGING}), ("DELETE", None)):
        check_refused(server.call(method, path, body), 404, "NOT_FOUND")


def test_iteration_and_resource_are_of_the_models_project(server: Server, model: Registered) -> None:
    elsewhere = new_experiment(server)
    foreign = new_ready_resource(server, elsewhere, b"foreign")["id"]
    check_invalid(model.post(iteration_id=new_iteration(server, elsewhere)), "iteration_id")
    check_invalid(model.post(iteration_id="0" * 24), "iteration_id")
    check_invalid(model.post(resource_id=foreign), "resource_id")
    check_invalid(model.post(resource_id="0" * 24), "resource_id")
    near = new_ready_resource(server, new_experiment(server, model.project_id), b"near")["id"]
    assert made(model.post(resource_id=near))["version"] == 1


def test_a_deleted_origin_takes_no_version_and_leaves_those_made(server: Server, model: Registered) -> None:
    resource = new_ready_resource(server, model.experiment_id, b"origin")["id"]
    version = model.new(resource_id=resource)
    before = model.get(version)
    assert server.call("DELETE", f"/resources/{resource}?purge=true").status == 204
    check_invalid(model.post(resource_id=resource), "resource_id")
    assert server.call("DELETE", f"/iterations/{model.iteration_id}?purge=true").status == 204
    check_invalid(model.post(), "iteration_id")
    assert model.get(version) == before


def test_an_ended_iteration_can_be_registered(server: Server, model: Registered) -> None:
    end(server, model.iteration_id)
    assert made(model.post())["version"] == 1


def test_production_is_one(model: Registered) -> None:
    first, second, third = model.new(), model.new(), model.new()
    assert model.patch(first, stage_id=STAGING)["stage_id"] == STAGING
    promoted = model.patch(first, stage_id=PRODUCTION)
    assert model.get(first) == promoted
    assert model.patch(first, stage_id=PRODUCTION) == promoted
    assert model.patch(second, stage_id=PRODUCTION, description="better")["description"] == "better"
    assert model.stages() == [ARCHIVED, PRODUCTION, NO_STAGE]
    assert model.get(first)["updated_date"] >= promoted["updated_date"]
    model.patch(third, stage_id=PRODUCTION)
    model.patch(first, stage_id=PRODUCTION)
    assert model.stages() == [PRODUCTION, ARCHIVED, ARCHIVED]


@pytest.mark.parametrize("stage", [NO_STAGE, STAGING, ARCHIVED])
def test_production_can_be_left(model: Registered, stage: int) -> None:
    first, second = model.new(), model.new()
    model.patch(first, stage_id=PRODUCTION)
    assert model.patch(first, stage_id=stage)["stage_id"] == stage
    assert model.stages() == [stage, NO_STAGE]
    model.patch(second, stage_id=PRODUCTION)
    assert model.stages() == [stage, PRODUCTION]


def test_a_deleted_production_version_leaves_none(server: Server, model: Registered) -> None:
    first, second = model.new(), model.new()
    model.patch(first, stage_id=PRODUCTION)
    assert server.call("DELETE", f"/modelversions/{first}").status == 204
    assert found(server.call("GET", f"{model.path}?stage=3"))["data"] == []
    model.patch(second, stage_id=PRODUCTION)
    assert model.stages() == [PRODUCTION]


def test_lists_by_stage(server: Server, model: Registered) -> None:
    ids = [model.new() for _ in range(6)]
    for version_id, stage in zip(ids, (PRODUCTION, PRODUCTION, STAGING, ARCHIVED, PRODUCTION), strict=False):
        model.patch(version_id, stage_id=stage)
    expected = {NO_STAGE: [5], STAGING: [2], PRODUCTION: [4], ARCHIVED: [0, 1, 3]}
    for stage, positions in expected.items():
        listed = pages(server, f"{model.path}?stage={stage}", 2)
        assert [each["id"] for each in listed] == [ids[position] for position in positions]
        assert {each["stage_id"] for each in listed} == {stage}
    assert [each["id"] for each in pages(server, model.path, 4)] == ids
    check_invalid(server.call("GET", f"{model.path}?stage=5"), "stage")
    check_invalid(server.call("GET", f"{model.path}?stage=3&cursor=x"), "cursor")


def test_a_patch_changes_the_fields_that_it_names(server: Server, model: Registered) -> None:
    version = made(model.post(description="old"))
    assert model.patch(version["id"]) == version
    changed = model.patch(version["id"], description="new")
    assert changed["updated_date"] is not None
    assert changed | {"description": "old", "updated_date": None} == version
    path = f"/modelversions/{version['id']}"
    check_invalid(server.call("PATCH", path, {"stage_id": 5}), "stage_id")
    check_invalid(server.call("PATCH", path, {"version": 7}), "version")


@pytest.mark.parametrize("stage", [NO_STAGE, STAGING, PRODUCTION])
def test_a_version_gets_its_resource_once(server: Server, model: Registered, stage: int) -> None:
    first, second = (new_ready_resource(server, model.experiment_id, name)["id"] for name in (b"first", b"second"))
    version = model.new(id_key="key")
    changed = model.patch(version, resource_id=first, stage_id=stage, description="with a file")
    assert (changed["resource_id"], changed["stage_id"], changed["description"]) == (first, stage, "with a file")
    assert model.get(version) == changed
    assert model.patch(version, resource_id=first) == changed
    check_refused(
        server.call("PATCH", f"/modelversions/{version}", {"resource_id": second}), 409, "CONFLICT", "resource_id"
    )
    check_invalid(server.call("PATCH", f"/modelversions/{version}", {"resource_id": None}), "resource_id")
    assert model.get(version) == changed
    # A repetition of the creation finds the version, with and without the resource.
    assert found(model.post(id_key="key")) == found(model.post(id_key="key", resource_id=first)) == changed


@pytest.mark.parametrize("stage", [NO_STAGE, PRODUCTION])
def test_a_version_gets_no_resource_that_is_not_in_its_project(server: Server, model: Registered, stage: int) -> None:
    version = model.new()
    foreign = new_ready_resource(server, new_experiment(server), b"foreign")["id"]
    near = new_ready_resource(server, new_experiment(server, model.project_id), b"near")["id"]
    for other in (foreign, "0" * 24):
        body = {"resource_id": other, "stage_id": stage}
        check_invalid(server.call("PATCH", f"/modelversions/{version}", body), "resource_id")
    assert (model.get(version)["resource_id"], model.get(version)["stage_id"]) == (None, NO_STAGE)
    assert model.patch(version, resource_id=near)["resource_id"] == near


@pytest.mark.parametrize("stage", [NO_STAGE, PRODUCTION])
def test_of_two_resources_given_at_once_one_stays(
    server: Server, model: Registered, monkeypatch: pytest.MonkeyPatch, stage: int
) -> None:
    first, second = (new_ready_resource(server, model.experiment_id, name)["id"] for name in (b"first", b"second"))
    version, find = model.new(), service._resource
    others = [second]

    def find_late(*given: Any) -> Any:
        while others:
            model.patch(version, resource_id=others.pop())
        return find(*given)

    monkeypatch.setattr(service, "_resource", find_late)
    body = {"resource_id": first, "stage_id": stage}
    refused = server.call("PATCH", f"/modelversions/{version}", body)
    check_refused(refused, 409, "CONFLICT", "resource_id")
    assert (model.get(version)["resource_id"], model.get(version)["stage_id"]) == (second, NO_STAGE)


def test_a_resource_that_is_deleted_meanwhile_is_not_given(
    server: Server, model: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource, version, find = (
        new_ready_resource(server, model.experiment_id, b"x")["id"],
        model.new(),
        service._resource,
    )

    def find_and_delete(*given: Any) -> Any:
        line = find(*given)
        assert server.call("DELETE", f"/resources/{resource}?purge=true").status == 204
        return line

    monkeypatch.setattr(service, "_resource", find_and_delete)
    check_invalid(server.call("PATCH", f"/modelversions/{version}", {"resource_id": resource}), "resource_id")
    assert model.get(version)["resource_id"] is None


def registered(model: Registered, iteration_id: str = "") -> list[Any]:
    path = f"/iterations/{iteration_id or model.iteration_id}/modelversions"
    return pages(model.server, path, 2)


@pytest.fixture
def other(server: Server, model: Registered) -> Registered:
    """Another model, with versions of the same iteration."""
    body = {"name": "rose"}
    return replace(model, model_id=made(server.call("POST", f"/projects/{model.project_id}/models", body))["id"])


def test_an_iteration_lists_its_versions_of_all_models(server: Server, model: Registered, other: Registered) -> None:
    elsewhere = new_iteration(server, model.experiment_id)
    assert registered(model) == []
    mine = [model.new(), model.new(), model.new(), other.new()]
    theirs = made(other.post(iteration_id=elsewhere))["id"]
    model.patch(mine[1], stage_id=PRODUCTION)
    found(server.call("PUT", f"/models/{model.model_id}/aliases/champion", {"version": 1}))
    assert registered(model) == [model.get(each) for each in mine]
    assert [each["stage_id"] for each in registered(model)] == [NO_STAGE, PRODUCTION, NO_STAGE, NO_STAGE]
    assert registered(model)[0]["aliases"] == ["champion"]
    assert [each["id"] for each in registered(model, elsewhere)] == [theirs]
    listed = server.client().iterations.modelversions(model.iteration_id)
    assert [each.id for each in listed] == mine
    check_consistency()


def test_an_experiment_lists_the_versions_that_depend_on_it(
    server: Server, model: Registered, other: Registered
) -> None:
    elsewhere = new_experiment(server, model.project_id)
    foreign, sibling = new_iteration(server, elsewhere), new_iteration(server, model.experiment_id)
    file = new_ready_resource(server, model.experiment_id, b"a", iteration_id=sibling)["id"]
    foreign_file = new_ready_resource(server, elsewhere, b"b", iteration_id=foreign)["id"]
    ours = model.new()
    file_only = model.new(iteration_id=foreign, resource_id=file)
    mixed = other.new(resource_id=foreign_file)
    other.new(iteration_id=foreign, resource_id=foreign_file)
    model.patch(file_only, stage_id=PRODUCTION)
    listed = list(server.client().experiments.modelversions(model.experiment_id))
    assert [(each.id, each.version, each.model_name, each.stage_id) for each in listed] == [
        (ours, 1, "iris", NO_STAGE),
        (file_only, 2, "iris", PRODUCTION),
        (mixed, 1, "rose", NO_STAGE),
    ]
    assert [(each.iteration_id, each.resource_id, each.file_iteration_id) for each in listed] == [
        (model.iteration_id, None, None),
        (None, file, sibling),
        (model.iteration_id, None, None),
    ]
    path = f"/experiments/{model.experiment_id}/modelversions"
    assert [each["id"] for each in pages(server, path, 1)] == [each.id for each in listed]
    # Those that have lost both already lose no more.
    assert server.call("DELETE", f"/resources/{file}").status == 204
    assert server.call("DELETE", f"/models/{other.model_id}").status == 204
    assert [each["id"] for each in found(server.call("GET", path))["data"]] == [ours]


def test_a_deleted_version_or_model_is_not_listed(server: Server, model: Registered, other: Registered) -> None:
    first, second, third = model.new(), model.new(), other.new()
    assert server.call("DELETE", f"/modelversions/{first}").status == 204
    assert [each["id"] for each in registered(model)] == [second, third]
    assert server.call("DELETE", f"/models/{model.model_id}?purge=true").status == 204
    assert [each["id"] for each in registered(model)] == [third]
    check_consistency()
    assert server.call("DELETE", f"/iterations/{model.iteration_id}?purge=true").status == 204
    check_refused(server.call("GET", f"/iterations/{model.iteration_id}/modelversions"), 404, "NOT_FOUND")
    assert other.get(third)["iteration_id"] == model.iteration_id
    assert server.call("DELETE", f"/modelversions/{third}").status == 204
    check_consistency()


def test_a_deleted_model_leaves_no_row(server: Server, model: Registered) -> None:
    before = {key for key in rows() if model.model_id not in "".join(key)}
    for _ in range(30):
        model.new()
    assert server.call("DELETE", f"/models/{model.model_id}?purge=true").status == 204
    left = set(rows())
    assert not [key for key in left if model.model_id in "".join(key)]
    assert {key for key in before if "MODELNAME" not in key[1]} <= left


def test_the_versions_of_an_older_server_are_listed_too(server: Server, model: Registered) -> None:
    first = model.new()
    model_key = keys.model(model.project_id, model.model_id)
    ModelRow(*model_key).update([ModelRow.links_versions.remove()])
    item.delete_items([keys.version_link(model.iteration_id, first)])
    second = model.new()
    assert [each["id"] for each in registered(model)] == [first, second]
    check_consistency()
    assert server.call("DELETE", f"/modelversions/{first}").status == 204
    assert server.call("DELETE", f"/models/{model.model_id}?purge=true").status == 204
    assert registered(model) == []
    check_consistency()


def test_the_permissions_of_each_operation(server: Server, model: Registered) -> None:
    path = f"/modelversions/{model.new()}"
    stranger = new_person(server).token
    calls: list[tuple[str, str, Any, str]] = [
        ("POST", model.path, {"iteration_id": model.iteration_id}, "create"),
        ("GET", model.path, None, "read"),
        ("GET", path, None, "read"),
        ("PATCH", path, {"stage_id": PRODUCTION}, "update"),
        ("DELETE", path, None, "delete"),
    ]
    for method, target, body, need in calls:
        check_refused(server.call(method, target, body, token=stranger), 404, "NOT_FOUND")
        without = new_member(server, model.project_id, *(each for each in ALL if each != need)).token
        check_refused(server.call(method, target, body, token=without), 403, "PROJECT_PERMISSION_REQUIRED")
        holder = new_member(server, model.project_id, need).token
        assert server.call(method, target, body, token=holder).status < 300


def test_the_client_registers_a_file_of_an_iteration(server: Server, tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"registered")
    (tmp_path / "other.pkl").write_bytes(b"uploaded on the way")
    client = server.client()
    with deardiary.start("Registry", "sweep", client=client) as iteration:
        resource = new_ready_resource(
            server, iteration.experiment_id, b"x", name="model.pkl", iteration_id=iteration.id
        )
        first = iteration.register_model("iris-classifier", "model.pkl")
        second = iteration.register_model("iris-classifier", tmp_path / "model.pkl", "again")
        third = iteration.register_model("iris-classifier", tmp_path / "other.pkl")
        with pytest.raises(FileNotFoundError):
            iteration.register_model("iris-classifier", tmp_path / "nothing.pkl")
    assert (first.version, second.version, second.description) == (1, 2, "again")
    assert first.resource_id == second.resource_id == resource["id"]
    assert third.resource_id is not None
    assert client.resources.get(third.resource_id).name == "other.pkl"
    assert first.iteration_id == iteration.id
    promoted = client.modelversions.update(second.id, stage_id=deardiary.Stage.PRODUCTION)
    assert list(client.modelversions.list(first.model_id, stage=deardiary.Stage.PRODUCTION)) == [promoted]
    project_id = client.experiments.get(iteration.experiment_id).project_id
    (model,) = client.models.list(project_id)
    assert client.models.find_or_create(project_id, "iris-classifier") == model
    assert client.models.update(model.id, name="renamed").name == "renamed"
    client.modelversions.delete(first.id)
    assert [each.version for each in client.modelversions.list(model.id)] == [2, 3]
    client.models.delete(model.id, purge=True)
    assert list(client.models.list(project_id)) == []


def test_a_change_of_which_versions_and_stages_a_model_has_dates_the_model(server: Server, model: Registered) -> None:
    def updated() -> str:
        return str(found(server.call("GET", f"/models/{model.model_id}"))["updated_date"])

    dates = [updated()]

    def dated() -> bool:
        dates.append(updated())
        return dates[-1] != dates[-2]

    version, _other = model.new(), model.new()
    assert dated()
    for stage in (STAGING, PRODUCTION, ARCHIVED):
        time.sleep(0.002)
        model.patch(version, stage_id=stage)
        assert dated(), stage
    model.patch(version, description="a text of the version itself")
    assert not dated()
    assert server.call("DELETE", f"/modelversions/{version}").status == 204
    assert dated()
