"""The SNS topic that sends the events of a stage as mail."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from infra.stage import Stage


def topic_arn(stage: Stage) -> str:
    return f"arn:{stage.partition}:sns:{stage.region}:{stage.account}:{_name(stage)}"


def converge_topic(stage: Stage, rule_arn: str, addresses: Sequence[str]) -> Iterator[str]:
    """Create the topic, which only this rule may use, and subscribe the addresses that it lacks."""
    sns: Any = boto3.client("sns")
    arn = sns.create_topic(Name=_name(stage))["TopicArn"]
    policy = _policy(arn, rule_arn)
    present = sns.get_topic_attributes(TopicArn=arn)["Attributes"].get("Policy") or "{}"
    if json.loads(present) != policy:
        sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(policy))
        yield f"topic {_name(stage)}: created"
    known = {each["Endpoint"] for each in _subscriptions(sns, arn)}
    for address in addresses:
        if address not in known:
            sns.subscribe(TopicArn=arn, Protocol="email", Endpoint=address)
            yield f"mail to {address}: subscribed; follow the link in the mail that AWS sends to it"


def delete_topic(stage: Stage) -> Iterator[str]:
    sns: Any = boto3.client("sns")
    try:
        for each in _subscriptions(sns, topic_arn(stage)):
            if each["SubscriptionArn"].startswith("arn:"):  # one that waits for its confirmation expires by itself
                sns.unsubscribe(SubscriptionArn=each["SubscriptionArn"])
        sns.delete_topic(TopicArn=topic_arn(stage))
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NotFound", "NotFoundException"):
            raise
        return
    yield f"topic {_name(stage)}: deleted"


def _name(stage: Stage) -> str:
    return f"deardiary-{stage.name}-alerts"


def _policy(arn: str, rule_arn: str) -> dict[str, Any]:
    statement = {
        "Sid": "EventsOfTheStage",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _subscriptions(sns: Any, arn: str) -> list[dict[str, str]]:
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
    return [each for page in pages for each in page["Subscriptions"]]
