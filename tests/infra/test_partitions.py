"""A stage outside the partition `aws`: China and GovCloud have other ARNs and other host names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from infra.resources.bucket import converge_bucket
from infra.resources.gateway import url_of
from infra.resources.policy import CAPTURE, FUNCTIONS
from infra.stage import Stage, locate

PARTITIONS = [
    ("eu-west-1", "aws", "amazonaws.com"),
    ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
    ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
]


def arns(document: Any) -> Iterator[str]:
    """Every ARN in a document, whatever holds it."""
    if isinstance(document, str):
        if document.startswith("arn:"):
            yield document
    else:
        for each in document.values() if isinstance(document, dict) else document:
            yield from arns(each)


@pytest.mark.parametrize(("region", "partition", "suffix"), PARTITIONS)
def test_arns_and_hosts_are_those_of_the_region(
    monkeypatch: pytest.MonkeyPatch, region: str, partition: str, suffix: str
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    with mock_aws():
        stage, clients = locate("test")
        converge_bucket(clients.s3, stage, ())
        documents = [json.loads(clients.s3.get_bucket_policy(Bucket=stage.bucket)["Policy"])]
        assert converge_bucket(clients.s3, stage, ()) == []
    documents += [function.policy(stage) for function in (*FUNCTIONS, CAPTURE)]
    found = [list(arns(document)) for document in documents]
    assert [len(each) for each in found] == [2, 4, 4, 4]
    assert {arn.split(":")[1] for each in found for arn in each} == {partition}
    assert url_of("abc", stage) == f"https://abc.execute-api.{region}.{suffix}/api"


def test_a_region_that_only_an_emulator_has_is_in_aws() -> None:
    assert Stage("test", "000000000000", "mars-1").partition == "aws"
