"""Keep Chalice's record of a stage's deployment in the account, so that any machine can upgrade the stage in place.

Chalice stores the id of the API in a file on the deploying machine. Without it, Chalice creates a second API with
another URL. The file holds names and ARNs, nothing secret.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from infra.failure import InfraError
from infra.package import chalice_config

if TYPE_CHECKING:
    from pathlib import Path

    from types_boto3_ssm import SSMClient

    from infra.stage import Stage


def fetch_record(ssm: SSMClient, stage: Stage) -> None:
    """Write the account's record where Chalice reads it. The file of this machine stays if the account has none."""
    try:
        text = ssm.get_parameter(Name=stage.record_parameter)["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound:
        return
    _file(stage).parent.mkdir(parents=True, exist_ok=True)
    _file(stage).write_text(text)


def keep_record(ssm: SSMClient, stage: Stage) -> None:
    """After a deployment, store the file of this machine as the account's record."""
    text = json.dumps(_read(stage))
    ssm.put_parameter(
        Name=stage.record_parameter,
        Value=text,
        Type="String",
        Description="DearDiary: what Chalice has deployed",
        Overwrite=True,
    )


def forget_record(ssm: SSMClient, stage: Stage) -> None:
    _file(stage).unlink(missing_ok=True)
    ssm.delete_parameters(Names=[stage.record_parameter])


def is_deployed(stage: Stage) -> bool:
    return _file(stage).exists() and bool(_read(stage)["resources"])


def api_id(stage: Stage) -> str:
    """The id of the stage's API. InfraError if Chalice has deployed none from this folder."""
    for resource in _read(stage)["resources"] if _file(stage).exists() else ():
        if resource["name"] == "rest_api":
            found: str = resource["rest_api_id"]
            return found
    raise InfraError(f"stage {stage.name} is not deployed; run `make deploy STAGE={stage.name}` first")


def _read(stage: Stage) -> dict[str, Any]:
    deployed: dict[str, Any] = json.loads(_file(stage).read_text())
    return deployed


def _file(stage: Stage) -> Path:
    return chalice_config.FOLDER / "deployed" / f"{stage.name}.json"
