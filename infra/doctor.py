"""`python -m infra doctor`: compare a deployed stage with what this checkout would deploy. It changes nothing."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import config
from chalicelib.config import PUBLIC_URLS, ConfigurationError
from deardiary.__version__ import __version__
from infra.failure import InfraError, code_of
from infra.package.chalice_config import (
    CORS,
    configured_domain,
    configured_origins,
    configured_processor,
    configured_public_urls,
    configured_size,
)
from infra.package.deployment_record import api_id, fetch_record
from infra.resources.bucket import inspect_bucket
from infra.resources.domain import inspect_domain, web_origins
from infra.resources.firewall import inspect_web_acl
from infra.resources.gateway import API_STAGE, inspect_answers, url_of
from infra.resources.monitoring import inspect_alarms, inspect_logs
from infra.resources.policy import UPKEEP, Function, functions
from infra.resources.table import inspect_table

if TYPE_CHECKING:
    from infra.stage import Clients, Stage

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
# AWS refuses requests that were signed five minutes off, and S3 those of fifteen.
MOST_SKEW_SECONDS = 60.0
# Of the settings of a stage of API Gateway: their names in a change, and the limits that AWS gives an account.
THROTTLES = {"throttlingRateLimit": ("rateLimit", 10_000), "throttlingBurstLimit": ("burstLimit", 5_000)}
DEPLOY = "make deploy STAGE={stage}"
UP = ".venv/bin/python -m infra up --stage {stage}"
FINISH = ".venv/bin/python -m infra finish --stage {stage}"
# A remedy has a line for each step. A line is a command that can be copied, or a sentence.
LOGS = "read the logs /aws/lambda/deardiary-{stage}*; docs/deploy.md says what the lines mean"


@dataclass(frozen=True, slots=True)
class Health:
    """The server's answer to GET /health, and its clock when it answered (seconds since 1970)."""

    status: int
    body: Any
    server_time: float


@dataclass(frozen=True, slots=True)
class Examined:
    """A deployed stage. `health` asks its server."""

    stage: Stage
    clients: Clients
    api_id: str
    health: Callable[[], Health]


