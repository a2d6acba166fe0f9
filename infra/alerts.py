"""`python -m infra alerts`: a rule that passes events of a stage on, as mail, to a webhook or to Slack."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from infra import deploy
from infra.failure import InfraError
from infra.resources.bus import DEFAULT
from infra.resources.mail import converge_topic, delete_topic, topic_arn
from infra.resources.webhook import converge_role, converge_webhook, delete_webhooks, destination_arn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from infra.stage import Clients, Stage

WORDS = ("succeeded", "failed", "killed", "lost", "alert", "stage", "alias", "deleted")
DEFAULT_WORDS = ("failed", "lost", "alert")
# The line for people, and the path of the dashboard's page.
_PATHS = {"text": "$.detail.text", "path": "$.detail.path"}


def converge_alerts(
    stage: Stage, clients: Clients, on: Sequence[str], emails: Sequence[str], webhooks: Mapping[str, str]
) -> Iterator[str]:
    """Create what is missing, and keep earlier receivers. `on`: the words of the events, empty to keep the earlier."""
    if not stage.event_bus:
        raise InfraError(f"it sends no events: run `DEARDIARY_EVENT_BUS=default make deploy STAGE={stage.name}` first")
    events: Any = boto3.client("events")
    before = _pattern(events, stage)
    if not (emails or webhooks or before):
        raise InfraError("name a receiver: --email ADDRESS, --webhook URL or --slack URL")
    for kind, url in webhooks.items():
        yield from converge_webhook(stage, kind, url)
    pattern = _wanted(stage, on or (before or {}).get("detail", {}).get("event") or DEFAULT_WORDS)
    if pattern != before:
        events.put_rule(Name=_rule(stage), EventBusName=stage.event_bus, EventPattern=json.dumps(pattern))
        yield f"rule {_rule(stage)}: on {', '.join(pattern['detail']['event'])}"
    known = {each["Id"]: each for each in _targets(events, stage)}
    if emails or "mail" in known:
        yield from converge_topic(stage, _rule_arn(stage), emails)
    wanted = list(_wanted_targets(stage, _site(stage, clients), with_mail=bool(emails) or "mail" in known))
    if changed := [each for each in wanted if known.get(each["Id"]) != each]:
        answer = events.put_targets(Rule=_rule(stage), EventBusName=stage.event_bus, Targets=changed)
        if answer["FailedEntryCount"]:
            raise InfraError(f"EventBridge refused a receiver: {answer['FailedEntries'][0]['ErrorMessage']}")
        yield f"rule {_rule(stage)}: sends to {', '.join(each['Id'] for each in wanted)}"


def delete_alerts(stage: Stage) -> Iterator[str]:
    """Remove the rule and all its receivers."""
    events: Any = boto3.client("events")
    bus = stage.event_bus or DEFAULT
    targets = [each["Id"] for each in _targets(events, stage)]
    if targets:
        events.remove_targets(Rule=_rule(stage), EventBusName=bus, Ids=targets)
    if _pattern(events, stage) is not None:
        events.delete_rule(Name=_rule(stage), EventBusName=bus)
        yield f"rule {_rule(stage)}: deleted"
    yield from delete_topic(stage)
    yield from delete_webhooks(stage)


def words_of(text: str) -> list[str]:
    """The words of `--on`, which stand between commas. InfraError for an unknown one."""
    words = [each.strip() for each in text.split(",") if each.strip()]
    if unknown := sorted(set(words) - set(WORDS)):
        raise InfraError(f"--on knows {', '.join(WORDS)}; not {', '.join(unknown)}")
    return words


def _wanted(stage: Stage, words: Sequence[str]) -> dict[str, Any]:
    """The pattern of the rule. Stages may share a bus: the table tells whose event it is."""
    return {"source": ["deardiary"], "detail": {"deployment": [stage.table], "event": sorted(set(words))}}


def _wanted_targets(stage: Stage, site: str, *, with_mail: bool) -> Iterator[dict[str, Any]]:
    text = f"<text> {site}<path>" if site else "<text>"
    if with_mail:
        transformer = {"InputPathsMap": _PATHS, "InputTemplate": json.dumps(text)}
        yield {"Id": "mail", "Arn": topic_arn(stage), "InputTransformer": transformer}
    webhook, slack = destination_arn(stage, "webhook"), destination_arn(stage, "slack")
    role = converge_role(stage, _rule_arn(stage)) if webhook or slack else ""
    if webhook:
        yield {"Id": "webhook", "Arn": webhook, "RoleArn": role, "InputPath": "$.detail"}
    if slack:
        transformer = {"InputPathsMap": _PATHS, "InputTemplate": json.dumps({"text": text})}
        yield {"Id": "slack", "Arn": slack, "RoleArn": role, "InputTransformer": transformer}


def _site(stage: Stage, clients: Clients) -> str:
    """The URL of the stage's API; empty if Chalice has not deployed it."""
    return deploy.url(stage) if deploy.has_functions(stage, clients) else ""


def _pattern(events: Any, stage: Stage) -> dict[str, Any] | None:
    """The pattern of the rule as it is; None without the rule."""
    try:
        rule = events.describe_rule(Name=_rule(stage), EventBusName=stage.event_bus or DEFAULT)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return None
    pattern: dict[str, Any] = json.loads(rule["EventPattern"])
    return pattern


def _targets(events: Any, stage: Stage) -> list[dict[str, Any]]:
    if _pattern(events, stage) is None:
        return []
    targets: list[dict[str, Any]] = events.list_targets_by_rule(
        Rule=_rule(stage), EventBusName=stage.event_bus or DEFAULT
    )["Targets"]
    return targets


def _rule(stage: Stage) -> str:
    return f"deardiary-{stage.name}-alerts"


def _rule_arn(stage: Stage) -> str:
    bus = "" if stage.event_bus == DEFAULT else f"{stage.event_bus}/"
    return f"arn:{stage.partition}:events:{stage.region}:{stage.account}:rule/{bus}{_rule(stage)}"
