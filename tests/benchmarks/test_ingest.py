"""The benchmarks of ingest with a small load: their figures are there, and add up."""

from __future__ import annotations

import pytest

from benchmarks import ingest_cost, ingest_speed
from benchmarks.ingest_cost import Cost, Effort
from benchmarks.kit.connection import RequestFailed
from benchmarks.kit.load import Sending, send_all
from benchmarks.kit.prices import Usage, dollars
from tests.support.server import Server


def test_points_are_packed_and_cost_little(real_server: Server) -> None:
    costs = list(ingest_cost.measure_all(real_server, Effort(before=1, measured=1)))
    figures = ingest_cost.figures(costs)
    assert figures["wru_per_million_1x1000"] <= 12_000
    assert figures["wru_per_million_10x100"] <= 25_000
    assert figures["usd_per_million_10x100"] <= 0.02
    assert figures["wru_per_million_50x20"] <= 25_000
    assert figures["wru_per_million_item_per_point"] == 1_000_000
    parts = [figures[f"usd_per_million_10x100_{part}"] for part in ("api", "lambda", "writes", "reads", "logs")]
    assert figures["usd_per_million_10x100"] == pytest.approx(sum(parts))


def test_a_flush_of_many_keys_costs_little_more_than_its_points(real_server: Server) -> None:
    """Sixteen flushes have one merge among them."""
    (many,) = ingest_cost.measure_all(real_server, Effort(before=1, measured=16), [(1000, 1)])
    assert many.writes <= 20
    assert many.first_writes <= 13


def test_a_bill_by_hand() -> None:
    usage = Usage(requests=1e6, seconds=1e5, write_units=1e6, read_units=1e6, log_bytes=1e9)
    bill = dollars(usage)
    assert bill == pytest.approx({"api": 3.5, "lambda": 0.2 + 1.33334, "writes": 0.625, "reads": 0.125, "logs": 0.5})


def test_a_cost_is_of_a_million_points() -> None:
    cost = Cost(keys=10, points_of_a_key=100, first_writes=1, writes=11, reads=8, calls=7, cpu_seconds=0)
    figures = ingest_cost.figures([cost])
    assert cost.requests == 1000
    assert figures["wru_per_million_10x100"] == 11_000
    assert figures["usd_per_million_10x100_lambda"] == pytest.approx(1000 * (0.2e-6 + 7 * 0.005 * 0.0000133334))


def test_speed_is_measured_through_http() -> None:
    load = ingest_speed.Load(
        {1: 1000, 2: 1000}, rounds=1, small_points=100, small_clients=2, costs=Effort(before=1, measured=2)
    )
    figures = ingest_speed.measure(load, peer=False)
    assert figures["points_per_s_1"] > 0
    assert figures["points_per_s_2_small_batch"] > 0
    assert figures["flushes_per_s_2"] > 0
    assert figures["flush_calls"] <= 5
    assert not [name for name in figures if "ratio" in name]


def test_a_request_that_is_refused_fails_the_measurement() -> None:
    with pytest.raises(RequestFailed, match="refused"):
        send_all("http://127.0.0.1:9", [[Sending("/health", method="GET")]])
