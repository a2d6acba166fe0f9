"""Inputs of an iteration, and from the other end the uses of a resource and of a model version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.services.lifecycle import deletion
from chalicelib.services.lifecycle.sweep import resume_deletions
from chalicelib.storage import input as inputs
from deardiary.wire import limits
from deardiary.wire.shapes import Input, Iteration, Model, Resource
from tests.support.api import (
    check_invalid,
    check_refused,
    end,
    found,
    made,
    new_experiment,
    new_iteration,
    new_member,
    new_project,
    new_resource,
    pages,
    rows,
)
from tests.support.server import Reply, Server

UNKNOWN = "0" * 24


@dataclass(frozen=True)
class Reading:
    """An iteration, and in its project a resource and a model version to read."""

    server: Server
    project_id: str
    experiment_id: str
    iteration_id: str
    resource: Any
    model_id: str
    version_id: str

    def post(self, iteration_id: str = "", **body: Any) -> Reply:
        return self.server.call("POST", f"/iterations/{iteration_id or self.iteration_id}/inputs", body)

    def read_resource(self, iteration_id: str = "", **body: Any) -> Any:
        return made(self.post(iteration_id, kind="resource", resource_id=self.resource["id"], **body))

    def read_version(self, iteration_id: str = "", **body: Any) -> Any:
        return made(self.post(iteration_id, kind="model", modelversion_id=self.version_id, **body))

    def inputs(self, iteration_id: str = "") -> list[Any]:
        return pages(self.server, f"/iterations/{iteration_id or self.iteration_id}/inputs", 2)

    def users(self, limit: int = 50) -> list[str]:
        """The ids of the iterations that have read the resource."""
        return [each["id"] for each in pages(self.server, f"/resources/{self.resource['id']}/uses", limit)]

    def users_of_version(self, limit: int = 50) -> list[str]:
        return [each["id"] for each in pages(self.server, f"/modelversions/{self.version_id}/uses", limit)]


@pytest.fixture
def reading(server: Server) -> Reading:
    project_id = new_project(server)
    experiment_id = new_experiment(server, project_id)
    source = new_iteration(server, experiment_id)
    model = made(server.call("POST", f"/projects/{project_id}/models", {"name": "iris"}))
    version = made(server.call("POST", f"/models/{model['id']}/versions", {"iteration_id": source}))
    resource = new_resource(server, experiment_id, b"flowers", name="flowers.csv")
    iteration_id = new_iteration(server, experiment_id)
    return Reading(server, project_id, experiment_id, iteration_id, resource, model["id"], version["id"])


def test_a_dataset_whole(reading: Reading) -> None:
    given: dict[str, Any] = {
        "kind": "dataset",
        "name": "flowers",
        "digest": "abc123",
        "source": "s3://bucket/flowers.csv",
        "source_type": "s3",
        "context": "training",
        "description": "150 flowers",
        "labels": {"rows": "150", "é": "ü"},
    }
    new = made(reading.post(**given))
    assert new == {
        **given,
        "id": new["id"],
        "iteration_id": reading.iteration_id,
        "resource_id": None,
        "modelversion_id": None,
    }
    assert reading.inputs() == [new]


def test_a_resource_and_a_version_give_what_is_left_out(reading: Reading) -> None:
    resource, version = reading.read_resource(), reading.read_version()
    assert (resource["name"], resource["digest"]) == ("flowers.csv", reading.resource["content_hash"])
    assert (version["name"], version["digest"]) == ("iris/1", "")
    assert reading.read_resource(name="mine", digest="d")["name"] == "mine"
    assert reading.users() == reading.users_of_version() == [reading.iteration_id]


def test_the_same_again_is_the_same_input_and_any_difference_is_another(reading: Reading) -> None:
    base = {"kind": "dataset", "name": "flowers", "digest": "1", "context": "training"}
    first = made(reading.post(**base))
    assert found(reading.post(**base, source="elsewhere", labels={"a": "b"})) == first
    others = [{"name": "trees"}, {"digest": "2"}, {"context": ""}, {"resource_id": reading.resource["id"]}]
    ids = {made(reading.post(**base | other))["id"] for other in others}
    assert len(ids | {first["id"]}) == 5
    assert [each["id"] for each in reading.inputs()] == sorted(ids | {first["id"]})


def test_a_repeated_request_answers_the_input_of_a_resource_that_is_gone(reading: Reading) -> None:
    first = reading.read_resource()
    assert reading.server.call("DELETE", f"/resources/{reading.resource['id']}?purge=true").status == 204
    again = reading.post(kind="resource", resource_id=reading.resource["id"])
    assert found(again) == first


REFUSED = [
    ({}, "kind"),
    ({"kind": "file", "name": "a"}, "kind"),
    ({"kind": "dataset"}, "name"),
    ({"kind": "model"}, "name"),
    ({"kind": "resource", "name": "a"}, "resource_id"),
    ({"kind": "resource", "resource_id": UNKNOWN}, "resource_id"),
    ({"kind": "model", "modelversion_id": f"{UNKNOWN}.000000001"}, "modelversion_id"),
    ({"kind": "model", "modelversion_id": UNKNOWN}, "modelversion_id"),
    ({"kind": "model", "modelversion_id": "a#b"}, "modelversion_id"),
    ({"kind": "dataset", "name": "a", "modelversion_id": f"{UNKNOWN}.000000001"}, "modelversion_id"),
    ({"kind": "model", "resource_id": UNKNOWN, "modelversion_id": f"{UNKNOWN}.000000001"}, "modelversion_id"),
    ({"kind": "dataset", "name": "a" * 256}, "name"),
    ({"kind": "dataset", "name": "a", "digest": "a" * 256}, "digest"),
    ({"kind": "dataset", "name": "a", "source": "é" * 40_000}, "source"),
    ({"kind": "dataset", "name": "a", "labels": {"k" * 251: ""}}, "labels"),
    ({"kind": "dataset", "name": "a", "labels": {"k": "v" * 8001}}, "labels.k"),
    ({"kind": "dataset", "name": "a", "labels": {str(number): "" for number in range(501)}}, "labels"),
    ({"kind": "dataset", "name": "a", "labels": {str(number): "v" * 8000 for number in range(26)}}, "labels"),
    ({"kind": "dataset", "name": "a", "labels": {"k": None}}, "labels.k"),
    ({"kind": "dataset", "name": "a", "colour": "red"}, "colour"),
]


@pytest.mark.parametrize(("body", "field"), REFUSED, ids=[str(number) for number in range(len(REFUSED))])
def test_what_is_no_input_names_the_field(reading: Reading, body: dict[str, Any], field: str) -> None:
    check_invalid(reading.post(**body), field)
    assert reading.inputs() == []


def test_the_largest_input_fits(reading: Reading) -> None:
    text, word = "é" * (limits.MAX_TEXT_BYTES // 2), "w" * limits.MAX_NAME_CHARACTERS
    labels = {f"{number:03}{'k' * 47}": "é" * 179 for number in range(limits.MAX_LABELS)}
    words = dict.fromkeys(("name", "digest", "source_type", "context"), word)
    new = reading.read_version(**words, source=text, description=text, labels=labels)
    assert new["labels"] == labels
    assert reading.inputs() == [new]


def test_what_another_project_holds_cannot_be_read(server: Server, reading: Reading) -> None:
    """Also by an admin, who may read both projects."""
    stranger = new_iteration(server)
    check_invalid(reading.post(stranger, kind="resource", resource_id=reading.resource["id"]), "resource_id")
    check_invalid(reading.post(stranger, kind="model", modelversion_id=reading.version_id), "modelversion_id")
    assert reading.users() == reading.users_of_version() == []


def test_an_ended_iteration_keeps_its_inputs(server: Server, reading: Reading) -> None:
    kept = reading.read_resource()
    end(server, reading.iteration_id)
    check_invalid(reading.post(kind="dataset", name="late"), "end_date")
    check_invalid(server.call("DELETE", f"/iterations/{reading.iteration_id}/inputs/{kept['id']}"), "end_date")
    assert found(reading.post(kind="resource", resource_id=reading.resource["id"])) == kept
    assert reading.inputs() == [kept]


def test_a_deleted_input_is_gone_in_both_directions(server: Server, reading: Reading) -> None:
    for new in (reading.read_resource(), reading.read_version(), made(reading.post(kind="dataset", name="a"))):
        place = f"/iterations/{reading.iteration_id}/inputs/{new['id']}"
        other = f"/iterations/{new_iteration(server)}/inputs/{new['id']}"
        check_refused(server.call("DELETE", other), 404, "NOT_FOUND")
        assert server.call("DELETE", place).status == 204
        check_refused(server.call("DELETE", place), 404, "NOT_FOUND")
    assert (reading.inputs(), reading.users(), reading.users_of_version()) == ([], [], [])
    assert reading.read_resource()["id"] != new["id"]


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_uses_name_each_iteration_once(server: Server, reading: Reading, limit: int) -> None:
    readers = [reading.iteration_id, *(new_iteration(server, reading.experiment_id) for _ in range(2))]
    readers.append(new_iteration(server, new_experiment(server, reading.project_id)))
    for reader in readers:
        for context in ("training", "test"):
            reading.read_resource(reader, context=context)
            reading.read_version(reader, context=context)
    assert reading.users(limit) == reading.users_of_version(limit) == sorted(readers)


def test_uses_of_the_next_version_are_its_own(server: Server, reading: Reading) -> None:
    body = {"iteration_id": reading.iteration_id}
    second = made(server.call("POST", f"/models/{reading.model_id}/versions", body))["id"]
    reading.read_version()
    assert found(server.call("GET", f"/modelversions/{second}/uses"))["data"] == []


def test_a_damaged_cursor_is_named(server: Server, reading: Reading) -> None:
    for path in (f"/resources/{reading.resource['id']}/uses", f"/modelversions/{reading.version_id}/uses"):
        check_invalid(server.call("GET", f"{path}?cursor=abc"), "cursor")


def test_members_see_uses_and_inputs_by_their_permission(server: Server, reading: Reading) -> None:
    reading.read_resource()
    paths = [f"/iterations/{reading.iteration_id}/inputs", f"/resources/{reading.resource['id']}/uses"]
    paths.append(f"/modelversions/{reading.version_id}/uses")
    writer, outsider = new_member(server, reading.project_id, "create"), new_member(server, new_project(server), "read")
    for path in paths:
        check_refused(server.call("GET", path, token=outsider.token), 404, "NOT_FOUND")
        assert server.call("GET", path, token=writer.token).status == 403


def test_a_blind_writer_learns_no_name(server: Server, reading: Reading) -> None:
    writer = new_member(server, reading.project_id, "create")
    body = {"kind": "resource", "resource_id": reading.resource["id"]}
    answer = made(server.call("POST", f"/iterations/{reading.iteration_id}/inputs", body, token=writer.token))
    assert (answer["name"], answer["digest"], answer["resource_id"]) == ("", "", reading.resource["id"])


def left_of(reading: Reading) -> list[str]:
    """The sort keys of all rows that name the iteration."""
    return [sk for pk, sk in rows() if reading.iteration_id in pk + sk and sk.startswith(("INPUT", "USE"))]


ENDS = ["iterations/{0.iteration_id}", "experiments/{0.experiment_id}", "projects/{0.project_id}"]


@pytest.mark.parametrize("path", ENDS)
@pytest.mark.parametrize("at_once", [True, False])
def test_a_deletion_removes_both_directions(
    reading: Reading, path: str, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the request does not finish it."""
    for number in range(26):
        reading.read_resource(context=str(number))
    reading.read_version()
    if not at_once:
        monkeypatch.setattr(deletion, "REQUEST_SECONDS", -1.0)
    answered = reading.server.call("DELETE", f"/{path.format(reading)}?purge=true").status
    assert answered == (204 if at_once else 202)
    if path.startswith("iterations"):
        assert reading.users() == reading.users_of_version() == []
    if not at_once:
        assert left_of(reading)
        assert resume_deletions(60)
    assert left_of(reading) == []


