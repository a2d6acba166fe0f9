"""The setting that captures SageMaker jobs: what it adds to a stage, and that its end takes everything away again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from chalicelib.config import ConfigurationError
from infra.capture import check_project
from infra.failure import InfraError
from infra.package import chalice_config
from infra.resources.monitoring import alarms, converge_monitoring, delete_monitoring
from infra.resources.policy import API, CAPTURE, UPKEEP
from infra.stage import Stage, locate
from tests.support.emulator import Emulator
from tests.support.server import Server, environment

OFF = Stage("captures", "000000000000", "us-east-1")
ON = replace(OFF, capture_sagemaker="abc")
NAME = "DEARDIARY_CAPTURE_SAGEMAKER"


@pytest.fixture
def chalice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder in place of `.chalice`, which knows the stage."""
    functions = {"upkeep": {"lambda_memory_size": 512, "lambda_timeout": 60}}
    stages = {"captures": {"lambda_functions": functions}}
    (tmp_path / "config.json").write_text(json.dumps({"stages": stages}))
    monkeypatch.setattr(chalice_config, "FOLDER", tmp_path)
    return tmp_path


def written(folder: Path) -> dict[str, Any]:
    """What a run for this stage has written: the settings, the functions of the stage and of its stack."""
    stage = json.loads((folder / "config.json").read_text())["stages"]["captures"]
    stack = json.loads((folder / "stack-captures.json").read_text())["Resources"]
    functions = stage["lambda_functions"]
    return {"setting": stage["environment_variables"].get(NAME), "functions": set(functions), "stack": set(stack)}


def test_the_setting_adds_a_function_and_its_end_removes_it(chalice: Path) -> None:
    without = {"setting": None, "functions": {"upkeep"}, "stack": {"APIHandler", "Upkeep"}}
    chalice_config.write_outputs(OFF, ())
    assert written(chalice) == without
    assert not (chalice / "policy-captures-capture.json").exists()
    chalice_config.write_outputs(ON, ())
    assert written(chalice) == {
        "setting": "abc",
        "functions": {"upkeep", "capture"},
        "stack": {"APIHandler", "Upkeep", "Capture"},
    }
    policy = json.loads((chalice / "policy-captures-capture.json").read_text())
    assert "sagemaker:DescribeTrainingJob" in json.dumps(policy)
    assert chalice_config.write_outputs(ON, ()) == []
    chalice_config.write_outputs(OFF, ())
    assert written(chalice) == without


@pytest.mark.parametrize("function", [API, UPKEEP])
def test_other_functions_get_no_right_by_it(function: Any) -> None:
    assert function.policy(ON) == function.policy(OFF)


def test_the_setting_is_kept_until_another_is_given(chalice: Path) -> None:
    chalice_config.write_outputs(ON, ())
    assert chalice_config.configured_capture("captures", None) == "abc"
    assert chalice_config.configured_capture("captures", "def") == "def"
    assert chalice_config.configured_capture("captures", "none") == ""
    assert chalice_config.configured_capture("new", None) == ""
    with pytest.raises(ConfigurationError, match=f"{NAME} is not the id of a project"):
        chalice_config.configured_capture("captures", "My Project")


def test_settings_with_which_no_function_starts_are_refused_before_anything_is_written(chalice: Path) -> None:
    config = json.loads((chalice / "config.json").read_text())
    config["stages"]["captures"]["environment_variables"] = {"DEARDIARY_PUBLIC_URLS": "https://*.example.org"}
    (chalice / "config.json").write_text(json.dumps(config))
    with pytest.raises(ConfigurationError, match="DEARDIARY_PUBLIC_URLS: URL 1 is not an https URL"):
        chalice_config.write_outputs(ON, ())
    assert [each.name for each in chalice.iterdir()] == ["config.json"]
    assert json.loads((chalice / "config.json").read_text()) == config


@pytest.fixture
def _account(emulator: Emulator) -> Iterator[None]:
    with environment(emulator.environment()):
        yield
        delete_monitoring(ON, delete_logs=True)


@pytest.mark.usefixtures("_account")
def test_its_function_is_watched_while_it_is_there() -> None:
    def watched() -> set[str]:
        found = boto3.client("cloudwatch").describe_alarms(AlarmNames=[each.name for each in alarms(ON)])
        return {each["AlarmName"] for each in found["MetricAlarms"]}

    own = {f"{CAPTURE.name(ON)} fails", f"{CAPTURE.name(ON)} is throttled"}
    converge_monitoring(ON, None)
    assert own <= watched()
    converge_monitoring(OFF, None)
    assert watched() == {each.name for each in alarms(OFF)}
    converge_monitoring(ON, None)
    delete_monitoring(OFF, delete_logs=True)
    assert watched() == set()
    groups = boto3.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/deardiary-captures")
    assert groups["logGroups"] == []


def test_the_project_must_be_there(real_server: Server) -> None:
    project = real_server.client().projects.create("captures")
    present, clients = locate("captures")
    with pytest.raises(InfraError, match="has no projects yet: deploy it without --capture-sagemaker first"):
        check_project(replace(present, capture_sagemaker="abc"), clients)
    known = replace(real_stage(), capture_sagemaker=project.id)
    check_project(known, clients)
    with pytest.raises(InfraError, match=f"stage {known.name} has no project abc"):
        check_project(replace(known, capture_sagemaker="abc"), clients)


def real_stage() -> Stage:
    """The stage of the running server."""
    from chalicelib import config

    return Stage(config.settings().table.removeprefix("deardiary-"), "000000000000", "us-east-1")
