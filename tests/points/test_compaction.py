"""Compaction: the same points before, during and after, even if processes compete, edit or die."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import deardiary
from chalicelib import clock
from chalicelib.aws import threads
from chalicelib.services.lifecycle import sweep
from chalicelib.services.points import compaction, merging
from chalicelib.storage import series
from chalicelib.storage.points import chunk, rows
from chalicelib.storage.table import item, keys
from tests.support.server import Server

SMALL = 12


class _DeathError(Exception):
    """Simulates the death of a process."""


@pytest.fixture
def iteration(real_server: Server, monkeypatch: pytest.MonkeyPatch) -> deardiary.Iteration:
    """An iteration with many small batches of two keys, overlapping in their steps."""
    monkeypatch.setattr(compaction, "ENOUGH_AT_END", SMALL)
    monkeypatch.setattr(compaction, "ENOUGH_WHEN_READ", SMALL)
    client = real_server.client()
    experiment = client.experiments.create(client.projects.create("compaction").id, "e")
    made = client.iterations.create(experiment.id)
    for number in range(SMALL):
        send(real_server, made, number)
    return made


def send(server: Server, iteration: deardiary.Iteration, number: int) -> Any:
    columns = {"a": {"value": [number, number + 0.5], "step": [number, 0]}, "b": {"value": [-number]}}
    body = {"batch_id": f"batch-{number}", "metrics": columns}
    receipt = server.call("POST", f"/iterations/{iteration.id}/log", body).body
    # It depends on who looks at the iteration at this moment.
    return {name: value for name, value in receipt.items() if name != "flush_after_seconds"}


def everything(server: Server, iteration: deardiary.Iteration) -> Any:
    path = f"/iterations/{iteration.id}/metrics"
    return [server.call("GET", f"{path}{rest}").body["data"] for rest in ("?limit=200", "/summary")]


def moved(iteration: deardiary.Iteration) -> int:
    return len(rows.read_rows(iteration.id).homes)


def curves(server: Server, iteration: deardiary.Iteration) -> Any:
    return server.call("GET", f"/iterations/{iteration.id}/metrics/series?key=a&key=b").body["data"]


def test_the_end_of_an_iteration_moves_small_chunks(real_server: Server, iteration: deardiary.Iteration) -> None:
    before = everything(real_server, iteration)
    real_server.client().iterations.update(iteration.id, status_id=deardiary.IterationStatus.SUCCEEDED)
    assert moved(iteration) == SMALL
    assert len(rows.read_rows(iteration.id).stored) == 2
    assert everything(real_server, iteration) == before
    assert {point["id"]: point for point in before[0]} == {
        point["id"]: real_server.call("GET", f"/metrics/{point['id']}").body for point in before[0]
    }


def test_a_reader_moves_them_and_writers_go_on(real_server: Server, iteration: deardiary.Iteration) -> None:
    receipts = [send(real_server, iteration, number) for number in range(SMALL)]
    before = curves(real_server, iteration)
    assert moved(iteration) == SMALL
    assert curves(real_server, iteration) == before
    assert [send(real_server, iteration, number) for number in range(SMALL)] == receipts
    assert curves(real_server, iteration) == before
    for number in range(SMALL, 2 * SMALL):
        send(real_server, iteration, number)
    before = curves(real_server, iteration)
    assert len(before["a"]["value"]) == 4 * SMALL
    assert moved(iteration) == 2 * SMALL
    assert curves(real_server, iteration) == before


def test_moved_points_are_changed_and_deleted(real_server: Server, iteration: deardiary.Iteration) -> None:
    curves(real_server, iteration)
    receipt = send(real_server, iteration, 5)
    chosen = [point for point in everything(real_server, iteration)[0] if point["value"] in (5.0, 5.5)]
    changed = real_server.call("PATCH", f"/metrics/{chosen[0]['id']}", {"value": 100}).body
    assert real_server.call("DELETE", f"/metrics/{chosen[1]['id']}").status == 204
    rest, summary = everything(real_server, iteration)
    assert changed in rest
    assert chosen[1]["id"] not in {point["id"] for point in rest}
    assert (summary["a"]["count"], summary["a"]["max"]) == (2 * SMALL - 1, 100)
    assert send(real_server, iteration, 5) == receipt


@pytest.mark.parametrize("last_words", ["move_chunk", "put_packed"])
def test_a_compaction_that_dies_changes_nothing(
    real_server: Server, iteration: deardiary.Iteration, monkeypatch: pytest.MonkeyPatch, last_words: str
) -> None:
    before = everything(real_server, iteration)
    real, calls = getattr(chunk, last_words), iter(range(100))

    def dying(*arguments: Any) -> Any:
        if next(calls) >= 1:
            raise _DeathError
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(chunk, last_words, dying)
        patch.setattr(threads, "THREADS", 1)
        with pytest.raises(_DeathError):
            compaction.compact(iteration, 1)
    assert everything(real_server, iteration) == before
    later = clock.to_milliseconds(clock.now()) + merging.STALE_AFTER // 1000 + 1
    monkeypatch.setattr(clock, "now", lambda: clock.from_milliseconds(later))
    assert compaction.compact(iteration, 1) == SMALL - moved_then(last_words)
    assert everything(real_server, iteration) == before
    assert len({row.generation for row in rows.read_rows(iteration.id).stored}) == 1 + moved_then(last_words)


def moved_then(last_words: str) -> int:
    """The number of chunks moved before the death."""
    return 1 if last_words == "move_chunk" else 0


def test_two_at_once_with_readers_and_writers(real_server: Server, iteration: deardiary.Iteration) -> None:
    before = {point["id"]: point for point in everything(real_server, iteration)[0]}

    def compact(_: int) -> int:
        compaction.compact_if_many(iteration, 1)
        return 0

    def read(_: int) -> int:
        seen = {point["id"]: point for point in everything(real_server, iteration)[0]}
        assert before.items() <= seen.items()
        return 0

    def write(number: int) -> int:
        return int(send(real_server, iteration, 100 + number)["accepted"])

    with ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(work, number) for number in range(6) for work in (compact, read, write)]
        assert sum(future.result() for future in futures) == 6 * 3
    read(0)
    assert len(everything(real_server, iteration)[0]) == 3 * (SMALL + 6)
    assert series.read_series(iteration.experiment_id, iteration.id).compacting is None


def test_a_point_changed_while_it_is_moved(
    real_server: Server, iteration: deardiary.Iteration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The packed value from before the change must not return."""
    chosen = everything(real_server, iteration)[0][-1]
    put = chunk.put_packed

    def change_then_put(*arguments: Any) -> Any:
        real_server.call("PATCH", f"/metrics/{chosen['id']}", {"value": 77})
        return put(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(chunk, "put_packed", change_then_put)
        assert compaction.compact(iteration, 1) == SMALL - 1
    assert real_server.call("GET", f"/metrics/{chosen['id']}").body["value"] == 77
    assert compaction.compact(iteration, 1) == 1
    assert real_server.call("GET", f"/metrics/{chosen['id']}").body["value"] == 77
    assert len(everything(real_server, iteration)[0]) == 3 * SMALL


def test_heavy_chunks_stay(real_server: Server, iteration: deardiary.Iteration) -> None:
    dice = random.Random(1)  # noqa: S311
    heavy = {"a": {"value": [dice.random() for _ in range(500)]}}
    real_server.call("POST", f"/iterations/{iteration.id}/log", {"batch_id": "heavy", "metrics": heavy})
    assert compaction.compact(iteration, 1) == SMALL
    assert compaction.compact(iteration, 1) == 0


def test_a_deletion_waits_for_it(
    real_server: Server, iteration: deardiary.Iteration, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, answers = chunk.put_packed, []

    def delete_first(*arguments: Any) -> Any:
        answers.append(real_server.call("DELETE", f"/iterations/{iteration.id}?purge=true").status)
        return put(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(chunk, "put_packed", delete_first)
        compaction.compact_if_many(iteration, 1)
    assert answers[0] == 202
    later = clock.to_milliseconds(clock.now()) + merging.STALE_AFTER // 1000 + 1
    monkeypatch.setattr(clock, "now", lambda: clock.from_milliseconds(later))
    assert sweep.resume_deletions(60)
    assert list(item.raw_keys(keys.iteration_partition(iteration.id))) == []
