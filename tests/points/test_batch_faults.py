"""A batch whose answers are lost, whose writes arrive late, or that is read halfway."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

import deardiary
from chalicelib.storage import series
from tests.support.consistency import check_consistency
from tests.support.faults import Answer, Delivery, Fault, Sent, inject, lost_500, lost_connection
from tests.support.interleaving import stage
from tests.support.server import Reply, Server, server_on_moto

SERIES, CHUNK = "SERIES#", "CHUNK#"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture
def iteration(server: Server) -> deardiary.Iteration:
    client = server.client()
    return client.iterations.create(client.experiments.create(client.projects.create("faults").id, "e").id)


def send(server: Server, iteration: deardiary.Iteration, batch_id: str, *values: float) -> Reply:
    body = {"batch_id": batch_id, "metrics": {"a": {"value": values}}}
    return server.call("POST", f"/iterations/{iteration.id}/log", body)


def steps(server: Server, iteration: deardiary.Iteration) -> dict[float, int]:
    """The steps by value."""
    found = server.call("GET", f"/iterations/{iteration.id}/metrics?limit=200").body["data"]
    return {point["value"]: point["step"] for point in found}


def summary(server: Server, iteration: deardiary.Iteration) -> Any:
    return server.call("GET", f"/iterations/{iteration.id}/metrics/summary").body["data"]


def stored(iteration: deardiary.Iteration) -> series.Series:
    return series.read_series(iteration.experiment_id, iteration.id)


@pytest.mark.parametrize("fault", [lost_500, lost_connection])
@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_the_answer_to_any_one_write_is_lost(
    server: Server, iteration: deardiary.Iteration, fault: Fault, method: str, either_way: str
) -> None:
    """The SDK's retry may get a failed condition; each change is still made once."""
    writes = {"PutItem", "UpdateItem", "TransactWriteItems"}
    for number in itertools.count(1):
        target = server.client().iterations.create(iteration.experiment_id)
        send(server, target, "before", 1, 2)
        point = next(iter(server.client().metrics.list(target.id)))
        seen: list[str] = []
        with inject(fault, writes, when=partial(_is_nth, seen, number)) as hit:
            if method == "POST":
                assert send(server, target, "b", 3, 4).body["last_step"] == {"a": 3}
            else:
                assert server.call(method, f"/metrics/{point.id}", {"value": 9}).status in (200, 204)
        assert send(server, target, "after", 5).status == 201
        assert steps(server, target) == EXPECTED[method]
        row = stored(target)
        assert (row.batches, row.announced, row.recompute) == (3 if method == "POST" else 2, {}, {})
        if not hit:
            break
    assert number > (3 if either_way == "three writes" or method != "POST" else 1)
    check_consistency()


EXPECTED = {
    "POST": {1: 0, 2: 1, 3: 2, 4: 3, 5: 4},
    "PATCH": {9: 0, 2: 1, 5: 2},
    "DELETE": {2: 1, 5: 2},
}


def _is_nth(seen: list[str], number: int, sent: Sent) -> bool:
    if sent.touches(SERIES) or sent.touches(CHUNK):
        seen.append(sent.operation)
    return len(seen) == number


@pytest.mark.usefixtures("three_writes")
def test_a_chunk_that_comes_after_its_batch_was_dropped_is_refused(
    server: Server, iteration: deardiary.Iteration, a_minute_passes: Callable[[], None]
) -> None:
    """Its writer is suspended before the put. Another batch gets the steps; the retry gets new ones."""
    with stage() as actors:
        late = actors.add(lambda: send(server, iteration, "late", 1, 2))
        while not stored(iteration).announced:
            late.step()
        a_minute_passes()
        assert send(server, iteration, "other", 3).body["last_step"] == {"a": 0}
        assert late.finish().error == (503, "UNAVAILABLE")
    assert steps(server, iteration) == {3: 0}
    assert send(server, iteration, "late", 1, 2).body["last_step"] == {"a": 2}
    assert steps(server, iteration) == {3: 0, 1: 1, 2: 2}
    assert summary(server, iteration)["a"]["count"] == 3
    assert (stored(iteration).batches, stored(iteration).announced) == (2, {})
    check_consistency()


