from __future__ import annotations

import ast
import inspect
import subprocess
import sys

import pytest

import deardiary


def test_every_public_name_is_there() -> None:
    for name in deardiary.__all__:
        assert getattr(deardiary, name).__name__ == name


def test_type_checkers_and_the_running_module_know_the_same_names() -> None:
    imports = (node for node in ast.walk(ast.parse(inspect.getsource(deardiary))) if isinstance(node, ast.ImportFrom))
    seen = {
        alias.name: node.module
        for node in imports
        for alias in node.names
        if str(node.module).startswith("deardiary.") and alias.name != "__version__"
    }
    lazy = {name: f"deardiary.{home}" for name, home in vars(deardiary)["_HOME_OF"].items()}

    assert seen == lazy
    assert sorted(lazy) == deardiary.__all__


def test_public_names_are_listed() -> None:
    assert set(deardiary.__all__) <= set(dir(deardiary))


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        getattr(deardiary, "nothing")  # noqa: B009


def test_importing_is_light() -> None:
    heavy = ["http.client", "ssl", "urllib.request", "inspect", "dataclasses", "json", "typing_extensions"]
    script = "import sys; before = set(sys.modules); import deardiary; print(*set(sys.modules) - before)"
    output = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout  # noqa: S603

    assert set(output.split()).isdisjoint(heavy)
