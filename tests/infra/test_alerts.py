"""`infra alerts` on the emulator, up to a server that receives the webhook."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from chalicelib import config
from deardiary.wire.shapes import IterationStatus
from infra.alerts import converge_alerts, delete_alerts, words_of
from infra.failure import InfraError
from infra.resources.bus import converge_bus, delete_bus
from infra.stage import Clients, Stage, locate
from tests.support.emulator import Emulator
from tests.support.receiver import Receiver, receiving
from tests.support.server import Server, environment, server_on_emulator

SECRET = "s3cret-token"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture(params=["default", "deardiary-alerted"])
def server(emulator: Emulator, request: pytest.FixtureRequest) -> Iterator[Server]:
    with server_on_emulator(emulator.environment(), DEARDIARY_EVENT_BUS=request.param) as running:
        yield running


@pytest.fixture
def located(server: Server) -> Iterator[tuple[Stage, Clients]]:
    found, clients = locate(config.settings().table.removeprefix("deardiary-"))
    stage = Stage(found.name, found.account, found.region, event_bus=config.settings().event_bus)
    list(converge_bus(stage))
    yield stage, clients
    list(delete_alerts(stage))
    list(delete_bus(stage))


def fail(server: Server, message: str) -> str:
    client = server.client()
    experiment = client.experiments.create(client.projects.create("Iris").id, "sweep")
    iteration = client.iterations.create(experiment.id, name="heron")
    client.iterations.update(iteration.id, status_id=IterationStatus.FAILED, error_message=message)
    return iteration.id


def test_a_failure_reaches_the_webhook_and_slack(
    server: Server, located: tuple[Stage, Clients], receiver: Receiver
) -> None:
    urls = {
        "webhook": f"http://ada:pass@{receiver.host}/hook?token={SECRET}&empty=",
        "slack": f"http://{receiver.host}/slack",
    }
    said = "\n".join(converge_alerts(*located, [], [], urls))
    assert SECRET not in said
    assert "pass" not in said
    assert said.endswith("sends to webhook, slack")
    iteration_id = fail(server, 'ValueError: "a" \\ <!channel> b')
    got = {each.path.partition("?")[0]: each for each in (receiver.take(), receiver.take())}
    hook, slack = got["/hook"], got["/slack"]
    assert (hook.body["event"], hook.body["iteration"]["id"]) == ("failed", iteration_id)
    assert hook.path.endswith(f"token={SECRET}&empty=")
    assert hook.headers["authorization"].startswith("Basic ")
    mark = "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"
    assert slack.body == {"text": f"heron (Iris / sweep) failed: ValueError: 'a' / {mark}!channel> b"}
    assert slack.headers["x-deardiary-stage"] == located[0].name


def test_the_secrets_of_a_url_are_in_the_connection_only(
    server: Server, located: tuple[Stage, Clients], receiver: Receiver
) -> None:
    list(converge_alerts(*located, [], [], {"webhook": f"http://ada:{SECRET}@{receiver.host}/hook?token={SECRET}"}))
    events: Any = boto3.client("events")
    name = f"deardiary-{located[0].name}-webhook"
    visible = events.describe_api_destination(Name=name)
    assert visible["InvocationEndpoint"] == f"http://{receiver.host}/hook"
    (parameter,) = events.describe_connection(Name=name)["AuthParameters"]["InvocationHttpParameters"][
        "QueryStringParameters"
    ]
    assert parameter["IsValueSecret"] is True


def test_only_the_events_that_were_asked_for_pass(
    server: Server, located: tuple[Stage, Clients], receiver: Receiver
) -> None:
    list(converge_alerts(*located, words_of("lost, succeeded"), [], {"webhook": f"http://{receiver.host}/hook"}))
    fail(server, "not asked for")
    client = server.client()
    experiment = client.experiments.create(client.projects.create("p").id, "e")
    client.iterations.update(client.iterations.create(experiment.id).id, status_id=IterationStatus.SUCCEEDED)
    assert receiver.take().body["event"] == "succeeded"
    assert receiver.inbox.empty()


def test_a_second_run_changes_nothing_and_a_later_one_keeps_the_earlier_receivers(
    server: Server, located: tuple[Stage, Clients]
) -> None:
    stage = located[0]
    assert list(converge_alerts(*located, ["failed"], ["a@example.org"], {}))
    assert list(converge_alerts(*located, [], ["a@example.org"], {})) == []
    assert list(converge_alerts(*located, [], [], {})) == []
    list(converge_alerts(*located, [], ["b@example.org"], {"webhook": "https://hooks.example.org"}))
    events, sns = boto3.client("events"), boto3.client("sns")
    rule: Any = {"Rule": f"deardiary-{stage.name}-alerts", "EventBusName": stage.event_bus}
    assert {each["Id"] for each in events.list_targets_by_rule(**rule)["Targets"]} == {"mail", "webhook"}
    pattern = events.describe_rule(Name=rule["Rule"], EventBusName=stage.event_bus)["EventPattern"]
    assert json.loads(pattern)["detail"]["event"] == ["failed"]
    (topic,) = [each["TopicArn"] for each in sns.list_topics()["Topics"] if f"-{stage.name}-alerts" in each["TopicArn"]]
    subscribed = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert {each["Endpoint"] for each in subscribed} == {"a@example.org", "b@example.org"}


def test_the_topic_and_the_role_are_for_this_rule_only(server: Server, located: tuple[Stage, Clients]) -> None:
    stage = located[0]
    list(converge_alerts(*located, [], ["a@example.org"], {"webhook": "https://hooks.example.org"}))
    events, sns, iam = (boto3.client(name) for name in ("events", "sns", "iam"))
    name = f"deardiary-{stage.name}-alerts"
    rule = events.describe_rule(Name=name, EventBusName=stage.event_bus)["Arn"]
    topic = f"arn:aws:sns:us-east-1:000000000000:{name}"
    (statement,) = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])["Statement"]
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]["Statement"][0]
    for each in (statement, trust):
        assert each["Principal"] == {"Service": "events.amazonaws.com"}
        assert each["Condition"] == {"ArnEquals": {"aws:SourceArn": rule}}
    (allowed,) = iam.get_role_policy(RoleName=name, PolicyName=name)["PolicyDocument"]["Statement"]
    assert allowed["Action"] == "events:InvokeApiDestination"
    assert all(f"/deardiary-{stage.name}-" in arn for arn in allowed["Resource"])


def test_remove_leaves_nothing_and_can_be_repeated(server: Server, located: tuple[Stage, Clients]) -> None:
    stage = located[0]
    urls = {"webhook": "https://hooks.example.org", "slack": "https://hooks.slack.com/services/a/b"}
    list(converge_alerts(*located, [], ["a@example.org"], urls))
    assert list(delete_alerts(stage))
    assert list(delete_alerts(stage)) == []
    events, sns, iam = (boto3.client(name) for name in ("events", "sns", "iam"))
    names = [each["Name"] for each in events.list_rules(EventBusName=stage.event_bus)["Rules"]]
    names += [each["Name"] for each in events.list_api_destinations()["ApiDestinations"]]
    names += [each["Name"] for each in events.list_connections()["Connections"]]
    names += [each["RoleName"] for each in iam.list_roles()["Roles"]]
    names += [each["TopicArn"].rpartition(":")[2] for each in sns.list_topics()["Topics"]]
    assert [each for each in names if each.startswith(f"deardiary-{stage.name}-")] in ([], [stage.event_bus])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"on": "failed,tired"}, "--on knows .*; not tired"),
        ({"webhook": f"http://hooks.example.org/{SECRET}"}, "--webhook needs a URL"),
        ({"webhook": f"https://[{SECRET}"}, "--webhook needs a URL"),
        ({"slack": SECRET}, "--slack needs a URL"),
        ({}, "name a receiver"),
        ({"bus": ""}, "it sends no events: run `DEARDIARY_EVENT_BUS=default make deploy STAGE=wrong`"),
    ],
)
def test_a_wrong_command_says_what_to_do_and_repeats_no_secret(
    emulator: Emulator, arguments: dict[str, str], said: str
) -> None:
    with environment(emulator.environment()):
        found, clients = locate("wrong")
        stage = Stage(found.name, found.account, found.region, event_bus=arguments.get("bus", "default"))
        urls = {kind: url for kind, url in arguments.items() if kind in ("webhook", "slack")}
        with pytest.raises(InfraError, match=said) as error:
            list(converge_alerts(stage, clients, words_of(arguments.get("on", "")), [], urls))
    assert SECRET not in str(error.value)
