"""The local emulator keeps its state after any crash, and listens to this machine only."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import requests

from infra.failure import InfraError
from tests.support.emulator import Emulator, running_emulator

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client
    from types_boto3_ssm import SSMClient

TABLE, BUCKET = "things", "bytes"
KEY: Any = {"PK": {"S": "p"}, "SK": {"S": "s"}}


def session_on(emulator: Emulator) -> tuple[DynamoDBClient, S3Client, SSMClient]:
    session = boto3.Session("local", "local", region_name="us-east-1")
    url = emulator.endpoint_url
    return (
        session.client("dynamodb", endpoint_url=url),
        session.client("s3", endpoint_url=url),
        session.client("ssm", endpoint_url=url),
    )


def make_table(dynamodb: DynamoDBClient) -> None:
    dynamodb.create_table(
        TableName=TABLE,
        AttributeDefinitions=[
            {"AttributeName": "PK", "AttributeType": "S"},
            {"AttributeName": "SK", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.update_time_to_live(
        TableName=TABLE, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
    )


def kill(emulator: Emulator) -> None:
    emulator.process.kill()
    emulator.process.wait()


def test_acknowledged_writes_survive_kill_9(tmp_path: Path) -> None:
    with running_emulator(tmp_path) as emulator:
        dynamodb, s3, ssm = session_on(emulator)
        make_table(dynamodb)
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_lifecycle_configuration(
            Bucket=BUCKET,
            LifecycleConfiguration={
                "Rules": [{"ID": "r", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]
            },
        )
        ssm.put_parameter(Name="/secret", Value="kept", Type="SecureString")
        s3.put_object(
            Bucket=BUCKET, Key="a/b", Body=b"x", ContentType="a/b", Metadata={"k": "v"}, ChecksumAlgorithm="SHA256"
        )
        before = s3.head_object(Bucket=BUCKET, Key="a/b", ChecksumMode="ENABLED")
        dynamodb.put_item(TableName=TABLE, Item={**KEY, "v": {"B": b"\x00\xff"}})
        kill(emulator)
    with running_emulator(tmp_path) as emulator:
        dynamodb, s3, ssm = session_on(emulator)
        assert dynamodb.get_item(TableName=TABLE, Key=KEY)["Item"] == {**KEY, "v": {"B": b"\x00\xff"}}
        expiry = dynamodb.describe_time_to_live(TableName=TABLE)["TimeToLiveDescription"]
        assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}
        after = s3.head_object(Bucket=BUCKET, Key="a/b", ChecksumMode="ENABLED")
        for field in ("ContentType", "ContentLength", "Metadata", "ETag", "ChecksumSHA256"):
            assert after.get(field) == before.get(field)
        assert s3.get_object(Bucket=BUCKET, Key="a/b")["Body"].read() == b"x"
        assert s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"][0]["ID"] == "r"
        assert ssm.get_parameter(Name="/secret", WithDecryption=True)["Parameter"]["Value"] == "kept"


def test_changes_and_deletions_survive_too(tmp_path: Path) -> None:
    with running_emulator(tmp_path) as emulator:
        dynamodb, _s3, _ssm = session_on(emulator)
        make_table(dynamodb)
        other: Any = {"PK": {"S": "p"}, "SK": {"S": "gone"}}
        dynamodb.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": TABLE, "Item": KEY}},
                {"Put": {"TableName": TABLE, "Item": other}},
            ]
        )
        dynamodb.update_item(
            TableName=TABLE, Key=KEY, UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": {"N": "1"}}
        )
        dynamodb.batch_write_item(RequestItems={TABLE: [{"DeleteRequest": {"Key": other}}]})
        kill(emulator)
    with running_emulator(tmp_path) as emulator:
        dynamodb, _s3, _ssm = session_on(emulator)
        assert dynamodb.scan(TableName=TABLE)["Items"] == [{**KEY, "n": {"N": "1"}}]
        dynamodb.delete_table(TableName=TABLE)
        make_table(dynamodb)
        kill(emulator)
    with running_emulator(tmp_path) as emulator:
        assert session_on(emulator)[0].scan(TableName=TABLE)["Count"] == 0


def test_a_clean_stop_keeps_everything(tmp_path: Path) -> None:
    with running_emulator(tmp_path) as emulator:
        make_table(session_on(emulator)[0])
        session_on(emulator)[0].put_item(TableName=TABLE, Item=KEY)
    with running_emulator(tmp_path) as emulator:
        assert session_on(emulator)[0].describe_table(TableName=TABLE)["Table"]["ItemCount"] == 1


def test_one_directory_has_one_emulator(tmp_path: Path) -> None:
    with running_emulator(tmp_path), pytest.raises(InfraError, match="already"), running_emulator(tmp_path):
        pass


def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys; from infra.emulator.launcher import running_emulator\n"
        "with running_emulator(pathlib.Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    subprocess.run(command, cwd=Path(__file__).parents[2], check=False)  # noqa: S603 - our own code
    # The lock is free again when the orphan has gone, which is at once.
    for _attempt in range(20):
        with contextlib.suppress(InfraError), running_emulator(tmp_path):
            return
    pytest.fail("the emulator outlived its launcher")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Host": "evil.example"},
        {"Origin": "http://[::1"},
        {"Host": "[::1"},
        {"Host": "sts.eu-west-1.amazonaws.com.evil.example"},
        {"Host": "sts.s3.eu-west-1.amazonaws.com"},
        {"Host": "sts.eu-west-1.amazonaws.com", "Origin": "https://sts.eu-west-1.amazonaws.com"},
    ],
)
def test_pages_from_elsewhere_are_refused(emulator: Emulator, headers: dict[str, str]) -> None:
    assert requests.get(emulator.endpoint_url, headers=headers, timeout=30).status_code == 403


def test_its_own_controls_are_closed(emulator: Emulator) -> None:
    assert requests.post(f"{emulator.endpoint_url}/_ministack/reset", timeout=30).status_code == 403


def test_a_range_of_a_stored_object_is_exact(tmp_path: Path) -> None:
    content = bytes(range(256)) * 40
    with running_emulator(tmp_path) as emulator:
        _dynamodb, s3, _ssm = session_on(emulator)
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="a", Body=content)
        s3.put_object(Bucket=BUCKET, Key="empty", Body=b"")
        for wanted, expected in (
            ("bytes=100-299", content[100:300]),
            ("bytes=10000-", content[10000:]),
            ("bytes=-7", content[-7:]),
            ("bytes=0-99999", content),
        ):
            found = s3.get_object(Bucket=BUCKET, Key="a", Range=wanted)
            assert found["Body"].read() == expected
            assert found["ResponseMetadata"]["HTTPStatusCode"] == 206
        with pytest.raises(s3.exceptions.ClientError, match="InvalidRange"):
            s3.get_object(Bucket=BUCKET, Key="empty", Range="bytes=0-9")
        assert s3.get_object(Bucket=BUCKET, Key="a")["Body"].read() == content
