"""An API is put behind a web ACL that exists, stays there, and can leave it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.__main__ import main
from infra.package import chalice_config
from infra.package.chalice_config import configured_web_acl, write_outputs
from infra.resources.firewall import (
    NO_ACL,
    check_web_acl,
    converge_web_acl,
    inspect_web_acl,
    remove_web_acl,
)
from infra.resources.gateway import API_STAGE, converge_answers
from infra.stage import Stage
from tests.support.server import environment

DEV = Stage("dev", "123456789012", "us-east-1")
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Chalice's folder of this test."""
    shutil.copy(chalice_config.FOLDER / "config.json", tmp_path)
    monkeypatch.setattr(chalice_config, "FOLDER", tmp_path)
    return tmp_path


@pytest.fixture
def api() -> Iterator[str]:
    """The id of an API in an account."""
    with mock_aws(), environment(KEYS):
        gateway = boto3.client("apigateway")
        made = gateway.create_rest_api(name="deardiary")["id"]
        root = gateway.get_resources(restApiId=made)["items"][0]["id"]
        gateway.put_method(restApiId=made, resourceId=root, httpMethod="GET", authorizationType="NONE")
        gateway.put_integration(restApiId=made, resourceId=root, httpMethod="GET", type="MOCK")
        converge_answers(gateway, made, ())
        yield made


def create_acl(name: str) -> str:
    seen: Any = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": name}
    made = boto3.client("wafv2").create_web_acl(
        Name=name, Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=seen
    )
    return str(made["Summary"]["ARN"])


def acl_of(api: str) -> str | None:
    """The web ACL of the API's stage, as AWS sees it."""
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{api}/stages/{API_STAGE}"
    found = boto3.client("wafv2").get_web_acl_for_resource(ResourceArn=arn)
    arn_of_acl: str | None = found.get("WebACL", {}).get("ARN")
    return arn_of_acl


def test_the_api_is_behind_the_acl_of_the_settings_until_it_leaves(api: str) -> None:
    first, second = create_acl("first"), create_acl("second")
    of_first, of_second, none = (replace(DEV, web_acl=each) for each in (first, second, NO_ACL))
    assert list(inspect_web_acl(of_first, api)) == [f"the API is behind no web ACL, not {first}"]
    assert list(converge_web_acl(of_first, api)) == [f"api {api}: behind the web ACL {first}"]
    assert acl_of(api) == first
    for unchanged in (of_first, DEV):  # without a setting too: a security team may have associated it
        assert list(converge_web_acl(unchanged, api)) == list(inspect_web_acl(unchanged, api)) == []
    assert list(inspect_web_acl(of_second, api)) == [f"the API is behind {first}, not {second}"]
    assert list(inspect_web_acl(none, api)) == [f"the API is behind {first}, not none"]
    assert list(converge_web_acl(none, api)) == [f"api {api}: behind no web ACL"]
    assert acl_of(api) is None
    assert list(converge_web_acl(none, api)) == list(inspect_web_acl(none, api)) == []
    list(converge_web_acl(of_first, api))
    list(remove_web_acl(of_first, api))
    assert acl_of(api) is None
    assert list(remove_web_acl(DEV, api)) == []


@pytest.mark.parametrize(
    "arn",
    [
        "my-acl",
        "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/a/1",
        "arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/1",
        "arn:aws:waf-regional:us-east-1:123456789012:webacl/1",
    ],
)
def test_an_acl_that_the_api_cannot_have_is_refused_before_anything_is_made(
    arn: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (folder / "config.json").read_text()
    with mock_aws(), environment(KEYS):
        assert main(["up", "--stage", "dev", "--web-acl", arn]) == 1
        assert f"{arn!r} is not the ARN of a regional web ACL in us-east-1" in capsys.readouterr().err
        assert boto3.client("dynamodb").list_tables()["TableNames"] == []
    assert (folder / "config.json").read_text() == before


def test_later_deployments_keep_the_acl() -> None:
    arn = "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/a/1"
    for given, kept in ((None, ""), (arn, arn), (None, arn), (NO_ACL, NO_ACL), (None, NO_ACL)):
        stage = replace(DEV, web_acl=configured_web_acl("dev", given))
        check_web_acl(stage)
        write_outputs(stage, ())
        assert configured_web_acl("dev", None) == stage.web_acl == kept
