"""The permissions of a stage's functions in the account: the documents in `policies/`, filled in for the stage."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infra.stage import Stage

_CLIENT_SECRET = "DEARDIARY_OIDC_CLIENT_SECRET_PARAMETER"  # noqa: S105 - the name of a setting
DOCUMENTS = Path(__file__).parent / "policies"


@dataclass(frozen=True, slots=True)
class Function:
    """One Lambda function: its document, the handler and Chalice's name of its CloudFormation resource.

    ``suffix`` is the end of its name.
    """

    document: str
    handler: str
    resource: str
    suffix: str = ""
    # It signs users in, so it reads the secret of the OpenID Connect client.
    signs_in: bool = False

    def name(self, stage: Stage) -> str:
        """The name that Chalice gives it."""
        return f"deardiary-{stage.name}{self.suffix}"

    def policy_file(self, stage: Stage) -> str:
        """The file beside Chalice's config.json, where Chalice reads it."""
        return f"policy-{stage.name}{self.suffix}.json"

    def policy(self, stage: Stage) -> dict[str, Any]:
        """The document with the names of this stage only."""
        text = Template((DOCUMENTS / f"{self.document}.json").read_text())
        filled: dict[str, Any] = json.loads(text.substitute(self._names(stage)))
        if stage.store:
            filled["Statement"] = _with_store(filled["Statement"], stage)
        if stage.event_bus:
            filled["Statement"].append(_sends_events(stage))
        if self.signs_in and stage.oidc.get(_CLIENT_SECRET):
            filled["Statement"].append(_secret("SecretOfTheSignInProvider", stage, stage.oidc[_CLIENT_SECRET]))
        return filled

    def _names(self, stage: Stage) -> dict[str, str]:
        return {
            "partition": stage.partition,
            "region": stage.region,
            "account": stage.account,
            "table": stage.table,
            "bucket": stage.bucket,
            "secret_parameter": stage.secret_parameter,
            "function": self.name(stage),
        }


def _with_store(statements: list[dict[str, Any]], stage: Stage) -> list[dict[str, Any]]:
    """The statements for a store outside AWS: the right to read its keys replaces all rights in the bucket."""
    keys = _secret("KeysOfTheArtifactStore", stage, stage.store["DEARDIARY_ARTIFACT_S3_CREDENTIALS_PARAMETER"])
    bucket = f"arn:{stage.partition}:s3:::"
    return [each for each in statements if not each["Resource"].startswith(bucket)] + [keys]


def _sends_events(stage: Stage) -> dict[str, Any]:
    """The statement that lets a function send events to the stage's bus."""
    bus = f"arn:{stage.partition}:events:{stage.region}:{stage.account}:event-bus/{stage.event_bus}"
    return {"Sid": "EventsOfTheStage", "Effect": "Allow", "Action": "events:PutEvents", "Resource": bus}


def _secret(sid: str, stage: Stage, parameter: str) -> dict[str, Any]:
    """The right to read one SecureString."""
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": "ssm:GetParameter",
        "Resource": f"arn:{stage.partition}:ssm:{stage.region}:{stage.account}:parameter{parameter}",
    }


API = Function("api", "api_handler", "APIHandler", signs_in=True)
UPKEEP = Function("upkeep", "upkeep", "Upkeep", "-upkeep")
CAPTURE = Function("capture", "capture", "Capture", "-capture")
FUNCTIONS = (API, UPKEEP)


def functions(stage: Stage) -> tuple[Function, ...]:
    """The functions of a stage; that which captures SageMaker jobs only where the stage does so."""
    return (*FUNCTIONS, CAPTURE) if stage.capture_sagemaker else FUNCTIONS
