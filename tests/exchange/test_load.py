"""Runs of any origin, brought into a server: completely, again, and after a kill at any request."""

from __future__ import annotations

import dataclasses
import io
import json
import math
from array import array
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

import deardiary
from deardiary_exchange import on_disk
from deardiary_exchange import points as batching
from deardiary_exchange.load import Loader, Report
from deardiary_exchange.on_disk import PointsOnDisk
from deardiary_exchange.points import batch_id_of, batches, missing, wire_of
from deardiary_exchange.runs import (
    Experiment,
    File,
    Input,
    IterationStatus,
    Line,
    Model,
    Points,
    Run,
    Stage,
    Version,
    points,
)
from tests.support.mortal import Killed, mortal
from tests.support.server import Server, server_on_moto

NEVER = datetime(2020, 2, 29, 12, 30, 15, 123000, timezone.utc)
LATER = datetime(2020, 3, 1, 1, 2, 3, 4000, timezone.utc)
AT = 1_582_979_415_123
STEPS = st.integers(0, 2) | st.sampled_from([-(2**63), 2**63 - 1])
SWEEP = Experiment(key="e1", name="sweep", created_date=NEVER, labels={"team": "nlp"}, tags=["first"])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture
def client(server: Server) -> deardiary.Client:
    return server.client()


@pytest.fixture
def project(client: deardiary.Client, request: pytest.FixtureRequest) -> str:
    return client.projects.create(request.node.name).id


def bytes_of(name: str, content: bytes, **fields: Any) -> File:
    return File(name=name, open=lambda: io.BytesIO(content), **fields)


def curves() -> Iterator[Points]:
    yield points("loss", [0, 1, 1, 2], [AT, AT + 1, AT + 1, AT + 2], [0.5, -0.0, math.nan, math.inf])
    yield points("wide", range(12_000), [AT] * 12_000, [1 / (each + 1) for each in range(12_000)])
    yield points("loss", [2, 3], [AT + 2, AT + 3], [math.inf, 5e-324])


def lines() -> Iterator[Line]:
    return (Line("stdout" if each % 3 else "stderr", f"line {each}", AT + each) for each in range(5))


PARENT = Run(
    key="origin:1",
    experiment=SWEEP,
    name="first",
    notes="a note",
    created_date=NEVER,
    end_date=LATER,
    status=IterationStatus.FAILED,
    error_message="out of memory",
    parameters={"lr": "0.01", "empty": ""},
    tags=[f"tag {each}" for each in range(60)],
    labels={"user": "ada"},
    environment={"git_sha": "abc", "project_toml": "x = 1"},
    metrics=curves,
    output=lines,
    files=[bytes_of("a/model.bin", b"weights", description="best", created_date=NEVER)],
)
CHILD = Run(
    key="origin:2",
    experiment=SWEEP,
    parent_key="origin:1",
    created_date=NEVER,
    end_date=LATER,
    status=IterationStatus.SUCCEEDED,
    inputs=[
        Input(kind="model", name="iris", version_key="v3"),
        Input(kind="resource", name="w", file_key="origin:1/a/model.bin"),
    ],
)
MODEL = Model(name="iris", description="a model", labels={"a": "b"}, created_date=NEVER)
VERSIONS = [
    Version(
        key=f"v{number}",
        model=MODEL,
        version=number,
        run_key="origin:1",
        file_key="origin:1/a/model.bin",
        stage=stage,
        aliases=aliases,
        created_date=NEVER,
    )
    for number, stage, aliases in ((1, Stage.ARCHIVED, []), (3, Stage.PRODUCTION, ["champion"]), (4, Stage.STAGING, []))
]


def load(client: deardiary.Client, project: str, runs: list[Run], versions: list[Version]) -> list[Report]:
    loader = Loader(client, project)
    return [*loader.load(runs), *loader.load_versions(versions), *loader.finish()]


