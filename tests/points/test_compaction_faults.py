"""Compaction whose answers are lost, repeated or late: each point is stored once, whatever answer its process got."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import deardiary
from chalicelib.aws import threads
from chalicelib.services.points import batch, compaction
from chalicelib.storage import series
from chalicelib.storage.points import rows
from tests.support.consistency import check_consistency
from tests.support.faults import Answer, Delivery, Fault, Sent, inject, lost_500, lost_connection
from tests.support.server import Server, server_on_moto

CHUNKS = 6


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture
def iteration(server: Server) -> deardiary.Iteration:
    """An iteration with a few small batches of two keys."""
    client = server.client()
    made = client.iterations.create(client.experiments.create(client.projects.create("faults").id, "e").id)
    for number in range(CHUNKS):
        send(server, made, f"batch-{number}", number)
    return made


def send(server: Server, iteration: deardiary.Iteration, batch_id: str, value: float) -> Any:
    columns = {"a": {"value": [value, value + 0.5]}, "b": {"value": [-value]}}
    return server.call("POST", f"/iterations/{iteration.id}/log", {"batch_id": batch_id, "metrics": columns})


def logged(server: Server, iteration: deardiary.Iteration) -> Any:
    """All points, and the summary."""
    path = f"/iterations/{iteration.id}/metrics"
    return [server.call("GET", f"{path}{rest}").body["data"] for rest in ("?limit=200", "/summary")]


def stored(iteration: deardiary.Iteration) -> series.Series:
    return series.read_series(iteration.experiment_id, iteration.id)


def of_chunk(sent: Sent) -> bool:
    return sent.touches("CHUNK#")


def of_series(sent: Sent) -> bool:
    return sent.touches("SERIES#")


@pytest.mark.parametrize("fault", [lost_500, lost_connection])
@pytest.mark.parametrize("lost", [None, 1, CHUNKS // 2], ids=["all", "one", "half"])
def test_answers_lost_after_chunks_were_moved(
    server: Server, iteration: deardiary.Iteration, fault: Fault, lost: int | None
) -> None:
    """The first attempt at a chunk is executed and not answered; the SDK's retry finds the chunk without points."""
    before = logged(server, iteration)
    answered: set[str] = set()

    def first_attempt(sent: Sent) -> bool:
        is_first = answered.isdisjoint(sent.sort_keys)
        answered.update(sent.sort_keys)
        return is_first

    with inject(fault, {"UpdateItem"}, when=first_attempt, first=lost) as hit:
        assert compaction.compact(iteration, 1) == CHUNKS
    assert len(hit) == (lost or CHUNKS)
    assert logged(server, iteration) == before
    assert stored(iteration).moved == CHUNKS
    check_consistency()


def test_lost_answers_beside_chunks_that_another_process_changed(
    server: Server, iteration: deardiary.Iteration
) -> None:
    """A chunk that another process really changed stays; the others count as moved."""
    point = logged(server, iteration)[0][0]
    changed = False

    def change_then_lose(delivery: Delivery) -> Answer:
        nonlocal changed
        if not changed:
            changed = True
            assert server.call("PATCH", f"/metrics/{point['id']}", {"value": 99}).status == 200
        return lost_500(delivery)

    with inject(change_then_lose, {"UpdateItem"}, when=lambda sent: of_chunk(sent) and not changed, first=None):
        assert compaction.compact(iteration, 1) == CHUNKS - 1
    assert server.call("GET", f"/metrics/{point['id']}").body["value"] == 99
    assert len(logged(server, iteration)[0]) == 3 * CHUNKS
    assert compaction.compact(iteration, 1) == 1
    check_consistency()


