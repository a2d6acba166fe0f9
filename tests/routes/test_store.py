"""The settings of an S3-compatible store, and the keys that the server has for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from chalicelib import artifacts, config
from chalicelib.artifacts import s3
from chalicelib.aws import clients
from chalicelib.aws.credentials import FRESH_FOR
from tests.support.server import environment

S3 = "DEARDIARY_ARTIFACT_S3_"
PARAMETER = "/deardiary/dev/artifact-store"
STORE = {
    f"{S3}ENDPOINT": "https://minio.example.org:9000",
    f"{S3}BUCKET": "diary",
    f"{S3}CREDENTIALS_PARAMETER": PARAMETER,
}
IN_LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "deardiary-dev"}
LOCATION = artifacts.Location("project", "0" * 64)
# A secret that belongs to no account.
SECRET = "wJalrXUtnFEMI/K7MDENG"
KEYS = {"access_key_id": "AKSTORE", "secret_access_key": SECRET}


def test_without_an_endpoint_it_is_aws() -> None:
    assert config.read({}).artifact_store is None


def test_the_defaults_of_a_store() -> None:
    store = config.read(STORE).artifact_store
    assert store == config.StoreSettings("https://minio.example.org:9000", "us-east-1", False, PARAMETER, "")


def test_everything_that_can_be_said_of_a_store() -> None:
    given = {f"{S3}ENDPOINT": "http://[::1]:9000/", f"{S3}REGION": "auto", f"{S3}ADDRESSING": "virtual"}
    given |= {f"{S3}PROFILE": "minio", f"{S3}CREDENTIALS_PARAMETER": ""}
    store = config.read(STORE | given).artifact_store
    assert store == config.StoreSettings("http://[::1]:9000", "auto", True, "", "minio")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        *[
            ({f"{S3}ENDPOINT": value}, f"{S3}ENDPOINT")
            for value in (
                "minio:9000",
                "ftp://minio",
                "https://",
                "https://minio:port",
                "https://minio/path",
                "https://minio?x=1",
                "https://minio#x",
                f"https://AKSTORE:{SECRET}@minio",
                "https://[::1",
            )
        ],
        ({f"{S3}ENDPOINT": "http://minio.example.org", **IN_LAMBDA}, f"{S3}ENDPOINT"),
        ({f"{S3}BUCKET": ""}, f"{S3}BUCKET"),
        ({f"{S3}REGION": "EU West"}, f"{S3}REGION"),
        ({f"{S3}ADDRESSING": "host"}, f"{S3}ADDRESSING"),
        ({f"{S3}CREDENTIALS_PARAMETER": ""}, f"{S3}CREDENTIALS_PARAMETER"),
        ({f"{S3}CREDENTIALS_PARAMETER": f"AKSTORE:{SECRET}"}, f"{S3}CREDENTIALS_PARAMETER"),
        ({f"{S3}CREDENTIALS_PARAMETER": json.dumps(KEYS)}, f"{S3}CREDENTIALS_PARAMETER"),
        ({f"{S3}CREDENTIALS_PARAMETER": "/deardiary/*"}, f"{S3}CREDENTIALS_PARAMETER"),
        ({f"{S3}PROFILE": "minio"}, f"{S3}PROFILE"),
        ({f"{S3}PROFILE": "minio", f"{S3}CREDENTIALS_PARAMETER": "", **IN_LAMBDA}, f"{S3}PROFILE"),
        ({f"{S3}ENDPOINT": ""}, f"{S3}CREDENTIALS_PARAMETER"),
        ({f"{S3}ENDPOINT": "", f"{S3}CREDENTIALS_PARAMETER": "", f"{S3}REGION": "auto"}, f"{S3}REGION"),
        ({f"{S3}ENDPOINT": "", f"{S3}CREDENTIALS_PARAMETER": "", f"{S3}ADDRESSING": "path"}, f"{S3}ADDRESSING"),
        ({f"{S3}ENDPOINT": "", f"{S3}CREDENTIALS_PARAMETER": "", f"{S3}PROFILE": "minio"}, f"{S3}PROFILE"),
    ],
)
def test_settings_that_cannot_be_name_the_variable_and_no_secret(given: dict[str, str], named: str) -> None:
    with pytest.raises(config.ConfigurationError, match=f"{named}") as refused:
        config.read(STORE | given)
    assert SECRET not in str(refused.value)


@contextmanager
def on_moto(given: dict[str, str] | None = None) -> Iterator[None]:
    """A server with these settings, in an account on moto."""
    account = {"AWS_ACCESS_KEY_ID": "AKAWS", "AWS_SECRET_ACCESS_KEY": "aws", "AWS_DEFAULT_REGION": "us-east-1"}
    with mock_aws(), environment(account | STORE | (given or {})):
        yield


def signed() -> Any:
    """An upload as the server signs it: its host, its path and its key."""
    url = urlsplit(s3.S3Store().upload(LOCATION, 5, "text/plain", "").requests[0].url)
    return url.netloc, url.path, parse_qs(url.query)["X-Amz-Credential"][0].split("/")


@pytest.mark.parametrize(
    ("addressing", "host", "path"),
    [
        ("path", "minio.example.org:9000", f"/diary/{LOCATION.path}"),
        ("virtual", "diary.minio.example.org:9000", f"/{LOCATION.path}"),
    ],
)
def test_the_store_signs_with_its_own_keys_and_region(addressing: str, host: str, path: str) -> None:
    with on_moto({f"{S3}REGION": "auto", f"{S3}ADDRESSING": addressing}):
        boto3.client("ssm").put_parameter(Name=PARAMETER, Value=json.dumps(KEYS), Type="SecureString")
        netloc, found, credential = signed()
        assert (netloc, found) == (host, path)
        assert (credential[0], credential[2]) == ("AKSTORE", "auto")


def test_a_profile_of_this_machine_outdoes_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text(f"[minio]\naws_access_key_id = AKPROFILE\naws_secret_access_key = {SECRET}\n")
    given = STORE | {f"{S3}CREDENTIALS_PARAMETER": "", f"{S3}PROFILE": "minio"}
    aws = {"AWS_ACCESS_KEY_ID": "AKAWS", "AWS_SECRET_ACCESS_KEY": "x", "AWS_SESSION_TOKEN": "token"}
    with environment(given | aws | {"AWS_SHARED_CREDENTIALS_FILE": str(file)}):
        assert signed()[2][0] == "AKPROFILE"
        assert "token" not in s3.S3Store().upload(LOCATION, 5, "text/plain", "").requests[0].url


@pytest.mark.parametrize(
    "value", ["no JSON", "[]", "{}", json.dumps({**KEYS, "x": 1}), json.dumps({**KEYS, "access_key_id": 7})]
)
def test_a_parameter_without_the_two_keys_is_named_and_not_shown(value: str) -> None:
    with on_moto():
        boto3.client("ssm").put_parameter(Name=PARAMETER, Value=value, Type="SecureString")
        with pytest.raises(config.ConfigurationError, match=PARAMETER) as refused:
            signed()
        assert SECRET not in str(refused.value)


def test_a_parameter_that_is_missing_is_named() -> None:
    with on_moto(), pytest.raises(config.ConfigurationError, match=f"no parameter {PARAMETER}"):
        signed()


def test_new_keys_are_read_before_an_hour_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with on_moto():
        ssm = boto3.client("ssm")
        ssm.put_parameter(Name=PARAMETER, Value=json.dumps(KEYS), Type="SecureString")
        assert signed()[2][0] == "AKSTORE"
        new = json.dumps({**KEYS, "access_key_id": "AKNEW"})
        ssm.put_parameter(Name=PARAMETER, Value=new, Type="SecureString", Overwrite=True)
        assert signed()[2][0] == "AKSTORE"
        credentials = s3.client()._request_signer._credentials
        monkeypatch.setattr(credentials, "_time_fetcher", lambda: datetime.now(timezone.utc) + FRESH_FOR * 0.8)
        assert signed()[2][0] == "AKNEW"


def test_the_old_keys_serve_while_the_parameter_store_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_name: str) -> str:
        raise ClientError({"Error": {"Code": "InternalServerError", "Message": ""}}, "GetParameter")

    with on_moto():
        boto3.client("ssm").put_parameter(Name=PARAMETER, Value=json.dumps(KEYS), Type="SecureString")
        signed()
        credentials = s3.client()._request_signer._credentials
        store = config.settings().artifact_store
        provider: Any = clients.session(store).get_component("credential_provider")
        monkeypatch.setattr(provider, "_read", broken)
        monkeypatch.setattr(credentials, "_time_fetcher", lambda: datetime.now(timezone.utc) + FRESH_FOR * 0.8)
        assert signed()[2][0] == "AKSTORE"
