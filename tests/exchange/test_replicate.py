"""Replication in all directions: what is new once, never a duplicate.

Two projects of one server stand for two servers: a key names the project where an object was born.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

import deardiary
from deardiary import IterationStatus
from deardiary_exchange.folder import Folder
from deardiary_exchange.load import Report
from deardiary_exchange.replicate import replicate
from tests.support.exchange import state_of
from tests.support.mortal import Killed, mortal
from tests.support.server import Server, server_on_moto

THEN = datetime(2021, 5, 6, 7, 8, 9, 10000, timezone.utc)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture
def client(server: Server) -> deardiary.Client:
    return server.client()


@pytest.fixture
def home(client: deardiary.Client, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A project with an experiment, two runs in it, the second a child, a file of each, and a model version."""
    project = client.projects.create(f"home of {request.node.name}")
    experiment = client.experiments.create(project.id, "sweep", labels={"a": "b"})
    loose = tmp_path / "loose"
    loose.write_bytes(b"loose")
    client.resources.upload(experiment.id, loose)
    first = new_run(client, experiment.id, "first", tmp_path)
    second = new_run(client, experiment.id, "second", tmp_path, parent_iteration_id=first.id)
    (file,) = client.resources.list(experiment.id, iteration_id=first.id)
    client.inputs.create(second.id, "resource", resource_id=file.id)
    model = client.models.create(project.id, "iris")
    client.modelversions.create(model.id, first.id, resource_id=file.id)
    end(client, first.id)
    return project.id


def new_run(client: deardiary.Client, experiment_id: str, notes: str, folder: Path, **fields: Any) -> Any:
    run = client.iterations.create(experiment_id, notes=notes, created_date=THEN, tags=["t"], **fields)
    client.parameters.create(run.id, "lr", "0.1")
    client.metrics.batch(run.id, [deardiary.Point("loss", float(step), step, THEN) for step in range(3)])
    file = folder / f"file of {notes}"
    file.write_text(notes)
    client.resources.upload(experiment_id, file, iteration_id=run.id)
    return run


def end(client: deardiary.Client, iteration_id: str) -> None:
    client.iterations.update(iteration_id, status_id=IterationStatus.SUCCEEDED, end_date=THEN)


def copied(client: deardiary.Client, project_id: str, name: str, folder: Path) -> list[Report]:
    """Replicate a project of the server into the one of this name."""
    place = Folder(str(folder / f"of {project_id}"))
    return list(replicate(client, project_id, client, name, place, progress=lambda _done, _total: None))


def named(client: deardiary.Client, name: str) -> str:
    return next(client.projects.list(name=name)).id


def experiment_of(client: deardiary.Client, project_id: str) -> str:
    return next(client.experiments.list(project_id)).id


def notes_of(client: deardiary.Client, project_id: str) -> list[str]:
    return sorted(each.notes for each in client.iterations.list(project=project_id))


def test_a_second_replication_changes_nothing_and_a_copy_that_comes_home_neither(
    client: deardiary.Client, home: str, tmp_path: Path
) -> None:
    assert {each.outcome for each in copied(client, home, "away 1", tmp_path)} == {"created"}
    away, before = named(client, "away 1"), state_of(client, home)
    assert state_of(client, away) == before
    assert {each.outcome for each in copied(client, home, "away 1", tmp_path)} == {"unchanged"}
    assert {each.outcome for each in copied(client, home, "away 1", tmp_path / "another folder")} == {"unchanged"}
    assert {each.outcome for each in copied(client, away, client.projects.get(home).name, tmp_path)} == {"unchanged"}
    assert (state_of(client, away), state_of(client, home)) == (before, before)


def test_new_runs_and_changes_of_both_sides_arrive_once(client: deardiary.Client, home: str, tmp_path: Path) -> None:
    name = client.projects.get(home).name
    copied(client, home, "away 2", tmp_path)
    away = named(client, "away 2")
    new_run(client, experiment_of(client, home), "born at home", tmp_path)
    new_run(client, experiment_of(client, away), "born away", tmp_path)
    first, second = (each.id for each in list(client.iterations.list(project=home))[:2])
    client.iterations.update(first, name="renamed", notes="first, noted", labels={"k": "v"})
    client.tags.create("iteration", first, "best")
    client.metrics.create(second, "loss", 9.5)
    end(client, second)
    client.experiments.update(experiment_of(client, home), name="renamed sweep")
    for _ in range(2):
        copied(client, home, "away 2", tmp_path)
        copied(client, away, name, tmp_path)
    assert state_of(client, away) == state_of(client, home)
    assert notes_of(client, home) == ["born at home", "born away", "first, noted", "second"]


def test_a_copy_of_a_copy_knows_its_home(client: deardiary.Client, home: str, tmp_path: Path) -> None:
    before = state_of(client, home)
    copied(client, home, "away 3", tmp_path)
    copied(client, named(client, "away 3"), "further 3", tmp_path)
    copied(client, named(client, "further 3"), client.projects.get(home).name, tmp_path)
    copied(client, home, "further 3", tmp_path)
    assert state_of(client, home) == before
    assert state_of(client, named(client, "further 3")) == before


def test_a_deleted_copy_stays_deleted_and_so_does_a_deleted_original(
    client: deardiary.Client, home: str, tmp_path: Path
) -> None:
    copied(client, home, "away 4", tmp_path)
    away = named(client, "away 4")
    second = list(client.iterations.list(project=away))[1].id
    client.iterations.delete(second)
    client.iterations.delete(next(client.iterations.list(project=home)).id)
    copied(client, home, "away 4", tmp_path)
    copied(client, away, client.projects.get(home).name, tmp_path)
    assert (notes_of(client, away), notes_of(client, home)) == (["first"], ["second"])


@pytest.mark.parametrize("share", [0.6, 0.8])
def test_after_an_outage_either_side_goes_on(
    server: Server, client: deardiary.Client, home: str, tmp_path: Path, share: float
) -> None:
    """A process dies at some request; then the other direction runs first, then both."""
    name, before = client.projects.get(home).name, state_of(client, home)
    counted, transport = mortal(server)
    copied(counted, home, f"counted {share}", tmp_path / "counted")
    killed, _ = mortal(server, int(transport.requests * share), is_sent=True)
    with pytest.raises(Killed):
        copied(killed, home, f"away {share}", tmp_path)
    away = named(client, f"away {share}")
    copied(client, away, name, tmp_path)
    assert state_of(client, home) == before
    copied(client, home, f"away {share}", tmp_path)
    copied(client, away, name, tmp_path)
    assert (state_of(client, away), state_of(client, home)) == (before, before)
