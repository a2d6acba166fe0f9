"""`python -m infra` with an S3-compatible store for a stage's artifacts, on SeaweedFS and the emulator."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from infra import __main__ as command
from infra.package import chalice_config
from infra.package.chalice_config import configured_store
from infra.resources.policy import API, UPKEEP
from infra.stage import Stage
from tests.support.faults import Answer, Delivery, inject
from tests.support.seaweedfs import BUCKET, PARAMETER, Store, on_store
from tests.support.server import environment, forget_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.emulator import Emulator

S3 = "DEARDIARY_ARTIFACT_S3_"
ACCOUNT = "000000000000"


@pytest.fixture
def config_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config.json of our own, with a stage."""
    (tmp_path / "config.json").write_text(json.dumps({"stages": {"kept": {}, "stored": {}}}))
    monkeypatch.setattr(chalice_config, "FOLDER", tmp_path)
    return tmp_path / "config.json"


@pytest.fixture
def given(emulator: Emulator, store: Store, config_json: Path) -> Iterator[dict[str, str]]:
    """The environment of a user who deploys with the store."""
    settings = on_store(store, emulator)
    del settings["DEARDIARY_ARTIFACT_BACKEND"]
    with environment(emulator.environment() | settings):
        yield settings


def infra(*arguments: str) -> int:
    """Run the command as in a process of its own, which reads its environment once."""
    name = arguments[arguments.index("--stage") + 1]
    os.environ.update(Stage(name, ACCOUNT, "us-east-1", configured_store(name, os.environ)).settings())
    forget_settings()
    return command.main(arguments)


def aws_bucket(stage: str) -> str:
    return f"deardiary-{stage}-{ACCOUNT}-us-east-1"


def buckets() -> set[str]:
    return {each["Name"] for each in boto3.client("s3").list_buckets()["Buckets"]}


def keys(store: Store, prefix: str) -> list[str]:
    listed = store.client().list_objects_v2(Bucket=BUCKET, Prefix=prefix)
    return [each["Key"] for each in listed.get("Contents", [])]


