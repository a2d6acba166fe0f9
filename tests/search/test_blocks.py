"""Column blocks: a list read from them is the list read from the iterations themselves, whatever happened meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import cycle
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.errors import Overtaken
from chalicelib.services.lifecycle import packing
from chalicelib.services.search import page_cache, query
from chalicelib.storage import experiment as experiments
from chalicelib.storage.blocks import head, request
from chalicelib.storage.reads import deleted
from tests.support.api import found, new_experiment, new_iteration
from tests.support.consistency import check_consistency
from tests.support.fresh import Fresh
from tests.support.interleaving import Actor, Actors, stage
from tests.support.server import Server

RUNNING, SUCCEEDED = 1, 2
LONG_AGO = "2020-01-01T00:00:00Z"
# Of a list of iterations; the first ones of each name what only rows of a block, or their rest, can answer.
ORDERS = [
    "order_by=metrics.loss",
    "order_by=metrics.loss.max desc,created_date",
    "order_by=parameters.lr desc",
    "order_by=metrics.rare,name",
    "order_by=status,end_date desc",
    *(
        f"filter={quote(text)}"
        for text in (
            "parameters.lr > 0.2 or tags = 'a'",
            "labels.team = 'x' and not metrics.loss < 2",
            "parameters.only is null or notes != ''",
        )
    ),
]
SHOWN = [
    "limit=3",
    "limit=50&include=parameters,metrics,tags,labels",
    "limit=1000&format=columns",
    "limit=50&format=columns&parameters=lr&metrics=loss&parts=min&parts=count&fields=name&fields=labels",
]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of few rows, and no waiting: in these tests each request is over before the next one begins."""
    monkeypatch.setattr(packing, "BLOCK_ROWS", 4)
    monkeypatch.setattr(packing, "MOST_SUMMARIES", 10)
    monkeypatch.setattr(request, "ENOUGH_ROWS", 2)
    monkeypatch.setattr(packing, "QUIET_US", 0)
    monkeypatch.setattr(packing, "STALE_AFTER", -1000)


@pytest.fixture
def fresh(_fresh: Fresh) -> Fresh:
    """A world for each example of a test."""
    return _fresh


class World:
    """An experiment, and its iterations by the order of their creation."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.experiment_id = new_experiment(server)
        self.ids: list[str] = []
        target = deleted.find_target(self.experiment_id)
        assert target is not None
        stored = experiments.find_experiment(target.project_id, self.experiment_id)
        assert stored is not None
        self.experiment = stored

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Any answer but an error of the server: an iteration may be locked, or gone."""
        reply = self.server.call(method, path, body)
        assert reply.status < 500, reply
        return reply.body

    def create(self, number: int) -> None:
        self.ids.append(new_iteration(self.server, self.experiment_id, notes=str(number % 2 or "")))
        self.log(len(self.ids) - 1, number)

    def log(self, position: int, number: int) -> None:
        """A batch, also after the end: all its points were recorded long ago."""
        metrics: dict[str, Any] = {
            "loss": {"value": [number / 7, -number], "recorded_at": ["2020-01-01T00:00:00Z"] * 2}
        }
        if number % 5 == 0:
            metrics[f"rare {number}"] = metrics["rare"] = {"value": ["NaN"], "recorded_at": ["2020-01-01T00:00:00Z"]}
        body: dict[str, Any] = {"batch_id": f"{position} {number}", "metrics": metrics}
        if number % 3:
            body |= {"parameters": {"lr": f"{number / 10}"}, "tags": ["a"] if number % 2 else []}
        if number % 4 == 0:
            body["parameters"] = {"only": "here" * number}
        self.call("POST", f"/iterations/{self.ids[position]}/log", body)

    def end(self, position: int, number: int) -> None:
        self.call("PATCH", f"/iterations/{self.ids[position]}", {"status_id": SUCCEEDED})

    def resume(self, position: int, number: int) -> None:
        self.call("PATCH", f"/iterations/{self.ids[position]}", {"status_id": RUNNING})

    def edit(self, position: int, number: int) -> None:
        body = {"notes": f"edited {number}", "labels": {"team": "xyz"[number % 3]}, "name": "n" * (number % 3 + 1)}
        self.call("PATCH", f"/iterations/{self.ids[position]}", body)

    def nest(self, position: int, number: int) -> None:
        self.call(
            "PATCH", f"/iterations/{self.ids[position]}", {"parent_iteration_id": self.ids[number % len(self.ids)]}
        )

    def tag(self, position: int, number: int) -> None:
        path = f"/iterations/{self.ids[position]}/tags"
        tags = self.call("GET", path).get("data", [])
        if number % 2 and tags:
            self.call("DELETE", f"{path}/{tags[0]['id']}")
        else:
            self.call("POST", path, {"value": f"{'ab'[number % 2]}"})

    def delete(self, position: int, number: int) -> None:
        self.call("DELETE", f"/iterations/{self.ids[position]}" + ("?purge=true" if number % 3 == 0 else ""))

    def restore(self, position: int, number: int) -> None:
        self.call("POST", f"/trash/{self.ids[position]}")

    def pack(self) -> None:
        with suppress(Overtaken):
            while packing.pack(self.experiment):
                pass

    def lists(self) -> list[Any]:
        """What the server answers to each list, all pages of it."""
        path = f"/experiments/{self.experiment_id}/iterations"
        return [self._pages(f"{path}?{order}&{shown}") for order, shown in zip(ORDERS, cycle(SHOWN))]

    def _pages(self, path: str) -> list[Any]:
        pages, cursor = [], ""
        page_cache.forget()
        while True:
            page = found(self.server.call("GET", path + cursor))
            cursor = f"&cursor={page.pop('next_cursor')}" if page["next_cursor"] else ""
            pages.append(page)
            if not cursor:
                return pages

    def check(self) -> None:
        """The same from blocks and from the iterations themselves."""
        packed = self.lists()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(query, "find_blocks", lambda *_, **__: None)
            plain = self.lists()
        assert packed == plain


