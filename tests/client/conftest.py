from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from deardiary import IterationStatus
from deardiary.tracking import process_hooks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the settings, the login and the proxies of this machine from all tests."""
    for name in list(os.environ):
        if name.startswith("DEARDIARY_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DEARDIARY_CAPTURE", "output")  # a test of what else is captured says so
    # The AWS credentials of this machine sign in nowhere.
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "aws" / name))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture(autouse=True)
def _no_iteration_outlives_its_test(_no_settings: None) -> Iterator[None]:
    yield
    process_hooks.finish_all(IterationStatus.KILLED, "", 0.0)
