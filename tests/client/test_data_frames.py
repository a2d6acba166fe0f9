"""Histories and tables as columns and data frames, the best iteration, and what a notebook shows of objects."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pandas
import polars
import pytest

import deardiary
from deardiary.entities.records import Point
from deardiary.http.transport import Request
from deardiary.wire.html import MOST_ROWS
from deardiary.wire.shapes import Download, UploadRequest
from deardiary.wire.times import EPOCH, from_many_milliseconds, from_milliseconds
from tests.support.server import Server, server_on_moto

TIMES = [datetime(2026, 1, 2, 3, 4, 5, 678000, timezone.utc), datetime(1969, 12, 31, tzinfo=timezone.utc)]
POINTS = [
    Point("loss", 0.5, 0, TIMES[0]),
    Point("loss", math.nan, 1, TIMES[1]),
    Point("acc", 1.5, -3, TIMES[0]),
]
ROWS = [("acc", -3, 1.5, TIMES[0]), ("loss", 0, 0.5, TIMES[0]), ("loss", 1, math.nan, TIMES[1])]
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running


@pytest.fixture(scope="module")
def client(server: Server) -> deardiary.Client:
    return server.client()


@pytest.fixture(scope="module")
def experiment(client: deardiary.Client) -> deardiary.Experiment:
    """Three iterations: one of everything, one with NaN only, one without anything."""
    found = client.experiments.create(client.projects.create("frames").id, "e")
    first = client.iterations.create(found.id, name="first", labels={"team": "nlp"}, tags=["a", "b"])
    client.parameters.create(first.id, "lr", "0.1")
    client.metrics.batch(first.id, POINTS[::2])
    second = client.iterations.create(found.id, name="second")
    client.metrics.batch(second.id, [Point("loss", math.nan, 0)])
    client.iterations.create(found.id, name=SCRIPT)
    return found


@pytest.fixture(scope="module")
def iteration(client: deardiary.Client) -> deardiary.Iteration:
    found = client.iterations.create(client.experiments.create(client.projects.create("points").id, "e").id)
    client.metrics.batch(found.id, POINTS)
    return found


def rows_of(frame: Any) -> list[tuple[Any, ...]]:
    """The rows of any of the frames, as plain values."""
    if isinstance(frame, pandas.DataFrame):
        return [tuple(each) for each in frame.astype(object).itertuples(index=False)]
    if isinstance(frame, polars.DataFrame):
        return frame.rows()
    return [tuple(row.values()) for row in frame.to_pylist()]


def types_of(frame: Any) -> dict[str, str]:
    if isinstance(frame, pandas.DataFrame):
        return {name: str(kind) for name, kind in frame.dtypes.items()}
    if isinstance(frame, polars.DataFrame):
        return {name: str(kind) for name, kind in frame.schema.items()}
    return {field.name: str(field.type) for field in frame.schema}


TYPES = {
    "pandas": ["category", "int64", "float64", "datetime64[ms, UTC]"],
    "polars": ["Categorical", "Int64", "Float64", "Datetime(time_unit='ms', time_zone='UTC')"],
    "arrow": ["dictionary<values=string, indices=int32, ordered=0>", "int64", "double", "timestamp[ms, tz=UTC]"],
}
BACKENDS = sorted(TYPES)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_history_is_a_frame(client: deardiary.Client, iteration: deardiary.Iteration, backend: Any) -> None:
    frame = client.metrics.to_dataframe(iteration, backend=backend)
    assert list(types_of(frame).items()) == list(
        zip(("key", "step", "value", "recorded_at"), TYPES[backend], strict=True)
    )
    assert repr([row[:3] for row in rows_of(frame)]) == repr([row[:3] for row in ROWS])
    assert [row[3] for row in rows_of(frame)] == [row[3] for row in ROWS]
    some = client.metrics.to_dataframe(iteration.id, keys=["loss"], max_step=0, backend=backend)
    assert rows_of(some) == ROWS[1:2]
    none = client.metrics.to_dataframe(iteration, keys=["nothing"], backend=backend)
    assert rows_of(none) == []
    assert types_of(none) == types_of(frame)


def test_a_history_is_columns(client: deardiary.Client, iteration: deardiary.Iteration) -> None:
    columns = client.metrics.columns(iteration, ("loss", "acc"))
    assert list(columns) == ["key", "step", "value", "recorded_at"]
    assert columns["key"] == ["loss", "loss", "acc"]
    assert columns["step"] == [0, 1, -3]
    assert columns["recorded_at"] == [TIMES[0], TIMES[1], TIMES[0]]
    assert columns["recorded_at"][0].tzinfo is timezone.utc
    assert len(pandas.DataFrame(columns)) == 3


def test_many_times_are_converted_like_one() -> None:
    near = [0, 1, 999, 1_764_000_000_123, 4_102_444_799_999]
    near += [number * 4_099_999_937 % 4_102_444_800_000 for number in range(3000)]
    for times in (near, [-1, *near], [*near, 2**62, -(2**62)], []):
        assert from_many_milliseconds(times) == list(map(from_milliseconds, times))
    assert from_many_milliseconds([0])[0] == EPOCH


@pytest.mark.parametrize("backend", BACKENDS)
def test_iterations_are_a_frame(client: deardiary.Client, experiment: deardiary.Experiment, backend: Any) -> None:
    frame = client.iterations.to_dataframe(experiment, order_by="created_date", backend=backend)
    names = list(types_of(frame))
    first, second, third = (dict(zip(names, row, strict=True)) for row in rows_of(frame))
    assert [each["name"] for each in (first, second, third)] == ["first", "second", SCRIPT]
    assert (first["parameters.lr"], first["metrics.loss"], first["labels.team"]) == ("0.1", 0.5, "nlp")
    assert list(first["tags"]) == ["a", "b"]
    assert first["status_id"] == 1
    assert abs((first["created_date"] - datetime.now(timezone.utc)).total_seconds()) < 600
    assert math.isnan(second["metrics.loss"])
    absent = [third[name] for name in ("parameters.lr", "labels.team", "end_date")]
    assert all(each is None or each != each for each in absent)
    few = client.iterations.to_dataframe(experiment.id, filter='name = "first"', backend=backend)
    assert [row[0] for row in rows_of(few)] == [first["id"]]
    none = client.iterations.to_dataframe(experiment, filter='name = "x"', metrics=["loss"], backend=backend)
    assert rows_of(none) == []


def test_types_do_not_depend_on_the_values(client: deardiary.Client, experiment: deardiary.Experiment) -> None:
    given: Any = {"metrics": ["loss"], "parts": ["last", "count"], "fields": ["end_date", "created_date", "status_id"]}
    whole = client.iterations.to_dataframe(experiment, **given)
    absent = client.iterations.to_dataframe(experiment, filter="metrics.loss is null", **given)
    kinds = {
        "metrics.loss": "float64",
        "metrics.loss.count": "Int64",
        "end_date": "datetime64[ms, UTC]",
        "created_date": "datetime64[ms, UTC]",
        "status_id": "int64",
    }
    for frame in (whole, absent):
        assert {name: kind for name, kind in types_of(frame).items() if name != "id"} == kinds


def test_an_absent_package_is_named_before_the_download(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server answers at this address."""
    offline = deardiary.connect("http://127.0.0.1:9", token="x")
    for backend, package in (("pandas", "pandas"), ("polars", "polars"), ("arrow", "pyarrow")):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(ImportError, match=rf'pip install "deardiary\[{backend}\]"'):
            offline.metrics.to_dataframe("x", backend=backend)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="backend is 'excel'; it can be pandas, polars, arrow"):
        offline.iterations.to_dataframe("x", backend="excel")  # type: ignore[arg-type]


