"""Points from many writers at once, repeated requests and writers that die, against real conditional writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

import deardiary
from chalicelib import clock
from chalicelib.services.points import batch, merging
from chalicelib.storage import series
from chalicelib.storage.points import rows as points_of
from deardiary.wire.shapes import Metric
from tests.support.consistency import check_consistency
from tests.support.server import Server

THREADS = 16


@pytest.fixture(autouse=True)
def _consistent_at_the_end(real_server: Server) -> Iterator[None]:
    yield
    check_consistency()


@pytest.fixture
def iteration(real_server: Server) -> deardiary.Iteration:
    client = real_server.client()
    project = client.projects.create("races")
    experiment = client.experiments.create(project.id, "races")
    return client.iterations.create(experiment.id)


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    with ThreadPoolExecutor(THREADS) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def points(server: Server, iteration: deardiary.Iteration) -> list[Metric]:
    return list(server.client().metrics.list(iteration.id))


def summary(server: Server, iteration: deardiary.Iteration) -> Any:
    return server.call("GET", f"/iterations/{iteration.id}/metrics/summary").body["data"]


@pytest.mark.usefixtures("either_way")
def test_automatic_steps_have_no_gap_and_no_repeat(real_server: Server, iteration: deardiary.Iteration) -> None:
    path = f"/iterations/{iteration.id}/metrics"
    body = {"key": "loss", "value": 1.5}
    answers = at_once([lambda: real_server.call("POST", path, body)] * 64)
    assert {answer.status for answer in answers} == {201}
    assert sorted(answer.body["step"] for answer in answers) == list(range(64))
    assert [point.step for point in points(real_server, iteration)] == list(range(64))
    assert summary(real_server, iteration)["loss"]["count"] == 64


@pytest.mark.usefixtures("either_way")
def test_a_batch_sent_by_sixteen_at_once_is_taken_once(real_server: Server, iteration: deardiary.Iteration) -> None:
    path = f"/iterations/{iteration.id}/metrics/batch"
    body = {"batch_id": "the-one", "metrics": [{"key": "a", "value": n} for n in range(10)]}
    answers = at_once([lambda: real_server.call("POST", path, body)] * THREADS)
    assert all(answer.body == answers[0].body for answer in answers)
    assert [point.value for point in points(real_server, iteration)] == list(range(10))
    assert summary(real_server, iteration)["a"]["count"] == 10


class _DeathError(Exception):
    """Simulates the death of a process."""


def _die(*_: Any) -> Any:
    raise _DeathError


@pytest.mark.usefixtures("three_writes")
@pytest.mark.parametrize("last_words", ["_put", "_merge"], ids=["before the chunk", "before the merge"])
def test_a_writer_that_dies_is_finished_by_its_retry(
    real_server: Server, iteration: deardiary.Iteration, monkeypatch: pytest.MonkeyPatch, last_words: str
) -> None:
    path = f"/iterations/{iteration.id}/metrics/batch"
    body = {"batch_id": "first", "metrics": [{"key": "a", "value": 1}, {"key": "a", "value": 2}]}
    with monkeypatch.context() as dying:
        dying.setattr(batch, last_words, _die)
        assert real_server.call("POST", path, body).status == 500
    # Another writer gets the steps after those that the first one has reserved.
    other = real_server.call("POST", path, {"batch_id": "second", "metrics": [{"key": "a", "value": 3}]})
    assert other.body["last_step"] == {"a": 2}
    assert real_server.call("POST", path, body).body == {"batch_id": "first", "accepted": 2, "last_step": {"a": 1}}
    assert [(point.step, point.value) for point in points(real_server, iteration)] == [(0, 1), (1, 2), (2, 3)]
    assert summary(real_server, iteration)["a"]["count"] == 3


@pytest.mark.usefixtures("three_writes")
@pytest.mark.parametrize(("last_words", "count"), [("_put", 1), ("_merge", 3)])
def test_a_writer_that_never_comes_back_is_settled_by_the_next(
    real_server: Server,
    iteration: deardiary.Iteration,
    monkeypatch: pytest.MonkeyPatch,
    last_words: str,
    count: int,
) -> None:
    path = f"/iterations/{iteration.id}/metrics/batch"
    body = {"batch_id": "gone", "metrics": [{"key": "a", "value": 1}, {"key": "a", "value": 2}]}
    with monkeypatch.context() as dying:
        dying.setattr(batch, last_words, _die)
        real_server.call("POST", path, body)
    later = clock.now().timestamp() * 1000 + merging.STALE_AFTER // 1000 + 1
    monkeypatch.setattr(clock, "now", lambda: clock.from_milliseconds(int(later)))
    real_server.call("POST", path, {"batch_id": "next", "metrics": [{"key": "a", "value": 3}]})
    assert summary(real_server, iteration)["a"]["count"] == count
    assert len(points(real_server, iteration)) == count
    assert series.read_series(iteration.experiment_id, iteration.id).announced == {}


def test_a_chunk_is_one_item_whatever_the_number_of_keys(real_server: Server, iteration: deardiary.Iteration) -> None:
    metrics = {f"layer/{n}": {"value": [0.5 * n] * 20} for n in range(50)}
    real_server.call("POST", f"/iterations/{iteration.id}/log", {"batch_id": "b", "metrics": metrics})
    assert len(points_of.read_rows(iteration.id).stored) == 1
    assert len(points(real_server, iteration)) == 1000


def test_two_finishers_agree(real_server: Server, iteration: deardiary.Iteration) -> None:
    path = f"/iterations/{iteration.id}"
    answers = at_once([partial(real_server.call, "PATCH", path, {"status_id": status}) for status in (2, 3) * 8])
    ended = real_server.call("GET", path).body
    won = [answer for answer in answers if answer.status == 200]
    assert won
    assert all(answer.body == ended for answer in won)
    assert all(answer.error == (422, "INVALID_PAYLOAD") for answer in answers if answer.status != 200)


@pytest.mark.usefixtures("either_way")
def test_one_batch_id_with_different_points_is_one_of_them(real_server: Server, iteration: deardiary.Iteration) -> None:
    path = f"/iterations/{iteration.id}/metrics/batch"
    bodies = [{"batch_id": "differ", "metrics": [{"key": f"k{n}", "value": n}]} for n in range(8)]
    answers = at_once([partial(real_server.call, "POST", path, body) for body in bodies])
    assert {answer.status for answer in answers} <= {201, 503}
    assert len(points(real_server, iteration)) == 1
    settled = [real_server.call("POST", path, body) for body in bodies]
    assert all(answer.status == 201 and answer.body == settled[0].body for answer in settled)


def test_a_flush_sent_again_changes_nothing(real_server: Server, iteration: deardiary.Iteration) -> None:
    path = f"/iterations/{iteration.id}"
    for flush in ({"metrics": [{"key": "a", "value": 1}]}, {}):
        body = {"batch_id": f"b{len(flush)}", "parameters": {f"p{len(flush)}": "1"}, "tags": ["t"], **flush}
        first = real_server.call("POST", f"{path}/log", body)
        for kind in ("parameters", "tags"):
            for each in real_server.call("GET", f"{path}/{kind}").body["data"]:
                gone = f"{path}/tags/{each['id']}" if kind == "tags" else f"/parameters/{each['id']}"
                assert real_server.call("DELETE", gone).status == 204
        again = real_server.call("POST", f"{path}/log", body)
        assert (again.status, again.body) == (201, first.body)
        assert real_server.call("GET", f"{path}/parameters").body["data"] == []
        assert real_server.call("GET", f"{path}/tags").body["data"] == []


def test_only_one_of_many_creations_is_a_creation(real_server: Server, iteration: deardiary.Iteration) -> None:
    for path, body in (("parameters", {"key": "k", "value": "v"}), ("tags", {"value": "t"})):
        call = partial(real_server.call, "POST", f"/iterations/{iteration.id}/{path}", body)
        answers = at_once([call] * THREADS)
        assert sorted(answer.status for answer in answers) == [200] * (THREADS - 1) + [201]
