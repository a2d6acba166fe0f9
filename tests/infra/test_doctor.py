"""`infra doctor`: a healthy stage has no fault, and each fault is named with what to do."""

from __future__ import annotations

import io
import json
import shlex
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email.message import Message
from typing import Any
from urllib.error import HTTPError

import boto3
import pytest
from botocore import xform_name
from moto import mock_aws
from moto.cloudwatch.models import MetricDatum, cloudwatch_backends

from deardiary.__version__ import __version__
from infra import doctor
from infra.doctor import CHECKS, Examined, Finding, Health
from infra.package.chalice_config import configured_size
from infra.resources.bucket import allow_dashboard, converge_bucket
from infra.resources.domain import Domain
from infra.resources.gateway import API_STAGE, converge_answers, url_of
from infra.resources.monitoring import alarms, converge_monitoring
from infra.resources.policy import API, FUNCTIONS, UPKEEP
from infra.resources.secret import converge_secret
from infra.resources.table import converge_table
from infra.stage import Clients, Stage
from tests.support.server import environment

ACCOUNT, REGION = "123456789012", "us-east-1"
STAGE = Stage("dev", ACCOUNT, REGION)
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
GROUP = "/aws/lambda/deardiary-dev"
ALL_PARTS = ("table", "secret", "monitoring", "functions", "api", "bucket")
# The parts of a stage that a check needs, where that is not all.
PARTS: dict[object, tuple[str, ...]] = {
    "table": ("table",),
    "secret": ("secret",),
    "bucket": ("bucket",),
    "API Gateway": ("api",),
    "logs": ("monitoring",),
    "alarms": ("monitoring",),
    "server and its version": (),
    "clock": (),
    **dict.fromkeys(("domain", "web ACL"), ("api",)),
    **dict.fromkeys(("functions", "concurrency", "schedule of the upkeep"), ("functions",)),
    **dict.fromkeys(("permissions of the functions", "settings of the functions"), ("functions",)),
    "errors and throttles of the last day": ("functions",),
}


@pytest.fixture
def healthy(request: pytest.FixtureRequest) -> Iterator[Examined]:
    """A stage as it should be; for a test of one check only the parts that the check needs."""
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
    check = getattr(request.node, "callspec", None) and request.node.callspec.params.get("check")
    with mock_aws(), environment(keys):
        clients = Clients(boto3.client("dynamodb"), boto3.client("s3"), boto3.client("ssm"))
        parts = PARTS.get(check, ALL_PARTS)
        if "table" in parts:
            converge_table(clients.dynamodb, STAGE.table)
        if "secret" in parts:
            converge_secret(clients.ssm, STAGE.secret_parameter)
        if "monitoring" in parts:
            converge_monitoring(STAGE, None)
        if "functions" in parts:
            _deploy_functions()
        api = _deploy_api() if "api" in parts else ""
        if "bucket" in parts:
            converge_bucket(clients.s3, STAGE, ())
            allow_dashboard(clients.s3, STAGE.bucket, url_of(api, STAGE).removesuffix(f"/{API_STAGE}"))
        yield Examined(STAGE, clients, api, lambda: _health())


def _health(version: str = __version__, later: float = 0.0, status: str = "ok") -> Health:
    return Health(200, {"status": status, "version": version}, time.time() + later)


def _deploy_functions() -> None:
    for function in FUNCTIONS:
        _deploy(function.name(STAGE), function.handler, function.policy(STAGE))
    _schedule()


def _deploy(name: str, handler: str, policy: dict[str, Any]) -> None:
    iam = boto3.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=json.dumps(policy))
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "")
    boto3.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=role,
        Handler="app.app",
        Code={"ZipFile": code.getvalue()},
        Environment={"Variables": STAGE.settings()},
        **configured_size(STAGE.name, handler),
    )


def _deploy_api() -> str:
    gateway = boto3.client("apigateway")
    api = gateway.create_rest_api(name="deardiary")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    gateway.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    gateway.put_integration(restApiId=api, resourceId=root, httpMethod="GET", type="MOCK")
    converge_answers(gateway, api, ())
    return str(api)


