"""The event bus of a stage, on the emulator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from chalicelib.config import ConfigurationError
from infra.package import chalice_config
from infra.resources.bus import converge_bus, delete_bus
from infra.stage import Stage
from tests.support.emulator import Emulator
from tests.support.server import environment

STAGE = Stage("bus", "000000000000", "us-east-1", event_bus="deardiary-bus")


@pytest.fixture(autouse=True)
def _account(emulator: Emulator) -> Iterator[None]:
    with environment(emulator.environment()):
        yield


def buses() -> set[str]:
    events: Any = boto3.client("events")
    return {each["Name"] for each in events.list_event_buses()["EventBuses"]}


def test_a_bus_is_created_once_and_goes_with_its_stage() -> None:
    assert list(converge_bus(STAGE)) == ["event bus deardiary-bus: created"]
    assert list(converge_bus(STAGE)) == []
    assert "deardiary-bus" in buses()
    assert list(delete_bus(STAGE)) == ["event bus deardiary-bus: deleted"]
    assert "deardiary-bus" not in buses()
    assert list(delete_bus(STAGE)) == []


@pytest.mark.parametrize("name", ["", "default"])
def test_the_bus_of_the_account_is_left_alone(name: str) -> None:
    stage = Stage("bus", "000000000000", "us-east-1", event_bus=name)
    assert [*converge_bus(stage), *delete_bus(stage)] == []
    assert "default" in buses()


def test_a_bus_of_another_owner_stays() -> None:
    events: Any = boto3.client("events")
    events.create_event_bus(Name="deardiary-bus")
    try:
        assert [*converge_bus(STAGE), *delete_bus(STAGE)] == []
        assert "deardiary-bus" in buses()
    finally:
        events.delete_event_bus(Name="deardiary-bus")


def test_the_setting_is_that_of_the_environment_else_that_of_the_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    stages = {"dev": {"environment_variables": {"DEARDIARY_EVENT_BUS": "kept"}}, "new": {}}
    monkeypatch.setattr(chalice_config, "_read", lambda: {"stages": stages})
    assert chalice_config.configured_bus("dev", {"DEARDIARY_EVENT_BUS": "given"}) == "given"
    assert chalice_config.configured_bus("dev", {}) == "kept"
    assert chalice_config.configured_bus("new", {}) == ""
    with pytest.raises(ConfigurationError, match="DEARDIARY_EVENT_BUS is not the name of an EventBridge bus"):
        chalice_config.configured_bus("new", {"DEARDIARY_EVENT_BUS": "arn:aws:events:…"})
