"""A file to upload, and a folder for downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.resources import DATA

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.bin"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "downloads"
    folder.mkdir()
    return folder
