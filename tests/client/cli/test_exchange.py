"""The commands of another package: found by their entry points, imported only when they are typed."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pytest

from deardiary.cli import completion, exchange
from deardiary.cli.main import parser

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.client.cli.conftest import Said

    Run = Callable[..., Said]


@pytest.fixture
def _none_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "entry_points", lambda **_: ())


@pytest.mark.usefixtures("_none_installed")
@pytest.mark.parametrize("name", exchange.COMMANDS)
def test_without_the_package_one_line_says_what_to_install(run: Run, name: str) -> None:
    for words in ([name], [name, "--help"], [name, "Iris", "folder", "--json"]):
        said = run(*words)
        assert (said.status, said.out) == (1, "")
        extra = exchange.COMMANDS[name][0]
        wanted = f'pip install "./exchange{extra}" in a clone (docs/install.md)'
        assert said.err == f"deardiary: `deardiary {name}` needs: {wanted}\n"


@pytest.mark.usefixtures("_none_installed")
def test_without_the_package_the_other_commands_and_the_completion_work(run: Run) -> None:
    assert run("projects", "--json").status == 0
    assert "export" in run("completion", "bash").out
    assert set(exchange.COMMANDS) < set(completion.commands(parser()))


def test_a_package_adds_its_command_and_its_options(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def add(commands: Any) -> None:
        made = commands.add_parser("export", help="…")
        made.add_argument("--unmistakable", action="store_true", help="…")
        made.set_defaults(handler=lambda call: call.output.say("exported"), json=False, url=None)

    class Found:
        def load(self) -> Any:
            return add

    monkeypatch.setattr(metadata, "entry_points", lambda name, **_: [Found()] if name == "export" else [])
    assert run("export", "--unmistakable").out == "exported\n"
    assert "--unmistakable" in run("completion", "fish").out


def test_another_command_imports_neither_the_package_nor_its_finder() -> None:
    code = (
        "import sys; from deardiary.cli.main import main; main(['completion']);"
        "before = {'importlib.metadata', 'deardiary_exchange'} & set(sys.modules);"
        "sys.exit(str(before))"
    ).replace("main(['completion'])", "main(['sync', '--rejected'])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.stderr.splitlines()[-1] == "set()"
