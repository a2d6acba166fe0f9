"""`deardiary iterations ls --follow`: the table again after each change."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

import deardiary
from deardiary import IterationStatus, Point

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.client.cli.conftest import Said

    Run = Callable[..., Said]


@pytest.fixture
def experiment(client: deardiary.Client, request: pytest.FixtureRequest) -> str:
    return client.experiments.create(client.projects.create(request.node.name).id, "e").id


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """What happens in each pause between two polls, in order; then Ctrl-C."""
    happens: list[Callable[[], object]] = []

    def sleep(_seconds: float) -> None:
        if not happens:
            raise KeyboardInterrupt
        happens.pop(0)()

    monkeypatch.setattr(time, "sleep", sleep)
    return happens


def test_the_table_comes_again_after_each_change(
    client: deardiary.Client, run: Run, experiment: str, pauses: list[Callable[[], object]]
) -> None:
    one = client.iterations.create(experiment, name="one")
    client.parameters.create(one.id, "rate", "0.125")
    pauses += [
        lambda: client.metrics.batch(one.id, [Point("loss", 0.5)]),
        lambda: client.iterations.create(experiment, name="another"),
        lambda: client.iterations.update(one.id, status_id=IterationStatus.FAILED),
    ]
    said = run("iterations", "ls", experiment, "--follow")
    first, logged, created, ended = said.out.split("id  ")[1:]
    assert "0.125" in first
    assert "0.5" not in first
    assert "another" not in logged
    assert ("0.125" in logged, "0.5" in logged) == (True, True)
    assert created.index("another") < created.index("one")
    assert "FAILED" in ended


def test_a_deleted_iteration_leaves_the_table(
    client: deardiary.Client, run: Run, experiment: str, pauses: list[Callable[[], object]]
) -> None:
    one, _ = (client.iterations.create(experiment, name=name) for name in ("one", "another"))
    pauses.append(lambda: client.iterations.delete(one.id))
    first, *_, last = run("iterations", "ls", experiment, "--follow").out.split("id  ")[1:]
    assert ("one" in first, "another" in first) == (True, True)
    assert ("one" in last, "another" in last) == (False, True)


@pytest.mark.parametrize("option", [("--json",), ("--filter", "metrics.loss < 1"), ("--order-by", "name")])
def test_it_follows_whole_experiments_only(run: Run, experiment: str, option: tuple[str, ...]) -> None:
    said = run("iterations", "ls", experiment, "--follow", *option)
    assert (said.status, "whole experiment" in said.err) == (2, True)
