"""Alert rules: which points make an alert, once for each iteration and rule, and at which price."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import deardiary
from chalicelib import limits
from chalicelib.services.search import budget
from tests.support.consistency import check_consistency
from tests.support.emulator import Emulator
from tests.support.events import BUS, Mailbox, mailbox
from tests.support.faults import Delivery, inject
from tests.support.server import Reply, Server, server_on_emulator


@pytest.fixture
def iteration(server: Server) -> deardiary.Iteration:
    client = server.client()
    experiment = client.experiments.create(client.projects.create("Iris").id, "sweep")
    return client.iterations.create(experiment.id, name="heron")


def put(server: Server, owner: str, *conditions: str, level: str = "error") -> Reply:
    rules = [{"name": f"rule {number}", "condition": each, "level": level} for number, each in enumerate(conditions)]
    return server.call("PUT", f"{owner}/alert-rules", {"rules": rules})


def flush(server: Server, iteration: deardiary.Iteration, batch_id: str, **metrics: list[Any]) -> int:
    columns = {key: {"value": values, "step": [*range(len(values))]} for key, values in metrics.items()}
    return server.call("POST", f"/iterations/{iteration.id}/log", {"batch_id": batch_id, "metrics": columns}).status


def alerts(server: Server, iteration: deardiary.Iteration) -> list[str]:
    return [each.text for each in server.client().iterations.alerts(iteration.id)]


@pytest.mark.parametrize(
    ("condition", "values", "found"),
    [
        ("metrics.loss > 10", [1.0, 12.5, 2.0], "12.5 at step 1"),
        ("metrics.loss > 10", [10.0, "NaN"], None),
        ("metrics.loss >= 10", [10.0], "10 at step 0"),
        ("metrics.loss < 0.5", [1.0, 0.25, "NaN"], "0.25 at step 1"),
        ("metrics.loss is NaN", [1.0, "NaN", 2.0], "nan at step 1"),
        ("metrics.loss IS nan", [1.0, "Infinity"], None),
        ("metrics.loss = Infinity", ["Infinity"], "inf at step 0"),
        ("metrics.loss != 1", [1.0, 3.0], "3 at step 1"),
        ("metrics.loss in (7, 8)", [1.0, 8.0], "8 at step 1"),
        ('metrics."val/loss" > 10', [99.0], None),
    ],
)
def test_a_rule_holds_for_a_point(
    server: Server, iteration: deardiary.Iteration, condition: str, values: list[Any], found: str | None
) -> None:
    assert put(server, f"/experiments/{iteration.experiment_id}", condition).status == 200
    assert flush(server, iteration, "1", loss=values, other=[99.0]) == 201
    assert alerts(server, iteration) == ([f"{condition}: {found}"] if found else [])
    check_consistency()


def test_a_rule_fires_once_for_an_iteration_and_again_for_the_next(
    server: Server, iteration: deardiary.Iteration
) -> None:
    client = server.client()
    put(server, f"/experiments/{iteration.experiment_id}", "metrics.loss > 10", "metrics.loss is NaN")
    for batch_id in ("1", "1", "2"):
        flush(server, iteration, batch_id, loss=[11.0])
    assert len(alerts(server, iteration)) == 1
    flush(server, iteration, "3", loss=["NaN"])
    assert len(alerts(server, iteration)) == 2
    second = client.iterations.create(iteration.experiment_id)
    flush(server, second, "1", loss=[11.0])
    (alert,) = client.iterations.alerts(second.id)
    assert (alert.title, alert.level, alert.created_by) == ("rule 0", "error", None)


def test_rules_of_the_project_hold_in_all_its_experiments(server: Server, iteration: deardiary.Iteration) -> None:
    client = server.client()
    project_id = client.experiments.get(iteration.experiment_id).project_id
    put(server, f"/projects/{project_id}", "metrics.loss > 10")
    flush(server, iteration, "1", loss=[11.0])
    assert len(alerts(server, iteration)) == 1
    client.projects.update(project_id, name="renamed")
    assert server.call("GET", f"/projects/{project_id}/alert-rules").body["rules"] == [
        {"name": "rule 0", "condition": "metrics.loss > 10", "level": "error"}
    ]
    assert put(server, f"/projects/{project_id}").status == 200
    another = client.iterations.create(iteration.experiment_id)
    flush(server, another, "1", loss=[11.0])
    assert alerts(server, another) == []


def test_every_route_of_points_tests_the_rules(server: Server, iteration: deardiary.Iteration) -> None:
    put(server, f"/experiments/{iteration.experiment_id}", "metrics.a > 10", "metrics.b > 10")
    path = f"/iterations/{iteration.id}/metrics"
    server.call("POST", path, {"key": "a", "value": 11.0})
    server.call("POST", f"{path}/batch", {"batch_id": "1", "metrics": [{"key": "b", "value": 11.0}]})
    assert sorted(alerts(server, iteration)) == ["metrics.a > 10: 11", "metrics.b > 10: 11"]


@pytest.mark.parametrize(
    "condition",
    ["", "metrics.loss", "parameters.lr > 1", "metrics.loss is null", "metrics.loss.max > 1", "not metrics.loss > 1"],
)
def test_a_condition_that_is_none_is_refused_by_its_number(
    server: Server, iteration: deardiary.Iteration, condition: str
) -> None:
    reply = put(server, f"/experiments/{iteration.experiment_id}", "metrics.loss > 1", condition)
    assert (reply.status, reply.field) == (422, "rules[1].condition")


def test_there_are_so_many_rules_and_no_more(server: Server, iteration: deardiary.Iteration) -> None:
    rules = ["metrics.loss > 1"] * (limits.MAX_RULE_ITEMS + 1)
    assert put(server, f"/experiments/{iteration.experiment_id}", *rules).status == 422


def test_a_rule_is_tested_in_every_flush_however_many_there_are(
    server: Server, iteration: deardiary.Iteration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The budget of a search is for one request."""
    monkeypatch.setattr(budget, "MAX_STEPS", 3, raising=False)
    put(server, f"/experiments/{iteration.experiment_id}", "metrics.loss > 10")
    for number in range(5):
        assert flush(server, iteration, str(number), loss=[1.0]) == 201


