"""Parameters of many iterations, read in one Query: only those that the search names."""

from __future__ import annotations

import pytest

from chalicelib.storage.parameter import read_parameters_of_span
from tests.support.api import new_experiment, new_iteration
from tests.support.server import Server


@pytest.mark.parametrize("number", [0, 1, 100, 101, 1500])
def test_only_the_named_parameters_are_read(server: Server, number: int) -> None:
    experiment = new_experiment(server)
    iteration = new_iteration(server, experiment)
    parameters = {"p0": "1", "p100": "2", "not named": "3"}
    body = {"batch_id": "b", "parameters": parameters}
    server.call("POST", f"/iterations/{iteration}/log", body)
    names = [f"p{index}" for index in range(number)]
    wanted = {name: parameters[name] for name in names if name in parameters}
    read = read_parameters_of_span(experiment, iteration, iteration, names)
    assert read == ({iteration: wanted} if wanted else {})