def state(client: deardiary.Client, project: str) -> Any:
    """All that a project has, without ids."""
    names: dict[str | None, str | None] = {None: None}
    for model in client.models.list(project):
        names |= {each.id: f"{model.name}/{each.version}" for each in client.modelversions.list(model.id)}
    found: list[Any] = []
    for experiment in client.experiments.list(project):
        found.append((experiment.name, experiment.created_date, experiment.labels, experiment.status_id))
        found.append([each.value for each in client.tags.list("experiment", experiment.id)])
        resources = list(client.resources.list(experiment.id))
        names |= {each.id: f"{each.name} {each.content_hash}" for each in resources}
        found += [(each.name, each.content_hash, each.description, each.created_date) for each in resources]
        for each in client.iterations.list(experiment.id, include=["parameters", "tags"]):
            names[each.id] = each.name
            fields = dataclasses.asdict(client.iterations.snapshot(each.id))
            for name in ("id", "experiment_id", "name" if each.parent_iteration_id else "id"):
                fields.pop(name, None)
            fields["parent_iteration_id"] = names[each.parent_iteration_id]
            found.append((fields, each.parameters, sorted(each.tags or ())))
            columns = client.metrics.columns(each.id)
            found.append([columns["key"], columns["step"], list(map(repr, columns["value"])), columns["recorded_at"]])
            found.append([(line.stream, line.text, line.recorded_at) for line in client.iterations.output(each.id)])
            inputs = client.inputs.list(each.id)
            found.append(sorted((i.kind, i.name, names[i.resource_id] or names[i.modelversion_id]) for i in inputs))
    for model in client.models.list(project):
        found.append((model.name, model.description, model.labels, model.created_date, model.aliases))
        found += [
            (each.version, each.stage_id, names[each.iteration_id], names[each.resource_id], each.created_date)
            for each in client.modelversions.list(model.id)
        ]
    return found


def test_a_run_keeps_everything(client: deardiary.Client, project: str) -> None:
    reports = load(client, project, [PARENT, CHILD], VERSIONS)
    assert [(each.outcome, each.not_taken) for each in reports] == [("created", ())] * 6
    assert (reports[0].points, reports[0].files) == (12_006, 1)
    (experiment,) = client.experiments.list(project)
    assert (experiment.created_date, experiment.labels) == (NEVER, {"team": "nlp"})
    parent, child = client.iterations.list(experiment.id)
    assert (parent.name, parent.notes, parent.error_message) == ("first", "a note", "out of memory")
    assert (parent.created_date, parent.end_date, parent.status_id) == (NEVER, LATER, IterationStatus.FAILED)
    assert (child.parent_iteration_id, child.end_date) == (parent.id, LATER)
    loss = client.metrics.columns(parent.id, ["loss"])
    assert list(map(repr, loss["value"])) == ["0.5", "-0.0", "nan", "inf", "inf", "5e-324"]
    assert len(client.metrics.columns(parent.id, ["wide"])["step"]) == 12_000
    assert len(list(client.tags.list("iteration", parent.id))) == 60
    assert [line.text for line in client.iterations.output(parent.id)] == [f"line {each}" for each in range(5)]
    (resource,) = client.resources.list(experiment.id)
    assert (resource.name, resource.state, resource.created_date) == ("a/model.bin", "ready", NEVER)
    (model,) = client.models.list(project)
    versions = list(client.modelversions.list(model.id))
    assert [(each.version, each.stage_id.name, each.aliases) for each in versions] == [
        (1, "ARCHIVED", ()),
        (3, "PRODUCTION", ("champion",)),
        (4, "STAGING", ()),
    ]
    read = {each.kind: (each.modelversion_id, each.resource_id) for each in client.inputs.list(child.id)}
    assert read == {"model": (versions[1].id, None), "resource": (None, resource.id)}


def test_a_second_load_changes_nothing(client: deardiary.Client, project: str) -> None:
    load(client, project, [PARENT, CHILD], VERSIONS)
    before = state(client, project)
    reports = load(client, project, [PARENT, CHILD], VERSIONS)
    assert {each.outcome for each in reports} == {"unchanged"}
    assert state(client, project) == before


