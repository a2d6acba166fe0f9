"""An export to S3, on the emulator: the same as into a folder, also after a kill."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path

import boto3
import pytest

import deardiary
from deardiary_exchange import manifest
from deardiary_exchange.export import export_project
from deardiary_exchange.folder import Folder
from deardiary_exchange.imported import import_folder
from tests.support.exchange import state_of
from tests.support.mortal import Killed, mortal
from tests.support.server import Server

THEN = datetime(2021, 5, 6, 7, 8, 9, 10000, timezone.utc)


def new_project(client: deardiary.Client, file: Path) -> str:
    project = client.projects.create("to S3")
    experiment = client.experiments.create(project.id, "sweep")
    for notes in ("first", "second"):
        iteration = client.iterations.create(experiment.id, notes=notes, created_date=THEN)
        client.metrics.create(iteration.id, "loss", float("nan"))
        file.write_bytes(notes.encode() * 100_000)
        client.resources.upload(experiment.id, file, iteration_id=iteration.id)
    return project.id


def test_a_killed_export_to_s3_is_completed_verified_and_imported(
    real_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = real_server.client()
    project_id = new_project(client, tmp_path / "file")
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="exports")
    folder = Folder("s3://exports/of/a project")
    counted, transport = mortal(real_server)
    export_project(counted, project_id, Folder(str(tmp_path / "local")))
    killed, _ = mortal(real_server, transport.requests - 3)
    with pytest.raises(Killed):
        export_project(killed, project_id, folder)
    export_project(client, project_id, folder)
    assert list(manifest.faults(folder, lambda _done, _total: None)) == []
    assert folder.names() == Folder(str(tmp_path / "local")).names()
    outcomes = {each.outcome for each in import_folder(client, folder, "back", progress=lambda _done, _total: None)}
    assert outcomes == {"created"}
    (copy,) = client.projects.list(name="back")
    assert state_of(client, copy.id) == state_of(client, project_id)
