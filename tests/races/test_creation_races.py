"""Objects that must exist once, created by many requests at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from deardiary import Client
from deardiary.entities.records import Fields
from tests.support.consistency import check_consistency
from tests.support.server import Server

THREADS = 16
PASSWORD = "long enough"


@pytest.fixture(autouse=True)
def _consistent_at_the_end(real_server: Server) -> Iterator[None]:
    yield
    check_consistency()


@pytest.fixture(autouse=True)
def _signed_in(real_server: Server) -> None:
    """Sign in once before: sixteen concurrent sign-ins would be throttled."""
    real_server.token()


def at_once(calls: list[Any]) -> list[Any]:
    with ThreadPoolExecutor(THREADS) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def test_a_username_is_assigned_once(real_server: Server) -> None:
    body = {"username": "anna", "password": PASSWORD}
    answers = at_once([partial(real_server.call, "POST", "/users", body)] * THREADS)
    assert sorted(answer.status for answer in answers) == [201] + [409] * (THREADS - 1)
    users = real_server.call("GET", "/users").body["data"]
    assert [user["username"] for user in users].count("anna") == 1


@pytest.mark.parametrize("way", ["demoted", "deleted"])
def test_the_last_admin_survives(real_server: Server, way: str) -> None:
    for n in range(7):
        admin = {"username": f"admin{n}", "password": PASSWORD, "is_admin": True}
        assert real_server.call("POST", "/users", admin).status == 201
    admins = [user["id"] for user in real_server.call("GET", "/users").body["data"]]
    tokens = [real_server.token(), *_tokens(real_server, 7)]
    # Each admin is ended by the next one, all at the same moment, twice.
    calls = [
        partial(real_server.call, "DELETE", f"/users/{user}", token=token)
        if way == "deleted"
        else partial(real_server.call, "PATCH", f"/users/{user}", {"is_admin": False}, token=token)
        for user, token in zip(admins * 2, (tokens[1:] + tokens[:1]) * 2, strict=True)
    ]
    at_once(calls)
    left = [token for token in tokens if real_server.call("GET", "/users", token=token).status == 200]
    assert left
    users = real_server.call("GET", "/users", token=left[0]).body["data"]
    assert sum(user["is_admin"] for user in users) == len(left)


def _tokens(server: Server, number: int) -> list[str]:
    answers = [
        server.call("POST", "/auth", {"username": f"admin{n}", "password": PASSWORD}, token=None) for n in range(number)
    ]
    return [answer.body["access_token"] for answer in answers]


def test_an_id_key_creates_one_of_each(real_server: Server) -> None:
    project = once(real_server, "/projects", {"name": "p", "id_key": "k"})
    experiment = once(real_server, f"/projects/{project}/experiments", {"name": "e", "id_key": "k"})
    iteration = once(real_server, f"/experiments/{experiment}/iterations", {"id_key": "k"})
    listed = real_server.call("GET", f"/experiments/{experiment}/iterations").body["data"]
    assert [each["id"] for each in listed] == [iteration]
    declared = {"name": "r", "size_bytes": 1, "content_hash": "0" * 64, "id_key": "k"}
    resource = once(real_server, f"/experiments/{experiment}/resources", declared)
    listed = real_server.call("GET", f"/experiments/{experiment}/resources").body["data"]
    assert [each["id"] for each in listed] == [resource]
    model = real_server.call("POST", f"/projects/{project}/models", {"name": "m"}).body["id"]
    version = once(real_server, f"/models/{model}/versions", {"iteration_id": iteration, "id_key": "k"})
    listed = real_server.call("GET", f"/models/{model}/versions").body["data"]
    assert [(each["id"], each["version"]) for each in listed] == [(version, 1)]


def once(server: Server, path: str, body: dict[str, Any]) -> str:
    answers = at_once([partial(server.call, "POST", path, body)] * THREADS)
    assert sorted(answer.status for answer in answers) == [200] * (THREADS - 1) + [201]
    (made,) = {answer.body["id"] for answer in answers}
    return str(made)


def test_a_name_of_an_experiment_goes_to_one(real_server: Server) -> None:
    client = real_server.client()
    project = client.projects.create("names").id
    create = partial(real_server.call, "POST", f"/projects/{project}/experiments", {"name": "the one"})
    assert sorted(answer.status for answer in at_once([create] * THREADS)) == [201] + [409] * (THREADS - 1)
    others = [client.experiments.create(project, f"experiment {number}") for number in range(THREADS)]
    answers = at_once([rename(real_server, each.id, "wanted") for each in others])
    refused = [answer for answer in answers if answer.status != 200]
    assert len(refused) == THREADS - 1
    assert {(answer.status, answer.field) for answer in refused} == {(409, "name")}
    check_names(real_server, project, THREADS + 1)


def rename(server: Server, experiment_id: str, name: str) -> Any:
    return partial(server.call, "PATCH", f"/experiments/{experiment_id}", {"name": name})


def check_names(server: Server, project_id: str, number: int) -> None:
    names = [each.name for each in server.client().experiments.list(project_id)]
    assert len(names) == len(set(names)) == number, names


def test_an_experiment_that_many_rename_at_once_holds_one_name(real_server: Server) -> None:
    client = real_server.client()
    project = client.projects.create("names").id
    experiment = client.experiments.create(project, "e").id
    calls = [rename(real_server, experiment, f"name {number % 4}") for number in range(THREADS)]
    assert {answer.status for answer in at_once(calls)} == {200}
    for name in {"e", *(f"name {number}" for number in range(4))} - {client.experiments.get(experiment).name}:
        client.experiments.create(project, name)
    check_names(real_server, project, 5)


def test_renames_creations_and_deletions_at_once_leave_each_name_once(real_server: Server) -> None:
    client = real_server.client()
    project = client.projects.create("names").id
    path = f"/projects/{project}/experiments"
    made = [client.experiments.create(project, name).id for name in "abcd"]
    calls: list[Any] = []
    for experiment in made:
        calls += [rename(real_server, experiment, name) for name in "abcdef"]
    calls += [partial(real_server.call, "POST", path, {"name": name}) for name in "abcdef"]
    calls += [
        partial(real_server.call, "DELETE", f"/experiments/{experiment}?purge=true") for experiment in made[:2] * 2
    ]
    answers = at_once(calls[::2] + calls[1::2])
    assert {answer.status for answer in answers} <= {200, 201, 202, 204, 404, 409}
    names = {each.name for each in client.experiments.list(project)}
    check_names(real_server, project, len(names))
    for name in set("abcdef") - names:
        client.experiments.create(project, name)
    check_names(real_server, project, 6)


def test_the_client_finds_or_creates_one_experiment(real_server: Server) -> None:
    client = real_server.client()
    project = client.projects.create("names").id
    first = find_one(client, project)
    client.experiments.update(first, name="renamed")
    # The id_key that the client derives from the name still leads to the renamed one.
    second = find_one(client, project)
    assert second != first
    client.experiments.delete(second, purge=True)
    assert find_one(client, project) not in {first, second}
    check_names(real_server, project, 2)


def find_one(client: Client, project_id: str) -> str:
    found = at_once([partial(client.experiments.find_or_create, project_id, "shared")] * THREADS)
    (one,) = {each.id for each in found}
    return str(one)


def test_long_parameters_of_one_flush_are_all_there(real_server: Server) -> None:
    """Sixty parameters of maximal length are more than a transaction holds."""
    client = real_server.client()
    experiment = client.experiments.create(client.projects.create("long").id, "e")
    iteration = client.iterations.create(experiment.id)
    parameters = {f"key {at}": "😀" * 6000 for at in range(60)}
    client.iterations.log(Fields(iteration_id=iteration.id, parameters=parameters), batch_id="1")
    assert {each.key: each.value for each in client.parameters.list(iteration.id)} == parameters
