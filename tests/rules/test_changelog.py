"""CHANGELOG.md has the form of Keep a Changelog, and the release script takes its notes from there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import deardiary

REPOSITORY = Path(__file__).parents[2]
CHANGELOG = (REPOSITORY / "CHANGELOG.md").read_text()
HEADINGS = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
RELEASE = re.compile(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})")
KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")


def releases() -> list[tuple[tuple[int, ...], str]]:
    found = [RELEASE.fullmatch(heading) for heading in HEADINGS[1:]]
    assert all(found), HEADINGS
    return [(tuple(int(part) for part in each[1].split(".")), each[2]) for each in found if each]


def test_unreleased_stands_above_all_releases_newest_first() -> None:
    assert HEADINGS[0] == "[Unreleased]"
    assert releases()
    assert releases() == sorted(set(releases()), reverse=True)


def test_the_newest_release_has_the_version_of_the_client() -> None:
    assert ".".join(str(part) for part in releases()[0][0]) == deardiary.__version__


def test_each_section_has_the_usual_kinds_once_and_in_order() -> None:
    for section in CHANGELOG.split("\n## ")[1:]:
        kinds = re.findall(r"^### (.+)$", section, re.MULTILINE)
        assert kinds == [kind for kind in KINDS if kind in kinds]


def test_each_version_has_a_link() -> None:
    names = [name for heading in HEADINGS for name in re.findall(r"^\[(.+?)\]", heading)]
    assert re.findall(r"^\[(.+?)\]: https://", CHANGELOG, re.MULTILINE) == names


def released(tag: str, folder: Path) -> subprocess.CompletedProcess[str]:
    script = REPOSITORY / ".github" / "scripts" / "release.py"
    command: list[str | Path] = [sys.executable, script, tag, folder]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603


def build(folder: Path, version: str) -> None:
    for package in ("deardiary", "deardiary_exchange"):
        for ending in (".tar.gz", "-py3-none-any.whl"):
            (folder / f"{package}-{version}{ending}").touch()
    (folder / f"deardiary-dashboard-{version}.tar.gz").touch()


def test_the_notes_of_a_release_are_its_section(tmp_path: Path) -> None:
    build(tmp_path, "0.1.0")
    found = released("v0.1.0", tmp_path)
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith("The first version")
    assert "Security" in found.stdout
    assert "[0.1.0]" not in found.stdout
    assert "## [" not in found.stdout


@pytest.mark.parametrize(
    ("tag", "built", "reason"),
    [
        ("v0.1.1", "0.1.0", "The tag wants deardiary-0.1.1"),
        ("0.1.0", "0.1.0", "vX.Y.Z"),
        ("v99.0.0", "99.0.0", "no notes of version 99.0.0"),
    ],
)
def test_a_release_whose_versions_differ_is_refused(tmp_path: Path, tag: str, built: str, reason: str) -> None:
    build(tmp_path, built)
    found = released(tag, tmp_path)
    assert found.returncode == 1
    assert reason in found.stderr
