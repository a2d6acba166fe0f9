"""What SageMaker says of a job, in the words of an iteration. Everything here is a function of the description."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from chalicelib import clock
from chalicelib.services.capture.naming import base_of, name_in
from chalicelib.services.capture.price import cost_usd, price_of
from deardiary.wire import limits
from deardiary.wire.shapes import IterationStatus
from deardiary.wire.times import format_time, from_milliseconds, to_milliseconds

Described = Mapping[str, Any]

_STATUS = {
    "Completed": IterationStatus.SUCCEEDED,
    "Failed": IterationStatus.FAILED,
    "Stopped": IterationStatus.KILLED,
}
# Hyperparameters of SageMaker and its toolkit, as in the client's `sagemaker/job.py`.
_OF_THE_TOOLKIT = ("sagemaker_", "_tuning_")
_DAY = 86_400
# The time that SageMaker allows a tuning job, and a training job that says nothing.
_LONGEST = 30 * _DAY
# Versions count milliseconds, and transitions within one.
_TRANSITIONS = 300
STATE_LABEL = "sagemaker_last_modified"


class Facts(NamedTuple):
    """What SageMaker says of a job; JSON can hold it. Times are milliseconds since 1970.

    A later state has a higher ``version``. ``end_ms`` is None while the job runs. ``final_metrics`` are values with
    their times. ``cost`` has metrics of what the job has used; both are empty until it has ended.
    """

    job: str
    experiment: str
    tuning_job: str | None
    is_tuning_job: bool
    version: int
    created_ms: int
    end_ms: int | None
    status: int
    message: str
    patience_s: int
    parameters: dict[str, str]
    labels: dict[str, str]
    tags: list[str]
    final_metrics: dict[str, tuple[float, int]]
    cost: dict[str, float]

    @property
    def created_date(self) -> datetime:
        return from_milliseconds(self.created_ms)


def facts_of_training_job(job: Described, tags: Mapping[str, str]) -> Facts:
    """The facts of `DescribeTrainingJob`. The event has the `tags`, the description has not."""
    name, tuning_job = job["TrainingJobName"], name_in(job.get("TuningJobArn", "")) or None
    status = _STATUS.get(job["TrainingJobStatus"], IterationStatus.RUNNING)
    ended = status != IterationStatus.RUNNING
    return Facts(
        job=name,
        experiment=_experiment(job.get("Environment"), tuning_job or name),
        tuning_job=tuning_job,
        is_tuning_job=False,
        version=_version(job, len(job.get("SecondaryStatusTransitions", ()))),
        created_ms=to_milliseconds(job["CreationTime"]),
        end_ms=to_milliseconds(job.get("TrainingEndTime") or _modified(job)) if ended else None,
        status=int(status),
        message=_message(job, status),
        patience_s=_patience_s(job.get("StoppingCondition", {})),
        parameters=_parameters(job, tuning_job),
        labels=_bounded(_labels(job, tags)),
        tags=["sagemaker", name, *([tuning_job] if tuning_job else [])],
        final_metrics=dict(_final_metrics(job)) if ended else {},
        cost=_cost(job) if ended else {},
    )


def facts_of_tuning_job(job: Described) -> Facts:
    """The facts of `DescribeHyperParameterTuningJob`: the parent of its training jobs, which have the costs."""
    name = job["HyperParameterTuningJobName"]
    status = _STATUS.get(job["HyperParameterTuningJobStatus"], IterationStatus.RUNNING)
    ended = status != IterationStatus.RUNNING
    labels = {
        "sagemaker_status": job["HyperParameterTuningJobStatus"],
        "sagemaker_strategy": job.get("HyperParameterTuningJobConfig", {}).get("Strategy", ""),
        "sagemaker_failure_reason": job.get("FailureReason", ""),
        STATE_LABEL: format_time(_modified(job)),
    }
    return Facts(
        job=name,
        experiment=_experiment(job.get("TrainingJobDefinition", {}).get("Environment"), name),
        tuning_job=None,
        is_tuning_job=True,
        version=_version(job, 0),
        created_ms=to_milliseconds(job["CreationTime"]),
        end_ms=to_milliseconds(job.get("HyperParameterTuningEndTime") or _modified(job)) if ended else None,
        status=int(status),
        message=job.get("FailureReason", "") if status == IterationStatus.FAILED else "",
        patience_s=_LONGEST,
        parameters={},
        labels=_bounded(labels),
        tags=["sagemaker", name],
        final_metrics={},
        cost={},
    )


def _experiment(environment: Mapping[str, str] | None, job: str) -> str:
    """The experiment that the client of the job uses by default, else the base of the job's name."""
    return ((environment or {}).get("DEARDIARY_EXPERIMENT") or base_of(job))[: limits.MAX_NAME_CHARACTERS]


def _modified(job: Described) -> datetime:
    found: datetime = job.get("LastModifiedTime") or job["CreationTime"]
    return clock.whole_milliseconds(found)


def _version(job: Described, transitions: int) -> int:
    return to_milliseconds(_modified(job)) * _TRANSITIONS + min(transitions, _TRANSITIONS - 1)


def _patience_s(condition: Described) -> int:
    """The longest time without a heartbeat: the job may wait for its instances, and need not log at all."""
    allowed = max(condition.get("MaxWaitTimeInSeconds", 0), condition.get("MaxRuntimeInSeconds", 0))
    pending = condition.get("MaxPendingTimeInSeconds", 0)
    return min(allowed + pending + _DAY, _LONGEST) if allowed else _LONGEST


