"""A job that has a role and the URL of the server, and no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deardiary import IterationStatus
from tests.support.live import HANGS_SECONDS, LiveServer, exit_code, line_of, run
from tests.support.server import server_on_emulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deardiary.keyless import Keys
    from tests.support.emulator import Emulator
    from tests.support.server import Server

TRAIN = """
import deardiary
with deardiary.start("Iris", "nightly", parameters={"lr": 0.1}) as iteration:
    for step in range(5):
        iteration.log({"loss": 1 / (1 + step)})
    iteration.log_text("notes", "all went well")
"""


@pytest.fixture(scope="module")
def server(emulator: Emulator) -> Iterator[Server]:
    with server_on_emulator(emulator.environment()) as server:
        yield server


@pytest.fixture(scope="module")
def live(server: Server) -> Iterator[LiveServer]:
    running = LiveServer()
    try:
        yield running
    finally:
        running.kill()


def variables(live: LiveServer, folder: Path, keys: Keys) -> dict[str, str]:
    """The environment of a job: its role, the server, and folders of its own."""
    return {
        "DEARDIARY_URL": live.url,
        "DEARDIARY_DIR": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        "AWS_ACCESS_KEY_ID": keys.access,
        "AWS_SECRET_ACCESS_KEY": keys.secret,
        "AWS_SESSION_TOKEN": str(keys.token),
    }


def test_a_job_with_a_role_alone_logs_and_ends_its_iteration(live: LiveServer, server: Server, tmp_path: Path) -> None:
    client = server.client()
    project = client.projects.create("Iris")
    client.identities.create(f"arn:aws:iam::{server.account()}:role/train-*", project.id)
    keys = server.role_keys("train-nightly")
    process = run(TRAIN + "print(iteration.id, flush=True)", settings=variables(live, tmp_path, keys))
    iteration = client.iterations.get(line_of(process).splitlines()[-1])
    assert exit_code(process) == 0
    assert iteration.status_id == IterationStatus.SUCCEEDED
    assert client.metrics.summary(iteration.id)["loss"].count == 5
    assert client.users.get(str(iteration.created_by)).username == f"role/train-nightly@{server.account()}"
    assert [each.name for each in client.resources.list(iteration.experiment_id)] == ["media/notes/00000000.txt"]
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and keys.secret in path.read_text("latin-1")]


def test_what_a_role_logs_before_a_project_allows_it_is_sent_afterwards(
    live: LiveServer, server: Server, tmp_path: Path
) -> None:
    client, role = server.client(), f"arn:aws:iam::{server.account()}:role/stranger"
    project = client.projects.create("Wine")
    job = variables(live, tmp_path, server.role_keys("stranger")) | {"DEARDIARY_PROJECT": "Wine"}
    script = TRAIN.replace('"Iris", "nightly"', 'experiment="nightly", strict=False')
    process = run("import sys\nsys.stderr = sys.stdout\n" + script, settings=job)
    said, _ = process.communicate(timeout=HANGS_SECONDS)
    assert process.returncode == 0, said
    assert f"No project allows {role}" in said
    assert list(client.experiments.list(project.id)) == []
    client.identities.create(role, project.id)
    assert exit_code(run("import deardiary; deardiary.sync()", settings=job)) == 0
    (experiment,) = client.experiments.list(project.id)
    (iteration,) = client.iterations.list(experiment.id)
    assert client.metrics.summary(iteration.id)["loss"].count == 5
