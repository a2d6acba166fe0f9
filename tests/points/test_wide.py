"""Wide iterations: whatever happens to their flushes, every reader sees the summaries of exactly the stored points."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib import clock, ids
from chalicelib.services.lifecycle import liveness, packing
from chalicelib.services.points import compaction, merging, rollups
from chalicelib.storage import experiment as experiments
from chalicelib.storage import series
from chalicelib.storage.blocks import request
from chalicelib.storage.points.wide import SummariesRow
from chalicelib.storage.reads import deleted
from chalicelib.storage.series import SeriesRow
from chalicelib.storage.table import item, keys
from deardiary.wire import limits
from tests.support.api import found, made, new_experiment, new_iteration
from tests.support.consistency import check_consistency
from tests.support.interleaving import Actor, stage
from tests.support.server import Reply, Server, server_on_moto

RUNNING, SUCCEEDED = 1, 2
ENOUGH = 3
# More calls than any undisturbed request makes.
MOST_CALLS = 45
BEGIN = datetime(2020, 1, 1, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def few_keys_are_many() -> Iterator[None]:
    """Two keys make an iteration wide, and three flushes are merged together."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "MOST_KEYS", 1)
        patch.setattr(merging, "ENOUGH_BATCHES", ENOUGH)
        patch.setattr(merging, "MOST_BATCHES", ENOUGH + 2)
        # The first reader of any curve makes its rollup.
        patch.setattr(rollups, "WORTH_POINTS", 0)
        yield


