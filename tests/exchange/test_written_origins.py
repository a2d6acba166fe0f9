"""`deardiary import` of what cannot be recorded here: Neptune has closed, and DearDiary.jl needs Julia.

The tests write the files by the schemas that neptune-exporter and DearDiary.jl document.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow
import pytest
from pyarrow import parquet

from tests.client.cli.conftest import run, server
from tests.exchange.test_origins import Imported
from tests.support.server import Server

if TYPE_CHECKING:
    from tests.client.cli.conftest import Said

__all__ = ["run", "server"]

AT = datetime(2023, 11, 14, 22, 13, 20, 500_000, timezone.utc)
MS = pyarrow.timestamp("ms", tz="UTC")
NEPTUNE = pyarrow.schema(
    {
        **dict.fromkeys(("project_id", "run_id", "attribute_path", "attribute_type"), pyarrow.string()),
        "step": pyarrow.decimal128(18, 6),
        "timestamp": MS,
        "int_value": pyarrow.int64(),
        "float_value": pyarrow.float64(),
        "string_value": pyarrow.string(),
        "bool_value": pyarrow.bool_(),
        "datetime_value": MS,
        "string_set_value": pyarrow.list_(pyarrow.string()),
        "file_value": pyarrow.struct({"path": pyarrow.string()}),
        "histogram_value": pyarrow.struct(
            {
                "type": pyarrow.string(),
                "edges": pyarrow.list_(pyarrow.float64()),
                "values": pyarrow.list_(pyarrow.float64()),
            }
        ),
    }
)
# The columns of DearDiary.jl 0.8 in SQLite and of 0.9 in DuckDB, whose ids are numbers and later texts.
DEARDIARY_JL = """
    CREATE TABLE "user" (id ID PRIMARY KEY, username TEXT, created_date TEXT);
    CREATE TABLE project (id ID PRIMARY KEY, name TEXT, description TEXT, created_date TEXT);
    CREATE TABLE experiment (id ID PRIMARY KEY, project_id ID, status_id INTEGER, name TEXT, description TEXT,
                             created_date TEXT, end_date TEXT);
    CREATE TABLE iteration (id ID PRIMARY KEY, experiment_id ID, notes TEXT, created_date TEXT, end_date TEXT,
                            parent_iteration_id ID, status_id INTEGER, error_message TEXT, julia_version TEXT,
                            git_sha TEXT, git_dirty INTEGER, entrypoint TEXT, project_toml TEXT, manifest_toml TEXT);
    CREATE TABLE parameter (id ID PRIMARY KEY, iteration_id ID, key TEXT, value TEXT);
    CREATE TABLE metric (id ID PRIMARY KEY, iteration_id ID, key TEXT, value DOUBLE, step INTEGER, recorded_at TEXT);
    CREATE TABLE resource (id ID PRIMARY KEY, experiment_id ID, name TEXT, description TEXT, data BLOB,
                           created_date TEXT, updated_date TEXT, backend TEXT, uri TEXT, size_bytes INTEGER,
                           content_hash TEXT);
    CREATE TABLE tag (id ID PRIMARY KEY, value TEXT);
    CREATE TABLE experiment_tag (id ID PRIMARY KEY, experiment_id ID, tag_id ID);
    CREATE TABLE iteration_tag (id ID PRIMARY KEY, iteration_id ID, tag_id ID);
    CREATE TABLE model (id ID PRIMARY KEY, project_id ID, name TEXT, description TEXT, created_date TEXT,
                        updated_date TEXT);
    CREATE TABLE model_version (id ID PRIMARY KEY, model_id ID, version INTEGER, iteration_id ID, resource_id ID,
                                stage_id INTEGER, description TEXT, created_date TEXT, updated_date TEXT)
