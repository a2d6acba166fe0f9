"""The client's and the command line's way to the trash."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

import deardiary
from deardiary import Client
from deardiary.wire.shapes import Experiment, Iteration, Model, Project, Resource
from tests.support.server import Server


@pytest.fixture
def client(server: Server) -> Client:
    return server.client()


def test_every_kind_comes_back_as_its_own_shape(client: Client, tmp_path: Path) -> None:
    project = client.projects.create("Iris")
    experiment = client.experiments.create(project.id, "sweep")
    iteration = client.iterations.create(experiment.id)
    (tmp_path / "r").write_text("r")
    resource = client.resources.upload(experiment.id, tmp_path / "r", iteration_id=iteration.id)
    model = client.models.create(project.id, "net")
    objects: list[tuple[type, Project | Experiment | Iteration | Resource | Model]] = [
        (Resource, resource),
        (Iteration, iteration),
        (Model, model),
        (Experiment, experiment),
        (Project, project),
    ]
    for kind, each in objects:
        noun = getattr(client, f"{kind.__name__.lower()}s")
        noun.delete(each.id)
        with pytest.raises(deardiary.NotFound, match="in the trash"):
            noun.get(each.id)
        (entry,) = client.trash.list(None if kind is Project else project.id)
        assert (entry.id, entry.kind, entry.name) == (each.id, kind.__name__.lower(), each.name)
        assert entry.purge_date - entry.deleted_date == timedelta(days=7)
        restored = client.trash.restore(each.id)
        assert (type(restored), restored.id) == (kind, each.id)
        assert noun.get(each.id) == restored
    for kind, each in objects:
        noun = getattr(client, f"{kind.__name__.lower()}s")
        noun.delete(each.id, purge=True)
        with pytest.raises(deardiary.NotFound, match="not found"):
            client.trash.restore(each.id)


def test_a_taken_name_is_a_conflict_and_another_one_helps(client: Client) -> None:
    project = client.projects.create("Iris")
    old = client.experiments.create(project.id, "sweep")
    client.experiments.delete(old.id)
    client.experiments.create(project.id, "sweep")
    with pytest.raises(deardiary.Conflict, match="another name"):
        client.trash.restore(old.id)
    assert client.trash.restore(old.id, "sweep of May").name == "sweep of May"


def test_a_purge_is_for_good(client: Client) -> None:
    model = client.models.create(client.projects.create("Iris").id, "net")
    client.models.delete(model.id)
    client.trash.purge(model.id)
    assert list(client.trash.list(model.project_id)) == []
    with pytest.raises(deardiary.NotFound):
        client.trash.purge(model.id)


@pytest.mark.parametrize("kind", ["iteration", "experiment"])
def test_a_program_goes_on_while_its_iteration_is_in_the_trash(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("DEARDIARY_DIR", str(tmp_path / "spools"))
    (tmp_path / "model.pkl").write_bytes(b"weights")
    with deardiary.start("Iris", "sweep", client=client) as iteration:
        iteration.log({"loss": 1.0})
        iteration.flush()
        experiment_id = client.iterations.get(iteration.id).experiment_id
        trashed_id = iteration.id if kind == "iteration" else experiment_id
        getattr(client, f"{kind}s").delete(trashed_id)
        iteration.log({"loss": 0.5})
        assert iteration.log_resource(tmp_path / "model.pkl").state == "pending"
        client.trash.restore(trashed_id)
    assert client.metrics.summary(iteration.id)["loss"].count == 2
    assert client.iterations.get(iteration.id).status_id == deardiary.IterationStatus.SUCCEEDED
    assert [each.state for each in client.resources.list(experiment_id)] == ["ready"]
