"""SageMaker jobs for tests: descriptions that botocore's model accepts, and the events as AWS documents them."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from botocore.stub import Stubber

from chalicelib import config
from chalicelib.aws import clients
from chalicelib.routes.capture import PATTERN, capture

BEGAN = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
ARN = "arn:aws:sagemaker:us-east-1:123456789012"
JOB = "digits-2026-11-01-12-00-00-123"
# The life of a job on spot instances that is interrupted once: its secondary statuses, a minute each.
LIFE = ("Starting", "Downloading", "Training", "Interrupted", "Restarting", "Training", "Uploading", "Completed")


def training_job(
    name: str = JOB,
    *,
    minutes: int | None = None,
    before: Sequence[str] = LIFE[:-1],
    end: str = "Completed",
    **more: Any,
) -> dict[str, Any]:
    """The description of a job after so many minutes of its life; None: at its end, which is Failed, Stopped …"""
    life = [*before, end]
    seen = life if minutes is None else life[: minutes + 1]
    changes = [BEGAN + timedelta(minutes=number) for number in range(len(seen))]
    transitions = [
        {"Status": status, "StartTime": time, "StatusMessage": f"{status} of the job"}
        for status, time in zip(seen, changes, strict=True)
    ]
    ended = len(seen) == len(life)
    main = end if end in ("Completed", "Failed") else "Stopped"
    job: dict[str, Any] = {
        "TrainingJobName": name,
        "TrainingJobArn": f"{ARN}:training-job/{name}",
        "ModelArtifacts": {"S3ModelArtifacts": f"s3://bucket/{name}/output/model.tar.gz"},
        "TrainingJobStatus": main if ended else "InProgress",
        "SecondaryStatus": seen[-1],
        "HyperParameters": {"lr": "0.1", "optimizer": '"adam"', "sagemaker_program": '"train.py"'},
        "AlgorithmSpecification": {"TrainingImage": "image:1", "TrainingInputMode": "File"},
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in"}},
            }
        ],
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200},
        "CreationTime": BEGAN,
        "LastModifiedTime": changes[-1],
        "SecondaryStatusTransitions": transitions,
        "EnableManagedSpotTraining": True,
    }
    if ended and "Training" in seen:
        job |= {"TrainingStartTime": changes[1], "TrainingEndTime": changes[-1]}
        job |= {"TrainingTimeInSeconds": 360, "BillableTimeInSeconds": 90}
        job["FinalMetricDataList"] = [{"MetricName": "loss", "Value": 0.25, "Timestamp": changes[-1]}]
    if ended and end == "Failed":
        job["FailureReason"] = "AlgorithmError: ValueError: no data"
    return job | more


def tuning_job(name: str, *, status: str = "InProgress", minutes: int = 0) -> dict[str, Any]:
    kind = f"{ARN}:hyper-parameter-tuning-job/{name}"
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobArn": kind,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "ResourceLimits": {"MaxParallelTrainingJobs": 2},
        },
        "HyperParameterTuningJobStatus": status,
        "CreationTime": BEGAN,
        "LastModifiedTime": BEGAN + timedelta(minutes=minutes),
        "TrainingJobStatusCounters": {},
        "ObjectiveStatusCounters": {},
    }


def event_of(job: dict[str, Any], tags: dict[str, str] | None = None) -> dict[str, Any]:
    """The event of a state change: the fields of the description, its times in milliseconds, and the job's tags."""
    is_tuning = "HyperParameterTuningJobArn" in job
    detail = {name: _as_json(value) for name, value in job.items() if name != "FinalMetricDataList"}
    return {
        "version": "0",
        "id": "844e2571-85d4-695f-b930-0153b71dcb42",
        "detail-type": PATTERN["detail-type"][is_tuning],
        "source": "aws.sagemaker",
        "account": "123456789012",
        "time": "2026-11-01T12:26:13Z",
        "region": "us-east-1",
        "resources": [job["HyperParameterTuningJobArn" if is_tuning else "TrainingJobArn"]],
        "detail": {**detail, "Tags": tags or {}},
    }


def deliver(job: dict[str, Any], *, event: dict[str, Any] | None = None) -> None:
    """Call the function with the event, while SageMaker describes the job like this."""
    operation = (
        "describe_hyper_parameter_tuning_job" if "HyperParameterTuningJobArn" in job else "describe_training_job"
    )
    with Stubber(clients.client("sagemaker")) as stub:
        stub.add_response(operation, job)
        capture(event or event_of(job), None)
        stub.assert_no_pending_responses()


@contextmanager
def serving(known: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    """A SageMaker on loopback for functions in processes of their own: it describes these training jobs, by name.

    A description can be replaced at any time.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            job = known.get(asked["TrainingJobName"])
            body = json.dumps(job or {"__type": "ValidationException"}, default=datetime.timestamp).encode()
            self.send_response(200 if job else 400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the standard library's
            """Write no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def capturing(project_id: str) -> Iterator[None]:
    """The server with this project in its settings."""
    before = os.environ.get(config.CAPTURE_SAGEMAKER, "")
    os.environ[config.CAPTURE_SAGEMAKER] = project_id
    config.settings.cache_clear()
    try:
        yield
    finally:
        os.environ[config.CAPTURE_SAGEMAKER] = before
        config.settings.cache_clear()


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return str(int(value.timestamp() * 1000))
    if isinstance(value, dict):
        return {name: _as_json(each) for name, each in value.items()}
    return [_as_json(each) for each in value] if isinstance(value, list) else value
