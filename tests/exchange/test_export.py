"""Export of a project and import into another server: everything is equal but ids, also after kills and repetitions."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pandas
import polars
import pytest
from pyarrow import parquet

import deardiary
from deardiary import ExperimentStatus, IterationStatus, Stage
from deardiary_exchange import export as exporting
from deardiary_exchange import manifest, source
from deardiary_exchange.export import Exported, export_project
from deardiary_exchange.folder import Folder, Sink
from deardiary_exchange.imported import import_folder
from deardiary_exchange.load import Report
from deardiary_exchange.schema import TABLES, WHOLE
from tests.support.exchange import state_of
from tests.support.server import Server, server_on_moto

THEN = datetime(2021, 5, 6, 7, 8, 9, 10000, timezone.utc)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture
def client(server: Server) -> deardiary.Client:
    return server.client()


def new_project(client: deardiary.Client, seed: int, folder: Path) -> str:
    """A random small project: every kind of object, values that are easily lost, links in all directions."""
    chance = random.Random(seed)  # noqa: S311
    project = client.projects.create(f"project {seed}", "of many kinds\n", created_date=THEN, labels={"a": "ü"})
    client.tags.create("project", project.id, "whole")
    iterations: list[Any] = []
    for name in ("first", "second", "empty"):
        experiment = client.experiments.create(
            project.id, name, f"about {name}", created_date=THEN, labels={"team": name}
        )
        client.tags.create("experiment", experiment.id, f"tag of {name}")
        loose = folder / f"{seed}-loose"
        loose.write_bytes(b"loose" * seed)
        client.resources.upload(experiment.id, loose, "loose.bin", description="of the experiment")
        for number in range(0 if name == "empty" else chance.randint(1, 3)):
            iterations.append(_new_iteration(client, chance, experiment.id, number, iterations, folder))
    _new_models(client, chance, project.id, iterations)
    for iteration, _resource in iterations:
        _other, read = chance.choice(iterations)
        client.inputs.create(iteration.id, "resource", "read", resource_id=read.id, labels={"k": "v"}, context="c")
        client.inputs.create(iteration.id, "dataset", "data", digest="d", source="s3://…", source_type="s3")
        if chance.random() < 0.7:
            end = THEN + timedelta(minutes=chance.randint(10, 20))
            status = chance.choice([IterationStatus.SUCCEEDED, IterationStatus.FAILED, IterationStatus.KILLED])
            client.iterations.update(iteration.id, status_id=status, end_date=end, error_message="why\n")
    last = next(iter(client.experiments.list(project.id)))
    client.experiments.update(last.id, status_id=ExperimentStatus.FINISHED, end_date=THEN + timedelta(days=1))
    return project.id


def _new_iteration(
    client: deardiary.Client, chance: random.Random, experiment_id: str, number: int, others: list[Any], folder: Path
) -> Any:
    siblings = [each.id for each, _ in others if each.experiment_id == experiment_id]
    iteration = client.iterations.create(
        experiment_id,
        name=chance.choice([None, f"run {number}"]),
        notes=f"über\t{len(others)}",
        parent_iteration_id=chance.choice([None, *siblings]),
        created_date=THEN + timedelta(milliseconds=number),
        labels={"user": "ada", "n": str(number)},
        tags=["baseline", f"t{number}"],
    )
    for key, value in {"lr": repr(chance.random()), "empty": ""}.items():
        client.parameters.create(iteration.id, key, value)
    specials = [0.0, -0.0, math.nan, math.inf, -math.inf, 5e-324, 1.7976931348623157e308, chance.random()]
    points = [
        deardiary.Point(key, chance.choice(specials), step, THEN + timedelta(milliseconds=chance.randint(0, 3)))
        for key in ("loss", "ключ", "a/b c")
        for step in (chance.choice([-(2**63), 0, 1, 1, 2**63 - 1]) for _ in range(chance.randint(0, 6)))
    ]
    if points:
        client.metrics.batch(iteration.id, points)
    lines = [
        {"stream": chance.choice(["stdout", "stderr"]), "text": f"line {each}\x1b[0m", "recorded_at": THEN.isoformat()}
        for each in range(chance.randint(0, 5))
    ]
    if lines:
        client.iterations.log_columns(iteration.id, {}, batch_id="lines", output=lines)
    if chance.random() < 0.6:
        client.iterations.set_snapshot(iteration.id, git_sha="abc", git_dirty=True, git_diff="+x\n", python_version="3")
    file = folder / "file"
    file.write_bytes(chance.randbytes(chance.choice([0, 10, 1000])))
    resource = client.resources.upload(
        experiment_id, file, "a/b.bin", iteration_id=iteration.id, content_type="text/plain", description="d"
    )
    return iteration, resource


def _new_models(client: deardiary.Client, chance: random.Random, project_id: str, iterations: list[Any]) -> None:
    model = client.models.create(project_id, "iris", "a model", created_date=THEN, labels={"m": "1"})
    client.models.create(project_id, "without versions")
    for _ in range(3):
        iteration, resource = chance.choice(iterations)
        version = client.modelversions.create(
            model.id, iteration.id, resource_id=resource.id, source="s", labels={"v": "1"}
        )
        client.inputs.create(chance.choice(iterations)[0].id, "model", modelversion_id=version.id)
    versions = list(client.modelversions.list(model.id))
    client.modelversions.update(versions[0].id, stage_id=Stage.PRODUCTION)
    client.modelversions.update(versions[2].id, stage_id=Stage.PRODUCTION)
    client.models.set_alias(model.id, "champion", 2)


def brought(client: deardiary.Client, folder: Path, name: str) -> list[Report]:
    return list(import_folder(client, Folder(str(folder)), name, progress=lambda _done, _total: None))


def exported(client: deardiary.Client, project_id: str, folder: Path) -> Exported:
    return export_project(client, project_id, Folder(str(folder)))


def named(client: deardiary.Client, name: str) -> str:
    return next(client.projects.list(name=name)).id


@pytest.mark.parametrize("seed", range(2))
def test_an_imported_project_is_equal_but_for_its_ids(client: deardiary.Client, seed: int, tmp_path: Path) -> None:
    project_id = new_project(client, seed, tmp_path)
    done = exported(client, project_id, tmp_path / "out")
    assert done.files
    assert list(manifest.faults(Folder(str(tmp_path / "out")), lambda _done, _total: None)) == []
    reports = brought(client, tmp_path / "out", f"copy {seed}")
    assert [each for each in reports if each.outcome != "created" or each.not_taken] == []
    copy = named(client, f"copy {seed}")
    assert state_of(client, copy) == state_of(client, project_id)
    project, other = client.projects.get(project_id), client.projects.get(copy)
    assert (other.description, other.created_date, other.labels) == (project.description, THEN, {"a": "ü"})
    exported(client, copy, tmp_path / "again")
    assert content_of(tmp_path / "again") == content_of(tmp_path / "out")
    ids = parquet.read_table(tmp_path / "out" / "iterations")["id"].to_pylist()
    origins = parquet.read_table(tmp_path / "again" / "iterations")["origin"].to_pylist()
    assert sorted(origins) == [f"deardiary:{project_id}:{each}" for each in sorted(ids)]


def content_of(folder: Path) -> dict[str, Any]:
    """The tables of an export, without what a server sets, with the position of an object in place of its id."""
    tables = {name: parquet.read_table(folder / (f"{name}.parquet" if name in WHOLE else name)) for name in TABLES}
    del tables["project"]
    found = {}
    for name, table in tables.items():
        own = [each for each in ("created_by", "updated_date", "id", "origin") if each in table.column_names]
        ids = [each for each in table.column_names if each.endswith("_id")]
        rows = table.drop_columns([*own, *ids]).to_pylist()
        if name == "modelversions":
            rows = [row | {"aliases": row["aliases"]} for row in rows]
        found[name] = sorted(map(repr, rows))
    return found


class Killed(BaseException):
    """The process ends here."""


class MortalFolder(Folder):
    """A folder whose process dies at one write, and leaves what a killed process leaves."""

    def __init__(self, place: str, last: int = 0) -> None:
        super().__init__(place)
        self.writes = 0
        self._last = last

    @contextmanager
    def write(self, name: str) -> Iterator[Sink]:
        self.writes += 1
        if self.writes == self._last:
            stray = Path(f"{self.path(name)}.0.unfinished")
            stray.parent.mkdir(parents=True, exist_ok=True)
            stray.write_bytes(b"half")
            raise Killed
        with super().write(name) as sink:
            yield sink


@pytest.fixture(scope="module")
def small_project(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    return new_project(server.client(), 7, tmp_path_factory.mktemp("files"))


def test_a_killed_export_goes_on_and_gives_the_same(
    client: deardiary.Client, small_project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "_PART_ITERATIONS", 2)
    whole = MortalFolder(str(tmp_path / "whole"))
    export_project(client, small_project, whole)
    expected = content_of(tmp_path / "whole")
    for last in range(1, whole.writes, whole.writes // 4):
        place = tmp_path / str(last)
        with pytest.raises(Killed):
            export_project(client, small_project, MortalFolder(str(place), last))
        with pytest.raises(manifest.NotAnExport):
            manifest.read(Folder(str(place)))
        exported(client, small_project, place)
        assert content_of(place) == expected, last
        assert list(manifest.faults(Folder(str(place)), lambda _done, _total: None)) == []
        assert [*place.rglob("*.unfinished")] == []


def test_a_second_export_reads_only_what_has_changed(client: deardiary.Client, tmp_path: Path) -> None:
    project = client.projects.create("growing")
    experiment = client.experiments.create(project.id, "sweep")

    def grow(name: str) -> str:
        iteration = client.iterations.create(experiment.id, name=name, created_date=THEN)
        client.iterations.update(iteration.id, status_id=IterationStatus.SUCCEEDED, end_date=THEN)
        return iteration.id

    first, second = grow("first"), grow("second")
    assert exported(client, project.id, tmp_path / "out").new_parts == 1
    again = exported(client, project.id, tmp_path / "out")
    assert (again.new_parts, again.unchanged_parts, again.iterations) == (0, 1, 2)
    grow("third")
    client.tags.create("iteration", first, "best")
    client.iterations.delete(second)
    assert exported(client, project.id, tmp_path / "out").new_parts == 1
    table = parquet.read_table(tmp_path / "out" / "iterations")
    assert table["name"].to_pylist() == ["first", "third"]
    assert parquet.read_table(tmp_path / "out" / "tags")["value"].to_pylist() == ["best"]
    client.iterations.delete(first)
    exported(client, project.id, tmp_path / "out")
    exported(client, project.id, tmp_path / "fresh")
    assert content_of(tmp_path / "out") == content_of(tmp_path / "fresh")


@pytest.mark.parametrize("most_points", [2, 500_000])
def test_other_programs_read_the_tables(
    client: deardiary.Client, small_project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_points: int
) -> None:
    """Also of iterations with so many points that the export reads a few metrics at a time."""
    monkeypatch.setattr(source, "_MOST_POINTS", most_points)
    exported(client, small_project, tmp_path / "out")
    wanted = sorted(
        (each.id, key, step, value.hex(), at)
        for experiment in client.experiments.list(small_project)
        for each in client.iterations.list(experiment.id)
        for table in [client.metrics.columns(each.id)]
        for key, step, value, at in zip(table["key"], table["step"], table["value"], table["recorded_at"], strict=True)
    )
    names = ["iteration_id", "key", "step", "value", "recorded_at"]
    place = tmp_path / "out" / "metrics"
    by_pandas = pandas.read_parquet(place)[names].itertuples(index=False)
    by_polars = polars.read_parquet(place / "*.parquet").select(names).rows()
    by_duckdb = duckdb.read_parquet(f"{place}/*.parquet").select(*names).fetchall()
    for rows in (by_pandas, by_polars, by_duckdb):
        found = sorted((id_, key, int(step), float(value).hex(), at) for id_, key, step, value, at in rows)
        assert found == wanted
    ended = duckdb.read_parquet(f"{tmp_path}/out/iterations/*.parquet").filter("status != 'RUNNING'")
    assert len(ended) > 0
    schema = parquet.read_schema(place / "project.parquet")
    assert schema.metadata[b"deardiary.schema_version"] == b"1"


def test_damage_is_found(client: deardiary.Client, small_project: str, tmp_path: Path) -> None:
    exported(client, small_project, tmp_path / "out")
    files = sorted(path for path in (tmp_path / "out" / "files").rglob("*") if path.is_file() and path.stat().st_size)
    files[0].write_bytes(bytes([files[0].read_bytes()[0] ^ 1]) + files[0].read_bytes()[1:])
    files[1].unlink()
    table = tmp_path / "out" / "experiments.parquet"
    table.write_bytes(table.read_bytes()[:-1])
    faults = list(manifest.faults(Folder(str(tmp_path / "out")), lambda _done, _total: None))
    relative = [path.relative_to(tmp_path / "out").as_posix() for path in (table, *files[:2])]
    assert faults == [
        f"{relative[0]} has {table.stat().st_size} bytes in place of {table.stat().st_size + 1}",
        *sorted([f"{relative[1]} is damaged: its SHA-256 is another one", f"{relative[2]} is missing"]),
    ]


@pytest.mark.parametrize("content", ["notes.txt", "parts/of.json"])
def test_a_folder_with_something_else_is_left_alone(
    client: deardiary.Client, small_project: str, tmp_path: Path, content: str
) -> None:
    file = tmp_path / content
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"project_id": "another", "schema_version": 1}))
    with pytest.raises(manifest.NotAnExport):
        exported(client, small_project, tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [file]


def test_a_second_import_changes_nothing_and_a_later_one_brings_what_is_new(
    client: deardiary.Client, small_project: str, tmp_path: Path
) -> None:
    exported(client, small_project, tmp_path / "out")
    brought(client, tmp_path / "out", "copied twice")
    before = state_of(client, named(client, "copied twice"))
    assert {each.outcome for each in brought(client, tmp_path / "out", "copied twice")} == {"unchanged"}
    assert state_of(client, named(client, "copied twice")) == before
    experiment = client.experiments.create(small_project, "later")
    iteration = client.iterations.create(experiment.id, notes="a later run")
    client.metrics.create(iteration.id, "loss", 0.25)
    exported(client, small_project, tmp_path / "out")
    brought(client, tmp_path / "out", "another copy")
    assert named(client, "another copy") != named(client, "copied twice")
    outcomes = [each.outcome for each in brought(client, tmp_path / "out", "copied twice")]
    assert outcomes.count("created") == 1
    assert state_of(client, named(client, "copied twice")) == state_of(client, small_project)
