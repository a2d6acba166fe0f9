"""Unmodified MLflow clients of several versions: tracking and artifacts, and the same data in our own client."""

from __future__ import annotations

from pathlib import Path

import pytest

import deardiary
from tests.integrations.conftest import Diary
from tests.integrations.environments import CLIENTS, NEWEST


@pytest.mark.parametrize("version", CLIENTS)
def test_a_client_logs_a_run_and_reads_it_back(diary: Diary, tmp_path: Path, version: str) -> None:
    said = diary.run(CLIENTS[version], "tracking", tmp_path)
    assert said["version"].startswith(version)
    client = diary.client()
    iteration = client.iterations.get(said["run_id"])
    assert (iteration.name, iteration.notes) == ("by hand", "A note")
    assert iteration.status_id == deardiary.IterationStatus.SUCCEEDED
    assert iteration.labels["team"] == "vision"
    parameters = {each.key: each.value for each in client.parameters.list(iteration.id)}
    assert parameters == {"lr": "0.1", "layers": "[1, 2]", "empty": ""}
    resources = {each.name: each for each in client.resources.list(iteration.experiment_id, iteration_id=iteration.id)}
    files = {name.removeprefix("files/"): each.content_hash for name, each in resources.items() if "files/" in name}
    assert files == said["files"]
    client.resources.download(resources["notes.txt"].id, tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "second"


def test_mlflow_reads_what_our_client_logged(diary: Diary, tmp_path: Path) -> None:
    client = diary.client()
    (tmp_path / "weights.txt").write_text("weights")
    with deardiary.start("ours", "ours", name="of ours", parameters={"lr": 0.5}, client=client) as run:
        for step in range(3):
            run.log({"loss": 1.0 - step / 10}, step=step)
        run.log_resource(tmp_path / "weights.txt", "model/weights.txt")
    said = diary.run(NEWEST, "read_back", tmp_path, RUN_ID=run.id)
    assert said["name"] == "of ours"
    assert said["params"] == {"lr": "0.5"}
    assert said["loss"] == [[0, 1.0], [1, 0.9], [2, 0.8]]
    assert said["files"] == {"model/weights.txt": "weights"}