class Clock:
    """A clock that a test can advance."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._ahead, now = timedelta(0), clock.now
        patch.setattr(clock, "now", lambda: now() + self._ahead)
        # New ids, and the stamps of changes, are times too; they only rise, so the last one is restored.
        patch.setattr(ids, "_last", 0)
        patch.setattr(
            ids,
            "time",
            SimpleNamespace(time_ns=lambda: time.time_ns() + 1000 * (self._ahead // timedelta(microseconds=1))),
        )

    def pass_by(self, minutes: float = 61 / 60) -> None:
        """By default longer than the time after which the writer of an announced batch counts as dead."""
        self._ahead += timedelta(minutes=minutes)


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Diary:
    """An iteration, the requests to it, and a table of its experiment that polls."""

    def __init__(self, server: Server, experiment_id: str | None = None) -> None:
        self._server, self.experiment_id = server, experiment_id or new_experiment(server)
        self.id = new_iteration(server, self.experiment_id)
        self.iteration = server.client().iterations.get(self.id)
        self.sent: set[int] = set()
        self.edited: set[str] = set()
        self._since = ""
        self.shown: Any = {}

    def send(self, number: int) -> Reply:
        """A batch of points of two or three keys; some have steps, some lines. All were recorded long ago."""
        self.sent.add(number)
        times = [(BEGIN + timedelta(seconds=2 * number + each)).isoformat() for each in (0, 1)]
        steps = {"step": [100 - number, number]} if number % 2 else {}
        metrics: dict[str, Any] = {
            "a": {"value": [number, number + 0.25], "recorded_at": times, **steps},
            "b": {"value": [-number], "recorded_at": times[:1]},
        }
        if number % 3 == 0:
            metrics["rare"] = {"value": ["NaN"], "recorded_at": times[:1]}
        body: dict[str, Any] = {"batch_id": f"batch {number}", "metrics": metrics}
        if number % 4 == 0:
            body["output"] = [{"stream": "stdout", "text": f"line {number}", "recorded_at": times[0]}]
        return self.call("POST", "log", body)

    def points(self) -> list[Any]:
        return list(found(self.call("GET", "metrics?limit=200"))["data"])

    def edit(self, method: str, number: int) -> None:
        points = sorted(self.points(), key=lambda point: (str(point["value"]), point["id"]))
        if points:
            chosen = points[number % len(points)]["id"]
            self.edited.add(chosen)
            self._server.call(method, f"/metrics/{chosen}", {"value": 1000 + number})

    def change(self, status: int) -> None:
        assert self._server.call("PATCH", f"/iterations/{self.id}", {"status_id": status}).status < 500

    def compact(self) -> None:
        compaction.compact_if_many(self.iteration, 1)

    def summaries(self) -> list[Any]:
        """The summaries of the iteration, in every list that has them."""
        many = f"/experiments/{self.experiment_id}"
        sorted_by = found(self._server.call("GET", f"{many}/iterations?order_by=metrics.a&include=metrics&limit=200"))
        (row,) = [each for each in sorted_by["data"] if each["id"] == self.id]
        listed = found(self._server.call("GET", f"{many}/metrics/summary?iteration_id={self.id}"))["data"]
        return [found(self.call("GET", "metrics/summary"))["data"], row["metrics"], listed.get(self.id, {})]

    def look(self) -> list[Any]:
        """Other readers of the summaries: charts, curves, printed lines."""
        chart = f"/experiments/{self.experiment_id}/metrics/curves?key=a&buckets=3&iteration_id={self.id}"
        parts = [found(self.call("GET", f"metrics/series?{query}")) for query in ("", "max_points=4", "max_step=1")]
        lines = [line["text"] for line in found(self.call("GET", "output"))["data"]]
        return [found(self._server.call("GET", chart))["data"], *parts, lines]

    def poll(self) -> None:
        """Keep what a table of this one iteration shows."""
        since = f"&since={self._since}" if self._since else ""
        path = f"/experiments/{self.experiment_id}/iterations/changes?iteration_id={self.id}&grown=true{since}"
        answer = found(self._server.call("GET", path))
        for metrics in [*(row["metrics"] for row in answer["data"]), *answer["grown"].values()]:
            self.shown = metrics
        self._since = answer["next_since"]

    def check(self) -> None:
        """All readers see the summaries of the stored points."""
        points = self.points()
        expected = {key: _summary(own) for key in ("a", "b", "rare") if (own := _of(points, key))}
        for seen in self.summaries():
            assert seen == expected
        self.poll()
        assert self.shown == expected
        assert len({point["id"] for point in points}) == len(points)
        for key in "ab":
            given = [point["step"] for point in _of(points, key) if point["value"] % 2 == 0 and point["value"] < 100]
            assert len(set(given)) == len(given), "a step was given twice"

    def check_after_retries(self, let_time_pass: Callable[[], None]) -> None:
        for number in sorted(self.sent):
            assert self.send(number).status in (201, 503)
        let_time_pass()
        for number in sorted(self.sent | {99}):
            made(self.send(number))
        most = sum(4 if number % 3 == 0 else 3 for number in self.sent)
        assert most - len(self.edited) <= len(self.points()) <= most
        self.check()
        assert len(self.look()[-1]) == sum(number % 4 == 0 for number in self.sent)

    def call(self, method: str, path: str, body: Any = None) -> Reply:
        return self._server.call(method, f"/iterations/{self.id}/{path}", body)

    def stored(self) -> series.Series:
        return series.read_series(self.experiment_id, self.id)


def _of(points: list[Any], key: str) -> list[Any]:
    return [point for point in points if point["key"] == key]


def _summary(points: list[Any]) -> dict[str, Any]:
    values = [point["value"] for point in points]
    numbers = [value for value in values if value != "NaN"] or ["NaN"]
    ends = {"first": values[0], "last": values[-1], "last_step": points[-1]["step"]}
    return {**ends, "min": min(numbers), "max": max(numbers), "count": len(values)}


def _pack(diary: Diary) -> None:
    target = deleted.find_target(diary.experiment_id)
    assert target
    experiment = experiments.find_experiment(target.project_id, diary.experiment_id)
    assert experiment
    packing.pack(experiment)


@pytest.mark.parametrize(
    ("before", "then"), [(0, "end"), (ENOUGH - 1, "retry"), (ENOUGH - 1, "time, another"), (ENOUGH - 1, "end")]
)
def test_a_flush_whose_process_dies_between_any_two_calls(
    server: Server, clocks: Clock, before: int, then: str
) -> None:
    for calls in range(1, MOST_CALLS):
        diary = Diary(server)
        for number in range(1, before + 1):
            made(diary.send(number))
        with stage() as actors:
            flush = actors.add(partial(diary.send, 8))
            flush.step(calls)
            reached = not flush.done
            diary.poll()
            flush.die()
        diary.check()
        if "time" in then:
            clocks.pass_by()
        if then == "retry":
            made(diary.send(8))
        if "another" in then:
            made(diary.send(9))
        if then == "end":
            diary.change(SUCCEEDED)
        diary.check()
        diary.check_after_retries(clocks.pass_by)
        if not reached:
            check_consistency()
            return
    pytest.fail("a flush makes more calls than that")


@pytest.mark.parametrize("inner", ["same", "another", "edit", "end", "compact"])
def test_one_request_between_any_two_calls_of_a_flush_that_merges(server: Server, clocks: Clock, inner: str) -> None:
    for calls in range(1, MOST_CALLS):
        diary = Diary(server)
        for number in range(1, ENOUGH):
            made(diary.send(number))
        meanwhile: dict[str, Callable[[], Any]] = {
            "same": partial(diary.send, 7),
            "another": partial(diary.send, 9),
            "edit": partial(diary.edit, "PATCH", 1),
            "end": partial(diary.change, SUCCEEDED),
            "compact": diary.compact,
        }
        with stage() as actors:
            flush = actors.add(partial(diary.send, 7))
            flush.step(calls)
            reached = not flush.done
            meanwhile[inner]()
            diary.poll()
            flush.finish()
        diary.check()
        diary.check_after_retries(clocks.pass_by)
        if not reached:
            check_consistency()
            return
    pytest.fail("a flush makes more calls than that")


@pytest.mark.parametrize("outer", ["summaries", "poll", "look"])
def test_a_merge_between_any_two_calls_of_a_reader(server: Server, outer: str) -> None:
    for calls in range(1, MOST_CALLS):
        diary = Diary(server)
        for number in (1, 3):
            made(diary.send(number))
        diary.poll()
        made(diary.send(5)) if calls % 2 else diary.edit("PATCH", 0)
        with stage() as actors:
            reader = actors.add(getattr(diary, outer))
            reader.step(calls)
            reached = not reader.done
            for number in (7, 9, 11):
                made(diary.send(number))
            diary.change(SUCCEEDED)
            result = reader.finish()
        assert outer == "poll" or result
        diary.check()
        if not reached:
            return
    pytest.fail(f"{outer} makes more calls than that")


ACTIONS: list[Callable[[Diary, int], Any]] = [
    *(Diary.send, Diary.send, Diary.send),
    lambda diary, number: diary.edit("PATCH", number),
    lambda diary, number: diary.edit("DELETE", number),
    lambda diary, number: diary.change(SUCCEEDED),
    lambda diary, number: diary.change(RUNNING),
    lambda diary, number: diary.compact(),
    lambda diary, number: diary.summaries(),
    lambda diary, number: diary.look(),
    lambda diary, number: _pack(diary),
]
# What a request does, in which of four places, with which number, and how many calls it makes now; or something else.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(range(len(ACTIONS) + 3)), st.integers(0, 3), st.integers(1, 12), st.sampled_from([1, 2, 4, 9])
    ),
    min_size=6,
    max_size=30,
)
TIME, DEATH, POLL = range(len(ACTIONS), len(ACTIONS) + 3)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_readers_see_the_summaries_of_the_points_after_anything(
    server: Server, steps: list[tuple[int, int, int, int]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        ahead, diary = Clock(patch), Diary(server)
        running: dict[int, Actor] = {}
        with stage() as actors:
            for action, place, number, calls in steps:
                if action == TIME:
                    ahead.pass_by()
                elif action == DEATH and place in running:
                    running.pop(place).die()
                elif action == POLL:
                    diary.poll()
                elif action < len(ACTIONS):
                    if place not in running or running[place].done:
                        running[place] = actors.add(partial(ACTIONS[action], diary, number))
                    running[place].step(calls)
            for actor in running.values():
                actor.finish()
        diary.change(RUNNING)
        diary.check_after_retries(ahead.pass_by)
        diary.change(SUCCEEDED)
        diary.check()
        assert diary.stored().is_settled


def test_the_end_moves_the_summaries_into_the_row_that_lists_read(server: Server) -> None:
    diary = Diary(server)
    for number in (1, 3):
        made(diary.send(number))
    assert diary.stored().wide
    diary.change(SUCCEEDED)
    assert diary.stored().is_settled
    diary.check()
    # A late batch leaves it so.
    made(diary.send(5))
    assert diary.stored().is_settled
    diary.change(RUNNING)
    made(diary.send(7))
    assert diary.stored().wide
    diary.check()


def test_the_packer_finishes_an_end_whose_process_died(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "QUIET_US", 0)
    monkeypatch.setattr(request, "ENOUGH_ROWS", 2)
    experiment_id = new_experiment(server)
    diaries = [Diary(server, experiment_id) for _ in range(3)]
    with monkeypatch.context() as dying:
        dying.setattr(merging, "settle_at_end", lambda iteration, stored: stored)
        for diary in diaries:
            made(diary.send(1))
            diary.change(SUCCEEDED)
    assert diaries[0].stored().wide
    _pack(diaries[0])
    for diary in diaries:
        assert diary.stored().is_settled
        diary.check()


def test_a_running_iteration_of_an_older_server_becomes_wide(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    diary = Diary(server)
    with monkeypatch.context() as older:
        older.setattr(merging, "MOST_KEYS", 128)
        for number in (1, 2, 3):
            made(diary.send(number))
    assert diary.stored().wide is None
    for number in (5, 6, 7, 8):
        made(diary.send(number))
        assert diary.stored().wide
        diary.check()


def test_an_iteration_of_few_metrics_stays_as_it_is(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "MOST_KEYS", 128)
    diary = Diary(server)
    metrics = {f"m{number}": {"value": [1.0]} for number in range(128)}
    made(diary.call("POST", "log", {"batch_id": "1", "metrics": metrics}))
    assert diary.stored().is_settled
    made(diary.call("POST", "log", {"batch_id": "2", "metrics": {"one more": {"value": [1.0]}}}))
    assert diary.stored().wide


@pytest.mark.parametrize("version", ["older", "none"])
def test_readers_and_the_next_merge_mend_a_backup_of_a_table_in_use(server: Server, version: str) -> None:
    diary = Diary(server)
    for number in range(1, ENOUGH + 1):
        made(diary.send(number))
    row = item.find(SummariesRow, keys.summaries(diary.id))
    assert row
    for number in range(ENOUGH + 1, 2 * ENOUGH + 2):
        made(diary.send(number))
    row.save() if version == "older" else row.delete()
    diary.check()
    for number in (20, 21):
        made(diary.send(number))
        diary.check()
    check_consistency()


def test_the_keys_have_a_limit(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_SUMMARIES_BYTES", 800)
    diary = Diary(server)

    def send(batch_id: str, *names: int) -> int:
        metrics = {f"m{number}": {"step": [0], "value": [1.0]} for number in names}
        return diary.call("POST", "log", {"batch_id": batch_id, "metrics": metrics}).status

    assert send("1", *range(6)) == 201
    # The same keys, in other sets: they are counted once.
    assert [send(f"2 {number}", number, number + 1) for number in range(5)] == [201] * 5
    assert send("3", 6, 7, 8) == 201
    assert send("4", 9, 10) == 422
    assert send("5", *range(9)) == 201


def test_the_purge_of_a_running_iteration_need_not_wait(server: Server) -> None:
    diary = Diary(server)
    for number in range(1, ENOUGH + 2):
        made(diary.send(number))
    assert diary.stored().announced
    assert server.call("DELETE", f"/iterations/{diary.id}?purge=true").status == 204
    assert list(item.raw_keys(keys.iteration_partition(diary.id))) == []
    assert item.find(SeriesRow, keys.series(diary.experiment_id, diary.id)) is None


@pytest.mark.parametrize("keys_", [("a",), ("a", "b")], ids=["narrow", "wide"])
def test_a_silent_iteration_ends_although_a_batch_is_announced(
    server: Server, clocks: Clock, keys_: tuple[str, ...]
) -> None:
    """The process of the batch died before it put the chunk."""
    diary = Diary(server)
    metrics = {key: {"step": [41], "value": [1.0]} for key in keys_}
    made(diary.call("POST", "log", {"batch_id": "1", "metrics": metrics}))
    many = {key: {"value": [1.0] * 200} for key in keys_}
    with stage() as actors:
        flush = actors.add(partial(diary.call, "POST", "log", {"batch_id": "2", "metrics": many}))
        before = len(diary.stored().announced)
        while len(diary.stored().announced) == before:
            flush.step()
        flush.die()
    clocks.pass_by(minutes=40)
    assert liveness.end_silent_iterations(60)
    ended = found(server.call("GET", f"/iterations/{diary.id}"))
    assert ended["end_date"]
    assert ended["error_message"].endswith("the last step is 41")
    assert diary.stored().is_settled