class Fault(NamedTuple):
    """A fault whose remedy differs from that of its check."""

    text: str
    todo: str


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of a check. ``wrong`` is empty if all is well; ``todo`` says what to do otherwise, step by line."""

    check: str
    wrong: list[str]
    todo: str

    @property
    def lines(self) -> list[str]:
        if not self.wrong:
            return [f"ok     {self.check}"]
        return [f"WRONG  {self.check}: {each}" for each in self.wrong] + [
            f"       to do: {each}" for each in self.todo.splitlines()
        ]


Check = Callable[[Examined], Iterator[str | Fault]]


def examine(stage: Stage, clients: Clients, given: str | None = None) -> Iterator[Finding]:
    """Run all checks, with the id of an API that CloudFormation has made. InfraError if the stage is not deployed."""
    fetch_record(clients.ssm, stage)
    api = given or api_id(stage)
    return run_checks(Examined(stage, clients, api, lambda: ask_health(url_of(api, stage))))


def run_checks(examined: Examined) -> Iterator[Finding]:
    for name, (check, todo) in CHECKS.items():
        faults = [each if isinstance(each, Fault) else Fault(each, todo) for each in _answers(check, examined)]
        steps = dict.fromkeys(step for each in faults for step in each.todo.splitlines())
        remedy = "\n".join(steps) or todo
        yield Finding(name, [each.text for each in faults], remedy.format(stage=examined.stage.name))


def as_json(findings: list[Finding]) -> str:
    return json.dumps([{"ok": not each.wrong, **asdict(each)} for each in findings])


def ask_health(url: str) -> Health:
    with urllib.request.urlopen(f"{url}/health", timeout=30) as answer:  # noqa: S310 - our own URL
        date = answer.headers.get("Date")
        now = parsedate_to_datetime(date).timestamp() if date else time.time()
        return Health(answer.status, json.load(answer), now)


def _answers(check: Check, examined: Examined) -> Iterator[str | Fault]:
    """The faults that a check finds. A call that fails is one too: the other checks go ahead."""
    try:
        yield from check(examined)
    except ClientError as error:
        yield f"{error.operation_name} answered {code_of(error)}: {error.response['Error'].get('Message', '')}"
    except (BotoCoreError, ConfigurationError, OSError, ValueError, KeyError) as error:
        yield f"{type(error).__name__}: {error}"


def _functions(examined: Examined) -> Iterator[str]:
    for function in functions(examined.stage):
        found = _configuration(examined, function)
        state, update = found.get("State", "Active"), found.get("LastUpdateStatus", "Successful")
        if state not in ("Active", "Inactive") or update != "Successful":
            yield f"{function.name(examined.stage)} is {state}, its last update {update}"
        processors, wanted = found.get("Architectures", ["x86_64"]), configured_processor(examined.stage.name)
        if processors != [wanted]:
            yield f"{function.name(examined.stage)} runs on {' '.join(processors)}, not on {wanted}"
        for name, value in configured_size(examined.stage.name, function.handler).items():
            if found.get(name) != value:
                yield f"{function.name(examined.stage)} has the {name} {found.get(name)}, not {value}"


def _permissions(examined: Examined) -> Iterator[str]:
    iam = boto3.client("iam")
    for function in functions(examined.stage):
        role = _configuration(examined, function)["Role"].rpartition("/")[2]
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
        has = {_canonical(each) for document in documents for each in document["Statement"]}
        wanted = {_canonical(each): each for each in function.policy(examined.stage)["Statement"]}
        for text, statement in wanted.items():
            if text not in has:
                yield f"role {role} lacks the statement {statement['Sid']} of this version"
        for text in has - wanted.keys():
            yield f"role {role} has a statement that this version does not need: {json.loads(text).get('Sid', text)}"
        for each in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            yield f"role {role} has the policy {each['PolicyName']} too"


def _settings(examined: Examined) -> Iterator[str]:
    origins, urls = configured_origins(examined.stage.name), configured_public_urls(examined.stage.name)
    wanted = examined.stage.settings() | ({CORS: " ".join(origins)} if origins else {})
    wanted |= {PUBLIC_URLS: urls} if urls else {}
    for function in functions(examined.stage):
        has = _configuration(examined, function).get("Environment", {}).get("Variables", {})
        for name, value in wanted.items():
            if has.get(name) != value:
                yield f"{function.name(examined.stage)} has {name}={has.get(name)!r}, not {value!r}"


def _concurrency(examined: Examined) -> Iterator[Fault]:
    for function in functions(examined.stage):
        name = function.name(examined.stage)
        reserved = boto3.client("lambda").get_function_concurrency(FunctionName=name)
        if reserved.get("ReservedConcurrentExecutions") == 0:
            todo = f"aws lambda delete-function-concurrency --function-name {name}"
            yield Fault(f"{name} has a reserved concurrency of 0: every call is refused", todo)


def _last_day(examined: Examined) -> Iterator[str]:
    for function in functions(examined.stage):
        for metric in ("Errors", "Throttles"):
            count = _sum(function.name(examined.stage), metric, DAY)
            if count:
                yield f"{function.name(examined.stage)}: {count:,.0f} {metric.lower()}"


def _table(examined: Examined) -> Iterator[str]:
    yield from inspect_table(examined.clients.dynamodb, examined.stage.table)


def _bucket(examined: Examined) -> Iterator[str]:
    stage = examined.stage
    if stage.store:
        return
    pages = web_origins(url_of(examined.api_id, stage), configured_domain(stage.name))
    yield from inspect_bucket(examined.clients.s3, stage, configured_origins(stage.name), *pages)


def _secret(examined: Examined) -> Iterator[str]:
    name, ssm = examined.stage.secret_parameter, examined.clients.ssm
    try:
        kind = ssm.get_parameter(Name=name)["Parameter"]["Type"]
    except ssm.exceptions.ParameterNotFound:
        yield f"there is no parameter {name}: the server can check no token"
        return
    if kind != "SecureString":
        yield f"the parameter {name} is a {kind}, not a SecureString"


def _gateway(examined: Examined) -> Iterator[str | Fault]:
    gateway: Any = boto3.client("apigateway")
    stage = gateway.get_stage(restApiId=examined.api_id, stageName=API_STAGE)
    for path, settings in stage.get("methodSettings", {}).items():
        for name, (limit, value) in THROTTLES.items():
            if settings.get(name) == 0:
                change = f"'op=replace,path=/{path}/throttling/{limit},value={value}'"
                todo = f"aws apigateway update-stage --rest-api-id {examined.api_id} --stage-name {API_STAGE}"
                todo += f" --patch-operations {change}"
                yield Fault(f"{name} of {path} is 0: every request is refused", todo)
    yield from inspect_answers(gateway, examined.api_id)


def _domain(examined: Examined) -> Iterator[str]:
    domain = configured_domain(examined.stage.name)
    if domain:
        yield from inspect_domain(boto3.client("apigateway"), domain, examined.api_id)


def _web_acl(examined: Examined) -> Iterator[str]:
    yield from inspect_web_acl(examined.stage, examined.api_id)


def _public_urls(examined: Examined) -> Iterator[str]:
    """A URL of the settings at which no server of this version answers: a job there cannot sign in with its role."""
    given = {PUBLIC_URLS: configured_public_urls(examined.stage.name)}
    for url in sorted(config.read(given).public_urls):
        try:
            health = ask_health(url)
        except (OSError, ValueError) as error:
            yield f"{url}/health does not answer: {type(error).__name__}: {error}"
            continue
        if health.status != 200 or not isinstance(health.body, dict) or health.body.get("version") != __version__:
            yield f"{url}/health answered {health.status}: {health.body}"


def _server(examined: Examined) -> Iterator[str | Fault]:
    health = examined.health()
    if health.status != 200 or health.body.get("status") != "ok":
        yield f"GET /health answered {health.status}: {health.body}"
    elif health.body.get("version") != __version__:
        there = str(health.body.get("version"))
        # A deployment of an older checkout would take the stage back.
        todo = DEPLOY if _numbers(there) < _numbers(__version__) else f"git pull --autostash\n{DEPLOY}"
        yield Fault(f"the server is version {there}, this checkout {__version__}", todo)


def _numbers(version: str) -> list[int]:
    return [int(each) for each in re.findall(r"\d+", version)]


def _clock(examined: Examined) -> Iterator[str | Fault]:
    try:
        skew = examined.health().server_time - time.time()
    except (OSError, ValueError) as error:
        yield Fault(f"{type(error).__name__}: {error}", "correct the other faults first: the server tells its time")
        return
    if abs(skew) > MOST_SKEW_SECONDS:
        yield f"the clock of this machine is {abs(skew):,.0f} s {'behind' if skew > 0 else 'ahead of'} the server's"


def _logs(examined: Examined) -> Iterator[str]:
    yield from inspect_logs(boto3.client("logs"), examined.stage)


def _alarms(examined: Examined) -> Iterator[str]:
    yield from inspect_alarms(boto3.client("cloudwatch"), examined.stage)


def _schedule(examined: Examined) -> Iterator[str | Fault]:
    events = boto3.client("events")
    arn = _configuration(examined, UPKEEP)["FunctionArn"]
    rules = events.list_rule_names_by_target(TargetArn=arn)["RuleNames"]
    states = {name: events.describe_rule(Name=name)["State"] for name in rules}
    if not states:
        yield f"no rule calls {UPKEEP.name(examined.stage)}"
    elif "ENABLED" not in states.values():
        todo = "\n".join(f"aws events enable-rule --name {name}" for name in states)
        yield Fault(f"the rule {', '.join(states)} is disabled", todo)


def _upkeep(examined: Examined) -> Iterator[str]:
    changed = _configuration(examined, UPKEEP)["LastModified"]
    age = datetime.now(timezone.utc) - _time(changed)
    name = UPKEEP.name(examined.stage)
    if age > HOUR and not _sum(name, "Invocations", HOUR):
        yield f"{name} has not run in the last hour: silent iterations stay RUNNING, deletions wait"


def _time(text: str) -> datetime:
    """Lambda's time, such as 2026-11-29T07:00:00.000+0000, in whole seconds: it is always UTC."""
    return datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)


