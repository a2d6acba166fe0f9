"""What other trackers write today is read as what was recorded of them, from which the other tests import."""

from __future__ import annotations

import json
import math
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from benchmarks.kit.environments import Environment
from deardiary_exchange.origins.aim.sequences import key_of
from deardiary_exchange.origins.origin import texts as flat_texts
from deardiary_exchange.origins.table import ORIGINS, Options
from deardiary_exchange.origins.tensorboard.events import HPARAMS, MESSAGES
from deardiary_exchange.origins.wandb import schema
from tests.exchange.record import PROGRAMS, RECORDINGS, log, unpack
from tests.integrations import environments
from tests.integrations.environments import NEWEST, installed

SECONDS = 300


def outline(tracker: str, location: Path | str) -> list[Any]:
    """All that an importer yields, without ids and times. Every file is opened."""
    # Aim's artifacts are where its program ran.
    artifacts = Path(location).parent / "artifacts" if tracker == "aim" else None
    origin = ORIGINS[tracker].open(str(location), Options(artifacts=artifacts))
    names: dict[str | None, str | None] = {None: None}
    found: list[Any] = []
    for run in origin.runs():
        names[run.key] = run.name
        curves: dict[str, list[Any]] = {}
        for part in run.metrics():
            curves.setdefault(part.key, []).extend(zip(part.columns.steps, map(repr, part.columns.values), strict=True))
        files = {}
        for file in run.files:
            with file.open() as content:
                files[file.name] = len(content.read())
        found.append(
            {
                "name": run.name,
                "parent": names[run.parent_key],
                "experiment": (run.experiment.name, run.experiment.description, dict(run.experiment.labels)),
                # W&B writes the name of the user only if a run takes some time.
                "labels": sorted({*run.labels} - {"user"}),
                "texts": (run.notes, run.error_message, sorted(run.tags), dict(run.parameters)),
                "status": run.status,
                "curves": {key: sorted(points) for key, points in curves.items()},
                "files": files,
                "output": [line.text for line in run.output()],
                "inputs": [(each.name, each.digest, each.context, dict(each.labels)) for each in run.inputs],
                "not_taken": sorted(run.not_taken),
            }
        )
    versions = [
        # A source that is no path here is one of the machine.
        (each.model.name, each.version, each.stage, list(each.aliases), each.source.partition("/mlruns/")[0][:5])
        for each in origin.versions(lambda key: "here")
    ]
    return [sorted(found, key=lambda run: str(run["name"])), versions, origin.not_taken]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """What a tracker writes now; once for all tests."""

    @cache
    def write(name: str) -> Path:
        return log(RECORDINGS[name], installed(RECORDINGS[name].peer), tmp_path_factory.mktemp(name))

    return write


@pytest.mark.parametrize("name", sorted(RECORDINGS))
def test_what_a_tracker_writes_now_is_read_as_the_recording(
    written: Callable[[str], Path], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deardiary_exchange.origins.origin.now_ms", lambda: 2_000_000_000_000)
    tracker = "mlflow" if name == "mlruns" else name
    now = outline(tracker, written(name))
    recorded = outline_of_recording(name, tracker, tmp_path, monkeypatch)
    assert now == recorded


def outline_of_recording(name: str, tracker: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    if name == "wandb":
        # Its artifacts were in a folder that is gone: read those of the archive, which have the same sizes.
        staged = {path.stat().st_size: path for path in unpacked_files(name, folder / "staged" / "data")}
        monkeypatch.setattr("deardiary_exchange.origins.wandb.artifacts.Path", lambda _: staged[256])
    return outline(tracker, unpack(name, folder))


def unpacked_files(name: str, folder: Path) -> Iterator[Path]:
    unpack(name, folder.parent)
    return (path for path in folder.rglob("*") if path.is_file())


def test_a_server_of_mlflow_gives_what_its_database_has(written: Callable[[str], Path]) -> None:
    database = written("mlflow")
    with mlflow_server(installed(NEWEST), database) as url:
        assert outline("mlflow", url) == outline("mlflow", database)


def test_aim_itself_reads_the_same(written: Callable[[str], Path], tmp_path: Path) -> None:
    copy = tmp_path / "store"
    shutil.copytree(written("aim"), copy)
    theirs = aims_own(copy, tmp_path)
    assert theirs == ours_of_aim(written("aim"))
    assert theirs == ours_of_aim(copy)  # Aim has rewritten this one


def aims_own(repository: Path, folder: Path) -> dict[str, Any]:
    """What Aim reads of its runs, in the form of ours."""
    environment = installed(environments.AIM)
    variables = environment.variables() | {"AIM_REPOSITORY": str(repository)}
    command = [str(environment.program("python")), "-W", "ignore", str(PROGRAMS / "origin_aim_read.py")]
    printed = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=True).stdout  # noqa: S603
    found = {}
    for run_hash, run in json.loads(printed).items():
        curves = {}
        for name, context, rows in run["metrics"]:
            key = key_of(name, context)
            curves[key] = [[step, value] for step, value, _ in rows]
            epochs = [[step, repr(float(epoch))] for step, _, epoch in rows if not math.isnan(epoch)]
            curves |= {f"{key}/epoch": epochs} if epochs else {}
        labels = {"aim.run_hash": run_hash} | ({"aim.archived": "true"} if run["archived"] else {})
        texts = (run["name"], run["experiment"], run["description"])
        found[run_hash] = [*texts, run["tags"], flat_texts(run["parameters"]), labels, curves]
    return found


def ours_of_aim(repository: Path) -> dict[str, Any]:
    found = {}
    for run in ORIGINS["aim"].open(str(repository), Options()).runs():
        curves: dict[str, list[Any]] = {}
        for part in run.metrics():
            rows = zip(part.columns.steps, map(repr, part.columns.values), strict=True)
            curves.setdefault(part.key, []).extend(map(list, rows))
        texts = (run.name, run.experiment.name, run.notes)
        ordered = {key: sorted(rows) for key, rows in curves.items()}
        found[run.key.removeprefix("aim:")] = [*texts, run.tags, run.parameters, run.labels, ordered]
    return found


@contextmanager
def mlflow_server(environment: Environment, database: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(environment.program("mlflow")), "server", "--backend-store-uri", f"sqlite:///{database}"]
    where = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    process = subprocess.Popen(  # noqa: S603 - a program that we know
        [*command, *where],
        cwd=database.parent,
        env=environment.variables(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/health", process)
        yield url
    finally:
        process.terminate()
        process.wait(SECONDS)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + SECONDS
    while time.monotonic() < limit:
        assert process.poll() is None, "the server has ended"
        try:
            with urllib.request.urlopen(url, timeout=SECONDS):  # noqa: S310 - on this machine
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"{url} does not answer")


def test_the_declared_messages_are_those_of_the_trackers(tmp_path: Path) -> None:
    printed = installed(environments.ORIGINS).run(str(PROGRAMS / "origin_messages.py"), cwd=tmp_path)
    theirs = json.loads(printed.splitlines()[-1])
    for name, declared in (("wandb", schema.MESSAGES), ("events", MESSAGES), ("hparams", HPARAMS)):
        for message, fields in declared.items():
            for line in filter(None, map(str.strip, fields.splitlines())):
                number, field, kind, *_ = line.split()
                assert theirs[name][message][field] == [int(number), kind], (name, message, field)
