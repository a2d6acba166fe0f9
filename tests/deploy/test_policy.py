"""The policies of the functions allow exactly the calls that the functions make."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import requests
from botocore.client import BaseClient

import deardiary
from chalicelib import clock, config
from chalicelib.routes import upkeep
from chalicelib.services.lifecycle import deletion
from infra.resources.policy import API, CAPTURE, UPKEEP, Function
from infra.stage import Stage
from tests.deploy.asking import ask_all
from tests.support.artifacts import ROOT
from tests.support.emulator import Emulator
from tests.support.sagemaker import capturing, deliver, training_job, tuning_job
from tests.support.server import Server, server_on_emulator
from tests.support.world import make_world

Call = tuple[str, str]  # an action of IAM, and the ARN of its object

# The actions that IAM checks for a HEAD and for the writes of a transaction.
ACTIONS = {"HeadObject": "GetObject", "CreateMultipartUpload": "PutObject", "CompleteMultipartUpload": "PutObject"}
ACTIONS |= {"UploadPart": "PutObject", "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}
ACTIONS |= {"ConditionCheck": "ConditionCheckItem"}
# Lambda writes the log; no request here is large enough for an upload in parts.
UNSEEN = {"logs:CreateLogStream", "logs:PutLogEvents", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"}


@contextmanager
def recording(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[Call]]:
    """Record every call to AWS inside the block."""
    calls: set[Call] = set()
    client_class: Any = BaseClient
    make_api_call = client_class._make_api_call

    def note(client: Any, operation: str, arguments: Any) -> Any:
        service = client.meta.service_model.service_name
        if service != "sts":  # by that the test gets the role whose request it signs
            calls.update(seen(service, operation, arguments))
        return make_api_call(client, operation, arguments)

    with monkeypatch.context() as patch:
        patch.setattr(client_class, "_make_api_call", note)
        yield calls


def seen(service: str, operation: str, arguments: Any) -> Iterator[Call]:
    match service, operation:
        case "dynamodb", "TransactWriteItems":
            for step in arguments["TransactItems"]:
                for kind, body in step.items():
                    yield f"dynamodb:{ACTIONS[kind]}", table_arn(body["TableName"])
        case "dynamodb", "BatchGetItem" | "BatchWriteItem":
            for name in arguments["RequestItems"]:
                yield f"dynamodb:{operation}", table_arn(name)
        case "dynamodb", _:
            yield f"dynamodb:{operation}", table_arn(arguments["TableName"])
        case "s3", _:
            yield from seen_of_s3(operation, arguments)
        case _:
            yield from seen_elsewhere(service, operation, arguments)


def seen_elsewhere(service: str, operation: str, arguments: Any) -> Iterator[Call]:
    names = {entry["EventBusName"] for entry in arguments.get("Entries", [])}
    match operation:
        case "PutEvents":
            objects = [f"event-bus/{name}" for name in names]
        case "DescribeTrainingJob":
            objects = [f"training-job/{arguments['TrainingJobName']}"]
        case "DescribeHyperParameterTuningJob":
            objects = [f"hyper-parameter-tuning-job/{arguments['HyperParameterTuningJobName']}"]
        case _:
            objects = [f"parameter{arguments['Name']}"]
    for each in objects:
        yield f"{service}:{operation}", f"arn:aws:{service}:us-east-1:000000000000:{each}"


def seen_of_s3(operation: str, arguments: Any) -> Iterator[Call]:
    if operation == "CopyObject":
        yield from seen_of_s3("GetObject", arguments["CopySource"])
        operation = "PutObject"
    yield f"s3:{ACTIONS.get(operation, operation)}", f"arn:aws:s3:::{arguments['Bucket']}/{arguments['Key']}"


def table_arn(name: str) -> str:
    return f"arn:aws:dynamodb:us-east-1:000000000000:table/{name}"


def allowances(function: Function, **settings: str) -> Iterator[Call]:
    """The calls that the policy of a function allows, on a stage with these settings."""
    stage = Stage(config.settings().table.removeprefix("deardiary-"), "000000000000", "us-east-1", **settings)  # type: ignore[arg-type]
    for statement in function.policy(stage)["Statement"]:
        for action in [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]:
            yield action, statement["Resource"]


def check(function: Function, calls: set[Call]) -> None:
    """Each call is allowed, and each action that is allowed is called."""
    allowed = list(allowances(function))
    refused = [
        call
        for call in calls
        if not any(call[0] == action and fnmatch.fnmatchcase(call[1], arn) for action, arn in allowed)
    ]
    assert refused == []
    assert {action for action, _ in allowed} - UNSEEN == {action for action, _ in calls} - UNSEEN
    assert not [arn for _, arn in allowed if arn == "*"]


def test_the_policy_of_the_api_allows_exactly_its_calls(real_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with recording(monkeypatch) as calls:
        ask_all(real_server)
        monkeypatch.setattr("chalicelib.storage.keyring._kept", None)
        real_server.call("GET", "/auth/me")
    check(API, calls)


def test_upkeep_has_the_rights_that_it_needs(real_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every deletion, interrupted before it removes anything, a silent writer, and what stays too long in the trash."""
    with monkeypatch.context() as patch:
        patch.setattr(deletion, "REQUEST_SECONDS", -1.0)
        for noun in ("iteration", "experiment", "model", "project", "user"):
            world = make_world(real_server)
            path = f"/{noun}s/{world.ids[f'{noun}_id']}" + ("" if noun == "user" else "?purge=true")
            token = real_server.token() if noun == "user" else world.token
            assert real_server.call("DELETE", path, token=token).status == 202
    world, now = make_world(real_server), clock.now
    path = f"{world.ids['experiment_id']}/{world.ids['iteration_id']}/artifacts/large.bin"
    put = real_server.call("PUT", f"{ROOT}/artifacts/{path}", headers={"Content-Length": "20000000"}, token=world.token)
    requests.put(put.headers["location"], data=b"large", timeout=60)
    with recording(monkeypatch) as calls, monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: now() + timedelta(days=8))
        assert upkeep.run(60)
    iteration = real_server.client().iterations.get(world.ids["iteration_id"])
    assert iteration.status_id != deardiary.IterationStatus.RUNNING
    check(UPKEEP, calls)


