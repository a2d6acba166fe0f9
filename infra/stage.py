"""The names of all resources of a stage, and the settings with which a server finds them."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import boto3
import botocore.session
from botocore.exceptions import UnknownRegionError

from chalicelib.config import CAPTURE_SAGEMAKER
from infra.failure import InfraError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client
    from types_boto3_ssm import SSMClient

EVENT_BUS = "DEARDIARY_EVENT_BUS"
# 20 characters leave room for account and region in a bucket name of at most 63.
STAGE_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,18}[a-z0-9])?")


@functools.cache
def _partition_of(region: str) -> str:
    """Return `aws` for a region that botocore does not know: an emulator accepts any name."""
    try:
        partition: str = botocore.session.get_session().get_partition_for_region(region)
    except UnknownRegionError:
        return "aws"
    return partition


@dataclass(frozen=True, slots=True)
class Stage:
    """One deployment of DearDiary (``local``, ``dev``, ``prod`` …) in one account and region."""

    name: str
    account: str
    region: str
    # The settings of an S3-compatible store for artifacts; empty: the bucket in AWS.
    store: Mapping[str, str] = field(default_factory=dict)
    # The EventBridge bus of its events; empty: none are sent.
    event_bus: str = ""
    # The project that captures the SageMaker jobs of the account; empty: none.
    capture_sagemaker: str = ""
    # The settings of the sign-in with an OpenID Connect provider; empty: passwords only.
    oidc: Mapping[str, str] = field(default_factory=dict)

    # The ARN of the web ACL of its API, or `none`; empty: an ACL of other origin stays.
    web_acl: str = ""

    @property
    def partition(self) -> str:
        """The part after `arn:` in every ARN of this region: aws, aws-cn, aws-us-gov …"""
        return _partition_of(self.region)

    @property
    def table(self) -> str:
        return f"deardiary-{self.name}"

    @property
    def bucket(self) -> str:
        """The bucket in AWS, which a stage with a store of its own does not use."""
        return f"deardiary-{self.name}-{self.account}-{self.region}"

    @property
    def secret_parameter(self) -> str:
        return f"/deardiary/{self.name}/jwt-secret"

    @property
    def record_parameter(self) -> str:
        return f"/deardiary/{self.name}/deployed"

    def settings(self) -> dict[str, str]:
        """The environment variables with which the server finds this stage."""
        return {
            "DEARDIARY_TABLE": self.table,
            "DEARDIARY_ARTIFACT_BACKEND": "s3",
            "DEARDIARY_ARTIFACT_S3_BUCKET": self.bucket,
            "DEARDIARY_JWT_SECRET_PARAMETER": self.secret_parameter,
            **({EVENT_BUS: self.event_bus} if self.event_bus else {}),
            **self.store,
            **({CAPTURE_SAGEMAKER: self.capture_sagemaker} if self.capture_sagemaker else {}),
            **self.oidc,
        }


@dataclass(frozen=True, slots=True)
class Clients:
    """The clients of the AWS services that a stage uses."""

    dynamodb: DynamoDBClient
    s3: S3Client
    ssm: SSMClient


def locate(name: str) -> tuple[Stage, Clients]:
    """The stage of this name in the account and region of the caller's credentials.

    boto3 sends its requests to AWS_ENDPOINT_URL if it is set, else to AWS. InfraError for an invalid name, or without
    a region.
    """
    if not STAGE_NAME.fullmatch(name):
        raise InfraError(f"{name!r} is no stage name: 1-20 of a-z, 0-9 and '-', not at either end")
    session = boto3.Session()
    if session.region_name is None:
        raise InfraError("No region: set AWS_REGION or AWS_DEFAULT_REGION, or the region of your AWS profile")
    clients = Clients(
        dynamodb=session.client("dynamodb"),
        s3=session.client("s3"),
        ssm=session.client("ssm"),
    )
    account = session.client("sts").get_caller_identity()["Account"]
    return Stage(name, account, session.region_name), clients