def _configuration(examined: Examined, function: Function) -> dict[str, Any]:
    found = boto3.client("lambda").get_function_configuration(FunctionName=function.name(examined.stage))
    return dict(found)


def _sum(function: str, metric: str, span: timedelta) -> float:
    now = datetime.now(timezone.utc)
    points = boto3.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=metric,
        Dimensions=[{"Name": "FunctionName", "Value": function}],
        StartTime=now - span,
        EndTime=now,
        Period=int(span.total_seconds()),
        Statistics=["Sum"],
    )["Datapoints"]
    return sum(each["Sum"] for each in points)


def _canonical(statement: Any) -> str:
    """A statement as text: a list of one is the same as its only element."""
    plain = {
        name: sorted(value) if isinstance(value, list) and all(isinstance(each, str) for each in value) else value
        for name, value in statement.items()
    }
    return json.dumps(
        {name: v[0] if isinstance(v, list) and len(v) == 1 else v for name, v in plain.items()}, sort_keys=True
    )


CHECKS: dict[str, tuple[Check, str]] = {
    "functions": (_functions, DEPLOY),
    "permissions of the functions": (_permissions, DEPLOY),
    "settings of the functions": (_settings, DEPLOY),
    "concurrency": (_concurrency, DEPLOY),
    "errors and throttles of the last day": (_last_day, LOGS),
    "table": (_table, UP),
    "bucket": (_bucket, DEPLOY),
    "secret": (_secret, UP),
    "API Gateway": (_gateway, FINISH),
    "domain": (_domain, DEPLOY),
    "public URLs": (_public_urls, f"correct the proxy, or {PUBLIC_URLS} in .chalice/config.json\n{DEPLOY}"),
    "web ACL": (_web_acl, FINISH),
    "server and its version": (_server, f"{DEPLOY}\n{LOGS}"),
    "clock": (_clock, "set the clock of this machine, for example by NTP: AWS refuses requests of another time"),
    "logs": (_logs, UP),
    "alarms": (_alarms, f"{UP}\n{LOGS}"),
    "schedule of the upkeep": (_schedule, DEPLOY),
    "runs of the upkeep": (_upkeep, LOGS),
}


def report(stage: Stage, clients: Clients, given: str | None, *, json_wanted: bool) -> None:
    """Print the outcome of each check. InfraError if anything is wrong."""
    findings = []
    for each in examine(stage, clients, given):
        findings.append(each)
        if not json_wanted:
            print("\n".join(each.lines), flush=True)
    if json_wanted:
        print(as_json(findings))
    wrong = sum(bool(each.wrong) for each in findings)
    if wrong:
        raise InfraError(f"{wrong} of {len(findings)} checks found something wrong in stage {stage.name}")
