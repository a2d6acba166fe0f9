"""The EventBridge bus of a stage, if its settings name one. The bus `default` is there in every account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.stage import Stage

DEFAULT = "default"
# On a bus that we have created. A bus of another owner stays.
TAG = "deardiary-stage"


def converge_bus(stage: Stage) -> Iterator[str]:
    """Create the bus if it is absent."""
    events: Any = boto3.client("events")
    if stage.event_bus and stage.event_bus != DEFAULT and _arn(events, stage.event_bus) is None:
        events.create_event_bus(Name=stage.event_bus, Tags=[{"Key": TAG, "Value": stage.name}])
        yield f"event bus {stage.event_bus}: created"


def delete_bus(stage: Stage) -> Iterator[str]:
    """Remove the bus if `converge_bus` has created it for this stage."""
    events: Any = boto3.client("events")
    arn = _arn(events, stage.event_bus) if stage.event_bus not in ("", DEFAULT) else None
    tags = events.list_tags_for_resource(ResourceARN=arn)["Tags"] if arn else []
    if {"Key": TAG, "Value": stage.name} in tags:
        events.delete_event_bus(Name=stage.event_bus)
        yield f"event bus {stage.event_bus}: deleted"


def _arn(events: Any, name: str) -> str | None:
    try:
        arn: str = events.describe_event_bus(Name=name)["Arn"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return None
    return arn