"""
DATE, END = "2023-11-14T22:13:20.5", "2023-11-14T22:13:21"
ROWS: dict[str, list[tuple[Any, ...]]] = {
    "user": [(1, "default", DATE)],
    "project": [(1, "Iris", "", DATE)],
    "experiment": [(1, 1, 3, "sweep", "of rates", DATE, END)],
    "iteration": [
        (1, 1, "first", DATE, END, None, 2, "", "1.11.2", "abc", 1, "train.jl", 'name = "Iris"', "[deps]"),
        (2, 1, "", DATE, END, 1, 3, "BoundsError", "", "", 0, "", "", ""),
        (3, 1, "", DATE, "", None, 1, "", "", "", 0, "", "", ""),
    ],
    "parameter": [(1, 1, "rate", "0.1")],
    "metric": [
        (1, 1, "loss", 0.1 + 0.2, 0, DATE),
        (2, 1, "loss", math.inf, -3, DATE),
        (3, 1, "loss", 1.0, 0, END),
        (4, 3, "loss", 1.0, 0, END),
    ],
    "resource": [
        (1, 1, "model.bin", "weights", b"weights", DATE, "", "inline", "", 7, ""),
        (2, 1, "loose.txt", "", b"loose", DATE, "", "inline", "", 5, ""),
        (3, 1, "away.txt", "", None, DATE, "", "s3", "s3://bucket/key", 5, ""),
    ],
    "tag": [(1, "baseline")],
    "experiment_tag": [(1, 1, 1)],
    "iteration_tag": [(1, 1, 1)],
    "model": [(1, 1, "iris", "reads iris", DATE, "")],
    "model_version": [(1, 1, 1, 1, 1, 4, "", DATE, ""), (2, 1, 3, 1, None, 3, "", DATE, "")],
}


def importing(run: Callable[..., Said], server: Server, tracker: str, location: Path, to: str, *more: str) -> Imported:
    said = run("import", tracker, str(location), "--to", to, "--json", *more).json
    client = server.client()
    return Imported(said, client, client.projects.find_or_create(to).id)


def neptune(folder: Path, run_id: str, rows: list[dict[str, Any]], part: int = 0) -> None:
    path = folder / "data" / "team_digits-12" / f"{run_id}-34_part_{part}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = [{"project_id": "team/digits", "run_id": run_id, **row} for row in rows]
    parquet.write_table(pyarrow.Table.from_pylist(whole, NEPTUNE), path)


def value(path: str, kind: str, given: Any, **more: Any) -> dict[str, Any]:
    column = {
        "float_series": "float",
        "string_series": "string",
        "file_series": "file",
        "histogram_series": "histogram",
    }
    return {"attribute_path": path, "attribute_type": kind, f"{column.get(kind, kind)}_value": given, **more}


def write_neptune(folder: Path) -> None:
    """Two runs, one of two parts and with files."""
    parent = [
        value("sys/creation_time", "datetime", AT),
        value("sys/modification_time", "datetime", AT.replace(second=30)),
        value("sys/name", "string", "first"),
        value("sys/description", "string", "a first try"),
        value("sys/owner", "string", "ada"),
        value("sys/tags", "string_set", ["baseline", "lr=0.1"]),
        value("rate", "float", 0.1),
        value("layers", "int", 3),
        value("on", "bool", True),
        *(value("loss", "float_series", 1 / (n + 1), step=Decimal(n) / 2, timestamp=AT) for n in range(4)),
        value("odd", "float_series", math.nan, step=Decimal(-3), timestamp=AT),
        value("weights", "file", {"path": "weights/model.bin"}),
    ]
    later = [
        value("odd", "float_series", math.inf, step=Decimal(1), timestamp=AT),
        value("monitoring/ab/stdout", "string_series", "a line of output\n", step=Decimal(0), timestamp=AT),
        value("notes", "string_series", "seven", step=Decimal(7), timestamp=AT),
        value("hist", "histogram_series", {"type": "COUNTING", "edges": [0.0, 1.0, 2.0], "values": [3.0, 4.0]}, step=7),
        value("samples", "file_series", {"path": "samples/7.png"}, step=Decimal(7), timestamp=AT),
        value("lost", "file", {"path": "lost.bin"}),
    ]
    neptune(folder, "RUN-1", parent)
    neptune(folder, "RUN-1", later, part=1)
    fork = [value("sys/creation_time", "datetime", AT), value("sys/forking/parent", "string", "RUN-1")]
    neptune(folder, "A-2", [*fork, value("sys/failed", "bool", True)])
    for name, content in (("weights/model.bin", b"weights"), ("samples/7.png", b"\x89PNG")):
        path = folder / "files" / "team_digits-12" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def test_neptune(run: Callable[..., Said], server: Server, tmp_path: Path) -> None:
    write_neptune(tmp_path)
    there = importing(run, server, "neptune", tmp_path, "neptune")
    first, second = there.iteration("first"), there.iteration("A-2")
    assert (first.notes, sorted(first.tags), first.labels["user"]) == ("a first try", ["baseline", "lr=0.1"], "ada")
    assert (first.created_date, first.end_date, first.status_id.name) == (AT, AT.replace(second=30), "SUCCEEDED")
    assert first.parameters == {"rate": "0.1", "layers": "3", "on": "True"}
    assert (second.parent_iteration_id, second.status_id.name) == (first.id, "FAILED")
    assert [step for step, _ in there.curve("first", "loss")] == [0, 0, 1, 1]
    assert there.curve("first", "odd") == [(-3, "nan"), (1, "inf")]
    assert set(there.files("first")) == {
        "weights.bin",
        "media/notes/00000007.txt",
        "media/hist/00000007.json",
        "media/samples/00000007.png",
    }
    assert there.content("first", "weights.bin", tmp_path) == b"weights"
    assert [line.text for line in there.client.iterations.output(first.id)] == ["a line of output"]
    rounded, lost = there.not_taken("first")
    assert rounded.startswith("the fractions of 2 steps of 'loss'")
    assert lost.startswith("file 'lost.bin': [Errno 2]")
    again = importing(run, server, "neptune", tmp_path / "data", "neptune", "--artifacts", str(tmp_path / "files"))
    assert ([*again.said["outcomes"]], again.size()) == (["unchanged"], there.size())
    finer = importing(run, server, "neptune", tmp_path, "halves", "--step-factor", "2")
    assert [step for step, _ in finer.curve("first", "loss")] == [0, 1, 2, 3]


def sqlite_file(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.executescript(DEARDIARY_JL.replace("ID", "INTEGER"))
        for table, rows in ROWS.items():
            database.executemany(f'INSERT INTO "{table}" VALUES ({", ".join("?" * len(rows[0]))})', rows)  # noqa: S608
    database.close()


def duckdb_file(path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    database = duckdb.connect(str(path))
    # Newer releases have texts as ids.
    database.execute(DEARDIARY_JL.replace("ID", "VARCHAR").replace("INTEGER", "BIGINT"))
    for table, rows in ROWS.items():
        database.executemany(f'INSERT INTO "{table}" VALUES ({", ".join("?" * len(rows[0]))})', rows)  # noqa: S608
    database.close()


@pytest.mark.parametrize("write", [sqlite_file, duckdb_file])
def test_deardiary_jl(run: Callable[..., Said], server: Server, tmp_path: Path, write: Callable[[Path], None]) -> None:
    write(tmp_path / "deardiary.db")
    there = importing(run, server, "deardiary-jl", tmp_path / "deardiary.db", write.__name__)
    (experiment,) = there.client.experiments.list(there.project)
    assert (experiment.name, experiment.description, experiment.status_id.name) == ("sweep", "of rates", "FINISHED")
    assert [tag.value for tag in there.client.tags.list("experiment", experiment.id)] == ["baseline"]
    first, second, third = there.iterations()
    assert (first.notes, first.created_date, list(first.tags)) == ("first", AT, ["baseline"])
    assert (first.status_id.name, first.parameters, first.julia_version) == ("SUCCEEDED", {"rate": "0.1"}, "1.11.2")
    snapshot = there.client.iterations.snapshot(first.id)
    assert (snapshot.project_toml, snapshot.git_dirty) == ('name = "Iris"', True)
    assert (second.parent_iteration_id, second.error_message) == (first.id, "BoundsError")
    assert third.status_id.name == "KILLED"
    assert there.curve(first.name, "loss") == [(-3, "inf"), (0, repr(0.1 + 0.2)), (0, "1.0")]
    assert there.content(first.name, "model.bin", tmp_path) == b"weights"
    loose = {each.name for each in there.client.resources.list(experiment.id) if each.iteration_id is None}
    assert loose == {"loose.txt"}
    (away,) = there.said["not_taken"]
    assert away.startswith("file 'away.txt': its bytes are at s3://bucket/key")
    versions = there.versions("iris")
    assert [(each.version, each.stage_id.name, bool(each.resource_id)) for each in versions] == [
        (1, "ARCHIVED", True),
        (3, "PRODUCTION", False),
    ]
    again = importing(run, server, "deardiary-jl", tmp_path / "deardiary.db", write.__name__)
    assert ([*again.said["outcomes"]], again.size()) == (["unchanged"], there.size())