def test_the_best_iteration(client: deardiary.Client) -> None:
    experiment = client.experiments.create(client.projects.create("best").id, "e")
    for name, values in {"low": [3.0, 1.0], "high": [0.5, 2.0], "nan": [9.0, math.nan], "none": []}.items():
        iteration = client.iterations.create(experiment.id, name=name)
        if values:
            client.metrics.batch(iteration.id, [Point("acc", each, step) for step, each in enumerate(values)])

    def best(*arguments: Any, **more: Any) -> str | None:
        found = client.iterations.best(experiment, *arguments, **more)
        return None if found is None else found.name

    assert (best("metrics.acc", "max"), best("metrics.acc", "min")) == ("high", "low")
    assert best("metrics.acc.max", "max") == "nan"
    assert best("metrics.acc", "max", filter='name = "low" or name = "none"') == "low"
    assert best("metrics.other", "max") is None
    found = client.iterations.best(experiment.id, "metrics.acc", "max")
    assert found is not None
    assert found.metrics is not None
    assert found.metrics["acc"].last == 2.0
    with pytest.raises(ValueError, match="mode is 'most'"):
        best("metrics.acc", "most")
    with pytest.raises(deardiary.Invalid):
        best("acc ~ 1", "max")


def test_a_notebook_shows_objects_escaped(client: deardiary.Client, experiment: deardiary.Experiment) -> None:
    listed = client.iterations.list(experiment.id, include=["parameters", "metrics", "tags"])
    shown: Any = listed
    page = shown._repr_html_()
    assert page == shown._repr_html_()
    assert SCRIPT not in page
    assert "&lt;script&gt;" in page
    assert "lr = 0.1" in page
    # Shown, not consumed.
    iterations = list(listed)
    assert [each.name for each in iterations] == ["first", "second", SCRIPT]
    others: list[Any] = [iterations[2], client.iterations.columns(experiment.id)]
    for each in others:
        assert SCRIPT not in each._repr_html_()
        assert "&lt;script&gt;" in each._repr_html_()


