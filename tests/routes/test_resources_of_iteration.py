"""The resources of one iteration are found without reading those of the others."""

from __future__ import annotations

import pytest

from benchmarks.kit.metering import Meter
from tests.support.api import found, new_experiment, new_iteration, new_resource
from tests.support.consistency import check_consistency
from tests.support.older import forget_links
from tests.support.server import Server


@pytest.mark.parametrize("is_older", [False, True])
def test_they_are_listed_page_by_page(server: Server, is_older: bool) -> None:
    experiment = new_experiment(server)
    iteration, other = new_iteration(server, experiment), new_iteration(server, experiment)
    mine = [new_resource(server, experiment, str(n).encode(), iteration_id=iteration)["id"] for n in range(3)]
    new_resource(server, experiment, b"other", iteration_id=other)
    if is_older:
        forget_links(iteration, *mine)
    path = f"/experiments/{experiment}/resources?iteration_id={iteration}&limit=2"
    first = found(server.call("GET", path))
    second = found(server.call("GET", f"{path}&cursor={first['next_cursor']}"))
    assert [each["id"] for each in first["data"] + second["data"]] == mine
    assert second["next_cursor"] is None


@pytest.mark.parametrize("is_older", [False, True])
def test_a_purge_removes_them(server: Server, is_older: bool) -> None:
    experiment = new_experiment(server)
    iteration = new_iteration(server, experiment)
    mine = [new_resource(server, experiment, str(n).encode(), iteration_id=iteration)["id"] for n in range(2)]
    kept = new_resource(server, experiment, b"kept")["id"]
    if is_older:
        forget_links(iteration, *mine)
    assert server.call("DELETE", f"/iterations/{iteration}?purge=true").status < 300
    listed = found(server.call("GET", f"/experiments/{experiment}/resources"))["data"]
    assert [each["id"] for each in listed] == [kept]
    check_consistency()


def test_neither_reads_the_resources_of_others(server: Server) -> None:
    experiment = new_experiment(server)
    iteration, other = new_iteration(server, experiment), new_iteration(server, experiment)
    mine = new_resource(server, experiment, b"mine", iteration_id=iteration)["id"]
    others = {new_resource(server, experiment, str(n).encode(), iteration_id=other)["id"] for n in range(3)}
    with Meter.attached() as meter, meter.measuring() as calls:
        listed = found(server.call("GET", f"/experiments/{experiment}/resources?iteration_id={iteration}"))["data"]
        assert server.call("DELETE", f"/iterations/{iteration}?purge=true").status < 300
    assert [each["id"] for each in listed] == [mine]
    assert not {key.sk.removeprefix("RESOURCE#") for call in calls for key in call.keys} & others


def test_an_iteration_of_another_experiment_has_none_here(server: Server) -> None:
    experiment, foreign = new_experiment(server), new_experiment(server)
    iteration = new_iteration(server, foreign)
    new_resource(server, foreign, b"foreign", iteration_id=iteration)
    assert found(server.call("GET", f"/experiments/{experiment}/resources?iteration_id={iteration}"))["data"] == []