def _message(job: Described, status: IterationStatus) -> str:
    if status == IterationStatus.FAILED:
        return str(job.get("FailureReason") or "SageMaker gives no reason")
    if status == IterationStatus.KILLED:
        transitions = job.get("SecondaryStatusTransitions") or [{}]
        said = transitions[-1].get("StatusMessage", "")
        return f"{job.get('SecondaryStatus', 'Stopped')}: {said}" if said else str(job.get("SecondaryStatus", ""))
    return ""


def _parameters(job: Described, tuning_job: str | None) -> dict[str, str]:
    """The parameters that the client logs in such a job, by the same names and with the same values."""
    given = {name: _unquoted(value) for name, value in job.get("HyperParameters", {}).items()}
    own = {name: value for name, value in given.items() if not name.startswith(_OF_THE_TOOLKIT)}
    known = {
        "sagemaker_job_name": job["TrainingJobName"],
        "sagemaker_job_arn": job.get("TrainingJobArn", ""),
        "sagemaker_instance_type": job.get("ResourceConfig", {}).get("InstanceType", ""),
        "sagemaker_source": given.get("sagemaker_submit_directory", "").partition("?")[0],
        "sagemaker_tuning_job": tuning_job or "",
        **{f"sagemaker_input_{each['ChannelName']}": _mode(job, each) for each in job.get("InputDataConfig", ())},
    }
    found = {**own, **{name: value for name, value in known.items() if value}}
    return {_key(name): value[: limits.MAX_PARAMETER_CHARACTERS] for name, value in found.items() if _key(name)}


def _key(name: str) -> str:
    return "".join(each for each in name if each.isprintable())[: limits.MAX_KEY_CHARACTERS]


def _unquoted(text: str) -> str:
    """A hyperparameter as text. The SageMaker SDK writes text as JSON, with quotes: remove them."""
    try:
        decoded = json.loads(text) if text.startswith('"') else text
    except ValueError:
        return text
    return decoded if isinstance(decoded, str) else text


def _mode(job: Described, channel: Described) -> str:
    default = job.get("AlgorithmSpecification", {}).get("TrainingInputMode", "File")
    return str(channel.get("InputMode") or default)


def _labels(job: Described, tags: Mapping[str, str]) -> dict[str, str]:
    transitions = job.get("SecondaryStatusTransitions", ())
    interruptions = sum(each.get("Status") == "Interrupted" for each in transitions)
    algorithm = job.get("AlgorithmSpecification", {})
    return {
        "sagemaker_status": job["TrainingJobStatus"],
        "sagemaker_secondary_status": job.get("SecondaryStatus", ""),
        "sagemaker_failure_reason": job.get("FailureReason", ""),
        "sagemaker_image": algorithm.get("TrainingImage") or algorithm.get("AlgorithmName", ""),
        "sagemaker_instances": " + ".join(f"{count} x {kind}" for kind, count in _instances(job)),
        "sagemaker_model_artifacts": job.get("ModelArtifacts", {}).get("S3ModelArtifacts", ""),
        "sagemaker_training_start": _time(job.get("TrainingStartTime")),
        "sagemaker_spot": "true" if job.get("EnableManagedSpotTraining") else "",
        "sagemaker_interruptions": str(interruptions or ""),
        "sagemaker_pipeline_execution": tags.get("sagemaker:pipeline-execution-arn", ""),
        "sagemaker_pipeline_step": tags.get("sagemaker:pipeline-step-name", ""),
        "sagemaker_price": _price_source(job),
        STATE_LABEL: format_time(_modified(job)),
    }


def _bounded(labels: Mapping[str, str]) -> dict[str, str]:
    return {name: value[: limits.MAX_LABEL_CHARACTERS] for name, value in labels.items() if value}


def _time(value: datetime | None) -> str:
    return format_time(value) if value else ""


def _instances(job: Described) -> list[tuple[str, int]]:
    """The type and the number of the instances, by group in a heterogeneous cluster."""
    resources = job.get("ResourceConfig", {})
    groups = resources.get("InstanceGroups") or [resources]
    return [(each["InstanceType"], each.get("InstanceCount", 1)) for each in groups if each.get("InstanceType")]


def _region(job: Described) -> str:
    arn = str(job.get("TrainingJobArn", "")).split(":")
    return arn[3] if len(arn) > 3 else ""


def _is_reserved(job: Described) -> bool:
    """True if a training plan has paid for the instances."""
    return bool(job.get("ResourceConfig", {}).get("TrainingPlanArn"))


def _price_source(job: Described) -> str:
    if "BillableTimeInSeconds" not in job:
        return ""
    return "unknown: a training plan pays" if _is_reserved(job) else price_of(_instances(job), _region(job)).source


def _final_metrics(job: Described) -> Iterator[tuple[str, tuple[float, int]]]:
    for each in job.get("FinalMetricDataList", ()):
        if _key(each.get("MetricName", "")) and "Value" in each:
            time = each.get("Timestamp") or job.get("TrainingEndTime") or _modified(job)
            yield _key(each["MetricName"]), (float(each["Value"]), to_milliseconds(time))


def _cost(job: Described) -> dict[str, float]:
    """What the job has used. SageMaker's billable seconds are those of one instance, and have the savings of spot."""
    found: dict[str, float] = {}
    trained, billable = job.get("TrainingTimeInSeconds"), job.get("BillableTimeInSeconds")
    if trained is not None:
        found["training_seconds"] = float(trained)
    if billable is None:
        return found
    found["billable_seconds"] = float(billable)
    if job.get("EnableManagedSpotTraining") and trained:
        found["spot_savings_percent"] = round((1 - billable / trained) * 100, 1)
    price = price_of(_instances(job), _region(job)).usd_per_hour
    if price is not None and not _is_reserved(job):
        found["cost_usd"] = cost_usd(price, billable)
    return found
