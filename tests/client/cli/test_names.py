"""Iterations by their names, on the command line."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

import deardiary
from deardiary import IterationStatus
from deardiary.cli.output import Output
from tests.support.server import ADMIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.client.cli.conftest import Said

    Run = Callable[..., Said]


@pytest.fixture
def names(client: deardiary.Client, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The name of a new project and that of its experiment; no default is set."""
    monkeypatch.delenv("DEARDIARY_PROJECT", raising=False)
    monkeypatch.delenv("DEARDIARY_EXPERIMENT", raising=False)
    project = client.projects.create(request.node.name)
    return project.name, client.experiments.create(project.id, "sweep").name


def experiment_id(client: deardiary.Client, project: str, name: str = "sweep") -> str:
    owner = next(client.projects.list(name=project))
    return client.experiments.find_or_create(owner.id, name).id


def test_an_iteration_is_found_by_its_name(
    run: Run, client: deardiary.Client, names: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project, experiment = names
    path = f"{project}/{experiment}"
    odd = client.iterations.create(experiment_id(client, project), name='a "b" \\ c/d')
    plain = client.iterations.create(experiment_id(client, project))
    for text, expected in ((f"{path}/{plain.name}", plain), (f"{path}/{odd.name}", odd), (plain.id, plain)):
        assert run("iterations", "show", text, "--json").json["id"] == expected.id
    unknown = run("iterations", "show", plain.name)
    assert (unknown.status, plain.name in unknown.err) == (1, True)
    monkeypatch.setenv("DEARDIARY_PROJECT", project)
    assert run("metrics", "ls", plain.name, "--json").status == 0
    assert run("iterations", "note", plain.name, "see", "--json").json["notes"] == "see"
    assert run("iterations", "show", f"sweep/{plain.name}", "--json").json["id"] == plain.id
    monkeypatch.setenv("DEARDIARY_EXPERIMENT", experiment)
    assert run("iterations", "show", odd.name, "--json").json["id"] == odd.id


def test_a_name_that_several_have_is_refused_and_one_experiment_may_have_it(
    run: Run, client: deardiary.Client, names: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project, _ = names
    one, other = (client.iterations.create(experiment_id(client, project, each), name="best") for each in ("a", "b"))
    monkeypatch.setenv("DEARDIARY_PROJECT", project)
    refused = run("iterations", "rm", "best", "--yes")
    assert refused.status == 2
    assert one.id in refused.err
    assert other.id in refused.err
    monkeypatch.setenv("DEARDIARY_EXPERIMENT", "b")
    assert run("iterations", "rm", "best", "--yes", "--json").json == {"deleted": [other.id]}


def test_an_ended_iteration_is_renamed_tagged_and_shown_with_its_author(
    run: Run, client: deardiary.Client, names: tuple[str, str]
) -> None:
    made = client.iterations.create(experiment_id(client, names[0]))
    client.iterations.update(made.id, status_id=IterationStatus.FAILED)
    renamed = run("iterations", "rename", made.id, "the good one")
    assert (renamed.status, renamed.out) == (0, f"Renamed iteration {made.id} to the good one\n")
    assert run("iterations", "tag", f"{names[0]}/sweep/the good one", "paper").status == 0
    lines = [line.split(maxsplit=1) for line in run("iterations", "show", made.id).out.splitlines()]
    assert ["name", "the good one"] in lines
    assert ["created_by", ADMIN] in lines
    refused = run("iterations", "rename", made.id, "")
    assert (refused.status, "name" in refused.err) == (1, True)


def test_lists_and_comparisons_say_names(
    run: Run, client: deardiary.Client, names: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = experiment_id(client, names[0])
    first, second = client.iterations.create(where, name="adam"), client.iterations.create(where)
    path = "/".join(names)
    assert [line.split()[1] for line in run("iterations", "ls", path).out.splitlines()] == [
        "name", "-" * max(4, len(second.name)), second.name, "adam",
    ]  # fmt: skip
    assert run("iterations", "compare", first.id, second.id).out.split()[:2] == ["adam", second.name]
    rows = {row["name"]: row["values"] for row in run("iterations", "compare", first.id, second.id, "--json").json}
    assert rows["name"] == ["adam", second.name]
    client.iterations.update(second.id, name="adam")
    assert run("iterations", "compare", first.id, second.id).out.split()[:2] == [first.id, second.id]
    monkeypatch.setattr(Output, "room", lambda _: 60)
    assert run("iterations", "ls", path).out.splitlines()[0].split()[:3] == ["id", "name", "status"]


def test_the_client_dates_what_it_copies(client: deardiary.Client, names: tuple[str, str]) -> None:
    past = datetime(2020, 1, 2, tzinfo=timezone.utc)
    project = client.projects.create(f"{names[0]} copy", created_date=past)
    experiment = client.experiments.create(project.id, "e", created_date=past)
    iteration = client.iterations.create(experiment.id, name="n", created_date=past)
    file = client.resources.create(
        experiment.id, name="f", size_bytes=1, content_hash="2" * 64, iteration_id=iteration.id, created_date=past
    )
    model = client.models.create(project.id, "m", created_date=past)
    version = client.modelversions.create(model.id, iteration.id, created_date=past)
    me = client.whoami().id
    for each in (project, experiment, iteration, file, model, version):
        assert (each.created_date, each.created_by) == (past, me)