def test_the_capture_has_the_rights_that_it_needs(real_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs and their tuning job, from the beginning to the end, and programs that log elsewhere."""
    client = real_server.client()
    project = client.projects.create("captures")
    elsewhere = client.experiments.create(project.id, "elsewhere")
    tuning = "digits-261129-0633"
    arn = tuning_job(tuning)["HyperParameterTuningJobArn"]
    trials = [f"{tuning}-{number:03}-1a2b3c4d" for number in (1, 2)]
    with capturing(project.id), recording(monkeypatch) as calls:
        for trial in trials:
            deliver(training_job(trial, minutes=1, TuningJobArn=arn))
    (first, second), again = trials, training_job(trials[1], minutes=2, TuningJobArn=arn)
    (captured,) = client.experiments.list(project.id, name="digits")
    (noted,) = [each for each in client.iterations.list(captured.id) if each.name == second]
    client.iterations.update(noted.id, notes="mine")
    for trial in trials:
        client.iterations.create(elsewhere.id, id_key=trial)
    with capturing(project.id), recording(monkeypatch) as more:
        deliver(training_job(first, end="Failed", TuningJobArn=arn))
        deliver(again)
        deliver(tuning_job(tuning, status="Completed"))
    assert [each.name for each in client.iterations.list(captured.id)] == [tuning]
    check(CAPTURE, calls | more)


@pytest.mark.parametrize("function", [API, UPKEEP])
def test_a_stage_with_a_bus_may_send_events_to_it_and_nothing_more(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, function: Function
) -> None:
    """Both functions do send them: one ends an iteration, the other finds a silent one."""
    with server_on_emulator(emulator.environment(), DEARDIARY_EVENT_BUS="default") as server:
        world, now = make_world(server), clock.now
        with recording(monkeypatch) as calls, monkeypatch.context() as patch:
            if function is API:
                server.call("PATCH", f"/iterations/{world.ids['iteration_id']}", {"status_id": 3}, token=world.token)
            else:
                patch.setattr(clock, "now", lambda: now() + timedelta(hours=1))
                assert upkeep.run(60)
        sent = {call for call in calls if call[0].startswith("events:")}
        assert sent == set(allowances(function, event_bus="default")) - set(allowances(function))