@pytest.mark.parametrize("write", [1, 2], ids=["the lease is taken", "the lease is released"])
def test_the_answer_about_the_lease_is_lost(server: Server, iteration: deardiary.Iteration, write: int) -> None:
    before, seen = logged(server, iteration), 0

    def nth(sent: Sent) -> bool:
        nonlocal seen
        seen += of_series(sent)
        return of_series(sent) and seen == write

    with inject(lost_500, {"PutItem"}, when=nth):
        compaction.compact_if_many(iteration, 1)
    assert logged(server, iteration) == before
    assert (stored(iteration).moved, stored(iteration).compacting) == (CHUNKS, None)
    check_consistency()


def test_a_process_that_dies_before_it_counts_the_moved_chunks(
    server: Server, iteration: deardiary.Iteration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next compaction counts all bare chunks, whichever process moved them."""
    with monkeypatch.context() as patch:
        patch.setattr(compaction, "_release_lease", lambda *_: None)
        assert compaction.compact(iteration, 1) == CHUNKS
    assert stored(iteration).moved == 0
    send(server, iteration, "one more", 1)
    monkeypatch.setattr(compaction, "STALE_AFTER", -1)
    assert compaction.compact(iteration, 1) == 1
    assert (stored(iteration).moved, stored(iteration).compacting) == (CHUNKS + 1, None)
    check_consistency()


def test_a_packed_row_that_arrives_again_undoes_no_edit(server: Server, iteration: deardiary.Iteration) -> None:
    held: list[Delivery] = []

    def keep(delivery: Delivery) -> Answer:
        held.append(delivery)
        return delivery.deliver()

    with inject(keep, {"PutItem"}, when=lambda sent: sent.touches("PACKED#"), first=None):
        compaction.compact(iteration, 1)
    point, other = logged(server, iteration)[0][:2]
    server.call("PATCH", f"/metrics/{point['id']}", {"value": 99})
    server.call("DELETE", f"/metrics/{other['id']}")
    edited = logged(server, iteration)
    for delivery in held:
        delivery.deliver()
    assert logged(server, iteration) == edited
    check_consistency()


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_an_edit_between_two_moves_keeps_the_points_that_are_about_to_move(
    server: Server, iteration: deardiary.Iteration, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """The packed row holds points of chunks that do not name it yet."""
    monkeypatch.setattr(threads, "THREADS", 1)
    before = logged(server, iteration)[0]
    edited: list[str] = []

    def move_then_edit(delivery: Delivery) -> Answer:
        answer = delivery.deliver()
        (moved_chunk,) = delivery.sent.sort_keys
        edited.extend(point["id"] for point in before if point["id"].split(".")[2] in moved_chunk)
        assert server.call(method, f"/metrics/{edited[0]}", {"value": 99}).status in (200, 204)
        return answer

    with inject(move_then_edit, {"UpdateItem"}, when=of_chunk):
        assert compaction.compact(iteration, 1) == CHUNKS
    kept = {point["id"]: point for point in before if point["id"] != edited[0]}
    assert kept.items() <= {point["id"]: point for point in logged(server, iteration)[0]}.items()
    check_consistency()


@pytest.mark.usefixtures("three_writes")
def test_a_batch_announced_after_the_lease_is_merged_once(
    server: Server, iteration: deardiary.Iteration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its chunk is among the rows that the compaction reads, and its writer dies before the merge."""
    point, read_rows = logged(server, iteration)[0][0], rows.read_rows

    def announce_then_read(*arguments: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(batch, "_merge", _die)
            assert send(server, iteration, "late", 50).status == 500
        return read_rows(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(rows, "read_rows", announce_then_read)
        compaction.compact(iteration, 1)
    server.call("PATCH", f"/metrics/{point['id']}", {"value": 99})
    assert send(server, iteration, "late", 50).status == 201
    rest, summary = logged(server, iteration)
    assert len(rest) == 3 * (CHUNKS + 1)
    assert {key: each["count"] for key, each in summary.items()} == {"a": 2 * (CHUNKS + 1), "b": CHUNKS + 1}
    check_consistency()


class _DeathError(Exception):
    """Simulates the death of a process."""


def _die(*_: Any) -> Any:
    raise _DeathError
