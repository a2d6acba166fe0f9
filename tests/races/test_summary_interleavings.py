"""Summary and rollups match the points in every order of the calls of a batch, an edit, a compaction and a reader."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib import clock, ids
from chalicelib.services.points import batch, compaction, rollups
from tests.support.interleaving import Actor, stage
from tests.support.server import Reply, Server, server_on_moto

STALE = timedelta(seconds=61)
# More calls than any undisturbed request makes.
MOST_CALLS = 30


class Clock:
    """A clock that a test can advance."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._ahead, now = timedelta(0), clock.now
        patch.setattr(clock, "now", lambda: now() + self._ahead)

    def pass_by(self) -> None:
        """Longer than the time after which a process takes the writer of an announced batch for dead."""
        self._ahead += STALE


class Diary:
    """An iteration with a batch of three points, and the requests to it."""

    def __init__(self, server: Server, experiment_id: str) -> None:
        self._server = server
        self.iteration = server.client().iterations.create(experiment_id)
        self.sent: set[str] = set()
        self.edited: set[str] = set()
        assert self.send("first") == 201

    def send(self, batch_id: str) -> int:
        """Send points without steps, whose values identify their batch."""
        self.sent.add(batch_id)
        value = VALUES[batch_id]
        metrics = {"a": {"value": [value, value + 0.25]}, "b": {"value": [-value]}}
        return self._call("POST", "log", {"batch_id": batch_id, "metrics": metrics}).status

    def points(self) -> list[Any]:
        found: list[Any] = self._call("GET", "metrics?limit=200").body["data"]
        return found

    def edit(self, method: str, number: int) -> int | None:
        """Edit a point with a high value, also one of an unfinished batch."""
        points = sorted(self.points(), key=lambda point: (point["value"], point["id"]))
        if not points:
            return None
        chosen = points[-1 - number % len(points)]["id"]
        self.edited.add(chosen)
        return self._server.call(method, f"/metrics/{chosen}", {"value": 1000 + number}).status

    def compact(self) -> None:
        compaction.compact_if_many(self.iteration, 1)

    def summarize(self) -> Any:
        return self._call("GET", "metrics/summary").body["data"]

    def look(self) -> list[Any]:
        """A chart, few points and a window of each curve, by rollups if there are any, which the first reader makes."""
        path = f"/experiments/{self.iteration.experiment_id}/metrics/curves"
        chart = self._server.call("GET", f"{path}?key=a&key=b&buckets=3&iteration_id={self.iteration.id}")
        parts = [self._call("GET", f"metrics/series?{query}").body["data"] for query in ("max_points=4", "max_step=1")]
        return [chart.body["data"], *parts]

    def check_rollups(self) -> None:
        shown = self.look()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rollups, "WORTH_POINTS", 1_000_000)
            assert self.look() == shown

    def check(self, let_time_pass: Callable[[], None]) -> None:
        """After the retries of all batches each is stored once, and the summary matches the points."""
        self.check_rollups()
        for batch_id in sorted(self.sent):
            assert self.send(batch_id) in (201, 503)
        let_time_pass()
        for batch_id in sorted(self.sent | {"last"}):
            assert self.send(batch_id) == 201
        let_time_pass()
        points = self.points()
        most = 3 * len(self.sent)
        assert most - len(self.edited) <= len(points) <= most
        assert self.summarize() == {key: _summary(own) for key in "ab" if (own := _of(points, key))}
        for key in "ab":
            steps = [point["step"] for point in _of(points, key)]
            assert len(set(steps)) == len(steps), "a step was given twice"
        shown = self.look()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rollups, "WORTH_POINTS", 1_000_000)
            assert self.look() == shown

    def _call(self, method: str, path: str, body: Any = None) -> Reply:
        return self._server.call(method, f"/iterations/{self.iteration.id}/{path}", body)


def _of(points: list[Any], key: str) -> list[Any]:
    return [point for point in points if point["key"] == key]


def _summary(points: list[Any]) -> dict[str, Any]:
    values = [point["value"] for point in points]
    ends = {"first": values[0], "last": values[-1], "last_step": points[-1]["step"]}
    return {**ends, "min": min(values), "max": max(values), "count": len(values)}


@pytest.fixture(scope="module")
def experiment_id(server: Server) -> str:
    client = server.client()
    return client.experiments.create(client.projects.create("interleavings").id, "e").id


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