def calls_of(server: Server, iteration: deardiary.Iteration, batch_id: str, value: float) -> list[str]:
    calls: list[str] = []

    def note(delivery: Delivery) -> Any:
        calls.append(f"{delivery.sent.operation} {sorted(delivery.sent.sort_keys)}")
        return delivery.deliver()

    every = {"Query", "TransactWriteItems", "BatchWriteItem", "BatchGetItem", "GetItem", "UpdateItem", "PutItem"}
    with inject(note, every, first=None):
        assert flush(server, iteration, batch_id, loss=[value]) == 201
    return [each.replace(batch_id, "") for each in calls]


def test_rules_cost_no_call_until_one_fires_and_none_after_that(server: Server, iteration: deardiary.Iteration) -> None:
    flush(server, iteration, "first", loss=[1.0])
    without = len(calls_of(server, iteration, "without", 1.0))
    put(server, f"/experiments/{iteration.experiment_id}", "metrics.loss > 10")
    assert len(calls_of(server, iteration, "silent", 1.0)) == without
    assert len(calls_of(server, iteration, "firing", 11.0)) == without + 1
    assert len(calls_of(server, iteration, "fired", 11.0)) == without


def test_a_rule_that_could_not_be_stored_fires_with_the_repeated_flush(
    server: Server, iteration: deardiary.Iteration
) -> None:
    put(server, f"/experiments/{iteration.experiment_id}", "metrics.loss > 10")

    def refused(delivery: Delivery) -> Any:
        return delivery.answer(400, "ProvisionedThroughputExceededException")

    with inject(refused, {"TransactWriteItems"}, when=lambda sent: sent.touches("ALERT#"), first=None) as hit:
        assert flush(server, iteration, "1", loss=[11.0]) == 503
    assert hit
    assert flush(server, iteration, "1", loss=[11.0]) == 201
    assert len(alerts(server, iteration)) == 1
    check_consistency()


@pytest.fixture
def box(emulator: Emulator) -> Iterator[tuple[Server, Mailbox]]:
    with server_on_emulator(emulator.environment(), DEARDIARY_EVENT_BUS=BUS) as running, mailbox() as opened:
        yield running, opened


def test_a_rule_that_fires_is_one_event(box: tuple[Server, Mailbox]) -> None:
    server, client = box[0], box[0].client()
    iteration = client.iterations.create(client.experiments.create(client.projects.create("Iris").id, "sweep").id)
    put(server, f"/experiments/{iteration.experiment_id}", "metrics.loss is NaN")
    for batch_id in ("1", "2"):
        flush(server, iteration, batch_id, loss=["NaN"])
    (detail,) = box[1].details()
    assert (detail["event"], detail["alert"]["rule"]) == ("alert", "rule 0")
    assert detail["iteration"]["id"] == iteration.id
    assert detail["text"].endswith("alert: rule 0: metrics.loss is NaN: nan at step 0")
