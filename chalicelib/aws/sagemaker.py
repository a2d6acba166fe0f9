"""Descriptions of SageMaker's jobs. Only the function that captures them has the permission, and loads the client."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws import clients


def describe_training_job(name: str) -> dict[str, Any] | None:
    """The training job of this name; None if the account and region has none."""
    return _described("describe_training_job", TrainingJobName=name)


def describe_tuning_job(name: str) -> dict[str, Any] | None:
    """The hyperparameter tuning job of this name; None if the account and region has none."""
    return _described("describe_hyper_parameter_tuning_job", HyperParameterTuningJobName=name)


def _described(operation: str, **name: str) -> dict[str, Any] | None:
    try:
        answer: dict[str, Any] = getattr(clients.client("sagemaker"), operation)(**name)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("ResourceNotFound", "ValidationException"):
            return None
        raise
    return answer
