"""Logs and alarms of a stage, on the emulator."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest

from benchmarks import monthly_cost
from infra.resources.monitoring import FILTERS, alarms, converge_monitoring, delete_monitoring
from infra.stage import Stage
from tests.support.emulator import Emulator
from tests.support.server import environment

TOPIC = "arn:aws:sns:us-east-1:000000000000:oncall"
STAGE = Stage("watched", "000000000000", "us-east-1")


@pytest.fixture(autouse=True)
def _account(emulator: Emulator) -> Iterator[None]:
    with environment(emulator.environment()):
        yield
        delete_monitoring(STAGE, delete_logs=True)


def test_a_second_run_changes_nothing_and_keeps_the_topic() -> None:
    assert converge_monitoring(STAGE, TOPIC)
    assert converge_monitoring(STAGE, None) == []
    cloudwatch = boto3.client("cloudwatch")
    set_alarms = cloudwatch.describe_alarms(AlarmNames=[each.name for each in alarms(STAGE)])["MetricAlarms"]
    assert len(set_alarms) == len(alarms(STAGE))
    assert {tuple(each["AlarmActions"]) for each in set_alarms} == {(TOPIC,)}


def test_an_alarm_that_was_changed_is_set_again() -> None:
    converge_monitoring(STAGE, None)
    first = alarms(STAGE)[0]
    boto3.client("cloudwatch").put_metric_alarm(**first.request() | {"Threshold": 1000.0})
    assert converge_monitoring(STAGE, None) == [f"alarm {first.name}: set"]


def test_each_count_of_the_log_has_an_alarm() -> None:
    """And what is counted is what the server writes: `status`, a number."""
    converge_monitoring(STAGE, None)
    filters = boto3.client("logs").describe_metric_filters(logGroupName="/aws/lambda/deardiary-watched")
    counted = {
        (each["metricNamespace"], each["metricName"])
        for one in filters["metricFilters"]
        for each in one["metricTransformations"]
    }
    assert len(counted) == len(FILTERS)
    assert counted <= {(alarm.namespace, alarm.metric) for alarm in alarms(STAGE)}
    assert all(pattern.startswith("{ $.status = ") for pattern in FILTERS.values())


def test_a_stage_leaves_nothing_behind() -> None:
    converge_monitoring(STAGE, None)
    delete_monitoring(STAGE, delete_logs=True)
    assert not boto3.client("cloudwatch").describe_alarms(AlarmNames=[each.name for each in alarms(STAGE)])[
        "MetricAlarms"
    ]
    assert not boto3.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/deardiary-watched")["logGroups"]


def test_the_cost_page_counts_the_alarms() -> None:
    assert len(alarms(STAGE)) == monthly_cost.ALARMS
