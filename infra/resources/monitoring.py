"""Logs and alarms of a stage. Their names derive from the functions' names, so they can exist before the functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

from infra.resources.policy import API, CAPTURE, FUNCTIONS, functions

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_logs import CloudWatchLogsClient

    from infra.stage import Stage

RETENTION_DAYS = 30
PERIOD_SECONDS = 300
NAMESPACE = "DearDiary"
# The server turns every fault into an answer, so Lambda counts no error: the log does.
FILTERS = {"ServerErrors": "{ $.status = 500 }", "Unavailable": "{ $.status = 503 }"}


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm for a metric whose sum over five minutes exceeds a limit."""

    name: str
    namespace: str
    metric: str
    dimensions: dict[str, str]
    limit: int = 0

    def request(self) -> dict[str, Any]:
        return {
            "AlarmName": self.name,
            "Namespace": self.namespace,
            "MetricName": self.metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in self.dimensions.items()],
            "Statistic": "Sum",
            "Period": PERIOD_SECONDS,
            "EvaluationPeriods": 1,
            "Threshold": float(self.limit),
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
        }


def alarms(stage: Stage) -> list[Alarm]:
    """Alarms for functions that crash, time out or are throttled, 500 and 503 answers, and a throttled table."""
    found = [alarm for function in functions(stage) for alarm in _alarms_of(function.name(stage))]
    name, table = API.name(stage), {"TableName": stage.table}
    found.append(Alarm(f"{name} answers 500", NAMESPACE, f"{stage.name}-ServerErrors", {}))
    found.append(Alarm(f"{name} answers 503", NAMESPACE, f"{stage.name}-Unavailable", {}, limit=10))
    for what in ("Read", "Write"):
        title = f"{stage.table} throttles {what.lower()}s"
        found.append(Alarm(title, "AWS/DynamoDB", f"{what}ThrottleEvents", table))
    return found


def _alarms_of(function: str) -> list[Alarm]:
    of = {"FunctionName": function}
    return [
        Alarm(f"{function} fails", "AWS/Lambda", "Errors", of),
        Alarm(f"{function} is throttled", "AWS/Lambda", "Throttles", of),
    ]


def converge_monitoring(stage: Stage, topic: str | None) -> list[str]:
    """Create or correct logs and alarms; return one line per change. A given topic stays until another is given."""
    logs, cloudwatch = boto3.client("logs"), boto3.client("cloudwatch")
    done = [line for each in functions(stage) for line in _converge_group(logs, _group(each.name(stage)))]
    done += _converge_filters(logs, stage) + _converge_alarms(cloudwatch, stage, topic)
    if CAPTURE not in functions(stage):
        _delete_alarms_of_capture(cloudwatch, stage)
    return done


def inspect_logs(logs: CloudWatchLogsClient, stage: Stage) -> list[str]:
    """What is wrong with the logs, a line each."""
    wrong = []
    for name in (_group(each.name(stage)) for each in functions(stage)):
        group = _find_group(logs, name)
        if group is None:
            wrong.append(f"there is no log {name}")
        elif group.get("retentionInDays") != RETENTION_DAYS:
            wrong.append(f"{name} is kept for {group.get('retentionInDays', 'ever')}, not {RETENTION_DAYS} days")
    if _find_group(logs, _group(API.name(stage))) is not None:
        present = logs.describe_metric_filters(logGroupName=_group(API.name(stage)))["metricFilters"]
        patterns = {each["filterName"]: each["filterPattern"] for each in present}
        wrong += [f"no filter counts {name}" for name in FILTERS if patterns.get(name) != FILTERS[name]]
    return wrong


