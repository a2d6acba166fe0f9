"""A run that was logged offline reaches the server once, with its own times."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import deardiary
import deardiary.client
from deardiary import Client, IterationStatus
from deardiary.spool import lines
from tests.support.spools import iterations_of, said, spool_in, sync


def test_the_times_are_those_of_the_run(copies: list[Path], client: Client, request: pytest.FixtureRequest) -> None:
    begun = json.loads((spool_in(copies[0]) / "run.json").read_text())["started_at"]
    assert sync(copies[0], client).is_done
    (iteration,) = iterations_of(client, request.node.name)
    assert iteration.created_date.isoformat(timespec="milliseconds").startswith(begun[:23])
    assert iteration.end_date is not None
    assert iteration.end_date >= iteration.created_date


def test_an_end_is_not_before_the_beginning_whatever_the_clocks_say(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine's clock is behind the server's."""
    monkeypatch.setenv("DEARDIARY_DIR", str(tmp_path))
    monkeypatch.setattr("deardiary.tracking.iteration.to_milliseconds", lambda _: 1_700_000_000_000)
    with deardiary.start("Offline", "behind", client=client):
        pass
    (iteration,) = iterations_of(client, "behind")
    assert iteration.end_date == iteration.created_date


def test_a_second_copy_changes_nothing_and_warns_of_nothing(
    copies: list[Path], client: Client, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    results = [sync(folder, client) for folder in copies]
    assert [(each.is_done, each.rejected) for each in results] == [(True, 0), (True, 0)]
    assert not caplog.records
    assert [list(folder.rglob("*.log")) for folder in copies] == [[], []]
    (iteration,) = iterations_of(client, request.node.name)
    assert iteration.status_id == IterationStatus.SUCCEEDED
    assert client.iterations.snapshot(iteration.id).manifest_toml == "torch==2.9\n"
    (resource,) = client.resources.list(iteration.experiment_id, iteration_id=iteration.id)
    assert resource.name == "weights.txt"
    project = next(client.projects.list(name="Offline"))
    (model,) = client.models.list(project.id, name=request.node.name)
    assert [each.version for each in client.modelversions.list(model.id)] == [1]


def test_a_deleted_iteration_is_not_created_again(
    copies: list[Path], client: Client, request: pytest.FixtureRequest
) -> None:
    assert sync(copies[0], client).is_done
    (iteration,) = iterations_of(client, request.node.name)
    client.iterations.delete(iteration.id)
    assert f"deardiary trash restore {iteration.id}" in str(sync(copies[1], client).error)
    client.trash.purge(iteration.id)
    second = sync(copies[1], client)
    assert not second.is_done
    assert "has been deleted" in str(second.error)
    assert f"delete {spool_in(copies[1])}" in str(second)
    assert iterations_of(client, request.node.name) == []
    assert spool_in(copies[1]).is_dir()


@pytest.mark.parametrize("kind", ["iteration", "experiment", "project"])
def test_a_spool_waits_while_its_iteration_is_in_the_trash(
    copies: list[Path], client: Client, request: pytest.FixtureRequest, kind: str
) -> None:
    project = client.projects.create("Offline")
    experiment = client.experiments.create(project.id, request.node.name)
    iteration = client.iterations.create(experiment.id)
    said(spool_in(copies[0]), origin={"iteration_id": iteration.id, "experiment_id": experiment.id})
    trashed_id = {"iteration": iteration.id, "experiment": experiment.id, "project": project.id}[kind]
    getattr(client, f"{kind}s").delete(trashed_id)
    waiting = sync(copies[0], client)
    assert (waiting.is_done, waiting.rejected) == (False, 0)
    assert f"`deardiary trash restore {trashed_id}` restores it" in str(waiting)
    assert "after that it is sent" in str(waiting)
    client.trash.restore(trashed_id)
    assert sync(copies[0], client).is_done
    assert client.metrics.summary(iteration.id)["loss"].count == 1
    assert client.iterations.get(iteration.id).status_id == IterationStatus.SUCCEEDED
    assert [each.name for each in client.resources.list(experiment.id)] == ["weights.txt"]


def test_a_live_run_is_found_by_its_id(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEARDIARY_DIR", str(tmp_path))
    with deardiary.start("Offline", "live", client=client) as iteration:
        known = (iteration.id, iteration.experiment_id)
        origin = json.loads((spool_in(tmp_path) / "run.json").read_text())["origin"]
        assert (origin["iteration_id"], origin["experiment_id"]) == known


def test_a_forks_spool_of_an_earlier_version_does_not_reopen_its_parents_iteration(
    copies: list[Path], client: Client, request: pytest.FixtureRequest
) -> None:
    assert sync(copies[0], client).is_done
    (before,) = iterations_of(client, request.node.name)
    spool = spool_in(copies[1])
    said(spool, spool_id="fork", forked_from="parent", reopens=True, started_at="2090-01-01T00:00:00Z")
    late = {"at": 4_000_000_000_000, "step": None, "points": {"loss": 2.0}}
    (spool / "00000001.log").write_bytes(lines.seal(lines.dump(late)))
    assert sync(copies[1], client).rejected == 1
    assert iterations_of(client, request.node.name) == [before]
