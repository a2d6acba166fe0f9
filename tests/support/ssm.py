"""Secrets in the parameter store of a test's server."""

from __future__ import annotations

import boto3


def put_secret(name: str, value: str) -> None:
    boto3.client("ssm").put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)