def test_the_uses_of_a_deleted_experiment_do_not_show(
    server: Server, reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = new_experiment(server, reading.project_id)
    reading.read_version(new_iteration(server, other))
    monkeypatch.setattr(deletion, "REQUEST_SECONDS", -1.0)
    assert server.call("DELETE", f"/experiments/{other}?purge=true").status == 202
    assert reading.users_of_version() == []
    assert resume_deletions(60)


@pytest.mark.parametrize("at_once", [True, False])
def test_what_was_read_goes_and_the_input_stays(
    server: Server, reading: Reading, at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the process dies after its transaction, the upkeep removes the uses."""
    kept = [reading.read_resource(), reading.read_version()]
    if not at_once:
        monkeypatch.setattr(deletion, "REQUEST_SECONDS", -1.0)
        monkeypatch.setattr(inputs, "remove_uses_of_resource", _dies)
    gone = [f"/resources/{reading.resource['id']}", f"/modelversions/{reading.version_id}"]
    answered = [server.call("DELETE", path).status for path in (f"{gone[0]}?purge=true", gone[1])]
    monkeypatch.undo()
    assert answered == ([204, 204] if at_once else [500, 202])
    if not at_once:
        assert len(left_of(reading)) == 4
        assert resume_deletions(60)
    assert [sk.partition("#")[0] for sk in left_of(reading)] == ["INPUT", "INPUT"]
    assert reading.inputs() == kept
    for path in gone:
        check_refused(server.call("GET", f"{path}/uses"), 404, "NOT_FOUND")
    check_invalid(reading.post(kind="model", modelversion_id=reading.version_id, context="late"), "modelversion_id")


def _dies(_resource_id: str) -> None:
    raise RuntimeError("the process dies here")


def test_a_deleted_model_takes_the_uses_of_its_versions_along(server: Server, reading: Reading) -> None:
    kept = reading.read_version()
    assert server.call("DELETE", f"/models/{reading.model_id}?purge=true").status == 204
    assert [sk.partition("#")[0] for sk in left_of(reading)] == ["INPUT"]
    assert reading.inputs() == [kept]


def test_of_two_equal_requests_at_once_both_get_the_same_input(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other request writes between this one's look and its write."""
    look, others = inputs.find_input, []

    def find_after_the_other(where: Iteration, content_hash: str) -> Input | None:
        monkeypatch.setattr(inputs, "find_input", look)
        there = look(where, content_hash)
        others.append(reading.read_resource())
        return there

    monkeypatch.setattr(inputs, "find_input", find_after_the_other)
    assert [found(reading.post(kind="resource", resource_id=reading.resource["id"]))] == others
    assert reading.inputs() == others


@pytest.mark.parametrize("what", ["resources/{0.resource[id]}", "modelversions/{0.version_id}", "models/{0.model_id}"])
def test_what_is_deleted_at_the_same_time_is_not_read(
    reading: Reading, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deletion comes between this request's look and its write."""
    write = inputs.create_input

    def delete_and_write(where: Iteration, new: Input, read: Resource | Model | None, *, even_ended: bool) -> None:
        assert reading.server.call("DELETE", f"/{what.format(reading)}").status == 204
        write(where, new, read, even_ended=even_ended)

    monkeypatch.setattr(inputs, "create_input", delete_and_write)
    is_resource = what.startswith("resources")
    field = "resource_id" if is_resource else "modelversion_id"
    its_id = reading.resource["id"] if is_resource else reading.version_id
    reply = reading.post(**{"kind": "resource" if is_resource else "model", field: its_id})
    if what.startswith("modelversions"):  # Their deletion is final.
        check_invalid(reply, field)
    else:
        check_refused(reply, 404, "NOT_FOUND")
        assert reply.body["details"]["trash_id"] == what.format(reading).partition("/")[2]
    assert left_of(reading) == []


@pytest.mark.parametrize("what", ["resources/{0.resource[id]}", "models/{0.model_id}"])
def test_what_is_in_the_trash_is_read_after_its_restoration(server: Server, reading: Reading, what: str) -> None:
    path = what.format(reading)
    trash_id = path.partition("/")[2]
    body = {"kind": "model", "modelversion_id": reading.version_id}
    if what.startswith("resources"):
        body = {"kind": "resource", "resource_id": reading.resource["id"]}
    assert server.call("DELETE", f"/{path}").status == 204
    reply = reading.post(**body)
    check_refused(reply, 404, "NOT_FOUND")
    assert reply.body["details"]["trash_id"] == trash_id
    assert found(server.call("POST", f"/trash/{trash_id}"))
    assert made(reading.post(**body))["kind"] == body["kind"]


def test_a_resource_below_a_deleted_experiment_is_in_the_trash_with_it(server: Server, reading: Reading) -> None:
    other = new_iteration(server, new_experiment(server, reading.project_id))
    assert server.call("DELETE", f"/experiments/{reading.experiment_id}").status == 204
    reply = reading.post(other, kind="resource", resource_id=reading.resource["id"])
    check_refused(reply, 404, "NOT_FOUND")
    assert reply.body["details"]["trash_id"] == reading.experiment_id