class Packers:
    """Two packers at most, each in a process of its own, which may die before any of its calls."""

    def __init__(self, world: World, actors: Actors) -> None:
        self._world, self._actors = world, actors
        self._all: list[Actor] = []

    def start(self) -> None:
        if len(self._all) < 2:
            self._all.append(self._actors.add(self._world.pack))

    def step(self, number: int, calls: int) -> None:
        for packer in self._all[number : number + 1]:
            packer.step(calls)
            if packer.done:
                self._all.remove(packer)

    def die(self) -> None:
        if self._all:
            self._all.pop(0).die()


EDITS: list[Callable[[World, int, int], None]] = [
    *(World.log, World.end, World.end, World.end, World.resume, World.edit, World.nest, World.tag),
    *(World.delete, World.restore),
]
NUMBERS = st.integers(0, 20)
STEPS = st.one_of(
    st.builds(lambda number: lambda world, _: world.create(number), NUMBERS),
    st.builds(
        lambda edit, position, number: lambda world, _: edit(world, position % len(world.ids), number),
        st.sampled_from(EDITS),
        NUMBERS,
        NUMBERS,
    ),
    st.just(lambda world, _: world.pack()),
    st.just(lambda _, packers: packers.start()),
    st.just(lambda _, packers: packers.die()),
    st.builds(
        lambda number, calls: lambda _, packers: packers.step(number, calls), st.integers(0, 1), st.integers(1, 12)
    ),
)


@pytest.mark.usefixtures("small")
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(first=st.lists(NUMBERS, min_size=3, max_size=9), steps=st.lists(STEPS, min_size=5, max_size=20))
def test_a_list_from_blocks_is_the_list_of_the_iterations(
    fresh: Fresh, first: list[int], steps: list[Callable[[World, Packers], None]]
) -> None:
    world = World(fresh.again())
    for number in first:
        world.create(number)
        world.end(len(world.ids) - 1, number)
    world.pack()
    with stage() as actors:
        packers = Packers(world, actors)
        for step in steps:
            step(world, packers)
        world.check()
    world.pack()
    world.check()
    check_consistency()


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("edit", "number"),
    [(World.log, 9), (World.resume, 9), (World.edit, 9), (World.tag, 9), (World.delete, 9), (World.delete, 10)],
)
def test_an_edit_shows_before_the_block_is_written_again(
    server: Server, edit: Callable[[World, int, int], None], number: int
) -> None:
    world = World(server)
    for position in range(4):
        world.create(position)
        world.end(position, 0)
    world.pack()
    before = world.lists()
    edit(world, 1, number)
    assert world.lists() != before
    world.check()


@pytest.mark.usefixtures("small")
def test_the_upkeep_packs_what_a_reader_has_asked_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    request.forget()
    world = World(server)
    for number in range(9):
        world.create(number)
        world.end(number, number)
    path = f"/experiments/{world.experiment_id}/iterations?order_by=metrics.loss&limit=2"
    first = found(server.call("GET", path))
    packing.pack_requested(60)
    assert sum(block.rows for block in head.read_head(world.experiment_id).blocks) >= 8
    page_cache.forget()
    # The iterations are not read one by one any more.
    monkeypatch.delattr(query, "find")
    assert found(server.call("GET", path)) == first
