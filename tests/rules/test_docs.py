"""The documentation is true."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import app
import chalicelib.errors
import infra.options
from chalicelib.storage.table import keys
from deardiary.cli import completion
from deardiary.cli.main import parser
from infra.__main__ import COMMANDS
from tests.support.asks import OPERATIONS

DOCS = Path(__file__).parents[2] / "docs"
ROW = re.compile(r"^\| `((?:GET|POST|PUT|PATCH|DELETE) /[^`]*)` \| (.+) \| (\d+) \| (\d+) \|$", re.MULTILINE)


def test_every_threat_names_a_test_that_exists() -> None:
    rows = [line for line in (DOCS / "security.md").read_text().splitlines() if "::test_" in line]
    assert len(rows) > 30
    for path, name in (found for row in rows for found in re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row)):
        assert re.search(rf"^def {name}\(", (DOCS.parent / path).read_text(), re.MULTILINE), (path, name)
    assert all("`tests/" in row for row in rows)


def test_the_commands_of_the_deployment_exist() -> None:
    text = (DOCS / "deploy.md").read_text()
    commands = set(re.findall(r"python -m infra ([\w-]+)", text))
    assert {"up", "deploy", "finish", "backup", "restore", "admin", "rotate"} <= commands <= set(COMMANDS)
    targets = set(re.findall(r"\bmake ([a-z-]+) STAGE=", text))
    assert targets == {"deploy", "destroy"}
    assert all(f"\n{target}:" in (DOCS.parent / "Makefile").read_text() for target in targets)


INFRA = re.compile(r"(\S*python) -m infra ((?!\.)[^`\n]+)")


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_each_command_of_infra_can_be_copied(page: Path) -> None:
    """Only .venv has what `infra` needs, and its parser ends the test for an unknown or missing option."""
    for interpreter, given in INFRA.findall(page.read_text()):
        assert interpreter.strip("`") == ".venv/bin/python", given
        infra.options.parser(None, COMMANDS).parse_args(shlex.split(given, comments=True))


def access_patterns() -> list[tuple[str, str]]:
    return [(route, wanted) for route, wanted, _, _ in ROW.findall((DOCS / "access-patterns.md").read_text())]


def test_the_access_patterns_are_those_of_all_routes() -> None:
    assert app.app.routes  # importing it has registered them
    documented = [route for route, _ in access_patterns()]
    assert sorted(documented) == sorted(f"{each.method} {each.path}" for each in OPERATIONS)


def test_the_access_patterns_name_keys_that_exist() -> None:
    design = keys.__doc__ or ""
    named = {word for _, wanted in access_patterns() for word in re.findall(r"\b[A-Z]{3,}\b", wanted)}
    assert named
    assert {name for name in named if not re.search(rf"\b{name}\b", design)} == set()


def test_the_commands_are_those_that_there_are() -> None:
    page = (DOCS / "command-line.md").read_text()
    documented = re.findall(r"^\| `deardiary ([a-z -]+)` \|", page, re.MULTILINE)
    assert sorted(documented) == sorted(completion.commands(parser()))


def test_the_http_page_says_what_to_do_for_every_code() -> None:
    rows = re.findall(r"^\| [0-9, ]+ \| (`[A-Z_`, ]+) \|", (DOCS / "http-api.md").read_text(), re.MULTILINE)
    documented = {code for row in rows for code in re.findall(r"`([A-Z_]+)`", row)}
    errors = (each for each in vars(chalicelib.errors).values() if isinstance(each, type))
    assert documented == {each.code for each in errors if hasattr(each, "code")}