def test_up_takes_the_store_and_makes_no_bucket(
    given: dict[str, str], store: Store, config_json: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert infra("up", "--stage", "stored", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["bucket"], shown["artifact_store"]) == (BUCKET, store.endpoint_url)
    assert aws_bucket("stored") not in buckets()
    assert keys(store, "projects/check/") == []
    settings = json.loads(config_json.read_text())["stages"]["stored"]["environment_variables"]
    assert {name: settings[name] for name in given} == given
    assert store.secret_access_key not in config_json.read_text()


def test_the_settings_are_kept_and_replaced_as_one(
    given: dict[str, str], config_json: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.environ[f"{S3}REGION"] = "eu-west-1"
    assert infra("up", "--stage", "kept") == 0
    assert configured(config_json)[f"{S3}REGION"] == "eu-west-1"
    for name in (*given, f"{S3}REGION"):
        del os.environ[name]
    assert infra("up", "--stage", "kept") == 0
    assert capsys.readouterr().out.count("nothing to change") == 1
    os.environ.update(given)
    del os.environ[f"{S3}REGION"]
    assert infra("up", "--stage", "kept") == 0
    assert f"{S3}REGION" not in configured(config_json)


def configured(config_json: Path) -> Any:
    return json.loads(config_json.read_text())["stages"]["kept"]["environment_variables"]


def refused(delivery: Delivery) -> Answer:
    return delivery.answer(501, "NotImplemented")


def test_up_says_that_a_store_takes_no_parts(given: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with inject(refused, {"UploadPart"}):
        assert infra("up", "--stage", "whole") == 0
    assert (
        f"bucket {BUCKET} at {given[f'{S3}ENDPOINT']}: no parts, so a file has at most 5 GiB" in capsys.readouterr().out
    )


def without_checksum(delivery: Delivery) -> Answer:
    answer, error = delivery.deliver()
    assert answer is not None
    answer[1].pop("ChecksumSHA256", None)
    return answer, error


def test_up_refuses_a_store_that_keeps_no_hash(
    given: dict[str, str], store: Store, config_json: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = config_json.read_text()
    with inject(without_checksum, {"HeadObject"}):
        assert infra("up", "--stage", "stored") == 1
    assert "keeps no SHA-256" in capsys.readouterr().err
    assert (config_json.read_text(), keys(store, "projects/check/")) == (before, [])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({f"{S3}BUCKET": "another"}, "NoSuchBucket"),
        ({f"{S3}CREDENTIALS_PARAMETER": "/deardiary/none"}, "no parameter /deardiary/none"),
        ({f"{S3}ENDPOINT": "http://127.0.0.1:9"}, "bucket diary at http://127.0.0.1:9 does not do"),
    ],
)
def test_up_refuses_a_store_that_it_cannot_use(
    given: dict[str, str],
    config_json: Path,
    capsys: pytest.CaptureFixture[str],
    changed: dict[str, str],
    said: str,
) -> None:
    before = config_json.read_text()
    os.environ.update(changed)
    assert infra("up", "--stage", "stored") == 1
    assert said in capsys.readouterr().err
    assert config_json.read_text() == before


def test_bytes_in_aws_come_along(given: dict[str, str], store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    data = b"weights"
    key = f"projects/moved/blobs/{hashlib.sha256(data).hexdigest()}"
    s3, bucket = boto3.client("s3"), aws_bucket("moved")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=key, Body=data)
    assert infra("up", "--stage", "moved") == 1
    assert "lacks 1 objects" in capsys.readouterr().err
    assert infra("copy-artifacts", "--stage", "moved") == 0
    assert f"1 objects of {len(data)} bytes" in capsys.readouterr().out
    found = store.client().get_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
    assert (found["Body"].read(), "ChecksumSHA256" in found) == (data, True)
    assert infra("copy-artifacts", "--stage", "moved") == 0
    assert "0 objects" in capsys.readouterr().out
    unhashed = f"projects/moved/blobs/{'0' * 24}"
    s3.put_object(Bucket=bucket, Key=unhashed, Body=data)
    assert infra("copy-artifacts", "--stage", "moved") == 0
    assert store.client().get_object(Bucket=BUCKET, Key=unhashed)["Body"].read() == data
    assert infra("up", "--stage", "moved") == 0
    damaged = key[:-64] + "0" * 64
    s3.put_object(Bucket=bucket, Key=damaged, Body=data)
    assert infra("copy-artifacts", "--stage", "moved") == 1
    assert f"{damaged} in {bucket} is damaged" in capsys.readouterr().err


def test_without_a_store_there_is_nothing_to_copy_into(
    emulator: Emulator, config_json: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with environment(emulator.environment()):
        assert infra("copy-artifacts", "--stage", "kept") == 1
    assert "DEARDIARY_ARTIFACT_S3_ENDPOINT" in capsys.readouterr().err


def test_a_backup_says_what_it_lacks_and_down_what_it_keeps(
    given: dict[str, str], store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    boto3.client("s3").create_bucket(Bucket="backups-of-stores")
    assert infra("up", "--stage", "stored2") == 0
    assert infra("backup", "--stage", "stored2", "--to", "s3://backups-of-stores/x") == 0
    assert f"{BUCKET} at {store.endpoint_url}: NOT in this backup" in capsys.readouterr().out
    assert infra("down", "--stage", "stored2", "--yes", "--delete-data") == 0
    assert f"kept: everything in bucket {BUCKET} at {store.endpoint_url}" in capsys.readouterr().out
    assert infra("restore", "--stage", "stored2", "--from", "s3://backups-of-stores/x") == 0
    assert "nothing copied" in capsys.readouterr().out
    assert aws_bucket("stored2") not in buckets()


@pytest.mark.parametrize("function", [API, UPKEEP])
def test_the_functions_may_read_that_parameter_and_no_bucket(function: Any) -> None:
    plain = Stage("dev", ACCOUNT, "us-east-1")
    stage = Stage(
        "dev",
        ACCOUNT,
        "us-east-1",
        {f"{S3}ENDPOINT": "https://minio", f"{S3}BUCKET": BUCKET, f"{S3}CREDENTIALS_PARAMETER": PARAMETER},
    )
    there = function.policy(stage)["Statement"]
    assert [each for each in there if each["Sid"] == "KeysOfTheArtifactStore"] == [
        {
            "Sid": "KeysOfTheArtifactStore",
            "Effect": "Allow",
            "Action": "ssm:GetParameter",
            "Resource": f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter{PARAMETER}",
        }
    ]
    assert "s3:" not in json.dumps(there)
    others = [each for each in function.policy(plain)["Statement"] if "s3:" not in json.dumps(each)]
    assert [each for each in there if each["Sid"] != "KeysOfTheArtifactStore"] == others
    assert PARAMETER not in json.dumps(function.policy(plain))
