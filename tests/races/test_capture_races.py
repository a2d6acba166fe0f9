"""Events of one job at once, while its program begins to log: one iteration, and everything in it once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.aws import sagemaker
from chalicelib.routes.capture import capture
from tests.support.consistency import check_consistency
from tests.support.emulator import Emulator
from tests.support.events import BUS, mailbox
from tests.support.sagemaker import JOB, LIFE, capturing, deliver, event_of, training_job
from tests.support.server import Server, server_on_emulator


@pytest.mark.parametrize("experiment", ["digits", "sweep"])
def test_events_and_the_program_at_once_make_one_iteration(
    real_server: Server, monkeypatch: pytest.MonkeyPatch, experiment: str
) -> None:
    client = real_server.client()
    project = client.projects.create("at once")
    experiment_id = client.experiments.create(project.id, experiment).id
    real_server.token()
    described = iter([training_job(minutes=minutes) for minutes in range(len(LIFE))] * 2)
    monkeypatch.setattr(sagemaker, "describe_training_job", lambda _name: next(described))

    def begin(_: int) -> Any:
        body = {"id_key": JOB, "name": "mine"}
        return real_server.call("POST", f"/experiments/{experiment_id}/iterations", body)

    def happen(_: int) -> Any:
        capture(event_of(training_job()), None)

    with capturing(project.id), ThreadPoolExecutor(6) as pool:
        for each in [pool.submit(act, 0) for act in (happen, begin, happen, begin, happen, happen)]:
            each.result()
        monkeypatch.setattr(sagemaker, "describe_training_job", lambda _name: training_job())
        for each in [pool.submit(happen, 0) for _ in range(3)]:
            each.result()
        mine = begin(0).body
    rows = []
    for one in client.experiments.list(project.id):
        path = f"/experiments/{one.id}/iterations?include=metrics,parameters,tags"
        rows += real_server.call("GET", path).body["data"]
    (row,) = rows
    assert (row["id"], row["name"], row["experiment_id"]) == (mine["id"], "mine", experiment_id)
    assert {summary["count"] for summary in row["metrics"].values()} == {1}
    assert set(row["metrics"]) == {"loss", "training_seconds", "billable_seconds", "spot_savings_percent", "cost_usd"}
    assert row["end_date"] == "2026-11-01T12:07:00.000Z"
    check_consistency()


def test_the_end_of_a_job_is_one_event(emulator: Emulator) -> None:
    with server_on_emulator(emulator.environment(), DEARDIARY_EVENT_BUS=BUS) as server, mailbox() as box:
        project = server.client().projects.create("tells")
        with capturing(project.id):
            for job in (training_job(minutes=1), training_job(end="Failed"), training_job(end="Failed")):
                deliver(job)
        (told,) = box.details()
        assert (told["event"], told["iteration"]["name"]) == ("failed", JOB)
        assert told["iteration"]["error"] == "AlgorithmError: ValueError: no data"
        check_consistency()
