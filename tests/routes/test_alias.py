"""Aliases of model versions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import deardiary
from chalicelib import limits
from chalicelib.storage import modelversion
from tests.support.api import (
    check_invalid,
    check_refused,
    found,
    made,
    new_experiment,
    new_iteration,
    new_project,
    rows,
)
from tests.support.consistency import check_consistency
from tests.support.server import Reply, Server


@dataclass(frozen=True)
class Aliased:
    """A model with three versions."""

    server: Server
    project_id: str
    model_id: str
    versions: list[str]

    def call(self, method: str, alias: str, body: Any = None) -> Reply:
        return self.server.call(method, f"/models/{self.model_id}/aliases/{quote(alias, safe='')}", body)

    def put(self, alias: str, version: int) -> Any:
        return found(self.call("PUT", alias, {"version": version}))

    def get(self, alias: str) -> int:
        return int(found(self.call("GET", alias))["version"])

    def aliases(self) -> dict[str, int]:
        """The aliases by the model, if they are also those by the list of its versions."""
        listed = found(self.server.call("GET", f"/models/{self.model_id}/versions"))["data"]
        aliases: dict[str, int] = found(self.server.call("GET", f"/models/{self.model_id}"))["aliases"]
        assert {alias: each["version"] for each in listed for alias in each["aliases"]} == aliases
        return aliases


@pytest.fixture
def model(server: Server) -> Aliased:
    project = new_project(server)
    iteration = new_iteration(server, new_experiment(server, project))
    model_id = made(server.call("POST", f"/projects/{project}/models", {"name": "iris"}))["id"]
    path, body = f"/models/{model_id}/versions", {"iteration_id": iteration}
    versions = [made(server.call("POST", path, body))["id"] for _ in range(3)]
    return Aliased(server, project, model_id, versions)


def test_an_alias_names_one_version_and_moves(server: Server, model: Aliased) -> None:
    assert model.aliases() == {}
    named = model.put("champion", 1)
    assert (named["id"], named["aliases"]) == (model.versions[0], ["champion"])
    assert found(model.call("GET", "champion")) == named
    moved = model.put("champion", 3)
    assert (moved["version"], moved["aliases"]) == (3, ["champion"])
    assert model.aliases() == {"champion": 3}
    assert found(server.call("GET", f"/modelversions/{model.versions[0]}"))["aliases"] == []
    listed = found(server.call("GET", f"/projects/{model.project_id}/models"))["data"]
    assert [each["aliases"] for each in listed] == [{"champion": 3}]


def test_a_version_has_several_aliases_in_order(model: Aliased) -> None:
    for alias in ("second", "first", "second"):
        assert alias in model.put(alias, 2)["aliases"]
    assert model.put("third", 2)["aliases"] == ["first", "second", "third"]
    assert model.aliases() == {"first": 2, "second": 2, "third": 2}


def test_the_same_move_twice_writes_once(model: Aliased) -> None:
    model.put("champion", 2)
    before = rows()
    model.put("champion", 2)
    assert rows() == before


def test_a_deleted_alias_leaves_its_version(model: Aliased) -> None:
    before = rows()
    model.put("champion", 2)
    model.put("challenger", 2)
    assert model.call("DELETE", "champion").status == 204
    assert model.aliases() == {"challenger": 2}
    for method in ("GET", "DELETE"):
        refused = model.call(method, "champion")
        check_refused(refused, 404, "NOT_FOUND")
        assert refused.body["details"] == {"kind": "alias", "id": "champion"}
    assert model.call("DELETE", "challenger").status == 204
    assert rows() == before


@pytest.mark.parametrize("stage", [1, 3])
def test_a_deleted_version_takes_its_aliases_along(server: Server, model: Aliased, stage: int) -> None:
    for alias, version in (("champion", 2), ("stable", 2), ("challenger", 3)):
        model.put(alias, version)
    found(server.call("PATCH", f"/modelversions/{model.versions[1]}", {"stage_id": stage}))
    assert server.call("DELETE", f"/modelversions/{model.versions[1]}").status == 204
    assert model.aliases() == {"challenger": 3}
    check_refused(model.call("GET", "champion"), 404, "NOT_FOUND")
    check_consistency()


def test_a_stage_and_a_name_leave_aliases(server: Server, model: Aliased) -> None:
    model.put("champion", 1)
    for stage in (3, 2):
        changed = found(server.call("PATCH", f"/modelversions/{model.versions[0]}", {"stage_id": stage}))
        assert changed["aliases"] == ["champion"]
    renamed = found(server.call("PATCH", f"/models/{model.model_id}", {"name": "iris 2", "description": "x"}))
    assert renamed["aliases"] == model.aliases() == {"champion": 1}


@pytest.mark.parametrize("alias", ["a", "a" * 255, "Champion", "2nd-best_one", "été", "va1", "latest-good"])
def test_an_alias_is_a_word(model: Aliased, alias: str) -> None:
    model.put(alias, 1)
    assert model.get(alias) == 1


@pytest.mark.parametrize("alias", ["3", "v3", "V12", "latest", "Latest", "a" * 256, "a b", "a@b", "a.b", "%", "a\n"])
def test_other_texts_are_no_alias(model: Aliased, alias: str) -> None:
    check_invalid(model.call("PUT", alias, {"version": 1}), "alias")
    check_refused(model.call("GET", alias), 404, "NOT_FOUND")
    check_refused(model.call("DELETE", alias), 404, "NOT_FOUND")


@pytest.mark.parametrize("version", [0, -1, 4, 10**9, "1", None, 1.5])
def test_a_version_that_does_not_exist_takes_no_alias(model: Aliased, version: Any) -> None:
    check_invalid(model.call("PUT", "champion", {"version": version}), "version")
    check_invalid(model.call("PUT", "champion", {}), "version")
    assert model.aliases() == {}


def test_the_number_of_aliases_has_a_limit(model: Aliased) -> None:
    for number in range(limits.MAX_MODEL_ALIASES):
        model.put(f"alias-{number}", 1)
    check_invalid(model.call("PUT", "one-more", {"version": 1}), "alias")
    model.put("alias-7", 2)
    assert len(model.aliases()) == limits.MAX_MODEL_ALIASES


def test_a_deleted_model_has_no_aliases(server: Server, model: Aliased) -> None:
    model.put("champion", 1)
    assert server.call("DELETE", f"/models/{model.model_id}").status == 204
    for method, body in (("GET", None), ("PUT", {"version": 1}), ("DELETE", None)):
        check_refused(model.call(method, "champion", body), 404, "NOT_FOUND")


def _while_reading(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Run `act` once, between the read of the model and the next read of a version."""
    find, acts = modelversion.find_version, [act]

    def first_act(*given: Any) -> Any:
        if acts:
            acts.pop()()
        return find(*given)

    monkeypatch.setattr(modelversion, "find_version", first_act)