def inspect_alarms(cloudwatch: CloudWatchClient, stage: Stage) -> list[str]:
    """What is wrong with the alarms, a line each. An alarm that has gone off is wrong too."""
    wanted = alarms(stage)
    found = cloudwatch.describe_alarms(AlarmNames=[alarm.name for alarm in wanted])["MetricAlarms"]
    present: dict[str, Any] = {each["AlarmName"]: each for each in found}
    wrong = []
    for alarm in wanted:
        before = present.get(alarm.name)
        if before is None:
            wrong.append(f"there is no alarm {alarm.name!r}")
        elif any(before.get(name) != value for name, value in alarm.request().items()):
            wrong.append(f"the alarm {alarm.name!r} has other settings")
        elif before.get("StateValue") == "ALARM":
            wrong.append(f"the alarm {alarm.name!r} has gone off: {before.get('StateReason', '')}")
    return wrong


def delete_monitoring(stage: Stage, *, delete_logs: bool) -> list[str]:
    """Remove the alarms; with ``delete_logs`` also the logs."""
    names = [alarm.name for alarm in alarms(stage)]
    cloudwatch = boto3.client("cloudwatch")
    cloudwatch.delete_alarms(AlarmNames=names)
    _delete_alarms_of_capture(cloudwatch, stage)
    if not delete_logs:
        return [f"alarms of {stage.name}: deleted"]
    logs = boto3.client("logs")
    for function in (*FUNCTIONS, CAPTURE):
        if _find_group(logs, _group(function.name(stage))) is not None:
            logs.delete_log_group(logGroupName=_group(function.name(stage)))
    return [f"alarms and logs of {stage.name}: deleted"]


def _delete_alarms_of_capture(cloudwatch: CloudWatchClient, stage: Stage) -> None:
    """Remove the alarms that an earlier setting of the stage had; there need be none."""
    names = [alarm.name for alarm in _alarms_of(CAPTURE.name(stage))]
    found = cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
    if found:
        cloudwatch.delete_alarms(AlarmNames=[each["AlarmName"] for each in found])


def _group(function: str) -> str:
    return f"/aws/lambda/{function}"


def _find_group(logs: CloudWatchLogsClient, name: str) -> Any:
    groups = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return next((group for group in groups if group["logGroupName"] == name), None)


def _converge_group(logs: CloudWatchLogsClient, name: str) -> list[str]:
    group = _find_group(logs, name)
    if group is None:
        logs.create_log_group(logGroupName=name)
    elif group.get("retentionInDays") == RETENTION_DAYS:
        return []
    logs.put_retention_policy(logGroupName=name, retentionInDays=RETENTION_DAYS)
    return [f"logs {name}: kept for {RETENTION_DAYS} days"]


def _converge_filters(logs: CloudWatchLogsClient, stage: Stage) -> list[str]:
    group = _group(API.name(stage))
    present = logs.describe_metric_filters(logGroupName=group)["metricFilters"]
    patterns = {each["filterName"]: each["filterPattern"] for each in present}
    done = []
    for name, pattern in FILTERS.items():
        if patterns.get(name) == pattern:
            continue
        metric: Any = {"metricName": f"{stage.name}-{name}", "metricNamespace": NAMESPACE, "metricValue": "1"}
        logs.put_metric_filter(
            logGroupName=group, filterName=name, filterPattern=pattern, metricTransformations=[metric]
        )
        done.append(f"logs {group}: counts {name}")
    return done


def _converge_alarms(cloudwatch: CloudWatchClient, stage: Stage, topic: str | None) -> list[str]:
    wanted = alarms(stage)
    found = cloudwatch.describe_alarms(AlarmNames=[alarm.name for alarm in wanted])["MetricAlarms"]
    present: dict[str, Any] = {each["AlarmName"]: each for each in found}
    done = []
    for alarm in wanted:
        before = present.get(alarm.name, {})
        request = alarm.request() | {"AlarmActions": [topic] if topic else before.get("AlarmActions", [])}
        if any(before.get(name) != value for name, value in request.items()):
            cloudwatch.put_metric_alarm(**request)
            done.append(f"alarm {alarm.name}: set")
    return done