def test_killed_at_any_request_and_started_again_it_gives_the_same(
    server: Server, client: deardiary.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "_BATCH_POINTS", 4)
    parent = dataclasses.replace(PARENT, metrics=lambda: [each for each in curves() if each.key != "wide"])
    whole = client.projects.create("never killed").id
    counted, transport = mortal(server)
    load(counted, whole, [parent, CHILD], VERSIONS)
    expected = state(client, whole)
    for last in range(5, transport.requests + 1, transport.requests // 6):
        project = client.projects.create(f"killed at {last}").id
        killed, _ = mortal(server, last, is_sent=last % 2 == 0)
        with pytest.raises(Killed):
            load(killed, project, [parent, CHILD], VERSIONS)
        load(client, project, [parent, CHILD], VERSIONS)
        assert state(client, project) == expected, last


def test_a_later_load_brings_what_is_new(client: deardiary.Client, project: str) -> None:
    def growing(count: int, **fields: Any) -> Run:
        return dataclasses.replace(
            PARENT,
            metrics=lambda: [points("loss", range(count), [AT] * count, map(float, range(count)))],
            output=lambda: [Line("stdout", str(each), AT) for each in range(count)],
            **fields,
        )

    running = growing(3, status=IterationStatus.RUNNING, end_date=None, error_message="")
    assert load(client, project, [running], [])[0].outcome == "created"
    assert load(client, project, [running], [])[0].outcome == "unchanged"
    (report,) = load(client, project, [growing(5, parameters={"lr": "0.02"})], [])
    assert (report.outcome, report.points) == ("completed", 2)
    (experiment,) = client.experiments.list(project)
    (iteration,) = client.iterations.list(experiment.id, include=["parameters"])
    assert (iteration.status_id, iteration.parameters) == (IterationStatus.FAILED, {"lr": "0.02", "empty": ""})
    assert client.metrics.columns(iteration.id)["step"] == [0, 1, 2, 3, 4]
    assert [line.text for line in client.iterations.output(iteration.id)] == ["0", "1", "2", "3", "4"]


def test_the_report_names_what_the_server_would_refuse(client: deardiary.Client, project: str) -> None:
    run = Run(
        key="origin:refused",
        experiment=SWEEP,
        name="n" * 300,
        parameters={"long": "x" * 7000, "bad\nkey": "1", "good": "1"},
        labels={"long": "x" * 9000, "good": "1"},
        tags=["", "t" * 300, "good"],
        metrics=lambda: [points("k" * 300, [0], [AT], [1.0]), points("good", [0], [AT], [1.0])],
        files=[bytes_of("../escape", b"x"), bytes_of("good", b"x")],
        not_taken=["what the importer left out"],
    )
    (report,) = load(client, project, [run], [])
    assert (report.outcome, report.points, report.files) == ("created", 1, 1)
    starts = ["what the importer", "tag ''", "tag 'ttt", "label 'long'", "name", "parameter 'long'", "parameter 'bad"]
    starts += ["metric 'kkk", "file '../escape'"]
    assert len(report.not_taken) == len(starts)
    assert all(text.startswith(start) for text, start in zip(report.not_taken, starts, strict=True)), report.not_taken


def test_one_refused_run_does_not_stop_the_others(client: deardiary.Client, project: str) -> None:
    orphan = dataclasses.replace(CHILD, key="origin:3", parent_key="nowhere", inputs=[])
    bad = dataclasses.replace(PARENT, key="origin:4", environment={"git_sha": "x" * 300})
    reports = load(client, project, [bad, orphan], [])
    assert [each.outcome for each in reports] == ["failed", "created"]
    assert reports[1].not_taken == ("parent nowhere: it was not loaded before it",)


def test_a_deleted_run_stays_deleted(client: deardiary.Client, project: str) -> None:
    (first,) = load(client, project, [PARENT], [])
    client.iterations.delete(str(first.id))
    (second,) = load(client, project, [PARENT], [])
    assert second.outcome == "deleted"


@given(st.lists(st.tuples(st.sampled_from("ab"), STEPS, st.sampled_from([0.0, -0.0, math.nan]))), st.data())
def test_missing_points_are_those_that_are_left(all_points: list[tuple[str, int, float]], data: st.DataObject) -> None:
    """Whichever of the points are there, equal ones included, the rest is missing, each as often as it is left."""
    present = data.draw(st.lists(st.booleans(), min_size=len(all_points), max_size=len(all_points)))
    wanted = [points(key, [step], [AT], [value]) for key, step, value in all_points]
    there = [each for each, is_there in zip(all_points, present, strict=True) if is_there]
    few = mock.patch.multiple(on_disk, HELD_POINTS=3, WINDOW_POINTS=2)
    with few, PointsOnDisk(3) as known:
        for key, columns in (points(key, [step], [AT], [value]) for key, step, value in there):
            known.add(key, columns.steps, columns.times, array("q", columns.values.tobytes()))
        found = [
            (key, step, repr(value))
            for key, columns in missing(wanted, known)
            for step, value in zip(columns.steps, columns.values, strict=True)
        ]
    left = Counter((key, step, repr(value)) for key, step, value in all_points)
    left.subtract((key, step, repr(value)) for key, step, value in there)
    assert Counter(found) == +left


def test_batches_keep_all_points_in_order_and_within_the_limits() -> None:
    wanted = [points("k" * 200 + str(key), range(3), [AT] * 3, [1.5] * 3) for key in range(5000)]
    wanted += [points("long", range(25_000), [AT] * 25_000, [0.1] * 25_000)]
    made = list(batches(wanted))
    sizes = [sum(len(each.columns) for each in batch) for batch in made]
    assert (sum(sizes), max(sizes) <= 10_000) == (40_000, True)
    assert all(len(json.dumps(wire_of(batch))) < 4 * 2**20 for batch in made)
    assert [each.key for batch in made for each in batch if each.key != "long"] == [each.key for each in wanted[:-1]]
    assert len({batch_id_of(batch, number) for number, batch in enumerate(made)}) == len(made)