def test_an_alias_that_moves_during_a_read_is_found(
    server: Server, model: Aliased, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.put("champion", 1)

    def move() -> None:
        model.put("champion", 2)
        assert server.call("DELETE", f"/modelversions/{model.versions[0]}").status == 204

    _while_reading(monkeypatch, move)
    assert model.get("champion") == 2


def test_a_version_that_is_deleted_meanwhile_takes_no_alias(
    server: Server, model: Aliased, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_version = modelversion.name_version

    def late(*given: Any) -> None:
        server.call("DELETE", f"/modelversions/{model.versions[0]}")
        name_version(*given)

    monkeypatch.setattr(modelversion, "name_version", late)
    check_invalid(model.call("PUT", "champion", {"version": 1}), "version")
    assert model.aliases() == {}
    check_consistency()


def test_two_aliases_that_are_set_at_once_both_stay(model: Aliased, monkeypatch: pytest.MonkeyPatch) -> None:
    _while_reading(monkeypatch, lambda: model.put("challenger", 2))
    model.put("champion", 1)
    assert model.aliases() == {"champion": 1, "challenger": 2}


@pytest.fixture
def client(server: Server, model: Aliased) -> deardiary.Client:
    """A client; the project's name is its id, and the third version has a file."""
    client = server.client()
    client.projects.update(model.project_id, name=model.project_id)
    return client


@pytest.mark.parametrize("default", [True, False])
def test_the_client_finds_a_version_by_its_reference(
    client: deardiary.Client, model: Aliased, monkeypatch: pytest.MonkeyPatch, default: bool
) -> None:
    above = "" if default else f"{model.project_id}/"
    if default:
        monkeypatch.setenv("DEARDIARY_PROJECT", model.project_id)
    third = client.models.set_alias(model.model_id, "champion", 3)
    assert (third.version, third.aliases) == (3, ("champion",))
    assert client.models.get_alias(model.model_id, "champion") == third
    for reference in (f"{above}iris@champion", f"{above}iris/3", third.id):
        assert client.modelversions.get(reference) == third
    client.models.update(model.model_id, name="a/b@c")
    for reference in (f"{above}a/b@c@champion", f"{above}a/b@c/3"):
        assert client.modelversions.get(reference) == third
    # A model with aliases is a member of a set, as every object is.
    assert {client.models.get(model.model_id)} == set(client.models.list(model.project_id))
    client.models.delete_alias(model.model_id, "champion")
    assert client.models.get(model.model_id).aliases == {}


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("iris@champion", "no model 'iris': name it as PROJECT/MODEL"),
        ("iris/3", "no model 'iris'"),
        ("{project}/rose@champion", "no model '{project}/rose'"),
        ("{project}/iris@nobody", "Alias not found"),
        ("{project}/iris/4", "The model {project}/iris has no version 4"),
        ("iris", "Model version not found"),
    ],
)
def test_a_reference_to_no_version_says_why(
    client: deardiary.Client, model: Aliased, monkeypatch: pytest.MonkeyPatch, reference: str, reason: str
) -> None:
    monkeypatch.delenv("DEARDIARY_PROJECT", raising=False)
    with pytest.raises(deardiary.NotFound) as refused:
        client.modelversions.get(reference.format(project=model.project_id))
    assert reason.format(project=model.project_id) in str(refused.value)


def test_the_client_downloads_the_file_of_a_reference(client: deardiary.Client, model: Aliased, tmp_path: Path) -> None:
    iteration = client.iterations.get(str(client.modelversions.get(model.versions[0]).iteration_id))
    (tmp_path / "weights").write_bytes(b"weights")
    file = client.resources.upload(iteration.experiment_id, tmp_path / "weights")
    version = client.modelversions.create(model.model_id, iteration.id, resource_id=file.id)
    client.models.set_alias(model.model_id, "champion", version.version)
    folder = tmp_path / "there"
    folder.mkdir()
    path = client.models.download(f"{model.project_id}/iris@champion", folder)
    assert (path, path.read_bytes()) == (folder / "weights", b"weights")
    with pytest.raises(FileNotFoundError, match="Version 1 of this model has no file"):
        client.models.download(f"{model.project_id}/iris/1", folder)
