"""The roles of a stage's functions. IAM has no regions: an account has one role of each name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import boto3

from infra.failure import InfraError
from infra.resources.policy import API

if TYPE_CHECKING:
    from infra.stage import Stage


def require_one_region(stage: Stage) -> None:
    """InfraError if another region has a stage of this name: a deployment here would take its role's rights away."""
    iam = boto3.client("iam")
    role = f"deardiary-{stage.name}-{API.handler}"
    try:
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    except iam.exceptions.NoSuchEntityException:
        return
    for name in names:
        document = json.dumps(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
        tables = [part for part in document.split('"') if part.endswith(f":table/{stage.table}")]
        for region in {table.split(":")[3] for table in tables} - {stage.region}:
            raise InfraError(
                f"stage {stage.name} is deployed in {region}, and the roles of its functions are those of the whole "
                f"account; give the stage in {stage.region} another name"
            )
