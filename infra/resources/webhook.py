"""Webhooks that get the events of a stage: an API destination, the connection with its secrets, the role of the rule.

EventBridge keeps what a connection holds in Secrets Manager and shows it to no reader of the account: the query of the
URL and the password before its host. The rest of the URL is in the API destination, which a reader can see.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

import boto3
from botocore.exceptions import ClientError

from chalicelib.config import is_loopback
from infra.failure import InfraError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from urllib.parse import SplitResult

    from infra.stage import Stage

KINDS = ("webhook", "slack")
CALLS_PER_SECOND = 5
_MISSING = {"ResourceNotFoundException", "NoSuchEntity", "NoSuchEntityException"}


def converge_webhook(stage: Stage, kind: str, url: str) -> Iterator[str]:
    """Create or overwrite the webhook of this kind. InfraError for a URL that EventBridge cannot call."""
    parts = _checked(kind, url)
    events: Any = boto3.client("events")
    name = _name(stage, kind)
    own = {"Name": name} | _authorization(stage, parts)
    connection = _put(events.update_connection, events.create_connection, own)["ConnectionArn"]
    target = {
        "Name": name,
        "ConnectionArn": connection,
        "InvocationEndpoint": urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path or "/", "", "")),
        "HttpMethod": "POST",
        "InvocationRateLimitPerSecond": CALLS_PER_SECOND,
    }
    _put(events.update_api_destination, events.create_api_destination, target)
    yield f"{kind} at {parts.hostname}: set"


def destination_arn(stage: Stage, kind: str) -> str | None:
    events: Any = boto3.client("events")
    found = _unless_missing(lambda: events.describe_api_destination(Name=_name(stage, kind)))
    return found["ApiDestinationArn"] if found else None


def converge_role(stage: Stage, rule_arn: str) -> str:
    """The ARN of the role with which the rule, and nothing else, calls the webhooks of the stage."""
    iam: Any = boto3.client("iam")
    name = _name(stage, "alerts")
    who = {"Service": "events.amazonaws.com"}
    condition = {"ArnEquals": {"aws:SourceArn": rule_arn}}
    trust = _document({"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole", "Condition": condition})
    if not _unless_missing(lambda: iam.get_role(RoleName=name)):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
    where = f"arn:{stage.partition}:events:{stage.region}:{stage.account}:api-destination"
    resources = [f"{where}/{_name(stage, kind)}/*" for kind in KINDS]
    allowed = _document({"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": resources})
    iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=allowed)
    arn: str = iam.get_role(RoleName=name)["Role"]["Arn"]
    return arn


def delete_webhooks(stage: Stage) -> Iterator[str]:
    """Remove the webhooks with their connections, and the role."""
    events: Any = boto3.client("events")
    for kind in KINDS:
        name = _name(stage, kind)
        if destination_arn(stage, kind):
            events.delete_api_destination(Name=name)
            yield f"{kind} of {stage.name}: deleted"
        if _unless_missing(lambda name=name: events.describe_connection(Name=name)):  # type: ignore[misc]
            events.delete_connection(Name=name)
    iam: Any = boto3.client("iam")
    name = _name(stage, "alerts")
    if _unless_missing(lambda: iam.get_role(RoleName=name)):
        _unless_missing(lambda: iam.delete_role_policy(RoleName=name, PolicyName=name))
        iam.delete_role(RoleName=name)
        yield f"role {name}: deleted"


def _checked(kind: str, url: str) -> SplitResult:
    """The parts of the URL. No message repeats it, for it may be a secret."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("https", "http") or (parts.scheme == "http" and not is_loopback(host)):
        raise InfraError(f"--{kind} needs a URL such as https://hooks.example.org/deardiary")
    return parts


def _authorization(stage: Stage, parts: SplitResult) -> dict[str, Any]:
    """The parameters of the connection. Every connection has an authorization: by default a header with the stage."""
    query = parse_qsl(parts.query, keep_blank_values=True)
    given: dict[str, Any] = {"ApiKeyAuthParameters": {"ApiKeyName": "X-DearDiary-Stage", "ApiKeyValue": stage.name}}
    kind = "API_KEY"
    if parts.username is not None:
        kind, password = "BASIC", unquote(parts.password or "")
        given = {"BasicAuthParameters": {"Username": unquote(parts.username), "Password": password}}
    if query:
        secrets = [{"Key": name, "Value": value, "IsValueSecret": True} for name, value in query]
        given["InvocationHttpParameters"] = {"QueryStringParameters": secrets}
    return {"AuthorizationType": kind, "AuthParameters": given}


def _put(update: Callable[..., Any], create: Callable[..., Any], given: dict[str, Any]) -> Any:
    return _unless_missing(lambda: update(**given)) or create(**given)


def _unless_missing(call: Callable[[], Any]) -> Any:
    """The answer; None if the object does not exist."""
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] not in _MISSING:
            raise
        return None


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _name(stage: Stage, kind: str) -> str:
    return f"deardiary-{stage.name}-{kind}"
