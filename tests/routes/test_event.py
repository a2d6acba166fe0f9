"""The events of models and deletions: each request that changes something sends one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.routes import upkeep
from tests.support.emulator import Emulator
from tests.support.events import BUS, Mailbox, mailbox
from tests.support.faults import Delivery, inject
from tests.support.server import Server, server_on_emulator
from tests.support.world import World, make_world


@pytest.fixture(scope="module")
def server(emulator: Emulator) -> Iterator[Server]:
    with server_on_emulator(emulator.environment(), DEARDIARY_EVENT_BUS=BUS) as running:
        yield running


@pytest.fixture
def world(server: Server) -> World:
    return make_world(server)


@pytest.fixture
def box(world: World) -> Iterator[Mailbox]:
    with mailbox() as opened:
        yield opened


class Caller:
    """Sends requests of the world's member, and returns the details of the events that arrive."""

    def __init__(self, server: Server, world: World, box: Mailbox) -> None:
        self._server, self._world, self._box = server, world, box

    def __call__(self, method: str, path: str, body: Any = None) -> list[dict[str, Any]]:
        answer = self._server.call(method, path.format(**self._world.ids), body, token=self._world.token)
        assert answer.status < 300, answer
        return self._box.details()


@pytest.fixture
def call(server: Server, world: World, box: Mailbox) -> Caller:
    return Caller(server, world, box)


def test_a_stage_that_moves(call: Caller, world: World) -> None:
    number = world.ids["version_id"].rpartition(".")[2]
    path = "/modelversions/{version_id}"
    assert [each["event"] for each in call("PATCH", path, {"stage_id": 2})] == ["stage"]
    (found,) = call("PATCH", path, {"stage_id": 3})
    assert (found["event"], found["project"]["id"], found["model"]["id"]) == (
        "stage",
        world.ids["project_id"],
        world.ids["model_id"],
    )
    assert found["version"]["number"] == int(number)
    assert (found["version"]["previous_stage"], found["version"]["stage"]) == ("STAGING", "PRODUCTION")
    assert found["path"] == f"/ui#/models/{world.ids['model_id']}"
    assert call("PATCH", path, {"stage_id": 3}) == []
    assert call("PATCH", path, {"description": "no move"}) == []


def test_an_alias_that_moves(call: Caller) -> None:
    alias = "/models/{model_id}/aliases/next"
    (set_first,) = call("PUT", alias, {"version": 1})
    assert (set_first["version"]["alias"], set_first["version"]["number"]) == ("next", 1)
    assert set_first["version"]["previous_version"] is None
    assert call("PUT", alias, {"version": 1}) == []
    (moved,) = call("PUT", alias, {"version": 2})
    assert (moved["version"]["previous_version"], moved["version"]["number"]) == (1, 2)
    (gone,) = call("DELETE", alias)
    assert (gone["version"]["previous_version"], gone["version"]["number"]) == (2, None)


@pytest.mark.parametrize("purge", [False, True])
@pytest.mark.parametrize("kind", ["resource", "iteration", "experiment", "model", "project"])
def test_a_deletion(call: Caller, world: World, kind: str, *, purge: bool) -> None:
    """One event for the object, none for those below it."""
    object_id = world.ids[f"{kind}_id"]
    (found,) = call("DELETE", f"/{kind}s/{object_id}" + ("?purge=true" if purge else ""))
    assert (found["event"], found["object"]["kind"], found["object"]["id"]) == ("deleted", kind, object_id)
    assert found["project"]["id"] == world.ids["project_id"]
    assert (found["purged"], found["deleted_by"]) == (purge, world.ids["user_id"])


def test_the_deletion_of_a_version_and_of_a_user(call: Caller, world: World) -> None:
    (version,) = call("DELETE", "/modelversions/{version_id}")
    assert (version["object"]["kind"], version["object"]["id"]) == ("modelversion", world.ids["version_id"])
    (user,) = call("DELETE", "/users/{user_id}")
    assert (user["object"]["kind"], user["object"]["id"], user["project"]) == ("user", world.ids["user_id"], None)


def test_a_deletion_whose_event_was_left_is_told_by_the_upkeep(
    server: Server, world: World, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(delivery: Delivery) -> Any:
        return delivery.drop()

    with inject(lost, {"PutEvents"}):
        path = f"/iterations/{world.ids['iteration_id']}"
        assert server.call("DELETE", path, token=world.token).status == 204
    assert box.details() == []
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(minutes=2))
    assert upkeep.run(60)
    assert [each["event"] for each in box.details()] == ["deleted"]


def test_many_deletions_of_one_request_send_an_event_each(call: Caller, world: World) -> None:
    """More than fit into one call of EventBridge."""
    ids = [call_create(call, world, number) for number in range(11)]
    found = call("POST", "/experiments/{experiment_id}/iterations/bulk", {"ids": ids, "delete": True})
    assert sorted(each["object"]["id"] for each in found) == sorted(ids)


def call_create(call: Caller, world: World, number: int) -> str:
    path = f"/experiments/{world.ids['experiment_id']}/iterations"
    created = call._server.call("POST", path, {"id_key": f"one-of-many-{number}"}, token=world.token)
    return str(created.body["id"])
