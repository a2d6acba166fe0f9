"""Running iterations: a reader adds the new batches to what an earlier one has made, and sees what all points say."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.services.points import compaction, memory, newer, rollups
from chalicelib.services.points.memory import Kept
from chalicelib.services.points.rollups import Wanted
from chalicelib.storage.points import rollup as storage
from chalicelib.storage.points import rows
from chalicelib.storage.points.rollup import RollupKey
from chalicelib.storage.reads.summaries import read_current
from chalicelib.storage.series import SeriesRow
from chalicelib.storage.table import item, keys
from tests.support.api import end, found, new_experiment, new_iteration
from tests.support.interleaving import Actor, stage
from tests.support.server import Server, server_on_moto

CREATED = "2026-01-01T00:00:00.000Z"
AXES = ("step", "relative", "time")
RUNNING = 1


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def few_points_are_many() -> Iterator[None]:
    """Curves of a few points have rollups, of fewer; and new batches are never too many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rollups, "WORTH_POINTS", 10)
        patch.setattr(rollups, "MOST", 8)
        patch.setattr(newer, "_WORTH_A_PART", 1)
        yield


class Diary:
    """An iteration, its writers and its readers."""

    def __init__(self, server: Server) -> None:
        self._server, self.experiment_id = server, new_experiment(server)
        self.id = new_iteration(server, self.experiment_id, created_date=CREATED)
        self.iteration = server.client().iterations.get(self.id)

    def send(self, number: int, first: int | None = None, points: int = 5, keys_: str = "ab") -> None:
        """A batch with its own name: by default its steps follow those of the batches of lower numbers."""
        first = 5 * number if first is None else first
        numbers = range(first, first + points)
        column = {
            "step": list(numbers),
            "value": ["NaN" if each % 7 == 3 else (each * 31 + number) % 17 * (-1) ** each for each in numbers],
            "recorded_at": [f"2026-01-01T00:{each // 60 % 60:02}:{each % 60:02}.000Z" for each in numbers],
        }
        body = {"batch_id": f"batch {number} {first}", "metrics": dict.fromkeys(keys_, column)}
        assert self.call("POST", "log", body).status in (201, 422, 503)

    def edit(self, method: str, number: int) -> None:
        points = found(self.call("GET", "metrics?limit=200"))["data"]
        if points:
            chosen = points[number % len(points)]["id"]
            self._server.call(method, f"/metrics/{chosen}", {"value": 1000 + number})

    def change(self, status: int) -> None:
        self.call("PATCH", "", {"status_id": status})

    def compact(self) -> None:
        compaction.compact_if_many(self.iteration, 1)

    def look(self) -> list[Any]:
        """Charts over all axes, few points, a window, and all points in pages."""
        charts = [f"metrics/curves?{urlencode({'key': ['a', 'b'], 'buckets': 5, 'x': x}, doseq=True)}" for x in AXES]
        paths = [f"/experiments/{self.experiment_id}/{each}" for each in charts]
        few = [found(self._server.call("GET", path)) for path in paths]
        few += [
            found(self.call("GET", f"metrics/series?{query}")) for query in ("max_points=6", "min_step=12&max_step=17")
        ]
        return [*few, self.pages(7), self.pages(50, key="b")]

    def plainly(self) -> list[Any]:
        """The same from all points."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rollups, "WORTH_POINTS", 1_000_000)
            return self.look()

    def pages(self, limit: int, **query: str) -> list[Any]:
        path, points = f"metrics?{urlencode({'limit': limit, **query})}", []
        page = found(self.call("GET", path))
        points += page["data"]
        while page["next_cursor"]:
            page = found(self.call("GET", f"{path}&cursor={page['next_cursor']}"))
            points += page["data"]
        return points

    def check(self) -> None:
        expected = self.plainly()
        # What this process keeps, and what another one finds.
        assert self.look() == expected
        memory.forget()
        assert self.look() == expected

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return self._server.call(method, f"/iterations/{self.id}/{path}".rstrip("/"), body)


@pytest.fixture
def diary(server: Server) -> Diary:
    """A running iteration of 14 batches that each view has been read of."""
    diary = Diary(server)
    for number in range(14):
        diary.send(number)
    diary.look()
    return diary


class Reads(list[int]):
    """The numbers of rows that were read by their keys, one after the other. A reading of all rows fails."""


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    counted = Reads()
    arrived, visible = rows.find_arrived, rows.read_visible

    def find(iteration_id: str, hashes: Any, **given: Any) -> Any:
        counted.append(len(hashes))
        return arrived(iteration_id, hashes, **given)

    def read(wanted: Any) -> Any:
        counted.append(len(wanted))
        return visible(wanted)

    monkeypatch.setattr(rows, "find_arrived", find)
    monkeypatch.setattr(rows, "read_visible", read)
    return counted


def _refuse(*_: Any, **__: Any) -> Any:
    raise AssertionError("all points were read")


def _without_all_points(diary: Diary, look: Callable[[], Any]) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "read_rows", _refuse)
        return look()


@pytest.mark.parametrize("is_same_process", [True, False], ids=["same process", "another process"])
@pytest.mark.parametrize("new", [0, 1, 20])
def test_a_poll_reads_the_new_batches_only(diary: Diary, reads: Reads, new: int, is_same_process: bool) -> None:
    for number in range(14, 14 + new):
        diary.send(number)
    expected = diary.plainly()[:4]
    reads.clear()
    if not is_same_process:
        memory.forget()
    assert _without_all_points(diary, diary.look)[:4] == expected
    # The three axes, and the points by rank.
    assert sum(reads[: len(reads) // 2]) >= new
    reads.clear()
    chart = f"/experiments/{diary.experiment_id}/metrics/curves?key=a&buckets=5"
    again = _without_all_points(diary, lambda: found(diary._server.call("GET", chart)))
    assert again["data"]["a"] == expected[0]["data"]["a"]
    assert reads == []


def test_a_page_reads_its_own_rows_and_the_new_ones(diary: Diary, reads: Reads) -> None:
    diary.send(14)
    reads.clear()
    points = _without_all_points(diary, lambda: found(diary.call("GET", "metrics?limit=3"))["data"])
    assert [point["step"] for point in points] == [0, 0, 1]
    # The new batch, and the rows of four points: the limit, and one more.
    assert reads == [1, 2]


def test_a_process_keeps_a_bounded_number_of_rollups(diary: Diary, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = memory.find(RollupKey(diary.id, "step", "a"))
    assert kept
    monkeypatch.setattr(memory, "MOST_NUMBERS", 3 * kept.numbers)
    for name in "wxyz":
        memory.keep(RollupKey(diary.id, "step", name), kept)
        assert memory.find(RollupKey(diary.id, "step", "w"))
    still = [name for name in "awxyz" if memory.find(RollupKey(diary.id, "step", name))]
    assert still == ["w", "y", "z"]


def test_small_rollups_count_with_their_objects(diary: Diary, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = memory.find(RollupKey(diary.id, "step", "a"))
    assert kept
    counted: list[Kept] = []
    numbers = kept._replace(made=kept.made._replace(integers=[array("q", [1])], values=[])).numbers

    def count(each: Kept) -> int:
        counted.append(each)
        return numbers

    small = kept._replace(made=kept.made._replace(integers=[array("q", [1])], values=[]))
    memory.forget()
    monkeypatch.setattr(Kept, "numbers", property(count))
    monkeypatch.setattr(memory, "MOST_NUMBERS", 10_000)
    for number in range(300):
        memory.keep(RollupKey(diary.id, "step", f"key {number}"), small)
    # An array of one number takes as much memory as ten numbers, and a rollup has several, and a name.
    assert sum(memory.find(RollupKey(diary.id, "step", f"key {number}")) is not None for number in range(300)) <= 100
    assert len(counted) <= 3 * 300
    memory.forget()


@pytest.mark.parametrize("is_running", [True, False], ids=["running", "ended"])
def test_a_request_stores_some_of_many_rollups_and_the_next_one_more(server: Server, is_running: bool) -> None:
    diary, names = Diary(server), [f"k{number}" for number in range(storage.MOST_WRITTEN + 1)]
    for number in range(2):
        column = {"step": [2 * number, 2 * number + 1], "value": [0, number]}
        body = {"batch_id": f"batch {number}", "metrics": dict.fromkeys(names, column)}
        assert diary.call("POST", "log", body).status == 201
    if not is_running:
        end(server, diary.id)
    for stored in (storage.MOST_WRITTEN, len(names)):
        curves = found(diary.call("GET", "metrics/series?max_points=2"))["data"]
        assert {key: each["value"] for key, each in curves.items()} == {key: [0, 1] for key in names}
        assert len(storage.read_stored([RollupKey(diary.id, "rank", name) for name in names])) == stored
        memory.forget()


def test_rollups_of_many_short_curves_are_not_worth_their_price(diary: Diary, monkeypatch: pytest.MonkeyPatch) -> None:
    points = 2 * 14 * 5
    summaries = Wanted(diary.iteration, read_current(diary.experiment_id, diary.id), (), "rank")
    for curves, is_worth in ((36, True), (37, False)):
        monkeypatch.setattr(rollups, "WORTH_POINTS", points)
        assert summaries._replace(keys=tuple("ab" * (curves // 2) + "a" * (curves % 2))).has_many_points() is is_worth


def test_late_points_and_those_of_several_writers_take_no_more(diary: Diary) -> None:
    diary.send(15, first=3)
    diary.send(16, first=72)
    diary.send(17, first=69)
    expected = diary.plainly()[:3]
    assert _without_all_points(diary, lambda: _charts(diary)) == expected


def _charts(diary: Diary) -> list[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diary, "pages", lambda *_, **__: [])
        patch.setattr(diary, "call", lambda *_: diary._server.call("GET", f"/iterations/{diary.id}/metrics/summary"))
        return diary.look()[:3]


def test_the_end_adds_the_last_batches_and_stores_the_curves_for_good(diary: Diary) -> None:
    diary.send(14)
    end(diary._server, diary.id)
    expected = diary.plainly()[:3]
    assert _without_all_points(diary, lambda: _charts(diary)) == expected
    memory.forget()
    assert _without_all_points(diary, lambda: _charts(diary)) == expected


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_an_edit_shows_in_every_view(diary: Diary, method: str) -> None:
    diary.edit(method, 3)
    diary.send(14)
    diary.check()


def test_a_server_without_the_list_of_recent_batches_wrote_meanwhile(diary: Diary) -> None:
    for number in range(14, 17):
        diary.send(number)
        row = item.find(SeriesRow, keys.series(diary.experiment_id, diary.id))
        assert row
        row.update([SeriesRow.recent.remove()])
    diary.check()
    diary.send(18)
    diary.check()


ACTIONS: list[Callable[[Diary, int], Any]] = [
    *(Diary.send, Diary.send, Diary.send),
    lambda diary, number: diary.send(number, first=3 * number, points=4),
    lambda diary, number: diary.send(number, first=100 - number, keys_="a"),
    lambda diary, number: diary.edit("PATCH", number),
    lambda diary, number: diary.edit("DELETE", number),
    lambda diary, number: diary.change(2),
    lambda diary, number: diary.change(RUNNING),
    lambda diary, number: diary.compact(),
    *[lambda diary, number: diary.look()] * 3,
]
# What a request does, in which of four places, with which number, and how many calls it makes now; or something else.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(range(len(ACTIONS) + 2)), st.integers(0, 3), st.integers(1, 30), st.sampled_from([1, 2, 9, 99])
    ),
    min_size=8,
    max_size=24,
)
DEATH, OTHER_PROCESS = range(len(ACTIONS), len(ACTIONS) + 2)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_every_view_shows_the_points_after_anything(server: Server, steps: list[tuple[int, int, int, int]]) -> None:
    diary = Diary(server)
    for number in range(4):
        diary.send(number)
    running: dict[int, Actor] = {}
    with stage() as actors:
        for action, place, number, calls in steps:
            if action == DEATH and place in running:
                running.pop(place).die()
            elif action == OTHER_PROCESS:
                memory.forget()
            elif action < len(ACTIONS):
                if place not in running or running[place].done:
                    running[place] = actors.add(partial(ACTIONS[action], diary, number))
                running[place].step(calls)
        diary.check()
        for actor in running.values():
            actor.finish()
    diary.check()
