"""A client that polls for changes misses none, in every order of the calls of the polls and of the writers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib import clock, ids
from deardiary.wire.shapes import IterationStatus
from tests.support.interleaving import Actor, stage
from tests.support.mirror import Mirror
from tests.support.server import Server, server_on_moto

# A request writes nothing later than this, so no test lets more time pass during one.
MOST_OF_A_REQUEST = timedelta(seconds=55)
MOST_CALLS = 30
_numbers = itertools.count(1)


class Clock:
    """A clock that a test can advance, with the times in ids."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.ahead, now, tick = timedelta(0), clock.now, ids._tick
        patch.setattr(clock, "now", lambda: now() + self.ahead)
        patch.setattr(ids, "_tick", lambda: tick() + self.ahead // timedelta(microseconds=1))


class Sweep:
    """Two iterations of an experiment, the requests that change them, and a client that polls."""

    def __init__(self, server: Server, experiment_id: str) -> None:
        self.server, self.experiment_id = server, experiment_id
        client = server.client()
        self.ids = [client.iterations.create(experiment_id).id for _ in range(2)]
        self.mirror = Mirror(server, experiment_id)

    def poll(self, grown_apart: int) -> Any:
        """With an odd number iterations that have only logged more come without their rows."""
        return self.mirror.poll(grown="true" if grown_apart % 2 else "false")

    def log_and_poll(self) -> None:
        for which, grown_apart in itertools.product((0, 1), repeat=2):
            self.flush(which)
            self.poll(grown_apart)

    def begin(self, time: Clock) -> None:
        """Write nothing but points for more than a minute."""
        time.ahead += timedelta(seconds=70)
        self.log_and_poll()
        time.ahead += timedelta(seconds=70)
        self.log_and_poll()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return self.server.call(method, path, body).body

    def flush(self, which: int, **content: Any) -> None:
        number = next(_numbers)
        metrics = [{"key": "loss", "value": float(number), "recorded_at": "2020-01-01T00:00:00Z"}]
        body = {"batch_id": str(number), "metrics": metrics, **content}
        self.call("POST", f"/iterations/{self.ids[which]}/log", body)

    def patch(self, which: int, **changes: Any) -> None:
        self.call("PATCH", f"/iterations/{self.ids[which]}", changes)

    def tag(self, which: int) -> None:
        self.call("POST", f"/iterations/{self.ids[which]}/tags", {"value": f"tag {next(_numbers)}"})

    def create(self, which: int) -> None:
        body = {"parent_iteration_id": self.ids[which]}
        self.call("POST", f"/experiments/{self.experiment_id}/iterations", body)

    def delete(self, which: int) -> None:
        self.call("DELETE", f"/iterations/{self.ids[which]}")

    def check(self, time: Clock) -> None:
        """The client has what the list has, now and after a minute in which nothing happens."""
        self.poll(0)
        assert self.mirror.rows == self.mirror.listed()
        self.log_and_poll()
        assert self.mirror.rows == self.mirror.listed()
        time.ahead += timedelta(seconds=70)
        self.poll(1)
        assert self.poll(0)["data"] == []
        assert self.mirror.rows == self.mirror.listed()


ACTIONS: dict[str, Callable[[Sweep, int], Any]] = {
    "flush": Sweep.flush,
    "flush with parameters": lambda sweep, which: sweep.flush(which, parameters={f"p{next(_numbers)}": "1"}),
    "name": lambda sweep, which: sweep.patch(which, name=f"name {next(_numbers)}"),
    "end": lambda sweep, which: sweep.patch(which, status_id=int(IterationStatus.FAILED)),
    "resume": lambda sweep, which: sweep.patch(which, status_id=int(IterationStatus.RUNNING)),
    "tag": Sweep.tag,
    "create": Sweep.create,
    "delete": Sweep.delete,
    "poll": Sweep.poll,
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture
def experiment_id(server: Server) -> str:
    client = server.client()
    return client.experiments.create(client.projects.create("changes").id, "e").id


@pytest.mark.parametrize("outer", ["create", "end", "flush", "name", "tag"])
def test_a_poll_between_any_two_calls_of_a_writer(
    server: Server, experiment_id: str, monkeypatch: pytest.MonkeyPatch, outer: str
) -> None:
    """The writer stands still for almost a minute before the polls."""
    time = Clock(monkeypatch)
    for calls in range(1, MOST_CALLS):
        sweep = Sweep(server, experiment_id)
        sweep.begin(time)
        with stage() as actors:
            writer = actors.add(partial(ACTIONS[outer], sweep, 0))
            writer.step(calls)
            reached = not writer.done
            time.ahead += MOST_OF_A_REQUEST
            # With news the client moves on, past the time at which the writer began.
            sweep.log_and_poll()
            writer.finish()
        sweep.check(time)
        if not reached:
            return
    pytest.fail(f"{outer} makes more calls than that")


STEPS = st.lists(
    st.tuples(st.sampled_from([*ACTIONS, "time", "die"]), st.integers(0, 3), st.integers(1, 8)),
    min_size=6,
    max_size=18,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_any_order_of_the_calls_of_many_requests(
    server: Server, experiment_id: str, steps: list[tuple[str, int, int]]
) -> None:
    """Each step lets one of four writers, or the client that polls, make a few calls; a new request if it has none."""
    with pytest.MonkeyPatch.context() as patch:
        time, sweep = Clock(patch), Sweep(server, experiment_id)
        sweep.begin(time)
        running: dict[object, Actor] = {}
        began: dict[object, timedelta] = {}
        with stage() as actors:
            for name, number, calls in steps:
                slot = "poll" if name == "poll" else number
                if name == "time":
                    open_since = [began[each] for each, actor in running.items() if not actor.done]
                    latest = [MOST_OF_A_REQUEST + each for each in open_since]
                    time.ahead = min([time.ahead + timedelta(seconds=20), *latest])
                elif name == "die" and slot in running:
                    running.pop(slot).die()
                elif name in ACTIONS:
                    if slot not in running or running[slot].done:
                        running[slot] = actors.add(partial(ACTIONS[name], sweep, number % 2))
                        began[slot] = time.ahead
                    running[slot].step(calls)
            for actor in running.values():
                actor.finish()
        sweep.check(time)
