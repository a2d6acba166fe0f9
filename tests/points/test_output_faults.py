"""Captured output whose answers are lost, whose writer dies or comes late, or that is read halfway."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial

import pytest

import deardiary
from chalicelib.services.points import trimming
from chalicelib.storage import output, series
from deardiary.wire import limits
from tests.support.consistency import check_consistency
from tests.support.faults import Answer, Delivery, Fault, Sent, inject, lost_500, lost_connection
from tests.support.interleaving import stage
from tests.support.server import Reply, Server, server_on_moto

SERIES, CHUNK, TEXT = "SERIES#", "CHUNK#", "TEXT#"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture
def iteration(server: Server) -> deardiary.Iteration:
    client = server.client()
    return client.iterations.create(client.experiments.create(client.projects.create("faults").id, "e").id)


@pytest.fixture(autouse=True)
def several_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "_PART_BYTES", 40)


def send(server: Server, iteration: deardiary.Iteration, batch_id: str, *texts: str) -> Reply:
    lines = [{"stream": "stdout", "text": text} for text in texts]
    return server.call("POST", f"/iterations/{iteration.id}/log", {"batch_id": batch_id, "output": lines})


def texts(server: Server, iteration: deardiary.Iteration) -> list[str]:
    page = server.call("GET", f"/iterations/{iteration.id}/output").body
    assert page["next_cursor"] is None
    return [line["text"] for line in page["data"]]


def announced(iteration: deardiary.Iteration) -> bool:
    return bool(series.read_series(iteration.experiment_id, iteration.id).announced)


def has_lines(iteration: deardiary.Iteration) -> bool:
    return any(stored.content for stored in output.each_output(iteration.id, 0, 10**16 - 1))


@pytest.mark.parametrize("fault", [lost_500, lost_connection])
def test_the_answer_to_any_one_write_is_lost(server: Server, iteration: deardiary.Iteration, fault: Fault) -> None:
    for number in itertools.count(1):
        target = server.client().iterations.create(iteration.experiment_id)
        send(server, target, "before", "a", "b")
        seen: list[str] = []
        with inject(fault, {"PutItem"}, when=partial(_is_nth, seen, number)) as hit:
            assert send(server, target, "b", "c", "d").body["accepted_output"] == 2
        assert send(server, target, "after", "e").status == 201
        assert texts(server, target) == ["a", "b", "c", "d", "e"]
        if not hit:
            break
    assert number > 4
    check_consistency()


def _is_nth(seen: list[str], number: int, sent: Sent) -> bool:
    if any(map(sent.touches, (SERIES, CHUNK, TEXT))):
        seen.append(sent.operation)
    return len(seen) == number


@pytest.mark.parametrize("reached", [announced, has_lines])
def test_the_lines_of_a_dropped_batch_do_not_count(
    server: Server,
    iteration: deardiary.Iteration,
    a_minute_passes: Callable[[], None],
    reached: Callable[[deardiary.Iteration], bool],
) -> None:
    """Its writer is suspended before it puts them, or before the chunk; both are refused then."""
    with stage() as actors:
        late = actors.add(lambda: send(server, iteration, "late", "x" * 9, "y" * 9))
        while not reached(iteration):
            late.step()
        a_minute_passes()
        assert send(server, iteration, "other", "z").status == 201
        assert texts(server, iteration) == ["z"]
        assert late.finish().error == (503, "UNAVAILABLE")
    assert texts(server, iteration) == ["z"]
    check_consistency()
    assert send(server, iteration, "late", "x" * 9, "y" * 9).body["accepted_output"] == 2
    assert texts(server, iteration) == ["z", "x" * 9, "y" * 9]
    check_consistency()


@pytest.mark.parametrize("operation", [TEXT, CHUNK])
def test_the_process_dies_and_the_client_sends_again(
    server: Server, iteration: deardiary.Iteration, a_minute_passes: Callable[[], None], operation: str
) -> None:
    with stage() as actors:
        done: list[str] = []
        with inject(partial(_note, done), {"PutItem"}, when=lambda sent: sent.touches(operation)):
            lost = actors.add(lambda: send(server, iteration, "lost", "a", "b"))
            while not done:
                lost.step()
            lost.die()
    assert texts(server, iteration) == (["a", "b"] if operation == CHUNK else [])
    a_minute_passes()
    assert texts(server, iteration) == (["a", "b"] if operation == CHUNK else [])
    assert send(server, iteration, "lost", "a", "b").body["accepted_output"] == 2
    assert send(server, iteration, "next", "c").status == 201
    assert texts(server, iteration) == ["a", "b", "c"]
    check_consistency()


def _note(seen: list[str], delivery: Delivery) -> Answer:
    answer = delivery.deliver()
    seen.append(delivery.sent.operation)
    return answer


def test_a_follower_waits_for_a_batch_in_writing_but_not_for_a_dead_one(
    server: Server, iteration: deardiary.Iteration, a_minute_passes: Callable[[], None]
) -> None:
    with stage() as actors:
        early = actors.add(lambda: send(server, iteration, "early", "a"))
        while not has_lines(iteration):
            early.step()
        assert send(server, iteration, "other", "b").status == 201
        assert texts(server, iteration) == []
        assert early.finish().status == 201
    assert texts(server, iteration) == ["a", "b"]
    with stage() as actors:
        dead = actors.add(lambda: send(server, iteration, "dead", "c"))
        while not has_lines(iteration) or not announced(iteration):
            dead.step()
        dead.die()
        assert send(server, iteration, "last", "d").status == 201
    assert texts(server, iteration) == ["a", "b"]
    a_minute_passes()
    assert texts(server, iteration) == ["a", "b", "d"]
    assert send(server, iteration, "dead", "c").status in (201, 503)


def test_an_incomplete_copy_with_fewer_lines_does_not_mix_with_the_whole_one(
    server: Server, iteration: deardiary.Iteration, a_minute_passes: Callable[[], None]
) -> None:
    with stage() as actors:
        short = actors.add(lambda: send(server, iteration, "b", "a"))
        while not announced(iteration):
            short.step()
        assert send(server, iteration, "b", "a", "b").error == (503, "UNAVAILABLE")
        short.die()
    a_minute_passes()
    assert send(server, iteration, "b", "a", "b").body["accepted_output"] == 2
    assert send(server, iteration, "b", "a").body["accepted_output"] == 2
    assert texts(server, iteration) == ["a", "b"]
    check_consistency()


def test_a_batch_that_is_announced_twice_shows_its_lines_once(server: Server, iteration: deardiary.Iteration) -> None:
    """One BatchGetItem does not read its items at one moment: see `test_batch_faults`."""
    first: list[int] = []

    def answer_without_series(delivery: Delivery) -> Answer:
        answer = delivery.deliver()
        assert answer[0] is not None
        (table,) = answer[0][1]["Responses"]
        rows = answer[0][1]["Responses"][table]
        answer[0][1]["Responses"][table] = [row for row in rows if not row["SK"]["S"].startswith(SERIES)]
        left = [key for key in delivery.sent.body["RequestItems"][table]["Keys"] if key["SK"]["S"].startswith(SERIES)]
        answer[0][1]["UnprocessedKeys"] = {table: {"Keys": left, "ConsistentRead": True}}
        first.append(send(server, iteration, "twice", "a", "b").status)
        return answer

    def of_both(sent: Sent) -> bool:
        return sent.touches(SERIES) and sent.touches(CHUNK)

    with inject(answer_without_series, {"BatchGetItem"}, when=of_both):
        assert send(server, iteration, "twice", "a", "b").body["accepted_output"] == 2
    assert first == [201]
    assert texts(server, iteration) == ["a", "b"]
    check_consistency()


def test_lines_that_go_while_a_page_is_read_are_in_its_gap(
    server: Server, iteration: deardiary.Iteration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_OUTPUT_BYTES", 100)
    monkeypatch.setattr(output, "FIRST_BYTES", 10)
    monkeypatch.setattr(trimming, "SLACK_BYTES", 40)
    for number in range(10):
        send(server, iteration, str(number), f"line {number:04}")
    begun: list[int] = []

    def trim_before_the_items_are_read(delivery: Delivery) -> Answer:
        if not begun:
            begun.append(send(server, iteration, "late", "line late").status)
        return delivery.deliver()

    cursor = server.client().iterations.output_page(iteration.id).data[0].cursor
    with inject(trim_before_the_items_are_read, {"Query"}):
        page = server.client().iterations.output_page(iteration.id, after=cursor)
    assert begun == [201]
    assert page.gap is not None
    assert page.gap.lines + len(page.data) == 10
    assert page.data[-1].text == "line late"
