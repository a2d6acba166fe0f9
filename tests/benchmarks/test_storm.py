"""The model of a storm, on small loads whose outcome is known."""

from __future__ import annotations

import pytest

from benchmarks.kit import storm_model
from benchmarks.kit.storm_model import OWN, Load, Outcome, Partition, Request, Step, Storm
from benchmarks.storm import figures

CREATION = Request([Step.of([("USER#1", 1, 0, 1)])], 0.005)
FLUSH = Request([Step.of([("USER#1", 1, 0, 1)]), Step.of([("experiment", 0, 4, 2), (OWN, 0, 4, 2)])], 0.005)


def test_a_calm_morning_is_stored_at_the_pace() -> None:
    load = Load(jobs=20, start_within=60, shortest=300, longest=300)
    outcome = Storm(CREATION, FLUSH, load, experiments=1, is_watched=False).run()
    found = figures(outcome)
    assert outcome.logged == 20 * 300
    assert (found["lost"], found["lambda_saturated_min"], found["throttled_share"]) == (0, 0, 0)
    assert 25 <= found["p99_lag_s"] <= 31


def test_a_partition_that_is_too_small_throttles_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty jobs want eight flushes a second, and the partition takes four."""
    monkeypatch.setattr(storm_model, "WRITES", 8.0)
    load = Load(jobs=40, start_within=10, shortest=100, longest=120)
    outcome = Storm(CREATION, FLUSH, load, experiments=1, is_watched=True).run()
    found = figures(outcome)
    assert found["lost"] == 0
    assert found["throttled_share"] > 0
    assert found["p99_lag_s"] > 10


def test_a_lambda_without_functions_saturates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storm_model, "FUNCTIONS", 1)
    load = Load(jobs=200, start_within=1, shortest=30, longest=40)
    found = figures(Storm(CREATION, FLUSH, load, experiments=1, is_watched=True).run())
    assert found["lambda_saturated_min"] >= 1
    assert found["lost"] == 0


def test_points_that_never_arrive_are_lost() -> None:
    load = Load(jobs=2, start_within=1, shortest=100, longest=100, until=50)
    found = figures(Storm(CREATION, FLUSH, load, experiments=1, is_watched=False).run())
    assert found["lost"] > 100
    assert found["p99_lag_s"] == float("inf")


def test_a_partition_refills_to_a_second_of_units() -> None:
    partition = Partition()
    assert partition.has(0, 3000, 1000)
    partition.take(3000, 1000)
    assert not partition.has(0.1, 0, 101)
    assert partition.has(0.2, 600, 200)
    assert not partition.has(60, 0, 1001)


def test_the_lag_is_over_all_points() -> None:
    outcome = Outcome(logged=100)
    outcome.store(0, 99, 99)
    outcome.store(99, 100, 199)
    assert outcome.lost == 0
    assert [outcome.lag(share) for share in (0.01, 0.5, 0.99, 1)] == [1, 50, 99, 100]


def test_a_call_takes_the_units_of_all_its_items() -> None:
    step = Step.of([("a", 4, 0, 4), ("a", 4, 0, 4), ("b", 4, 0, 4), (OWN, 4, 0, 4)])
    assert sorted(step.units) == [("a", 2, 0), ("b", 1, 0)]
