"""``deardiary export`` and ``deardiary import``, as they are typed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

import deardiary
from deardiary import settings
from deardiary.cli import exchange
from deardiary.cli.main import main
from tests.client.cli.conftest import Terminal
from tests.support.server import URL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.client.cli.conftest import Said

    Run = Callable[..., Said]


@pytest.fixture
def project(client: deardiary.Client, request: pytest.FixtureRequest) -> str:
    project = client.projects.create(request.node.name)
    experiment = client.experiments.create(project.id, "sweep")
    iteration = client.iterations.create(experiment.id, name="one", labels={"k": "v"})
    client.metrics.create(iteration.id, "loss", 0.5)
    return project.name


def test_a_project_is_exported_checked_and_imported(
    run: Run, client: deardiary.Client, project: str, tmp_path: Path
) -> None:
    place = str(tmp_path / "out")
    done = run("export", project, place, "--json").json
    assert (done["iterations"], done["points"], done["new_parts"]) == (1, 1, 1)
    assert "1 iterations, 1 points and 0 files" in run("export", project, place).out.replace("\n", " ")
    assert run("export", "--verify", place).out == "All files are as they were exported\n"
    report = run("import", place, "--to", "the copy", "--json").json
    assert (report["outcomes"], report["runs"][0]["name"]) == ({"created": 1}, "one")
    assert run("import", place, "--to", "the copy").out == "1 unchanged\n"
    (copy,) = client.projects.list(name="the copy")
    (experiment,) = client.experiments.list(copy.id)
    assert [each.labels for each in client.iterations.list(experiment.id)] == [{"k": "v"}]


def test_damage_and_missing_exports_are_errors(run: Run, project: str, tmp_path: Path) -> None:
    run("export", project, str(tmp_path / "out"))
    (tmp_path / "out" / "models.parquet").unlink()
    said = run("export", "--verify", str(tmp_path / "out"))
    assert (said.status, said.out) == (1, "models.parquet is missing\n")
    for words in (["import", str(tmp_path / "nothing")], ["export", "--verify", str(tmp_path / "nothing")]):
        said = run(*words)
        assert (said.status, "is empty, or does not exist" in said.err) == (1, True)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").touch()
    said = run("export", project, str(tmp_path / "full"))
    assert (said.status, "name an empty folder" in said.err) == (1, True)
    said = run("import", str(tmp_path / "full"))
    assert (said.status, "no manifest.json" in said.err) == (1, True)
    said = run("export", str(tmp_path))
    assert (said.status, "Name a project and a folder" in said.err) == (2, True)


def test_a_misspelt_tracker_or_login_is_named(run: Run, tmp_path: Path) -> None:
    said = run("import", "mlfow", str(tmp_path), "--to", "nothing")
    assert (said.status, "'mlfow' is no tracker" in said.err, "mlflow, wandb" in said.err) == (2, True, True)
    said = run("replicate", "berlin", URL, "--project", "Iris")
    assert (said.status, "There is no login 'berlin'" in said.err) == (2, True)


def test_the_bar_stands_on_no_line_of_a_report(
    run: Run, project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("export", project, str(tmp_path / "out"))
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setattr("sys.stderr", terminal)
    assert main(["import", str(tmp_path / "out"), "--to", "on a terminal"]) == 0
    assert "of 1 iterations" in terminal.getvalue()
    assert [_on_screen(line) for line in terminal.getvalue().split("\n")] == ["1 created", ""]


def _on_screen(line: str) -> str:
    """The line as a terminal shows it: a carriage return goes back to its start, an escape removes its rest."""
    shown = ""
    for piece in line.split("\r"):
        written, erased, more = piece.partition("\x1b[K")
        shown = written + ("" if erased else shown[len(written) :]) + more
    return shown


def test_a_project_is_replicated_between_servers_named_by_url_or_login(
    run: Run, client: deardiary.Client, project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(settings, "logins", lambda: {"other": settings.Login(URL, os.environ["DEARDIARY_TOKEN"])})
    words = ("replicate", URL, "other", "--project", project, "--as", "the other side")
    assert run(*words).out == "1 created\n"
    assert run(*words).out == "1 unchanged\n"
    back = ("replicate", "other", URL, "--project", "the other side", "--as", project)
    assert run(*back, "--json").json == {"outcomes": {"unchanged": 1}, "runs": []}
    (folder,) = (tmp_path / "data").rglob("deardiary-replicas")
    assert len(list(folder.iterdir())) == 2


def test_installed_commands_have_json_and_help(run: Run) -> None:
    for name in ("export", "import", "replicate"):
        assert name in exchange.COMMANDS
        said = run(name, "--help")
        assert (said.status, "--json" in said.out) == (0, True)
