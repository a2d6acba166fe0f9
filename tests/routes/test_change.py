"""`GET /experiments/{id}/iterations/changes`: what changed since the last poll, and what a poll costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from benchmarks.kit.metering import READS, Meter
from chalicelib import clock, ids
from chalicelib.services.search.position import Position, encode
from chalicelib.storage.table import item, keys
from deardiary.wire.shapes import IterationStatus
from deardiary.wire.times import parse_time
from tests.support.mirror import Mirror
from tests.support.server import Reply, Server, server_on_moto


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running_server:
        yield running_server


@pytest.fixture
def experiment_id(server: Server) -> str:
    client = server.client()
    return client.experiments.create(client.projects.create("changes").id, "e").id


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Advances the server's clock, and with it the times in ids."""
    now, tick, ahead = clock.now, ids._tick, [timedelta(0)]
    monkeypatch.setattr(clock, "now", lambda: now() + ahead[0])
    monkeypatch.setattr(ids, "_tick", lambda: tick() + ahead[0] // timedelta(microseconds=1))

    def move(**time: float) -> None:
        ahead[0] += timedelta(**time)

    return move


class Run:
    """One iteration, and the requests that change it."""

    def __init__(self, server: Server, experiment_id: str) -> None:
        self.server, self.client = server, server.client()
        self.id = self.client.iterations.create(experiment_id).id
        self._batches = 0

    def call(self, method: str, path: str, body: Any = None) -> Reply:
        reply = self.server.call(method, path.format(id=self.id), body)
        assert reply.status < 300, reply.body
        return reply

    def flush(self, **content: Any) -> None:
        self._batches += 1
        self.call("POST", "/iterations/{id}/log", {"batch_id": str(self._batches), **content})

    def log(self, value: float = 0.5, **point: Any) -> None:
        self.flush(metrics=[{"key": "loss", "value": value, **point}])

    def patch(self, **changes: Any) -> None:
        self.call("PATCH", "/iterations/{id}", changes)

    def end(self) -> None:
        self.patch(status_id=int(IterationStatus.SUCCEEDED))

    def tag(self, value: str = "best") -> str:
        return str(self.call("POST", "/iterations/{id}/tags", {"value": value}).body["id"])

    def parameter(self, key: str = "lr") -> str:
        return str(self.call("POST", "/iterations/{id}/parameters", {"key": key, "value": "1"}).body["id"])


@pytest.fixture
def run(server: Server, experiment_id: str) -> Run:
    return Run(server, experiment_id)


def _ended(run: Run) -> None:
    run.end()


def _with_a_tag(run: Run) -> None:
    run.tag()


def _with_a_parameter(run: Run) -> None:
    run.parameter()


def _nothing(_run: Run) -> None:
    pass


def _remove_tag(run: Run) -> None:
    (tag,) = run.call("GET", "/iterations/{id}/tags").body["data"]
    run.call("DELETE", f"/iterations/{{id}}/tags/{tag['id']}")


def _on_parameter(method: str, body: Any = None) -> Any:
    def act(run: Run) -> None:
        (parameter,) = run.call("GET", "/iterations/{id}/parameters").body["data"]
        run.call(method, f"/parameters/{parameter['id']}", body)

    return act


def _edit_point(run: Run) -> None:
    run.log(0.1)
    (point,) = run.call("GET", "/iterations/{id}/metrics").body["data"]
    run.call("PATCH", f"/metrics/{point['id']}", {"value": 7.0})


def _get_a_child_and_lose_its_parent(run: Run) -> None:
    parent = run.client.iterations.create(run.client.iterations.get(run.id).experiment_id)
    run.patch(parent_iteration_id=parent.id)
    run.client.iterations.delete(parent.id)


def _log_late(run: Run) -> None:
    run.log(0.25, recorded_at="2020-01-01T00:00:00Z")


EDITS = {
    "a flush": (_nothing, lambda run: run.log()),
    "a flush of parameters": (_nothing, lambda run: run.flush(parameters={"lr": "0.1"}, tags=["new"])),
    "a name": (_nothing, lambda run: run.patch(name="better")),
    "a name after the end": (_ended, lambda run: run.patch(name="better")),
    "notes after the end": (_ended, lambda run: run.patch(notes="Look!")),
    "the end": (_nothing, lambda run: run.end()),
    "the resumption": (_ended, lambda run: run.patch(status_id=int(IterationStatus.RUNNING))),
    "a tag": (_ended, lambda run: run.tag()),
    "a label": (_ended, lambda run: run.patch(labels={"team": "nlp"})),
    "a long label": (_ended, lambda run: run.patch(labels={"team": "nlp" * 1000})),
    "a flush of labels": (_nothing, lambda run: run.flush(labels={"team": "nlp"})),
    "a removed label": (lambda run: run.patch(labels={"a": "1"}), lambda run: run.patch(labels={"a": None})),
    "a removed tag": (_with_a_tag, _remove_tag),
    "a parameter": (_nothing, lambda run: run.parameter()),
    "a parameter's value": (_with_a_parameter, _on_parameter("PATCH", {"value": "2"})),
    "a removed parameter": (_with_a_parameter, _on_parameter("DELETE")),
    "a point": (_nothing, _edit_point),
    "the environment": (_nothing, lambda run: run.call("PUT", "/iterations/{id}/snapshot", {"git_sha": "abc"})),
    "a deleted parent": (_nothing, _get_a_child_and_lose_its_parent),
    "late points": (_ended, _log_late),
}


@pytest.mark.parametrize("grown", ["true", "false"])
@pytest.mark.parametrize("edit", EDITS)
def test_a_poll_sees_every_change(
    server: Server, experiment_id: str, run: Run, later: Any, edit: str, grown: str
) -> None:
    before, change_it = EDITS[edit]
    before(run)
    mirror = Mirror(server, experiment_id)
    later(minutes=2)
    mirror.poll()
    assert mirror.poll()["data"] == []
    change_it(run)
    mirror.poll(grown=grown)
    assert mirror.rows == mirror.listed()


def test_an_iteration_that_only_logged_more_comes_without_its_row(
    server: Server, experiment_id: str, run: Run, later: Any
) -> None:
    mirror = Mirror(server, experiment_id)
    run.log(0.5)
    assert [each["id"] for each in mirror.poll(grown="true")["data"]] == [run.id]
    later(minutes=2)
    run.log(0.25)
    mirror.poll()
    later(minutes=2)
    run.flush(metrics=[{"key": "loss", "value": 0.125}, {"key": "accuracy", "value": 0.5}])
    reply = mirror.ask(grown="true", metrics=["loss"])
    assert (reply.body["data"], reply.body["gone"]) == ([], [])
    assert {each: list(metrics) for each, metrics in reply.body["grown"].items()} == {run.id: ["loss"]}
    mirror.poll(grown="true")
    assert mirror.rows == mirror.listed()
    since = mirror.since
    run.log(0.1)
    answer = server.client().iterations.changes(experiment_id, since, grown=True)
    assert (answer.data, answer.grown[run.id]["loss"].last) == ((), 0.1)


def test_new_and_deleted_iterations(server: Server, experiment_id: str, run: Run) -> None:
    mirror = Mirror(server, experiment_id)
    new = Run(server, experiment_id)
    run.client.iterations.delete(run.id)
    answer = mirror.poll()
    assert answer["gone"] == [run.id]
    assert [each["id"] for each in answer["data"]] == [new.id]
    assert mirror.rows == mirror.listed()


def test_a_child_shows_no_parent_while_that_is_in_the_trash(server: Server, experiment_id: str, later: Any) -> None:
    client = server.client()
    parent = client.iterations.create(experiment_id).id
    child = client.iterations.create(experiment_id, parent_iteration_id=parent).id
    client.iterations.update(child, status_id=IterationStatus.SUCCEEDED)
    later(minutes=3)
    mirror = Mirror(server, experiment_id)
    for method, path in (("DELETE", f"/iterations/{parent}"), ("POST", f"/trash/{parent}")):
        assert server.call(method, path).status in (200, 204)
        mirror.poll()
        assert mirror.rows == mirror.listed()
        later(minutes=3)
    assert mirror.rows[child]["parent_iteration_id"] == parent


def test_an_edit_does_not_repeat_parameters_with_every_flush_after_it(
    server: Server, experiment_id: str, run: Run, later: Any
) -> None:
    run.flush(parameters={"lr": "0.1"}, tags=["a"], metrics=[{"key": "loss", "value": 1.0}])
    mirror = Mirror(server, experiment_id)
    later(seconds=15)
    (row,) = mirror.poll()["data"]
    assert (row["parameters"], row["tags"], row["metrics"]["loss"]["last"]) == ({"lr": "0.1"}, ["a"], 1.0)
    later(minutes=2)
    assert mirror.poll()["data"] == []
    run.log(0.25)
    (row,) = mirror.poll()["data"]
    assert (row["metrics"]["loss"]["last"], row["metrics"]["loss"]["last_step"]) == (0.25, 1)
    assert not {"parameters", "tags"} & row.keys()
    assert mirror.poll()["data"] == []


def test_only_the_named_keys_come(server: Server, experiment_id: str, run: Run) -> None:
    run.flush(parameters={"lr": "1", "seed": "2"}, metrics=[{"key": key, "value": 1.0} for key in ("loss", "acc")])
    mirror = Mirror(server, experiment_id)
    for given, parameters, metrics in (
        ({}, {"lr", "seed"}, {"loss", "acc"}),
        ({"parameters": "*", "metrics": ["acc", "*"]}, {"lr", "seed"}, {"loss", "acc"}),
        ({"parameters": ["lr", "none"], "metrics": "loss"}, {"lr"}, {"loss"}),
        ({"parameters": "", "metrics": ""}, set(), set()),
    ):
        (row,) = mirror.ask(since=None, **given).body["data"]
        assert (set(row["parameters"]), set(row["metrics"])) == (parameters, metrics)


def test_only_the_named_iterations_come(server: Server, experiment_id: str) -> None:
    runs = [Run(server, experiment_id) for _ in range(3)]
    mirror = Mirror(server, experiment_id)
    for each in runs:
        each.log()
    wanted = [runs[0].id, runs[2].id]
    assert {row["id"] for row in mirror.ask(iteration_id=wanted).body["data"]} == set(wanted)


def test_what_does_not_fit_one_answer_comes_with_the_next(server: Server, experiment_id: str, later: Any) -> None:
    runs = [Run(server, experiment_id) for _ in range(5)]
    for each in runs[:3]:
        each.end()
    later(seconds=20)
    mirror = Mirror(server, experiment_id)
    mirror.rows, mirror.since = {}, None
    pauses: list[float] = []
    while not pauses or pauses[-1] == 0:
        pauses.append(mirror.poll(limit=2)["poll_after_seconds"])
    assert pauses == [0, 0, 5]
    assert mirror.rows == mirror.listed()


def test_edits_of_this_moment_come_once_now_and_once_more_when_they_are_older(
    server: Server, experiment_id: str, later: Any
) -> None:
    runs = [Run(server, experiment_id) for _ in range(5)]
    for each in runs:
        each.end()
    mirror = Mirror(server, experiment_id)
    mirror.rows, mirror.since = {}, None
    answers = [mirror.poll(limit=2) for _ in range(4)]
    assert [len(each["data"]) for each in answers] == [2, 2, 1, 0]
    assert [each["poll_after_seconds"] for each in answers] == [0, 0, 30, 30]
    assert mirror.rows == mirror.listed()
    later(seconds=15)
    again = [mirror.poll() for _ in range(2)]
    assert [{row["id"] for row in each["data"]} for each in again] == [{each.id for each in runs}, set()]


def test_a_position_stays_short_while_very_many_are_edited(
    server: Server, experiment_id: str, later: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.services.change.MOST_SEEN", 4)
    runs = [Run(server, experiment_id) for _ in range(6)]
    mirror = Mirror(server, experiment_id)
    later(seconds=20)
    for each in runs:
        each.end()
    answers = [mirror.poll(limit=2) for _ in range(3)]
    assert max(len(each["next_since"]) for each in answers) <= 52
    assert answers[-1]["poll_after_seconds"] > 0
    for _ in range(3):
        later(minutes=1)
        mirror.poll()
    assert mirror.rows == mirror.listed()


def test_the_pause_is_short_while_something_runs(server: Server, experiment_id: str, run: Run) -> None:
    mirror = Mirror(server, experiment_id)
    assert mirror.poll()["poll_after_seconds"] == 5
    run.end()
    assert mirror.poll()["poll_after_seconds"] == 30


def test_a_position_of_yesterday_asks_for_a_new_list(server: Server, experiment_id: str, run: Run, later: Any) -> None:
    run.end()
    mirror = Mirror(server, experiment_id)
    later(hours=23)
    assert not mirror.poll()["reset"]
    later(hours=24)
    run.patch(name="later")
    answer = mirror.poll()
    assert answer["reset"]
    assert [row["name"] for row in answer["data"]] == ["later"]
    assert not mirror.poll()["reset"]


def test_a_clock_that_was_set_back_asks_for_a_new_list(
    server: Server, experiment_id: str, run: Run, later: Any
) -> None:
    mirror = Mirror(server, experiment_id)
    later(minutes=-5)
    run.patch(name="renamed")
    answer = mirror.poll()
    assert answer["reset"]
    assert [row["name"] for row in answer["data"]] == ["renamed"]


@pytest.mark.parametrize("time_us", [2**55, 2**63, 2**64 - 1])
def test_a_forged_position_of_the_future_asks_for_a_new_list(server: Server, experiment_id: str, time_us: int) -> None:
    since = encode(experiment_id, Position(time_us))
    reply = server.call("GET", f"/experiments/{experiment_id}/iterations/changes?since={since}")
    assert (reply.status, reply.body["reset"]) == (200, True)


@pytest.mark.parametrize("since", ["", "nonsense", "0", "é"])
def test_a_damaged_position_is_refused(server: Server, experiment_id: str, since: str) -> None:
    reply = server.call("GET", f"/experiments/{experiment_id}/iterations/changes?since={since}")
    assert (reply.error, reply.field) == ((422, "INVALID_PAYLOAD"), "since")


def test_the_position_of_another_experiment_is_refused(server: Server, experiment_id: str) -> None:
    client = server.client()
    other = client.experiments.create(client.experiments.get(experiment_id).project_id, "other")
    mirror = Mirror(server, experiment_id)
    path = f"/experiments/{other.id}/iterations/changes?since={mirror.since}"
    assert server.call("GET", path).field == "since"


def test_an_idle_experiment_answers_304_and_costs_6_read_units(server: Server, experiment_id: str, later: Any) -> None:
    runs = [Run(server, experiment_id) for _ in range(3)]
    for each in runs:
        each.log()
        each.end()
    mirror = Mirror(server, experiment_id)
    later(minutes=2)
    mirror.poll()
    etag = mirror.ask().headers["etag"]
    with Meter.attached() as meter, meter.measuring() as calls:
        reply = mirror.ask({"If-None-Match": etag})
    assert (reply.status, reply.body) == (304, None)
    assert sum(call.read_units for call in calls) <= 6
    runs[0].patch(notes="news")
    assert mirror.ask({"If-None-Match": etag}).status == 200


def test_the_same_rows_again_are_304(server: Server, experiment_id: str, run: Run) -> None:
    mirror = Mirror(server, experiment_id)
    run.log()
    etag = mirror.ask().headers["etag"]
    assert mirror.ask({"If-None-Match": etag}).status == 304
    run.log(0.1)
    assert mirror.ask({"If-None-Match": etag}).status == 200


@pytest.mark.parametrize("others", [0, 19])
def test_fifty_running_iterations_cost_40_read_units(
    server: Server, experiment_id: str, run: Run, later: Any, others: int
) -> None:
    """Each has ten metrics and twenty parameters. Between any two of them, `others` ended. One was edited."""
    metrics = [{"key": f"metric/{number}", "value": number / 7} for number in range(10)]
    run.flush(parameters={f"parameter-{number}": "0.001" for number in range(20)}, metrics=metrics)
    running_ids = [ids.new_id() for _ in range(50)]
    for each in running_ids:
        _copy(experiment_id, run.id, each, keys.iteration, keys.series, keys.running)
        for number in range(others):
            _copy(experiment_id, run.id, f"{each}{number}", keys.iteration, keys.series)
    run.end()
    mirror = Mirror(server, experiment_id)
    later(minutes=2)
    mirror.poll()
    run.patch(status_id=int(IterationStatus.RUNNING))
    run.flush(metrics=metrics)
    run.end()
    for each in running_ids:
        _copy(experiment_id, run.id, each, keys.series)
    later(seconds=70)
    with Meter.attached() as meter, meter.measuring() as calls:
        answer = mirror.poll(grown="true")
    assert ([each["id"] for each in answer["data"]], answer["grown"].keys()) == ([run.id], {*running_ids})
    assert sum(call.read_units for call in calls if call.operation in READS) <= 40


def _copy(experiment_id: str, source: str, target: str, *kinds: Callable[[str, str], keys.Key]) -> None:
    """Write the rows of one iteration under the id of another: faster than fifty iterations and their flushes."""
    for kind in kinds:
        row = item.find(item.Item, kind(experiment_id, source))
        assert row is not None
        row.sk = kind(experiment_id, target).sk
        if "id" in row.attribute_values:
            row.attribute_values["id"] = target
        row.save()


def test_a_poll_tells_when_each_running_iteration_was_seen_last(
    server: Server, experiment_id: str, run: Run, later: Any
) -> None:
    ended, silent = Run(server, experiment_id), Run(server, experiment_id)
    ended.end()
    later(minutes=12)
    run.flush()
    mirror = Mirror(server, experiment_id)
    seen = {each: parse_time(time) for each, time in mirror.ask().body["last_seen"].items()}
    assert list(seen) == [run.id, silent.id]
    assert timedelta(minutes=12) <= seen[run.id] - seen[silent.id] < timedelta(minutes=13)
    assert list(mirror.ask(iteration_id=[silent.id]).body["last_seen"]) == [silent.id]
    assert set(server.client().iterations.changes(experiment_id).last_seen.values()) == set(seen.values())


def test_a_heartbeat_without_points_is_news(server: Server, experiment_id: str, run: Run, later: Any) -> None:
    mirror = Mirror(server, experiment_id)
    later(minutes=2)
    mirror.poll()
    reply = mirror.ask()
    etag = reply.headers["etag"]
    run.flush()
    news = mirror.ask({"If-None-Match": etag})
    assert (news.status, news.body["data"]) == (200, [])
    assert news.body["last_seen"][run.id] > reply.body["last_seen"][run.id]
