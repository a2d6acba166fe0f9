"""Make's targets: `make help` lists them, and workflows, hooks and pages name none that does not exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
MAKEFILE = (REPOSITORY / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))
SETTINGS = sorted(
    path for pattern in (".github/**/*.yml", "*.yaml", ".*.yaml") for path in REPOSITORY.glob(pattern) if path.is_file()
)
PAGES = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md"), *(REPOSITORY / ".github").rglob("*.md")]


def read_text(name: str) -> str:
    return (REPOSITORY / name).read_text()


def read(name: str) -> Any:
    return yaml.safe_load(read_text(name))


def test_make_help_lists_every_target() -> None:
    help_ = subprocess.run(["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True)  # noqa: S607
    assert set(re.findall(r"^ +make ([a-z-]+)  ", help_.stdout, re.MULTILINE)) == TARGETS


def test_every_target_is_phony() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    assert set(phony.split()) == TARGETS


@pytest.mark.parametrize("path", SETTINGS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_settings_are_yaml(path: Path) -> None:
    assert yaml.safe_load(path.read_text())


@pytest.mark.parametrize("path", [*SETTINGS, *PAGES], ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_make_command_exists(path: Path) -> None:
    commands = re.findall(r"(?:^|`|run: )make ([a-z-]+)", path.read_text(), re.MULTILINE)
    assert set(commands) <= TARGETS


def test_ci_runs_the_test_command_of_the_readme_on_every_python() -> None:
    jobs = read(".github/workflows/ci.yml")["jobs"]
    commands = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    assert commands == {"check": ["make check"], "test": ["make test"]}
    classifiers = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', read_text("client/pyproject.toml"))
    assert jobs["test"]["strategy"]["matrix"]["python-version"] == classifiers
    assert f'requires-python = ">={classifiers[0]}"' in read_text("client/pyproject.toml")


def test_hooks_are_the_commands_of_make_check() -> None:
    (recipe,) = re.findall(r"^check:.*\n((?:\t.+\n)+)", MAKEFILE, re.MULTILINE)
    commands = [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe.splitlines()]
    hooks = [hook for repository in read(".pre-commit-config.yaml")["repos"] for hook in repository["hooks"]]
    assert [hook["entry"] for hook in hooks] == commands
    assert not any(hook["pass_filenames"] for hook in hooks)


def test_actions_are_pinned_by_their_major_version() -> None:
    texts = [path.read_text() for path in (REPOSITORY / ".github" / "workflows").glob("*.yml")]
    used = [action for text in texts for action in re.findall(r"uses: (\S+)", text)]
    assert used
    assert [action for action in used if not re.fullmatch(r"actions/[a-z-]+@v\d+", action)] == []
