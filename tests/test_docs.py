"""The documentation says what is so."""

from __future__ import annotations

import re
from pathlib import Path

import app
from chalicelib.routes.endpoint import OPERATIONS
from chalicelib.storage import keys

DOCS = Path(__file__).parents[1] / "docs"
ROW = re.compile(r"^\| `((?:GET|POST|PUT|PATCH|DELETE) /[^`]*)` \| (.+) \| (\d+) \| (\d+) \|$", re.MULTILINE)


def access_patterns() -> list[tuple[str, str]]:
    return [(route, wanted) for route, wanted, _, _ in ROW.findall((DOCS / "architecture.md").read_text())]


def test_the_access_patterns_are_those_of_all_routes() -> None:
    assert app.app.routes  # importing it has registered them
    documented = [route for route, _ in access_patterns()]
    assert sorted(documented) == sorted(f"{each.method} {each.path}" for each in OPERATIONS)


def test_the_access_patterns_name_keys_that_exist() -> None:
    design = keys.__doc__ or ""
    named = {word for _, wanted in access_patterns() for word in re.findall(r"\b[A-Z]{3,}\b", wanted)}
    assert named
    assert {name for name in named if not re.search(rf"\b{name}\b", design)} == set()
