"""The AWS WAF web ACL of a stage's API. It exists already, with its rules; a stage is only associated with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError

from infra.failure import InfraError, code_of
from infra.resources.gateway import API_STAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.stage import Stage

NO_ACL = "none"


def check_web_acl(stage: Stage) -> None:
    """InfraError for an ARN that API Gateway cannot use: it needs a regional web ACL of the stage's region."""
    pattern = rf"arn:[\w-]+:wafv2:{stage.region}:\d{{12}}:regional/webacl/[\w-]+/[\w-]+"
    if stage.web_acl not in ("", NO_ACL) and not re.fullmatch(pattern, stage.web_acl, re.ASCII):
        raise InfraError(f"{stage.web_acl!r} is not the ARN of a regional web ACL in {stage.region}, nor {NO_ACL}")


def converge_web_acl(stage: Stage, api_id: str) -> Iterator[str]:
    """Associate the API with the web ACL of the settings, or with none. Without a setting, change nothing."""
    if not stage.web_acl or _current(stage, api_id) == stage.web_acl:
        return
    if stage.web_acl == NO_ACL:
        yield from remove_web_acl(stage, api_id)
    else:
        boto3.client("wafv2").associate_web_acl(WebACLArn=stage.web_acl, ResourceArn=_resource(stage, api_id))
        yield f"api {api_id}: behind the web ACL {stage.web_acl}"


def inspect_web_acl(stage: Stage, api_id: str) -> Iterator[str]:
    """What is wrong, a line each, if the settings name a web ACL or exclude any."""
    current = _current(stage, api_id) if stage.web_acl else ""
    if current != stage.web_acl:
        yield f"the API is behind {'no web ACL' if current == NO_ACL else current}, not {stage.web_acl}"


def remove_web_acl(stage: Stage, api_id: str) -> Iterator[str]:
    """End the association that the settings made. The web ACL stays."""
    if stage.web_acl:
        boto3.client("wafv2").disassociate_web_acl(ResourceArn=_resource(stage, api_id))
        yield f"api {api_id}: behind no web ACL"


def _current(stage: Stage, api_id: str) -> str:
    """The ARN of the associated web ACL, or `none`."""
    try:
        found = boto3.client("wafv2").get_web_acl_for_resource(ResourceArn=_resource(stage, api_id))
    except ClientError as error:
        if code_of(error) != "WAFNonexistentItemException":
            raise
        return NO_ACL
    return str(found.get("WebACL", {}).get("ARN", NO_ACL))


def _resource(stage: Stage, api_id: str) -> str:
    return f"arn:{stage.partition}:apigateway:{stage.region}::/restapis/{api_id}/stages/{API_STAGE}"
