"""Two regions of an account share its roles, so they cannot share the name of a stage."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.__main__ import main
from infra.failure import InfraError
from infra.package import chalice_config
from infra.resources.policy import API
from infra.resources.role import require_one_region
from infra.stage import Stage
from tests.support.server import environment

DEV = Stage("dev", "123456789012", "us-east-1")
ROLE = f"deardiary-dev-{API.handler}"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


@pytest.fixture
def iam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An account with the role of a stage in us-east-1, seen from eu-west-1."""
    shutil.copy(chalice_config.FOLDER / "config.json", tmp_path)
    monkeypatch.setattr(chalice_config, "FOLDER", tmp_path)
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-west-1"}
    with mock_aws(), environment(keys):
        client = boto3.client("iam")
        client.create_role(RoleName=ROLE, AssumeRolePolicyDocument=TRUST)
        client.put_role_policy(RoleName=ROLE, PolicyName=ROLE, PolicyDocument=json.dumps(API.policy(DEV)))
        yield client


@pytest.mark.parametrize(
    "command",
    [("up", "--stage", "dev"), ("deploy", "--stage", "dev"), ("restore", "--stage", "dev", "--from", "s3://b/daily")],
    ids=lambda command: command[0],
)
def test_a_stage_of_another_region_is_left_alone(
    iam: Any, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 1
    assert "stage dev is deployed in us-east-1" in capsys.readouterr().err
    assert boto3.client("dynamodb").list_tables()["TableNames"] == []


def test_other_stages_and_the_stage_itself_are_deployed(iam: Any) -> None:
    require_one_region(DEV)
    require_one_region(replace(DEV, name="standby", region="eu-west-1"))
    with pytest.raises(InfraError, match="another name"):
        require_one_region(replace(DEV, region="eu-west-1"))
    iam.delete_role_policy(RoleName=ROLE, PolicyName=ROLE)
    iam.delete_role(RoleName=ROLE)
    require_one_region(replace(DEV, region="eu-west-1"))
