"""The texts of commands: help for every argument, errors in plain words."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import pytest

from deardiary.cli.main import parser
from tests.client.cli.conftest import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import deardiary
    from tests.client.cli.conftest import Said

    Run = Callable[..., Said]


def arguments(of: argparse.ArgumentParser, path: str) -> Iterator[tuple[str, argparse.Action]]:
    """Every option and positional of a command and its subcommands, with the words before it."""
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield from arguments(below, f"{path} {name}")
        else:
            yield f"{path} {'/'.join(action.option_strings) or action.dest}", action


def test_every_argument_has_help() -> None:
    found = dict(arguments(parser(), "deardiary"))
    assert len(found) > 100
    assert [name for name, action in found.items() if not action.help] == []


@pytest.fixture
def experiment(client: deardiary.Client, request: pytest.FixtureRequest) -> str:
    project = client.projects.create(request.node.name)
    return client.experiments.create(project.id, "sweep").id


@pytest.mark.parametrize(("name", "reason"), [("absent.bin", "no such file or directory")])
def test_a_file_that_cannot_be_read_is_named_without_an_error_number(
    run: Run, experiment: str, tmp_path: Path, name: str, reason: str
) -> None:
    said = run("resources", "upload", str(tmp_path / name), "--experiment", experiment)
    assert (said.status, said.err) == (1, f"deardiary: {tmp_path / name}: {reason}\n")


def test_an_empty_path_is_not_the_working_directory(
    run: Run, client: deardiary.Client, experiment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret.txt").write_text("x")
    monkeypatch.chdir(tmp_path)
    said = run("resources", "upload", "", "--experiment", experiment)
    assert (said.status, said.out) == (2, "")
    assert "PATH is empty" in said.err
    with pytest.raises(ValueError, match="empty"):
        client.resources.upload_folder(experiment, "")
    assert list(client.resources.list(experiment)) == []


def test_an_error_breaks_between_words_on_a_terminal(
    run: Run, experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    whole = run("iterations", "ls", experiment, "--filter", "lr < 0.05").err
    assert whole.count("\n") == 1
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    run("iterations", "ls", experiment, "--filter", "lr < 0.05")
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert " ".join(lines) == whole.strip()
