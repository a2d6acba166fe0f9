"""The other processor than this machine's. Its wheels come from an index, so only `make test-deploy` asks for this."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.resources.policy import FUNCTIONS
from infra.stage import Stage
from tests.deploy.rehearsal import ARCHITECTURE, Checkout, Deployment

STAGE = Stage("other", "000000000000", "eu-central-1")
OTHER = "x86_64" if ARCHITECTURE == "arm64" else "arm64"
ELF_MACHINE = slice(18, 20)  # where the header of a shared library names its processor
MACHINES = {"x86_64": b"\x3e\x00", "arm64": b"\xb7\x00"}
DOMAIN = {"domain_name": "other.example.org", "certificate_arn": "arn:aws:acm:eu-central-1:000000000000:certificate/1"}


def test_a_stage_moves_to_the_other_processor(deployment: Deployment, pytestconfig: pytest.Config) -> None:
    """It cannot run here, so this test looks at the functions and their code. An upgrade keeps the domain."""
    if not pytestconfig.getoption("--integrations"):
        pytest.skip("only with --integrations: needs wheels from an index")
    checkout = replace(deployment.checkout, region=STAGE.region)
    checkout.infra("up", "--stage", "other", "--add-stage")
    for settings in ({"lambda_architecture": ARCHITECTURE}, {"lambda_architecture": OTHER}):
        give(checkout, settings | {"api_gateway_custom_domain": DOMAIN})
        checkout.python("infra.package.packager", "deploy", "--stage", "other")
    found = checkout.aws("lambda").list_functions()["Functions"]
    assert {each["FunctionName"]: each["Architectures"] for each in found} == {
        each.name(STAGE): [OTHER] for each in FUNCTIONS
    }
    packages = (checkout.folder / ".chalice" / "deployments").glob("*.zip")
    (package,) = [each for each in packages if sha256(each) in {each["CodeSha256"] for each in found}]
    with zipfile.ZipFile(package) as archive:
        libraries = [name for name in archive.namelist() if name.endswith(".so")]
        assert {archive.read(name)[ELF_MACHINE] for name in libraries} == {MACHINES[OTHER]}
    (domain,) = checkout.aws("apigateway").get_domain_names()["items"]
    assert domain["regionalCertificateArn"] == DOMAIN["certificate_arn"]
    checkout.infra("down", "--stage", "other", "--yes", "--delete-data")
    assert checkout.aws("apigateway").get_domain_names()["items"] == []


def give(checkout: Checkout, settings: dict[str, Any]) -> None:
    path = checkout.folder / ".chalice" / "config.json"
    config = json.loads(path.read_text())
    config["stages"]["other"] |= settings
    path.write_text(json.dumps(config))


def sha256(path: Path) -> str:
    return base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()