def test_a_notebook_shows_the_first_of_many(client: deardiary.Client) -> None:
    experiment = client.experiments.create(client.projects.create("many").id, "e")
    for number in range(MOST_ROWS + 2):
        client.iterations.create(experiment.id, name=f"run-{number}")
    shown: Any = client.iterations.list(experiment.id)
    assert repr(shown) == f"<list of Iteration of /experiments/{experiment.id}/iterations>"
    assert shown._repr_html_().count("<tr>") == 1 + MOST_ROWS
    assert "and more rows" in shown._repr_html_()
    assert len(list(shown)) == MOST_ROWS + 2
    table: Any = client.iterations.columns(experiment.id)
    assert f"{MOST_ROWS} of {MOST_ROWS + 2} rows" in table._repr_html_()


def test_a_running_iteration_is_shown_with_its_page(server: Server) -> None:
    with deardiary.start("shown", SCRIPT, parameters={"lr": SCRIPT}, client=server.client()) as iteration:
        iteration.log_parameters({"depth": 3})
        page = iteration._repr_html_()
    assert SCRIPT not in page
    assert "depth = 3" in page
    assert f'href="{iteration.url}"' in page


def test_no_secret_is_shown(client: deardiary.Client, server: Server) -> None:
    token = client.tokens.create("laptop")
    assert token.token
    signed = "https://store.example/blob?X-Amz-Signature=secret"
    upload = UploadRequest(method="PUT", url=signed, headers={"x": "secret"}, offset=0, size_bytes=1)
    download = Download(url=signed, expires_at=TIMES[0], size_bytes=1, content_hash="")
    sent = Request(method="GET", url=signed, headers={"Authorization": "Bearer secret"})
    for each in (token, upload, download, sent, client):
        texts = [repr(each), str(each)] + ([each._repr_html_()] if hasattr(each, "_repr_html_") else [])
        assert all("secret" not in text and token.token not in text for text in texts), texts
        assert all(server.token() not in text for text in texts)
    assert repr(client) == "<Client of http://127.0.0.1:9>"