# Of its first point: those of a later batch are higher.
VALUES = {"first": 10, "second": 20, "third": 30, "last": 40}


def store_in_three_writes(patch: pytest.MonkeyPatch, batch_ids: Collection[str]) -> None:
    """Store these batches as if they were too large for one transaction."""
    store, large = batch._store_at_once, {ids.hash_text(each) for each in batch_ids}

    def store_if_small(iteration: Any, batch_hash: str, sent: Any, series: Any) -> Any:
        return (series, None) if batch_hash in large else store(iteration, batch_hash, sent, series)

    patch.setattr(batch, "_store_at_once", store_if_small)


ACTIONS: dict[str, Callable[[Diary], Any]] = {
    "send": lambda diary: diary.send("second"),
    "send another": lambda diary: diary.send("third"),
    "change": lambda diary: diary.edit("PATCH", 0),
    "change an old one": lambda diary: diary.edit("PATCH", 3),
    "delete": lambda diary: diary.edit("DELETE", 1),
    "compact": Diary.compact,
    "summarize": Diary.summarize,
    "look": Diary.look,
}


@pytest.fixture(scope="module", autouse=True)
def rollups_of_a_running_iteration() -> Iterator[None]:
    """The first reader of any curve makes its rollup."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rollups, "WORTH_POINTS", 0)
        patch.setattr(rollups, "is_at_rest", lambda _: True)
        yield


@pytest.mark.parametrize(
    ("outer", "inner", "meanwhile"),
    [
        ("send", "send", ""),
        ("send", "change", ""),
        ("send", "compact", ""),
        ("send", "change", "dies"),
        ("send", "delete", "dies"),
        ("send", "send another", "time passes"),
        ("send", "send another", "dies, time passes"),
        ("change", "compact", ""),
        ("compact", "delete", "dies"),
        ("compact", "send", ""),
        ("compact", "compact", "time passes"),
        ("send", "send", "at once"),
        ("send", "change", "at once"),
        ("change", "send", "at once"),
        ("compact", "send", "at once"),
        ("send", "send another", "at once, dies"),
        ("look", "send", ""),
        ("look", "change", ""),
        ("change", "look", ""),
    ],
)
def test_one_request_between_any_two_calls_of_another(
    server: Server,
    experiment_id: str,
    clocks: Clock,
    monkeypatch: pytest.MonkeyPatch,
    outer: str,
    inner: str,
    meanwhile: str,
) -> None:
    if "at once" not in meanwhile:
        store_in_three_writes(monkeypatch, VALUES)
    for calls in range(1, MOST_CALLS):
        diary = Diary(server, experiment_id)
        with stage() as actors:
            first = actors.add(partial(ACTIONS[outer], diary))
            first.step(calls)
            reached = not first.done
            if "time passes" in meanwhile:
                clocks.pass_by()
            actors.add(partial(ACTIONS[inner], diary)).finish()
            if "dies" in meanwhile:
                first.die()
            first.finish()
        diary.check(clocks.pass_by)
        if not reached:
            return
    pytest.fail(f"{outer} makes more calls than that")


STEPS = st.lists(
    st.tuples(st.sampled_from([*ACTIONS, "time", "die"]), st.integers(0, 4), st.integers(1, 6)), min_size=6, max_size=24
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS, st.sets(st.sampled_from(sorted(VALUES))))
def test_any_order_of_the_calls_of_many_requests(
    server: Server, experiment_id: str, steps: list[tuple[str, int, int]], in_three_writes: set[str]
) -> None:
    """Each step lets one of up to five requests, starting it if necessary, make a few calls."""
    with pytest.MonkeyPatch.context() as patch:
        store_in_three_writes(patch, in_three_writes)
        time, diary = Clock(patch), Diary(server, experiment_id)
        running: dict[int, Actor] = {}
        with stage() as actors:
            for name, slot, calls in steps:
                if name == "time":
                    time.pass_by()
                elif name == "die" and slot in running:
                    running.pop(slot).die()
                elif name in ACTIONS:
                    if slot not in running or running[slot].done:
                        running[slot] = actors.add(partial(ACTIONS[name], diary))
                    running[slot].step(calls)
            for actor in running.values():
                actor.finish()
        diary.check(time.pass_by)
