"""The server returns the data of a training run, logged through the real client, bit for bit."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import pytest

import deardiary
from deardiary import ClientError, IterationStatus
from tests.support.server import Server

VALUES = [0.1 + 0.2, -0.0, 5e-324, 1.7976931348623157e308, math.nan, math.inf, -math.inf, 1 / 3]


def bits(values: list[float]) -> list[bytes]:
    return [struct.pack("<d", value) for value in values]


def test_a_run_comes_back_as_it_was_logged(server: Server, tmp_path: Path) -> None:
    client = server.client()
    (tmp_path / "model.pkl").write_bytes(b"weights")
    parameters = {"lr": 1e-3, "optimizer": "adam", "name": "ü\n日本"}
    with deardiary.start("Iris", "sweep", parameters=parameters, tags=["baseline"], client=client) as run:
        for value in VALUES:
            run.log({"loss": value, "steps/taken": 1.0})
        run.log({"loss": 9.0}, step=2**63 - 1)
        resource = run.log_resource(tmp_path / "model.pkl")
    read = list(client.metrics.list(run.id, key="loss"))
    assert bits([point.value for point in read]) == bits([*VALUES, 9.0])
    assert [point.step for point in read] == [*range(len(VALUES)), 2**63 - 1]
    assert {each.key: each.value for each in client.parameters.list(run.id)} == {
        "lr": "0.001",
        "optimizer": "adam",
        "name": "ü\n日本",
    }
    assert [tag.value for tag in client.tags.list("iteration", run.id)] == ["baseline"]
    assert client.resources.download(resource.id, tmp_path / "copy").read_bytes() == b"weights"
    assert client.iterations.get(run.id).status_id is IterationStatus.SUCCEEDED


def test_children_know_their_parent(server: Server) -> None:
    client = server.client()
    with deardiary.start("Iris", "sweep", client=client) as sweep:
        for rate in (0.1, 0.01):
            with sweep.child(parameters={"lr": rate}) as trial:
                trial.log({"loss": rate})
    children = list(client.iterations.children(sweep.id))
    assert [child.parent_iteration_id for child in children] == [sweep.id] * 2


def test_a_name_is_found_again(server: Server) -> None:
    client = server.client()
    runs = [deardiary.start("Iris", "sweep", client=client) for _ in range(3)]
    for run in runs:
        run.finish()
    assert len({run.experiment_id for run in runs}) == 1
    assert [project.name for project in client.projects.list()] == ["Iris"]


def test_a_failure_is_recorded_and_goes_on(server: Server) -> None:
    client = server.client()
    with pytest.raises(ZeroDivisionError), deardiary.start("Iris", "sweep", client=client) as run:
        1 / 0  # noqa: B018
    ended = client.iterations.get(run.id)
    assert ended.status_id is IterationStatus.FAILED
    assert "ZeroDivisionError" in ended.error_message


@pytest.mark.parametrize(
    ("act", "status", "code"),
    [
        (lambda client: client.iterations.get("0" * 24), 404, "NOT_FOUND"),
        (lambda client: client.projects.create(""), 422, "INVALID_PAYLOAD"),
        (lambda client: client.users.create("admin", "long enough"), 409, "CONFLICT"),
    ],
)
def test_errors_are_client_errors(server: Server, act: object, status: int, code: str) -> None:
    with pytest.raises(ClientError) as caught:
        act(server.client())  # type: ignore[operator]
    assert (caught.value.status, caught.value.code) == (status, code)
