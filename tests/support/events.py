"""A queue on the emulator that receives what a server sends to EventBridge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from chalicelib import config, ids

BUS = "default"


class Mailbox:
    """The queue; `take` empties it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def take(self) -> list[dict[str, Any]]:
        """All events that have arrived, in any order. EventBridge on the emulator delivers before it answers."""
        sqs, found = boto3.client("sqs"), []
        while messages := sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for each in messages:
                found.append(json.loads(each["Body"]))
                sqs.delete_message(QueueUrl=self.url, ReceiptHandle=each["ReceiptHandle"])
        return found

    def details(self) -> list[dict[str, Any]]:
        """The details of the events, which all come from this server."""
        found = self.take()
        assert {each["source"] for each in found} <= {"deardiary"}
        return [each["detail"] for each in found]


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A queue with a rule of its own, for the events of the present server."""
    events, sqs, name = boto3.client("events"), boto3.client("sqs"), f"test-{ids.new_id()}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["deardiary"], "detail": {"deployment": [config.settings().table]}}
    events.put_rule(Name=name, EventBusName=BUS, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, EventBusName=BUS, Targets=[{"Id": "queue", "Arn": arn}])
    try:
        yield Mailbox(url)
    finally:
        events.remove_targets(Rule=name, EventBusName=BUS, Ids=["queue"])
        events.delete_rule(Name=name, EventBusName=BUS)
        sqs.delete_queue(QueueUrl=url)
