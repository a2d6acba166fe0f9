"""The domain of a stage's own, in Chalice's config.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.failure import InfraError
from infra.package import chalice_config
from infra.package.chalice_config import configured_domain
from infra.resources.domain import Domain

WHOLE = {"domain_name": "diary.example.org", "certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/1"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Chalice's folder of this test."""
    monkeypatch.setattr(chalice_config, "FOLDER", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({}, None),
        ({"stages": {"dev": {"api_gateway_custom_domain": WHOLE}}}, "https://diary.example.org"),
        ({"api_gateway_custom_domain": WHOLE, "stages": {"dev": {}}}, "https://diary.example.org"),
        (
            {"stages": {"dev": {"api_gateway_custom_domain": WHOLE | {"url_prefix": "a"}}}},
            "https://diary.example.org/a",
        ),
        ({"stages": {"prod": {"api_gateway_custom_domain": WHOLE}}}, None),
    ],
)
def test_the_domain_is_read_where_chalice_reads_it(folder: Path, settings: dict[str, Any], url: str | None) -> None:
    (folder / "config.json").write_text(json.dumps({"stages": {}} | settings))
    found: Domain | None = configured_domain("dev")
    assert (found.url if found else None) == url


@pytest.mark.parametrize("missing", WHOLE)
def test_an_incomplete_domain_is_named(folder: Path, missing: str) -> None:
    given = {name: value for name, value in WHOLE.items() if name != missing}
    (folder / "config.json").write_text(json.dumps({"stages": {"dev": {"api_gateway_custom_domain": given}}}))
    with pytest.raises(InfraError, match=f"needs {missing}"):
        configured_domain("dev")
