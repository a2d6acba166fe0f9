"""The memory of an export and of an import does not grow with the points of one metric: they are read in windows."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import dataset, parquet

import deardiary
from deardiary_exchange import on_disk, source
from deardiary_exchange import points as batching
from deardiary_exchange.export import export_project
from deardiary_exchange.folder import Folder
from deardiary_exchange.imported import import_folder
from deardiary_exchange.on_disk import PointsOnDisk, windows
from deardiary_exchange.writer import TableWriter
from tests.support.mortal import Killed, mortal
from tests.support.server import Server, server_on_moto

FEW = 1000
STEPS = st.integers(-5, 5) | st.integers(-(2**63), 2**63 - 1)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture(scope="module")
def project(server: Server) -> str:
    """A project whose only iteration has one long metric, late points and equal steps included, and a short one."""
    client = server.client()
    project = client.projects.create("long").id
    experiment = client.experiments.create(project, "one")
    iteration = client.iterations.create(experiment.id)
    steps = [*range(10, 6000), *range(10), *[7] * 20]
    for number, start in enumerate(range(0, len(steps), 700)):
        part = steps[start : start + 700]
        columns: dict[str, list[Any]] = {
            "step": part,
            "value": [step / 7 for step in part],
            "recorded_at": [TIME] * len(part),
        }
        short: dict[str, list[Any]] = {"step": [number], "value": ["NaN"], "recorded_at": [TIME]}
        client.iterations.log_columns(iteration.id, {"long": columns, "short": short}, batch_id=str(number))
    client.iterations.update(iteration.id, status_id=deardiary.IterationStatus.SUCCEEDED)
    return project


TIME = "2026-11-23T00:00:00.000Z"


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of points that a command holds together, with a small bound on them."""
    found: list[int] = []

    def counting(owner: Any, name: str, size: Any) -> None:
        original = getattr(owner, name)

        def counted(*given: Any) -> Any:
            found.append(size(*given))
            return original(*given)

        monkeypatch.setattr(owner, name, counted)

    monkeypatch.setattr(on_disk, "HELD_POINTS", FEW)
    monkeypatch.setattr(on_disk, "WINDOW_POINTS", FEW)
    monkeypatch.setattr(source, "_MOST_POINTS", FEW)
    counting(TableWriter, "add_table", lambda _, table: table.num_rows)
    counting(batching, "_not_in", lambda wanted, present: max(wanted.shape[1], present.shape[1]))
    return found


def exported(client: deardiary.Client, project: str, folder: Path) -> Any:
    export_project(client, project, Folder(str(folder)))
    return dataset.dataset(folder / "metrics").to_table().to_pylist()


def test_an_export_in_windows_is_that_of_all_points_at_once(
    server: Server, project: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    at_once = exported(server.client(), project, tmp_path / "at once")
    sizes = request.getfixturevalue("sizes")
    in_windows = exported(server.client(), project, tmp_path / "in windows")
    assert list(map(repr, in_windows)) == list(map(repr, at_once))
    assert len(in_windows) == 6020 + 9
    assert FEW / 2 < max(sizes) <= FEW


def test_an_import_that_goes_on_compares_in_windows(
    server: Server, project: str, tmp_path: Path, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = server.client()
    before = exported(client, project, tmp_path / "export")
    # Row groups of few rows, as those of a large export are few of many.
    (path,) = (tmp_path / "export" / "metrics").glob("0*.parquet")
    parquet.write_table(parquet.read_table(path), path, row_group_size=FEW)
    sizes.clear()
    monkeypatch.setattr(batching, "_BATCH_POINTS", 900)
    counted, transport = mortal(server)
    load(counted, tmp_path / "export", "counted")
    killed, _ = mortal(server, transport.requests - 4)
    with pytest.raises(Killed):
        load(killed, tmp_path / "export", "resumed")
    load(client, tmp_path / "export", "resumed")
    assert FEW / 2 < max(sizes) <= FEW
    (there,) = client.projects.list(name="resumed")
    after = exported(client, there.id, tmp_path / "again")
    assert [without_id(row) for row in after] == [without_id(row) for row in before]


def load(client: deardiary.Client, folder: Path, name: str) -> None:
    reports = list(import_folder(client, Folder(str(folder)), name, progress=lambda *_: None))
    assert [each.outcome in ("created", "completed") for each in reports] == [True], reports


def without_id(row: dict[str, Any]) -> str:
    return repr({name: value for name, value in row.items() if name != "iteration_id"})


@given(st.lists(st.lists(STEPS, min_size=1), min_size=1), st.integers(1, 4))
def test_windows_have_each_point_once_and_few_points(parts: list[list[int]], most: int) -> None:
    with mock.patch.multiple(on_disk, HELD_POINTS=most, WINDOW_POINTS=most), PointsOnDisk(2) as store:
        for number, part in enumerate(parts):
            store.add("key", array("q", part), array("q", [number] * len(part)))
        found = [store.rows("key", low, high) for low, high in windows("key", store)]
        steps = sorted(step for part in parts for step in part)
        assert sorted(numpy.concatenate(found, axis=1)[0].tolist()) == steps
        assert all(before[0].max() < after[0].min() for before, after in pairwise(found))
        assert all(rows.shape[1] <= most or len({*rows[0].tolist()}) == 1 for rows in found)
        assert store.count == len(steps)
