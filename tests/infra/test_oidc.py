"""The settings of the OpenID Connect provider in a deployment: kept as one, and the right to read its secret."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.failure import InfraError
from infra.package import chalice_config
from infra.package.chalice_config import configured_oidc, write_outputs
from infra.resources.policy import API, UPKEEP
from infra.stage import Stage

PARAMETER = "/deardiary/dev/oidc"
GIVEN = {
    "DEARDIARY_OIDC_ISSUER": "https://id.example.org",
    "DEARDIARY_OIDC_CLIENT_ID": "diary",
    "DEARDIARY_OIDC_CLIENT_SECRET_PARAMETER": PARAMETER,
    "DEARDIARY_OIDC_ALLOWED_GROUPS": "ml team",
    "DEARDIARY_PASSWORD_SIGN_IN": "admin",
}
STAGE = Stage("dev", "000000000000", "eu-west-1")


@pytest.fixture
def config_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config.json of our own, with a stage."""
    (tmp_path / "config.json").write_text(json.dumps({"stages": {"dev": {"environment_variables": {"OWN": "1"}}}}))
    monkeypatch.setattr(chalice_config, "FOLDER", tmp_path)
    return tmp_path / "config.json"


def _deploy(config_json: Path, environment: dict[str, str]) -> dict[str, str]:
    """Write the settings as `infra up` does, and return those of the provider and the user's own."""
    write_outputs(replace(STAGE, oidc=configured_oidc("dev", environment)), ())
    written = json.loads(config_json.read_text())["stages"]["dev"]["environment_variables"]
    return {name: value for name, value in written.items() if name in {*chalice_config.OIDC, "OWN"}}


def test_the_settings_are_kept_and_replaced_as_one(config_json: Path) -> None:
    assert _deploy(config_json, GIVEN) == {**GIVEN, "OWN": "1"}
    assert _deploy(config_json, {}) == {**GIVEN, "OWN": "1"}
    other = {"DEARDIARY_OIDC_ISSUER": "https://other.example", "DEARDIARY_OIDC_CLIENT_ID": "two"}
    assert _deploy(config_json, other) == {**other, "OWN": "1"}


@pytest.mark.parametrize("name", ["DEARDIARY_OIDC_NAME", "DEARDIARY_PASSWORD_SIGN_IN"])
def test_a_setting_without_an_issuer_is_refused_and_not_ignored(config_json: Path, name: str) -> None:
    with pytest.raises(InfraError, match=f"{name} is set without DEARDIARY_OIDC_ISSUER"):
        _deploy(config_json, {name: "admin"})


def _parameters(function: Any, given: dict[str, str]) -> list[str]:
    policy = function.policy(replace(STAGE, oidc=given))
    return [each["Resource"] for each in policy["Statement"] if each["Action"] == "ssm:GetParameter"]


def test_only_the_api_may_read_the_secret_and_only_if_there_is_one() -> None:
    arn = f"arn:aws:ssm:eu-west-1:000000000000:parameter{PARAMETER}"
    public = {name: value for name, value in GIVEN.items() if value != PARAMETER}
    own = _parameters(API, {})
    assert _parameters(API, GIVEN) == [*own, arn]
    assert _parameters(API, public) == own
    assert _parameters(UPKEEP, GIVEN) == []