@pytest.mark.usefixtures("three_writes")
def test_a_process_may_die_after_dropping_a_batch_before_it_answers(
    server: Server, iteration: deardiary.Iteration, a_minute_passes: Callable[[], None]
) -> None:
    """No chunk can be put under the announcement, which remains until the retry removes it."""
    with stage() as actors:
        lost = actors.add(lambda: send(server, iteration, "lost", 1))
        while not stored(iteration).announced:
            lost.step()
        lost.die()
        a_minute_passes()
        dropped: list[str] = []
        with inject(lambda delivery: _note(dropped, delivery), {"PutItem"}, when=lambda sent: sent.touches(CHUNK)):
            other = actors.add(lambda: send(server, iteration, "other", 2))
            while not dropped:
                other.step()
            other.die()
    assert send(server, iteration, "lost", 1).error == (503, "UNAVAILABLE")
    assert send(server, iteration, "lost", 1).body["last_step"] == {"a": 0}
    assert send(server, iteration, "other", 2).body["last_step"] == {"a": 1}
    assert summary(server, iteration)["a"]["count"] == 2
    check_consistency()


def _note(seen: list[str], delivery: Delivery) -> Answer:
    answer = delivery.deliver()
    seen.append(delivery.sent.operation)
    return answer


@pytest.mark.usefixtures("three_writes")
def test_batches_of_one_moment_merged_in_another_order_than_they_arrived(
    server: Server, iteration: deardiary.Iteration, a_minute_passes: Callable[[], None]
) -> None:
    """First and last are then computed from the points: their order is step, time, arrival."""

    def send_at_noon(value: float) -> int:
        point = {"key": "a", "value": value, "step": 7, "recorded_at": "2026-01-31T12:00:00Z"}
        body = {"batch_id": f"of {value}", "metrics": [point]}
        return server.call("POST", f"/iterations/{iteration.id}/metrics/batch", body).status

    with stage() as actors:
        early = actors.add(lambda: send_at_noon(1))
        while not stored(iteration).announced:
            early.step()
        assert send_at_noon(2) == 201
        assert early.finish() == 201
    a_minute_passes()
    assert list(steps(server, iteration)) == [1, 2]
    found = summary(server, iteration)["a"]
    assert (found["first"], found["last"]) == (1, 2)
    check_consistency()


@pytest.mark.usefixtures("either_way")
def test_a_batch_taken_between_the_reads_of_its_chunk_and_its_series(
    server: Server, iteration: deardiary.Iteration
) -> None:
    """One BatchGetItem does not read its items at one moment: DynamoDB may answer a part and ask to be called again."""
    first: list[int] = []

    def answer_without_series(delivery: Delivery) -> Answer:
        answer = delivery.deliver()
        assert answer[0] is not None
        (table,) = answer[0][1]["Responses"]
        rows = answer[0][1]["Responses"][table]
        answer[0][1]["Responses"][table] = [row for row in rows if not row["SK"]["S"].startswith(SERIES)]
        left = [key for key in delivery.sent.body["RequestItems"][table]["Keys"] if key["SK"]["S"].startswith(SERIES)]
        answer[0][1]["UnprocessedKeys"] = {table: {"Keys": left, "ConsistentRead": True}}
        first.append(send(server, iteration, "twice", 1, 2).status)
        return answer

    def of_both(sent: Sent) -> bool:
        return sent.touches(SERIES) and sent.touches(CHUNK)

    with inject(answer_without_series, {"BatchGetItem"}, when=of_both):
        assert send(server, iteration, "twice", 1, 2).body["last_step"] == {"a": 1}
    assert first == [201]
    assert summary(server, iteration)["a"]["count"] == 2
    assert (stored(iteration).batches, stored(iteration).announced) == (1, {})
    check_consistency()
