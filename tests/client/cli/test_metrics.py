"""``deardiary metrics``: curves without writing Python."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest

import deardiary
from deardiary import IterationStatus, Point
from deardiary.cli.plot import draw

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.client.cli.conftest import Said
    from tests.support.server import Server

    Run = Callable[..., Said]


@pytest.fixture(scope="module")
def experiment(server: Server) -> str:
    client = server.client()
    return client.experiments.create(client.projects.create("Curves").id, "e").id


@pytest.fixture
def iteration(client: deardiary.Client, experiment: str) -> str:
    """The id of an iteration with a hundred points of a falling loss, the last one NaN."""
    made = client.iterations.create(experiment).id
    points = [Point("loss", 1 / (step + 1), step) for step in range(99)] + [Point("loss", float("nan"), 99)]
    client.metrics.batch(made, points)
    return made


def test_ls_gives_each_metric_a_line(run: Run, iteration: str) -> None:
    lines = run("metrics", "ls", iteration[:13]).out.splitlines()
    assert lines[0].split() == ["metric", "count", "first", "last", "min", "max", "last", "step"]
    assert lines[2].split() == ["loss", "100", "1", "nan", "0.010101", "1", "99"]
    assert run("metrics", iteration, "--json").json["loss"]["count"] == 100


def test_show_prints_points_as_a_table_and_as_csv_bit_for_bit(run: Run, iteration: str) -> None:
    table = run("metrics", "show", iteration, "loss").out.splitlines()
    assert len(table) == 102
    assert table[3].split()[:2] == ["1", "0.5"]
    rows = list(csv.DictReader(io.StringIO(run("metrics", "show", iteration, "loss", "--csv").out)))
    assert [float(row["value"]) for row in rows[:3]] == [1.0, 0.5, 1 / 3]
    assert rows[-1]["value"] == "nan"
    assert len(run("metrics", "show", iteration, "loss", "--max-points", "10", "--json").json["step"]) <= 10
    missing = run("metrics", "show", iteration, "nothing")
    assert (missing.status, "'nothing'" in missing.err) == (1, True)


def test_follow_prints_points_that_come_until_the_end(
    run: Run, client: deardiary.Client, iteration: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        """Simulate the training: log a point at the first wait, end the iteration at the second."""
        waits.append(seconds)
        if len(waits) == 1:
            client.metrics.batch(iteration, [Point("loss", 0.25, 100)])
        elif len(waits) == 2:
            client.iterations.update(iteration, status_id=IterationStatus.SUCCEEDED)
        assert len(waits) < 5

    monkeypatch.setattr("deardiary.cli.metric.time.sleep", wait)
    lines = run("metrics", "show", iteration, "loss", "--follow", "--csv").out.splitlines()
    assert len(lines) == 1 + 100 + 1
    assert lines[-1].startswith("100,0.25,")
    refused = run("metrics", "show", iteration, "loss", "--follow", "--json")
    assert (refused.status, "--follow" in refused.err) == (2, True)


def test_plot_draws_one_or_several_curves(run: Run, client: deardiary.Client, iteration: str, experiment: str) -> None:
    lines = run("metrics", "plot", iteration, "loss").out.splitlines()
    assert lines[0] == "loss"
    assert all(len(line) <= 80 for line in lines)
    assert lines[1].split()[0] == "1"
    assert lines[-1] == "Not drawn: 1 values that are NaN or infinite"
    other = client.iterations.create(experiment).id
    client.metrics.batch(other, [Point("loss", 5.0, 0), Point("loss", 4.0, 50)])
    both = run("metrics", "plot", iteration, other, "loss").out
    assert f"* {iteration[:10]}" in both
    assert f"+ {other[:10]}" in both
    assert run("metrics", "plot", iteration, "nothing").status == 1


@pytest.mark.parametrize(
    "values",
    [[], [1.0], [2.0, 2.0], [1.7e308, -1.7e308], [float("nan")], [float("inf"), 1.0, -1.0], [1e-320, 5e-324]],
)
@pytest.mark.parametrize("curves", [1, 2])
def test_any_values_can_be_drawn(values: list[float], curves: int) -> None:
    series = {str(number): (list(range(len(values))), values) for number in range(curves)}
    lines = list(draw("loss", series, 60, 15))
    assert lines[0] == "loss"
    assert all(len(line) <= 60 for line in lines)
