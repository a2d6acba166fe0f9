"""The benchmark of requests covers every route, and its measurements are correct."""

from __future__ import annotations

import json

import pytest

from benchmarks import requests
from benchmarks.kit import report
from benchmarks.kit.metering import Meter
from tests.support import asks
from tests.support.server import Server
from tests.support.world import make_world


def test_it_asks_every_route_of_the_app() -> None:
    assert set(requests.registered_routes()) == set(asks.ASKS)


def test_a_route_that_it_does_not_know_fails_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(asks.ASKS, "GET /health")
    with pytest.raises(requests.RequestsFailed, match="GET /health"):
        requests.registered_routes()


def test_authentication_and_permission_read_two_items(server: Server) -> None:
    with Meter.attached() as meter:
        cost = requests.measure(server, meter, "GET /projects/{project_id}", make_world(server))
    assert (cost.auth_items, cost.items, cost.reads, cost.writes) == (2, 3, 3, 0)
    assert requests.auth_items_read([cost]) == 2


def test_the_figures_are_one_flat_object(capsys: pytest.CaptureFixture[str]) -> None:
    options = report.parse_options("requests", None, ["--json", "--no-peer"])
    report.show(options, {"auth_items_read": 2})
    assert json.loads(capsys.readouterr().out) == {"auth_items_read": 2}
    assert not options.peer


def test_a_table_has_numbers_to_the_right() -> None:
    assert report.table(("reads", "route"), [(2.0, "GET /a"), (0.12345, "b")]).splitlines() == [
        " reads  route",
        "------  ------",
        "     2  GET /a",
        "0.1235  b",
    ]
