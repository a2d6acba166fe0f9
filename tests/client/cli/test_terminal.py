"""Names, notes and messages from other users cannot control the terminal, in any command."""

from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING, Any

import pytest

import deardiary
from deardiary import Client, ClientError, IterationStatus, Point
from deardiary.spool import lines
from deardiary.transfer.progress import Bar
from tests.client.cli.conftest import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.client.cli.conftest import Said

    Run = Callable[..., Said]

# Clears the screen, sets its title, moves the cursor: by C0 and by C1; then a change of direction, and a hidden space.
HOSTILE = "x\x1b[2J\x1b]0;owned\x07\r\b\x7f\x9b2J\x9d0;owned\x9c\u202egnp\u2066\u200b\x00\tü"
KEY = "x\u202egnp\u2066\u200bü"  # the server itself refuses control characters in keys


@pytest.fixture(scope="module")
def ids(server: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Objects whose texts are all hostile; ids by kind."""
    client: Client = server.client()
    name = HOSTILE.replace("\x00", "")
    project = client.projects.create(name, name)
    experiment = client.experiments.create(project.id, name, name)
    iteration = client.iterations.create(experiment.id, notes=name)
    client.parameters.create(iteration.id, KEY, name)
    client.metrics.batch(iteration.id, [Point(KEY, 1.0)])
    client.tags.create("iteration", iteration.id, KEY)
    client.inputs.create(iteration.id, kind="dataset", name=name, source=name)
    client.iterations.update(iteration.id, status_id=IterationStatus.FAILED, error_message=f"Traceback\n{name}")
    file = tmp_path_factory.mktemp("files") / "model.bin"
    file.write_bytes(b"weights")
    resource = client.resources.upload(experiment.id, file, name, iteration_id=iteration.id, description=name)
    model = client.models.create(project.id, name, name)
    version = client.modelversions.create(model.id, iteration.id, resource_id=resource.id, description=name)
    client.modelversions.update(version.id, labels={KEY: name})
    body = {"batch_id": "printed", "output": [{"stream": "stdout", "text": name}]}
    running = client.iterations.create(experiment.id, labels={KEY: name})
    assert server.call("POST", f"/iterations/{running.id}/log", body).status == 201
    client.models.delete(client.models.create(project.id, f"{name} deleted").id)
    ids = {"project": project.id, "experiment": experiment.id, "iteration": iteration.id}
    return {**ids, "resource": resource.id, "model": model.id, "running": running.id}


def steering(text: str) -> str:
    """The characters that control a terminal or hide text."""
    return "".join(sign for sign in text if not sign.isprintable() and sign != "\n")


COMMANDS = [
    "projects ls",
    "projects show {project}",
    "experiments ls {project}",
    "experiments show {experiment}",
    "iterations ls {experiment}",
    "iterations keys {experiment}",
    "iterations output {running}",
    "iterations show {iteration}",
    "iterations compare {iteration} {iteration}",
    "resources ls --experiment {experiment}",
    "resources ls --iteration {iteration}",
    "models ls {project}",
    "metrics ls {iteration}",
    "trash ls {project}",
    "activity",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_prints_no_control_characters(run: Run, ids: dict[str, str], command: str) -> None:
    words = command.format(**ids).split()
    said = run(*words)
    assert said.status == 0, said.err
    assert "x?" in said.out
    assert steering(said.out + said.err) == ""
    told = run(*words, "--json")
    assert steering(told.out + told.err) == ""
    assert "\u202egnp" in _texts(json.loads(told.out))
    assert "ü" in told.out, "what is printable stays readable"


def _texts(data: Any) -> str:
    """All texts in a value, unchanged."""
    if isinstance(data, dict):
        return " ".join(map(_texts, [*data, *data.values()]))
    return " ".join(map(_texts, data)) if isinstance(data, list) else str(data)


def test_the_line_of_a_start_prints_none(
    server: Any, ids: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client takes the names of a resumed iteration's project and experiment from the server."""
    monkeypatch.delenv("DEARDIARY_QUIET", raising=False)
    client = server.client()
    iteration = client.iterations.create(ids["experiment"])
    with deardiary.start("Iris", "sweep", resume=iteration.id, client=client, capture=()):
        pass
    said = capsys.readouterr().err
    assert "x?[2J" in said
    assert steering(said) == ""


@pytest.mark.parametrize("command", ["projects rm {project}", "resources rm {resource}", "models rm {model}"])
@pytest.mark.parametrize("tty", [False, True])
def test_a_question_prints_none(run: Run, ids: dict[str, str], command: str, tty: bool) -> None:
    said = run(*command.format(**ids).split(), stdin="n\n", tty=tty)
    assert said.status != 0
    assert "x?" in said.err
    assert steering(said.out + said.err) == ""


@pytest.mark.parametrize("error", [ClientError(422, "INVALID_PAYLOAD", HOSTILE, {"field": HOSTILE}), KeyError, OSError])
def test_an_error_prints_none(run: Run, monkeypatch: pytest.MonkeyPatch, error: Any) -> None:
    def fail(_: Any) -> None:
        logging.getLogger("deardiary.sending.delivery").warning("%s", HOSTILE)
        raise error if isinstance(error, ClientError) else _Unescaped(HOSTILE) if error is KeyError else error(HOSTILE)

    monkeypatch.setattr("deardiary.cli.command.connect", fail)
    said = run("projects", "ls")
    assert (said.status, said.err.count("x?[2J") >= 2) == (1, True)
    assert steering(said.out + said.err) == ""


class _Unescaped(KeyError):
    def __str__(self) -> str:
        return str(self.args[0])


def test_a_bar_prints_none(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    with Bar(HOSTILE, stream) as bar:
        bar(1, 1)
    assert stream.getvalue().startswith("\rx?[2J")
    assert steering(stream.getvalue().removeprefix("\r").replace("\x1b[K", "")) == ""


def test_a_spool_prints_none(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its folder, its ids, its damaged records nor its rejected ones."""
    monkeypatch.setenv("DEARDIARY_DIR", str(tmp_path))
    monkeypatch.setenv("DEARDIARY_OFFLINE", "1")
    with deardiary.start("Hostile", "spool") as iteration:
        iteration.log({"loss": 0.5})
    monkeypatch.delenv("DEARDIARY_OFFLINE")
    (spool,) = (tmp_path / "spool").iterdir()
    run_json = spool / "run.json"
    stated = json.loads(run_json.read_text()) | {"spool_id": f"{HOSTILE}\nSigned in"}
    run_json.write_text(json.dumps(stated))
    (spool / "00000000.log").write_bytes(b"damaged\n" + lines.seal(lines.dump({"points": HOSTILE})))
    if sys.platform != "win32":
        spool.rename(spool.with_name(HOSTILE.replace("\x00", "")))
    for words in ([], ["--json"]):
        said = run("sync", *words)
        assert "x?[2J" in said.err
        assert steering(said.out + said.err) == ""
        assert "\nSigned in" not in said.err
