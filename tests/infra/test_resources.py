"""Table, bucket and secret as `infra` creates them, on moto."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from infra.failure import InfraError
from infra.resources.bucket import allow_dashboard, converge_bucket, delete_bucket
from infra.resources.secret import converge_secret, delete_secret
from infra.resources.table import converge_table, delete_table
from infra.stage import Clients, Stage, locate

if TYPE_CHECKING:
    from collections.abc import Iterator

ORIGIN = "https://diary.example"


@pytest.fixture
def located(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Stage, Clients]]:
    """An empty AWS account, and the stage `test` in it."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        yield locate("test")


def converge(located: tuple[Stage, Clients], *origins: str) -> list[str]:
    stage, clients = located
    return [
        *converge_table(clients.dynamodb, stage.table),
        *converge_bucket(clients.s3, stage, origins),
        *converge_secret(clients.ssm, stage.secret_parameter),
    ]


def test_a_second_run_changes_nothing(located: tuple[Stage, Clients]) -> None:
    assert converge(located, ORIGIN)
    assert converge(located, ORIGIN) == []


def test_the_table_has_string_keys_and_no_index(located: tuple[Stage, Clients]) -> None:
    _stage, clients = located
    converge(located)
    table = clients.dynamodb.describe_table(TableName="deardiary-test")["Table"]
    assert table["KeySchema"] == [
        {"AttributeName": "PK", "KeyType": "HASH"},
        {"AttributeName": "SK", "KeyType": "RANGE"},
    ]
    assert {each["AttributeType"] for each in table["AttributeDefinitions"]} == {"S"}
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert not table.get("GlobalSecondaryIndexes")


def protections(located: tuple[Stage, Clients]) -> tuple[object, object, object]:
    stage, clients = located
    table = clients.dynamodb.describe_table(TableName=stage.table)["Table"]
    expiry = clients.dynamodb.describe_time_to_live(TableName=stage.table)["TimeToLiveDescription"]
    backups = clients.dynamodb.describe_continuous_backups(TableName=stage.table)["ContinuousBackupsDescription"]
    return (
        table["DeletionProtectionEnabled"],
        expiry.get("AttributeName"),
        backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
    )


def test_the_table_is_protected_and_up_restores_that(located: tuple[Stage, Clients]) -> None:
    stage, clients = located
    converge(located)
    assert protections(located) == (True, "expires_at", "ENABLED")
    clients.dynamodb.update_table(TableName=stage.table, DeletionProtectionEnabled=False)
    assert converge(located) == ["table deardiary-test: deletion protection on"]
    assert protections(located) == (True, "expires_at", "ENABLED")


def test_a_table_with_other_keys_is_left_alone(located: tuple[Stage, Clients]) -> None:
    stage, clients = located
    clients.dynamodb.create_table(
        TableName=stage.table,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(InfraError, match="other keys"):
        converge(located)


def test_the_bucket_is_private_encrypted_and_tls_only(located: tuple[Stage, Clients]) -> None:
    stage, clients = located
    converge(located)
    bucket = "deardiary-test-123456789012-eu-west-1"
    assert stage.bucket == bucket
    blocked = clients.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert list(blocked.values()) == [True] * 4
    rules = clients.s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    owned = clients.s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert owned == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    statement = json.loads(clients.s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"][0]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_unfinished_uploads_end_after_a_day(located: tuple[Stage, Clients]) -> None:
    stage, clients = located
    converge(located)
    rules = clients.s3.get_bucket_lifecycle_configuration(Bucket=stage.bucket)["Rules"]
    assert [rule["AbortIncompleteMultipartUpload"] for rule in rules] == [{"DaysAfterInitiation": 7}]


def test_cors_is_for_configured_origins_only(located: tuple[Stage, Clients]) -> None:
    stage, clients = located
    converge(located, ORIGIN)
    rules = clients.s3.get_bucket_cors(Bucket=stage.bucket)["CORSRules"]
    assert rules[0]["AllowedOrigins"] == [ORIGIN]
    assert rules[0]["AllowedMethods"] == ["GET", "PUT", "HEAD"]
    assert rules[0]["ExposeHeaders"] == ["ETag", "x-amz-checksum-sha256"]
    assert converge(located) == [f"bucket {stage.bucket}: CORS for nobody"]
    with pytest.raises(clients.s3.exceptions.ClientError, match="NoSuchCORSConfiguration"):
        clients.s3.get_bucket_cors(Bucket=stage.bucket)


def test_the_dashboard_keeps_its_cors_rule(located: tuple[Stage, Clients]) -> None:
    stage, clients = located
    converge(located)
    page = "https://abc.execute-api.us-east-1.amazonaws.com"
    said = [f"bucket {stage.bucket}: CORS for the dashboard at {page}"]
    assert allow_dashboard(clients.s3, stage.bucket, page) == said
    assert allow_dashboard(clients.s3, stage.bucket, page) == []
    assert converge(located) == []

    def allowed() -> list[list[str]]:
        return [rule["AllowedOrigins"] for rule in clients.s3.get_bucket_cors(Bucket=stage.bucket)["CORSRules"]]

    converge(located, ORIGIN)
    assert allowed() == [[ORIGIN], [page]]
    assert converge(located, ORIGIN) == []
    allow_dashboard(clients.s3, stage.bucket, "https://new.example")
    assert allowed() == [[ORIGIN], ["https://new.example"]]
    converge(located)
    assert allowed() == [["https://new.example"]]


def test_the_secret_is_made_once_and_encrypted(located: tuple[Stage, Clients]) -> None:
    _stage, clients = located
    converge(located)
    name = "/deardiary/test/jwt-secret"
    first = clients.ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
    converge(located)
    assert first["Type"] == "SecureString"
    assert clients.ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] == first["Value"]
    ring = json.loads(first["Value"])
    assert len(bytes.fromhex(ring["secrets"][ring["signing"]])) == 32


def test_deleting_takes_everything_and_can_be_repeated(located: tuple[Stage, Clients]) -> None:
    stage, clients = located
    converge(located)
    clients.s3.delete_bucket_policy(Bucket=stage.bucket)  # of which moto does not see the condition
    clients.s3.put_object(Bucket=stage.bucket, Key="a/b", Body=b"bytes")
    clients.s3.create_multipart_upload(Bucket=stage.bucket, Key="unfinished")

    def delete_everything() -> list[str]:
        return [
            *delete_table(clients.dynamodb, stage.table),
            *delete_bucket(clients.s3, stage.bucket),
            *delete_secret(clients.ssm, stage.secret_parameter),
        ]

    assert len(delete_everything()) == 3
    assert delete_everything() == []


@pytest.mark.parametrize("name", ["", "Dev", "a_b", "-a", "a-", "x" * 21])
def test_a_name_that_aws_would_refuse_is_refused(name: str) -> None:
    with pytest.raises(InfraError, match="no stage name"):
        locate(name)