def _schedule() -> None:
    events = boto3.client("events")
    arn = boto3.client("lambda").get_function(FunctionName=UPKEEP.name(STAGE))["Configuration"]["FunctionArn"]
    events.put_rule(Name="upkeep", ScheduleExpression="rate(5 minutes)")
    events.put_targets(Rule="upkeep", Targets=[{"Id": "1", "Arn": arn}])


def _count(function: str, metric: str, value: float, minutes_ago: int = 10) -> None:
    """Count as Lambda does: CloudWatch accepts no metric of AWS itself from others."""
    then = datetime.now(timezone.utc).replace(tzinfo=None) - timedelta(minutes=minutes_ago)
    datum = MetricDatum("AWS/Lambda", metric, value, [{"Name": "FunctionName", "Value": function}], then)
    cloudwatch_backends[ACCOUNT][REGION].metric_data.append(datum)


def _finding(examined: Examined, check: str) -> Finding:
    """The outcome of one check: that of all takes long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doctor, "CHECKS", {check: CHECKS[check]})
        (finding,) = doctor.run_checks(examined)
    return finding


def test_a_healthy_stage_has_no_fault(healthy: Examined) -> None:
    found = list(doctor.run_checks(healthy))
    assert {each.check: each.wrong for each in found} == {name: [] for name in CHECKS}
    assert [line for each in found for line in each.lines] == [f"ok     {name}" for name in CHECKS]


def _settings_of(function: str, **changes: str) -> None:
    variables = STAGE.settings() | changes
    boto3.client("lambda").update_function_configuration(FunctionName=function, Environment={"Variables": variables})


def _policy(function: str, change: Callable[[list[Any]], None]) -> None:
    policy = API.policy(STAGE)
    change(policy["Statement"])
    boto3.client("iam").put_role_policy(RoleName=function, PolicyName=function, PolicyDocument=json.dumps(policy))


def _attach(role: str) -> None:
    iam = boto3.client("iam")
    arn = iam.create_policy(PolicyName="all", PolicyDocument=json.dumps(API.policy(STAGE)))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)


def _index(examined: Examined) -> None:
    keys = [{"AttributeName": "SK", "KeyType": "HASH"}]
    create = {"IndexName": "by-sk", "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}}
    examined.clients.dynamodb.update_table(
        TableName=STAGE.table,
        AttributeDefinitions=[{"AttributeName": "SK", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[{"Create": create}],  # type: ignore[typeddict-item]
    )


def _provision(examined: Examined) -> None:
    units = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
    examined.clients.dynamodb.update_table(
        TableName=STAGE.table,
        BillingMode="PROVISIONED",
        ProvisionedThroughput={**units},  # type: ignore[typeddict-item]
    )


def _throttle(examined: Examined) -> None:
    operations: Any = [{"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "0"}]
    boto3.client("apigateway").update_stage(restApiId=examined.api_id, stageName=API_STAGE, patchOperations=operations)


def _plain_secret(examined: Examined) -> None:
    examined.clients.ssm.delete_parameter(Name=STAGE.secret_parameter)
    examined.clients.ssm.put_parameter(Name=STAGE.secret_parameter, Value="{}", Type="String")


def _set_off(_: Examined) -> None:
    name = alarms(STAGE)[0].name
    boto3.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="12 errors")


def _no_filter(_: Examined) -> None:
    boto3.client("logs").delete_metric_filter(logGroupName=GROUP, filterName="ServerErrors")


def _no_filter_beside_another_fault(_: Examined) -> None:
    boto3.client("logs").delete_retention_policy(logGroupName=GROUP)
    _no_filter(_)


def _resize(**changes: int) -> None:
    boto3.client("lambda").update_function_configuration(FunctionName=UPKEEP_NAME, **changes)


def _no_target(_: Examined) -> None:
    boto3.client("events").remove_targets(Rule="upkeep", Ids=["1"])


NAME, UPKEEP_NAME = API.name(STAGE), UPKEEP.name(STAGE)
Break = Callable[[Examined], object]
# The check, the fault, and a text of its line.
FAULTS: list[tuple[str, Break, str]] = [
    ("functions", lambda _: boto3.client("lambda").delete_function(FunctionName=NAME), "ResourceNotFoundException"),
    (
        "permissions of the functions",
        lambda _: _policy(NAME, lambda all_: all_.pop(0)),
        f"role {NAME} lacks the statement",
    ),
    (
        "permissions of the functions",
        lambda _: _policy(
            NAME, lambda all_: all_.append({"Sid": "More", "Effect": "Allow", "Action": "*", "Resource": "*"})
        ),
        "does not need: More",
    ),
    ("permissions of the functions", lambda _: _attach(NAME), "has the policy all too"),
    ("settings of the functions", lambda _: _settings_of(NAME, DEARDIARY_TABLE="other"), "DEARDIARY_TABLE='other'"),
    (
        "concurrency",
        lambda _: boto3.client("lambda").put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=0),
        "reserved concurrency of 0",
    ),
    ("errors and throttles of the last day", lambda _: _count(NAME, "Errors", 3), f"{NAME}: 3 errors"),
    ("errors and throttles of the last day", lambda _: _count(NAME, "Throttles", 2), f"{NAME}: 2 throttles"),
    ("table", _provision, "not billed by request"),
    ("table", _index, "secondary indexes"),
    (
        "table",
        lambda e: e.clients.dynamodb.update_table(TableName=STAGE.table, DeletionProtectionEnabled=False),
        "no deletion protection",
    ),
    (
        "table",
        lambda e: e.clients.dynamodb.update_continuous_backups(
            TableName=STAGE.table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
        ),
        "no point-in-time recovery",
    ),
    (
        "table",
        lambda e: e.clients.dynamodb.update_time_to_live(
            TableName=STAGE.table, TimeToLiveSpecification={"Enabled": False, "AttributeName": "expires_at"}
        ),
        "do not expire",
    ),
    ("bucket", lambda e: e.clients.s3.delete_public_access_block(Bucket=STAGE.bucket), "public access blocked"),
    ("bucket", lambda e: e.clients.s3.delete_bucket_lifecycle(Bucket=STAGE.bucket), "unfinished uploads"),
    ("bucket", lambda e: e.clients.s3.delete_bucket_encryption(Bucket=STAGE.bucket), "encrypted at rest"),
    ("bucket", lambda e: e.clients.s3.delete_bucket_policy(Bucket=STAGE.bucket), "TLS required"),
    ("bucket", lambda e: e.clients.s3.delete_bucket_cors(Bucket=STAGE.bucket), "no CORS rule for the dashboard"),
    ("bucket", lambda e: e.clients.s3.delete_bucket(Bucket=STAGE.bucket), "there is no bucket"),
    ("secret", lambda e: e.clients.ssm.delete_parameter(Name=STAGE.secret_parameter), "there is no parameter"),
    ("secret", _plain_secret, "not a SecureString"),
    ("API Gateway", _throttle, "every request is refused"),
    (
        "API Gateway",
        lambda e: boto3.client("apigateway").delete_gateway_response(restApiId=e.api_id, responseType="THROTTLED"),
        "THROTTLED of the gateway",
    ),
    ("logs", lambda _: boto3.client("logs").delete_retention_policy(logGroupName=GROUP), "is kept for ever"),
    ("logs", lambda _: boto3.client("logs").delete_log_group(logGroupName=GROUP), "there is no log"),
    ("logs", _no_filter, "no filter counts ServerErrors"),
    ("logs", _no_filter_beside_another_fault, "filter counts ServerErrors"),
    ("functions", lambda _: _resize(MemorySize=256), f"{UPKEEP_NAME} has the MemorySize 256, not 512"),
    ("functions", lambda _: _resize(Timeout=3), f"{UPKEEP_NAME} has the Timeout 3, not 60"),
    (
        "alarms",
        lambda _: boto3.client("cloudwatch").delete_alarms(AlarmNames=[alarms(STAGE)[0].name]),
        "there is no alarm",
    ),
    (
        "alarms",
        lambda _: boto3.client("cloudwatch").put_metric_alarm(**alarms(STAGE)[0].request() | {"Threshold": 9.0}),
        "has other settings",
    ),
    ("alarms", _set_off, "has gone off: 12 errors"),
    ("schedule of the upkeep", lambda _: boto3.client("events").disable_rule(Name="upkeep"), "upkeep is disabled"),
    ("schedule of the upkeep", _no_target, "no rule calls"),
]


@pytest.mark.parametrize(("check", "fault", "text"), FAULTS, ids=[f"{check}: {text}" for check, _, text in FAULTS])
def test_each_fault_is_named_with_what_to_do(healthy: Examined, check: str, fault: Break, text: str) -> None:
    fault(healthy)
    finding = _finding(healthy, check)
    assert [each for each in finding.wrong if text in each], finding.wrong
    assert "{" not in finding.todo
    steps = [line.removeprefix("       to do: ") for line in finding.lines[len(finding.wrong) :]]
    assert steps == finding.todo.splitlines()
    # A reader copies a command into a shell in the clone, where only .venv has what `infra` needs.
    assert all(not step.startswith("python") for step in steps)


@pytest.mark.parametrize(
    ("check", "health", "text"),
    [
        ("server and its version", lambda: _health("0.0.1"), "the server is version 0.0.1"),
        ("server and its version", lambda: _health(status="busy"), "busy"),
        ("clock", lambda: _health(later=600), "s behind the server's"),
        ("clock", lambda: _health(later=-600), "s ahead of the server's"),
    ],
)
def test_the_server_is_asked(healthy: Examined, check: str, health: Callable[[], Health], text: str) -> None:
    assert text in _finding(replace(healthy, health=health), check).wrong[0]


def _stop_functions(_: Examined) -> None:
    for name in (NAME, UPKEEP_NAME):
        boto3.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)


# Checks and their faults that `make deploy` and `infra finish` leave as they are.
BLOCKS: list[tuple[str, Break]] = [
    ("concurrency", _stop_functions),
    ("API Gateway", _throttle),
    ("schedule of the upkeep", lambda _: boto3.client("events").disable_rule(Name="upkeep")),
]


@pytest.mark.parametrize(("check", "fault"), BLOCKS, ids=[check for check, _ in BLOCKS])
def test_a_fault_that_no_deployment_mends_has_a_command_that_does(healthy: Examined, check: str, fault: Break) -> None:
    fault(healthy)
    for command in _finding(healthy, check).todo.splitlines():
        _run_aws(command)
    assert _finding(healthy, check).wrong == []


def _run_aws(command: str) -> None:
    """Do what the AWS CLI does with `aws SERVICE OPERATION --NAME VALUE…`."""
    aws, service, operation, *words = shlex.split(command)
    assert aws == "aws"
    client: Any = boto3.client(service)  # type: ignore[call-overload]
    method = operation.replace("-", "_")
    members = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).input_shape.members
    names = {f"--{xform_name(name, '-')}": name for name in members}
    given = {names[name]: _argument(value) for name, value in zip(words[::2], words[1::2], strict=True)}
    getattr(client, method)(**given)


def _argument(text: str) -> Any:
    """A text, or a list of one structure in the CLI's short form."""
    return [dict(pair.split("=", 1) for pair in text.split(","))] if "=" in text else text


