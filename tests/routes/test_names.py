"""Names of iterations, authors of everything, and dates of the past."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.services.lifecycle import expiry
from chalicelib.storage.iteration import IterationRow
from chalicelib.storage.project import ProjectRow
from chalicelib.storage.table import keys
from deardiary.wire.names import name_of
from tests.support.api import (
    ALL,
    check_invalid,
    found,
    made,
    new_experiment,
    new_iteration,
    new_member,
    new_project,
    new_ready_resource,
    pages,
)
from tests.support.server import Server

PAST = "2019-05-06T07:08:09.123Z"


def test_names_that_follow_from_ids_are_stable_for_ever() -> None:
    assert {each: name_of(each) for each in PINNED} == PINNED


# Names that users have written down: never change one.
PINNED = {
    "": "able-acorn-100",
    "i1": "neat-fir-647",
    "000000000000000000000000": "willing-prairie-151",
    "06f3k2m1a8c0g5d1e9h7j4n0": "lively-fox-585",
    "0ob5q3v8ltk1m9r2c7d4e6f8": "soft-elm-493",
}


@pytest.fixture(scope="module")
def project(server: Server) -> str:
    return new_project(server)


@pytest.fixture(scope="module")
def experiment(server: Server, project: str) -> str:
    return new_experiment(server, project)


def get(server: Server, iteration: str) -> Any:
    return found(server.call("GET", f"/iterations/{iteration}"))


def listed(server: Server, experiment: str, **query: str) -> list[str]:
    return [each["id"] for each in pages(server, f"/experiments/{experiment}/iterations?{urlencode(query)}", 50)]


def test_a_name_is_given_or_follows_from_the_id_and_can_be_changed(server: Server, experiment: str) -> None:
    given = get(server, new_iteration(server, experiment, name="baseline"))
    derived = get(server, new_iteration(server, experiment))
    assert (given["name"], derived["name"]) == ("baseline", name_of(derived["id"]))
    for name in ("tuned", derived["name"]):
        renamed = found(server.call("PATCH", f"/iterations/{derived['id']}", {"name": name}))
        assert renamed == derived | {"name": name} == get(server, derived["id"])


@pytest.mark.parametrize("name", ["", "x" * 256, 7])
def test_a_name_has_1_to_255_characters(server: Server, experiment: str, name: object) -> None:
    check_invalid(server.call("POST", f"/experiments/{experiment}/iterations", {"name": name}), "name")
    iteration = new_iteration(server, experiment, name="x" * 255)
    check_invalid(server.call("PATCH", f"/iterations/{iteration}", {"name": name}), "name")


def test_rows_of_older_servers_have_a_name_and_no_author(server: Server) -> None:
    project = new_project(server)
    experiment = new_experiment(server, project)
    iteration = new_iteration(server, experiment, name="new")
    row = IterationRow(*keys.iteration(experiment, iteration))
    row.update([IterationRow.name.remove(), IterationRow.created_by.remove()])
    ProjectRow(*keys.project(project)).update([ProjectRow.owner_id.remove()])
    older = get(server, iteration)
    assert (older["name"], older["created_by"]) == (name_of(iteration), None)
    assert found(server.call("GET", f"/projects/{project}"))["created_by"] is None
    word = name_of(iteration).split("-")[1]
    assert listed(server, experiment, filter=f'name like "%{word}%" and created_by is null') == [iteration]
    (row_,) = pages(server, f"/experiments/{experiment}/iterations?{urlencode({'order_by': 'name'})}", 50)
    assert row_["name"] == name_of(iteration)


def test_names_and_authors_filter_and_order(server: Server) -> None:
    project = new_project(server)
    experiment = new_experiment(server, project)
    alice, bob = (new_member(server, project, *ALL) for _ in range(2))

    def create(who: str, name: str) -> str:
        path = f"/experiments/{experiment}/iterations"
        return str(made(server.call("POST", path, {"name": name}, token=who))["id"])

    first, second = create(alice.token, "b heron"), create(bob.token, "a heron")
    third = create(bob.token, "c wren")
    for condition, expected in {
        'name like "%heron%"': [first, second],
        'name = "c wren"': [third],
        f'created_by = "{alice.username}"': [first],
        f'created_by = "{alice.username.upper()}"': [first],
        f'created_by = "{alice.id}"': [first],
        f'created_by != "{alice.username}"': [second, third],
        f'not created_by != "{alice.username}"': [first],
        f'created_by in ("{alice.username}", "{bob.id}") and name like "%heron"': [first, second],
        f'created_by = "{bob.username}" or name = "b heron"': [first, second, third],
        'created_by = "nobody here"': [],
        'created_by is not null and created_by != "nobody here"': [first, second, third],
    }.items():
        assert listed(server, experiment, filter=condition) == expected, condition
    assert listed(server, experiment, order_by="name") == [second, first, third]
    assert listed(server, experiment, order_by="created_by desc, name") == [second, third, first]
    many = ", ".join(f'"user{number}"' for number in range(51))
    query = urlencode({"filter": f"created_by in ({many})"})
    check_invalid(server.call("GET", f"/experiments/{experiment}/iterations?{query}"), "filter")
    long = urlencode({"filter": f'created_by = "{"x" * 3000}"'})
    assert found(server.call("GET", f"/experiments/{experiment}/iterations?{long}"))["data"] == []


def test_what_anybody_creates_says_who_and_may_be_of_the_past(server: Server) -> None:
    project = new_project(server)
    person = new_member(server, project, *ALL)
    dated = {"created_date": PAST}
    bytes_ = {"size_bytes": 1, "content_hash": "0" * 64}

    def create(path: str, **body: Any) -> Any:
        for moment in ("2999-01-01T00:00:00Z", "yesterday"):
            asked = {**body, "name": f"{body.get('name')} {moment}"} if "name" in body else body
            reply = server.call("POST", path, {**asked, "created_date": moment}, token=person.token)
            if moment == "yesterday":
                check_invalid(reply, "created_date")
            else:
                assert PAST < made(reply)["created_date"] < "2999", "a future date becomes now"
        one = made(server.call("POST", path, {**body, **dated}, token=person.token))
        assert (one["created_date"], one["created_by"]) == (PAST, person.id)
        return one

    create("/projects", name="old project")
    experiment = create(f"/projects/{project}/experiments", name="old experiment")["id"]
    iteration = create(f"/experiments/{experiment}/iterations")["id"]
    resource = create(f"/experiments/{experiment}/resources", name="old file", **bytes_)["id"]
    model = create(f"/projects/{project}/models", name="old model")["id"]
    version = create(f"/models/{model}/versions", iteration_id=iteration)["id"]
    for path in (
        f"/experiments/{experiment}",
        f"/iterations/{iteration}",
        f"/resources/{resource}",
        f"/models/{model}",
        f"/modelversions/{version}",
    ):
        one = found(server.call("GET", path))
        assert (one["created_date"], one["created_by"]) == (PAST, person.id), path


def test_a_file_of_the_past_waits_a_day_for_its_bytes(server: Server) -> None:
    experiment = new_experiment(server)
    path = f"/experiments/{experiment}/resources"
    body = {"name": "f", "size_bytes": 1, "content_hash": "1" * 64, "created_date": PAST}
    waiting = made(server.call("POST", path, body))["id"]
    expiry.sweep_uploads(5.0)
    assert found(server.call("GET", f"/resources/{waiting}"))["state"] == "pending"
    assert new_ready_resource(server, experiment, b"old", created_date=PAST)["state"] == "ready"


def test_a_blind_writer_does_not_learn_name_and_author_of_what_others_created(server: Server) -> None:
    project = new_project(server)
    experiment = new_experiment(server, project)
    author = new_member(server, project, *ALL)
    blind = new_member(server, project, "create", "update")
    path = f"/experiments/{experiment}/iterations"
    one = made(server.call("POST", path, {"name": "secret", "id_key": "k"}, token=author.token))
    # Not even by a guess: the id of a suspect, sent in another field.
    seen = found(server.call("POST", path, {"id_key": "k", "notes": author.id}, token=blind.token))
    assert (seen["created_by"], seen["name"]) == (None, name_of(one["id"]))
    assert server.call("PATCH", f"/iterations/{one['id']}", {"name": "x"}, token=blind.token).status == 204