@pytest.mark.parametrize(("version", "first"), [("0.0.1", "make deploy STAGE=dev"), ("999.0", "git pull --autostash")])
def test_a_checkout_behind_the_server_is_updated_first(healthy: Examined, version: str, first: str) -> None:
    finding = _finding(replace(healthy, health=lambda: _health(version)), "server and its version")
    assert finding.todo.splitlines()[0] == first


def test_the_clock_is_not_blamed_for_a_server_that_does_not_answer(healthy: Examined) -> None:
    def throttled() -> Health:
        raise HTTPError("https://x/health", 429, "Too Many Requests", Message(), None)

    assert "clock of this machine" not in _finding(replace(healthy, health=throttled), "clock").todo


def test_a_server_that_does_not_answer_is_named(healthy: Examined) -> None:
    def refused() -> Health:
        raise ConnectionRefusedError("no answer")

    for check in ("server and its version", "clock"):
        assert _finding(replace(healthy, health=refused), check).wrong == ["ConnectionRefusedError: no answer"]


def test_an_upkeep_that_was_deployed_long_ago_must_have_run(healthy: Examined, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_time", lambda _: datetime.now(timezone.utc) - timedelta(days=1))
    assert "has not run in the last hour" in _finding(healthy, "runs of the upkeep").wrong[0]
    _count(UPKEEP_NAME, "Invocations", 12)
    assert _finding(healthy, "runs of the upkeep").wrong == []


def test_functions_on_another_processor_are_named(healthy: Examined, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "configured_processor", lambda _: "arm64")
    assert f"{NAME} runs on x86_64, not on arm64" in _finding(healthy, "functions").wrong


DOMAIN = Domain("diary.example.org", "arn:aws:acm:us-east-1:123456789012:certificate/1a2b")


@pytest.mark.parametrize(
    ("domain", "own", "text"),
    [
        (DOMAIN, True, None),
        (replace(DOMAIN, path="v1"), True, "https://diary.example.org/v1 leads to another API"),
        (DOMAIN, False, "https://diary.example.org leads to another API, or to none"),
        (replace(DOMAIN, certificate_arn="arn:other"), True, "has the certificate arn:aws:acm"),
        (replace(DOMAIN, name="other.example.org"), True, "does not know the domain other.example.org"),
    ],
)
def test_a_domain_is_compared_with_the_settings(
    healthy: Examined, monkeypatch: pytest.MonkeyPatch, domain: Domain, own: bool, text: str | None
) -> None:
    monkeypatch.setattr(doctor, "configured_domain", lambda _: domain)
    gateway = boto3.client("apigateway")
    regional: Any = {"regionalCertificateArn": DOMAIN.certificate_arn, "endpointConfiguration": {"types": ["REGIONAL"]}}
    gateway.create_domain_name(domainName=DOMAIN.name, **regional)
    api = healthy.api_id if own else _deploy_api()
    gateway.create_base_path_mapping(domainName=DOMAIN.name, basePath="(none)", restApiId=api, stage=API_STAGE)
    wrong = _finding(healthy, "domain").wrong
    assert [text in each for each in wrong if text] == [True] * bool(text), wrong
    assert text or wrong == []
    named = _finding(healthy, "bucket").wrong
    assert f"no CORS rule for the dashboard at {url_of(healthy.api_id, STAGE)[:-4]}, {domain.origin}" in named[0]


PUBLIC = "https://diary.example.org/tracker"


def _not_there(_url: str) -> Health:
    raise ConnectionRefusedError("no answer")


@pytest.mark.parametrize(
    ("given", "ask", "text"),
    [
        ("", _not_there, None),
        (f"{PUBLIC}/", lambda _: _health(), None),
        (PUBLIC, _not_there, f"{PUBLIC}/health does not answer: ConnectionRefusedError: no answer"),
        (PUBLIC, lambda _: _health("0.0.1"), f"{PUBLIC}/health answered 200"),
        (PUBLIC, lambda _: Health(200, "<html>", time.time()), f"{PUBLIC}/health answered 200: <html>"),
        ("https://*.example.org", _not_there, "URL 1 is not an https URL"),
    ],
)
def test_each_public_url_is_asked(
    healthy: Examined, monkeypatch: pytest.MonkeyPatch, given: str, ask: Callable[[str], Health], text: str | None
) -> None:
    monkeypatch.setattr(doctor, "configured_public_urls", lambda _: given)
    monkeypatch.setattr(doctor, "ask_health", ask)
    wrong = _finding(healthy, "public URLs").wrong
    assert [str(text) in each for each in wrong] == [True] * bool(text), wrong
    named = _finding(healthy, "settings of the functions").wrong
    assert [f"DEARDIARY_PUBLIC_URLS=None, not '{given}'" in each for each in named] == [True] * len(named)
    assert bool(named) == bool(given)


def test_json_has_each_check(healthy: Examined) -> None:
    healthy.clients.ssm.delete_parameter(Name=STAGE.secret_parameter)
    found = json.loads(doctor.as_json(list(doctor.run_checks(healthy))))
    assert [each["check"] for each in found] == list(CHECKS)
    assert [each["check"] for each in found if not each["ok"]] == ["secret"]
