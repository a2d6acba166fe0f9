"""SageMaker jobs become iterations by their events, and are one with what their programs log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import deardiary
from chalicelib import clock
from chalicelib.aws import clients
from chalicelib.errors import NotFound
from chalicelib.routes import blueprints, upkeep
from chalicelib.routes.capture import capture
from chalicelib.services.capture import join as joining
from chalicelib.services.capture import naming, price
from deardiary.wire.shapes import IterationStatus
from tests.support.consistency import check_consistency
from tests.support.sagemaker import ARN, BEGAN, JOB, LIFE, capturing, deliver, event_of, training_job, tuning_job
from tests.support.server import Server, server_on_moto

END = BEGAN + timedelta(minutes=len(LIFE) - 1)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running_server:
        yield running_server


@pytest.fixture
def project(server: Server) -> Iterator[deardiary.Project]:
    created = server.client().projects.create("captures")
    with capturing(created.id):
        yield created


def found(server: Server, project_id: str) -> dict[str, dict[str, Any]]:
    """All iterations of the project as the table shows them, by experiment and name."""
    client, rows = server.client(), {}
    for experiment in client.experiments.list(project_id):
        path = f"/experiments/{experiment.id}/iterations?include=parameters,metrics,tags,labels"
        for row in server.call("GET", path).body["data"]:
            rows[f"{experiment.name}/{row['name']}"] = row
    return rows


def only(server: Server, project_id: str) -> dict[str, Any]:
    (row,) = found(server, project_id).values()
    return row


def content(row: dict[str, Any]) -> dict[str, Any]:
    """The row without its ids."""
    return {**row, "id": "", "experiment_id": "", "parent_iteration_id": "", "tags": sorted(row["tags"])}


def last(row: dict[str, Any]) -> dict[str, float]:
    return {key: summary["last"] for key, summary in row["metrics"].items()}


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    now = clock.now

    def move(minutes: float) -> None:
        monkeypatch.setattr(clock, "now", lambda: now() + timedelta(minutes=minutes))

    return move


def test_a_job_is_an_iteration_with_its_cost(server: Server, project: deardiary.Project) -> None:
    pipeline = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/p/execution/x"
    deliver(training_job(), event=event_of(training_job(), {"sagemaker:pipeline-execution-arn": pipeline}))
    row = found(server, project.id)[f"digits/{JOB}"]
    assert (row["status_id"], row["error_message"]) == (IterationStatus.SUCCEEDED, "")
    assert (row["created_date"], row["end_date"]) == ("2026-11-01T12:00:00.000Z", "2026-11-01T12:07:00.000Z")
    assert row["parameters"] == {
        "lr": "0.1",
        "optimizer": "adam",
        "sagemaker_job_name": JOB,
        "sagemaker_job_arn": f"{ARN}:training-job/{JOB}",
        "sagemaker_instance_type": "ml.m5.xlarge",
        "sagemaker_input_train": "File",
    }
    assert row["labels"] == {
        "sagemaker_status": "Completed",
        "sagemaker_secondary_status": "Completed",
        "sagemaker_image": "image:1",
        "sagemaker_instances": "2 x ml.m5.xlarge",
        "sagemaker_model_artifacts": f"s3://bucket/{JOB}/output/model.tar.gz",
        "sagemaker_training_start": "2026-11-01T12:01:00.000Z",
        "sagemaker_spot": "true",
        "sagemaker_interruptions": "1",
        "sagemaker_pipeline_execution": pipeline,
        "sagemaker_price": "USD an hour: 2 x ml.m5.xlarge 0.23, list price of 2026-09-01, us-east-1",
        "sagemaker_last_modified": "2026-11-01T12:07:00.000Z",
    }
    assert last(row) == {
        "loss": 0.25,
        "training_seconds": 360,
        "billable_seconds": 90,
        "spot_savings_percent": 75,
        "cost_usd": 0.0115,
    }
    assert sorted(row["tags"]) == sorted(["sagemaker", JOB])
    assert row["created_by"] == "sagemaker-capture"
    check_consistency()


ENDS = {
    "Completed": (IterationStatus.SUCCEEDED, ""),
    "Failed": (IterationStatus.FAILED, "AlgorithmError: ValueError: no data"),
    "Stopped": (IterationStatus.KILLED, "Stopped: Stopped of the job"),
    "MaxRuntimeExceeded": (IterationStatus.KILLED, "MaxRuntimeExceeded: MaxRuntimeExceeded of the job"),
    "MaxWaitTimeExceeded": (IterationStatus.KILLED, "MaxWaitTimeExceeded: MaxWaitTimeExceeded of the job"),
}


@pytest.mark.parametrize("end", ENDS)
def test_it_ends_as_the_job_ends(server: Server, project: deardiary.Project, end: str) -> None:
    for minutes in range(len(LIFE) - 1):
        deliver(training_job(minutes=minutes, end=end))
        row = only(server, project.id)
        assert (row["status_id"], row["end_date"]) == (IterationStatus.RUNNING, None)
        assert row["labels"]["sagemaker_secondary_status"] == LIFE[minutes]
        assert row["metrics"] == {}
    deliver(training_job(end=end))
    row = only(server, project.id)
    assert (row["status_id"], row["error_message"]) == ENDS[end]
    assert row["labels"].get("sagemaker_failure_reason") == (ENDS[end][1] if end == "Failed" else None)


TRAINED = ("Starting", "Downloading", "Training")
# The life of a job without its end, its end, what SageMaker has beside that, and how the iteration ends.
EARLY_ENDS: dict[str, tuple[tuple[str, ...], str, dict[str, Any], tuple[int, str]]] = {
    "no capacity": (
        ("Pending", "Starting"),
        "Failed",
        {"FailureReason": "CapacityError: Unable to provision"},
        (IterationStatus.FAILED, "CapacityError: Unable to provision"),
    ),
    "no image, and no reason": (
        ("Starting",),
        "Failed",
        {"FailureReason": ""},
        (IterationStatus.FAILED, "SageMaker gives no reason"),
    ),
    "no data": (
        ("Starting", "Downloading"),
        "Failed",
        {"FailureReason": "ClientError: Data download failed"},
        (IterationStatus.FAILED, "ClientError: Data download failed"),
    ),
    "stopped before it starts": (
        ("Starting", "Stopping"),
        "Stopped",
        {},
        (IterationStatus.KILLED, "Stopped: Stopped of the job"),
    ),
    "stopped while it trains": (
        (*TRAINED, "Stopping", "Uploading"),
        "Stopped",
        {},
        (IterationStatus.KILLED, "Stopped: Stopped of the job"),
    ),
    "interrupted, and never restarted": (
        (*TRAINED, "Interrupted"),
        "MaxWaitTimeExceeded",
        {},
        (IterationStatus.KILLED, "MaxWaitTimeExceeded: MaxWaitTimeExceeded of the job"),
    ),
    "interrupted, and failed at the restart": (
        (*TRAINED, "Interrupted", "Restarting"),
        "Failed",
        {},
        (IterationStatus.FAILED, "AlgorithmError: ValueError: no data"),
    ),
    "longer than allowed": (
        TRAINED,
        "MaxRuntimeExceeded",
        {},
        (IterationStatus.KILLED, "MaxRuntimeExceeded: MaxRuntimeExceeded of the job"),
    ),
}


@pytest.mark.parametrize("case", EARLY_ENDS)
@pytest.mark.parametrize("logs", [False, True])
def test_a_job_that_ends_early_ends_its_iteration_with_that_event(
    server: Server, project: deardiary.Project, case: str, logs: bool
) -> None:
    """Without the liveness sweep, which would wait. With `logs`, the script had begun, and was killed."""
    before, end, more, (status, message) = EARLY_ENDS[case]
    mine = start(server, project, "sweep") if logs else None
    for minutes in range(len(before)):
        deliver(training_job(before=before, end=end, minutes=minutes))
        assert only(server, project.id)["status_id"] == IterationStatus.RUNNING
    deliver(training_job(before=before, end=end, **more))
    row = only(server, project.id)
    assert mine is None or row["id"] == mine["id"]
    assert (row["status_id"], row["error_message"]) == (status, message)
    assert row["end_date"] == f"2026-11-01T12:{len(before):02}:00.000Z"
    assert ("cost_usd" in row["metrics"], "sagemaker_price" in row["labels"]) == (("Training" in before),) * 2
    assert row["labels"].get("sagemaker_interruptions") == ("1" if "Interrupted" in before else None)
    check_consistency()


COSTS: dict[str, tuple[dict[str, Any], float | None, str]] = {
    "a type that the list has not": (
        {"ResourceConfig": {"InstanceType": "ml.z9.huge", "InstanceCount": 1, "VolumeSizeInGB": 1}},
        None,
        "unknown: ml.z9.huge not in the list of prices of us-east-1",
    ),
    "another region": (
        {"TrainingJobArn": f"arn:aws:sagemaker:eu-west-1:123456789012:training-job/{JOB}"},
        0.0115,
        "USD an hour: 2 x ml.m5.xlarge 0.23, list price of 2026-09-01, us-east-1; prices of eu-west-1 differ",
    ),
    "a heterogeneous cluster": (
        {
            "ResourceConfig": {
                "VolumeSizeInGB": 1,
                "InstanceGroups": [
                    {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "InstanceGroupName": "a"},
                    {"InstanceType": "ml.g5.xlarge", "InstanceCount": 3, "InstanceGroupName": "b"},
                ],
            }
        },
        0.11135,
        "USD an hour: 1 x ml.m5.xlarge 0.23 + 3 x ml.g5.xlarge 1.408, list price of 2026-09-01, us-east-1",
    ),
    "prices of different dates": (
        {
            "ResourceConfig": {
                "VolumeSizeInGB": 1,
                "InstanceGroups": [
                    {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "InstanceGroupName": "a"},
                    {"InstanceType": "ml.c4.xlarge", "InstanceCount": 1, "InstanceGroupName": "b"},
                ],
            }
        },
        0.011725,
        "USD an hour: 1 x ml.m5.xlarge 0.23 + 1 x ml.c4.xlarge 0.239, list price of 2025-06-30, us-east-1",
    ),
    "a training plan": (
        {
            "ResourceConfig": {
                "InstanceType": "ml.p5.48xlarge",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
                "TrainingPlanArn": f"{ARN}:training-plan/plan-0123456789",
            }
        },
        None,
        "unknown: a training plan pays",
    ),
    "a job that never started": ({"BillableTimeInSeconds": None, "TrainingTimeInSeconds": None}, None, ""),
}


@pytest.mark.parametrize("case", COSTS)
def test_the_cost_says_what_it_is(server: Server, project: deardiary.Project, case: str) -> None:
    more, cost, source = COSTS[case]
    deliver({name: value for name, value in training_job(**more).items() if value is not None})
    row = only(server, project.id)
    assert last(row).get("cost_usd") == cost
    assert row["labels"].get("sagemaker_price", "") == source


def test_each_type_has_one_price_with_a_date_that_has_passed() -> None:
    found = json.loads(Path(price.__file__).with_name("prices.json").read_text())
    types = [kind for each in found["lists"] for kind in each["usd_per_hour"]]
    assert sorted(set(types)) == sorted(types)
    assert all(usd_per_hour > 0 for each in found["lists"] for usd_per_hour in each["usd_per_hour"].values())
    assert all(date.fromisoformat(each["date"]) <= clock.now().date() for each in found["lists"])
    assert all(each["source"] for each in found["lists"])


def test_costs_sort_the_table(server: Server, project: deardiary.Project) -> None:
    for number, billable in enumerate((90, 3600, 7)):
        deliver(training_job(f"digits-{number}", BillableTimeInSeconds=billable))
    experiment = next(iter(server.client().experiments.list(project.id)))
    query = 'order_by=metrics.cost_usd desc&filter=created_by = "sagemaker-capture"'
    path = f"/experiments/{experiment.id}/iterations?{query}"
    names = [row["name"] for row in server.call("GET", path).body["data"]]
    assert names == ["digits-1", "digits-0", "digits-2"]


NAMES = {
    JOB: "digits",
    "digits-7": "digits",
    "digits-20261129063318": "digits",
    "digits-261129-0633": "digits",
    "digits-261129-0633-001-1a2b3c4d": "digits",
    "resnet-v2": "resnet-v2",
    "pipelines-4r83jejmhorv-TrainAbaloneModel-xw869y8C4a": "TrainAbaloneModel",
    "89c96cc8-dded-4739-afcc-6f1dc936701d": "SageMaker",
    "digits-89c96cc8-dded-4739-afcc-6f1dc936701d": "digits",
    "2026": "SageMaker",
}


@pytest.mark.parametrize("job", NAMES)
def test_the_experiment_is_the_base_of_the_name(job: str) -> None:
    assert naming.base_of(job) == NAMES[job]


def test_the_environment_of_the_job_names_the_experiment(server: Server, project: deardiary.Project) -> None:
    deliver(training_job(Environment={"DEARDIARY_EXPERIMENT": "sweep"}))
    assert set(found(server, project.id)) == {f"sweep/{JOB}"}


STATES = [training_job(minutes=minutes) for minutes in range(len(LIFE))]


def after(server: Server, states: list[int]) -> dict[str, Any]:
    """The iteration after these states, in a project of its own."""
    created = server.client().projects.create("order")
    with capturing(created.id):
        for state in states:
            deliver(STATES[state])
        return content(only(server, created.id))


@pytest.fixture(scope="module")
def ended(server: Server) -> dict[str, Any]:
    return after(server, [len(LIFE) - 1])


@given(st.permutations(range(len(LIFE))), st.lists(st.integers(0, len(LIFE) - 1), max_size=6))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_events_in_any_order_and_number_give_the_same(
    server: Server, ended: dict[str, Any], order: list[int], repeated: list[int]
) -> None:
    """An old description stands for a function that was held up after it had asked SageMaker."""
    assert after(server, [*order, *repeated]) == ended


def test_a_forged_event_changes_nothing(server: Server, project: deardiary.Project) -> None:
    forged = event_of(training_job(end="Failed"))
    deliver(training_job(minutes=2), event=forged)
    row = only(server, project.id)
    assert (row["status_id"], row["error_message"]) == (IterationStatus.RUNNING, "")


def test_an_event_of_a_job_of_another_account_changes_nothing(server: Server, project: deardiary.Project) -> None:
    capture(event_of(training_job("unknown")), None)  # moto has no such job
    assert found(server, project.id) == {}


def test_a_job_of_moto_is_captured(server: Server, project: deardiary.Project) -> None:
    job = training_job("moto-1")
    names = ("TrainingJobName", "HyperParameters", "AlgorithmSpecification", "ResourceConfig", "StoppingCondition")
    given_fields = {name: job[name] for name in names}
    clients.client("sagemaker").create_training_job(
        **given_fields, RoleArn="arn:aws:iam::123456789012:role/job", OutputDataConfig={"S3OutputPath": "s3://b/o"}
    )
    capture(event_of(job), None)
    row = found(server, project.id)["moto/moto-1"]
    assert (row["status_id"], last(row)) == (IterationStatus.SUCCEEDED, {"train:progress": 100})


def start(server: Server, project: deardiary.Project, experiment: str, **given_fields: Any) -> Any:
    """The creation of an iteration as the client of the job sends it."""
    known = {each.name: each.id for each in server.client().experiments.list(project.id)}
    experiment_id = known.get(experiment) or server.client().experiments.create(project.id, experiment).id
    reply = server.call("POST", f"/experiments/{experiment_id}/iterations", {"id_key": JOB, **given_fields})
    assert reply.status in (200, 201), reply
    return reply.body


def flush(server: Server, iteration_id: str, batch_id: str = "1", **body: Any) -> int:
    return server.call("POST", f"/iterations/{iteration_id}/log", {"batch_id": batch_id, **body}).status


def point(value: float, minutes: float) -> dict[str, Any]:
    return {"key": "loss", "value": value, "recorded_at": (BEGAN + timedelta(minutes=minutes)).isoformat()}


@pytest.mark.parametrize("experiment", ["digits", "sweep"])
@pytest.mark.parametrize("captured_first", [True, False])
def test_the_program_and_the_capture_make_one_iteration(
    server: Server, project: deardiary.Project, experiment: str, captured_first: bool
) -> None:
    if captured_first:
        deliver(training_job(minutes=1))
    given_fields = {"name": "mine", "notes": "by hand", "labels": {"team": "nlp"}, "tags": ["baseline"]}
    mine = start(server, project, experiment, **given_fields)
    if not captured_first:
        deliver(training_job(minutes=1))
    assert (mine["name"], mine["notes"]) == ("mine", "by hand")
    parameters = {"lr": "0.2", "sagemaker_hyperparameter_lr": "0.1", "sagemaker_job_name": JOB}
    assert flush(server, mine["id"], parameters=parameters, metrics=[point(0.5, 3)]) == 201
    deliver(training_job())
    row = found(server, project.id)[f"{experiment}/mine"]
    assert len(found(server, project.id)) == 1
    assert row["id"] == mine["id"]
    assert row["created_by"] == server.client().whoami().id
    assert row["notes"] == "by hand"
    assert {"baseline", "sagemaker", JOB} == set(row["tags"])
    assert row["labels"]["team"] == "nlp"
    assert row["labels"]["sagemaker_status"] == "Completed"
    assert row["parameters"]["lr"] == "0.2"
    assert row["parameters"]["optimizer"] == "adam"
    assert row["metrics"]["loss"]["count"] == 1
    assert last(row)["loss"] == 0.5
    assert last(row)["cost_usd"] == 0.0115
    upkeep.run(60)
    check_consistency()


def test_a_run_without_a_name_keeps_that_of_its_job(server: Server, project: deardiary.Project) -> None:
    deliver(training_job(minutes=1))
    before = only(server, project.id)
    mine = start(server, project, "digits")
    assert (mine["id"], mine["name"], mine["created_by"]) == (before["id"], JOB, server.client().whoami().id)
    assert start(server, project, "digits", name="another")["name"] == JOB


def test_a_captured_run_with_notes_goes_into_the_trash_when_its_program_logs_elsewhere(
    server: Server, project: deardiary.Project
) -> None:
    deliver(training_job(minutes=1))
    captured = only(server, project.id)
    server.call("PATCH", f"/iterations/{captured['id']}", {"notes": "why is this slow?"})
    start(server, project, "sweep")
    assert [each["id"] for each in server.call("GET", f"/projects/{project.id}/trash").body["data"]] == [captured["id"]]


def test_a_parameter_of_the_program_cannot_be_changed_by_another_program(
    server: Server, project: deardiary.Project
) -> None:
    deliver(training_job(minutes=1))
    mine = start(server, project, "digits")
    for value, status in (("0.2", 201), ("0.2", 201), ("0.3", 409)):
        assert flush(server, mine["id"], value, parameters={"lr": value}) == status
    deliver(training_job())
    assert only(server, project.id)["parameters"]["lr"] == "0.2"


def test_a_captured_parameter_can_be_edited(server: Server, project: deardiary.Project) -> None:
    deliver(training_job(minutes=1))
    path = f"/iterations/{only(server, project.id)['id']}/parameters"
    (lr,) = [each for each in server.call("GET", path).body["data"] if each["key"] == "lr"]
    assert server.call("PATCH", f"/parameters/{lr['id']}", {"value": "7"}).status == 200
    deliver(training_job())
    assert only(server, project.id)["parameters"]["lr"] == "7"


@pytest.mark.parametrize("end", ["Failed", "Completed"])
def test_late_flushes_land_and_the_end_of_the_job_stays(server: Server, project: deardiary.Project, end: str) -> None:
    mine = start(server, project, "digits")
    flush(server, mine["id"], metrics=[point(0.5, 2)])
    deliver(training_job(end=end))
    assert flush(server, mine["id"], "2", metrics=[point(0.4, 3)], parameters={"late": "1"}, tags=["late"]) == 201
    assert flush(server, mine["id"], "3") == 201
    assert flush(server, mine["id"], "4", metrics=[{"key": "loss", "value": 0.3}]) == 201
    row = only(server, project.id)
    assert (row["status_id"], row["error_message"]) == ENDS[end]
    assert row["end_date"] == "2026-11-01T12:07:00.000Z"
    assert (row["metrics"]["loss"]["count"], row["parameters"]["late"]) == (3, "1")
    assert "late" in row["tags"]
    body = {"status_id": int(IterationStatus.FAILED), "error_message": "Traceback: the client's own"}
    assert server.call("PATCH", f"/iterations/{mine['id']}", body).status == 200
    deliver(training_job(end=end))
    assert only(server, project.id)["error_message"] == "Traceback: the client's own"
    assert flush(server, mine["id"], "5", metrics=[{"key": "loss", "value": 0.2}]) == 422
    check_consistency()


def test_the_end_that_the_program_has_set_stays(server: Server, project: deardiary.Project) -> None:
    mine = start(server, project, "digits")
    body = {"status_id": int(IterationStatus.KILLED), "error_message": "SIGTERM"}
    server.call("PATCH", f"/iterations/{mine['id']}", body)
    deliver(training_job(end="Failed"))
    row = only(server, project.id)
    assert (row["status_id"], row["error_message"]) == (IterationStatus.KILLED, "SIGTERM")
    assert row["labels"]["sagemaker_failure_reason"] == ENDS["Failed"][1]
    assert last(row)["cost_usd"] == 0.0115


def test_a_silent_job_is_not_lost_and_its_end_stays(server: Server, project: deardiary.Project, later: Any) -> None:
    """The sweep waits as long as SageMaker lets the job run, and an end that it has set gives way to the job's."""
    deliver(training_job(minutes=1))
    mine = start(server, project, "sweep")
    deliver(training_job("silent", minutes=1))
    later(60)
    assert upkeep.run(60)
    rows = {row["id"]: row for row in found(server, project.id).values()}
    assert rows[mine["id"]]["error_message"].startswith("Lost")
    (silent,) = (row for row in rows.values() if row["name"] == "silent")
    assert silent["status_id"] == IterationStatus.RUNNING
    deliver(training_job())
    deliver(training_job("silent", end="Failed"))
    later(60 * 24 * 40)
    assert upkeep.run(60)
    ended = {row["id"]: row for row in found(server, project.id).values()}
    assert (ended[mine["id"]]["status_id"], ended[mine["id"]]["error_message"]) == ENDS["Completed"]
    assert (ended[silent["id"]]["status_id"], ended[silent["id"]]["error_message"]) == ENDS["Failed"]


def test_the_other_processes_of_a_job_end_with_it(server: Server, project: deardiary.Project) -> None:
    mine = start(server, project, "digits")
    body = {"parent_iteration_id": mine["id"], "name": "rank-1"}
    path = f"/experiments/{mine['experiment_id']}/iterations"
    running, own = (server.call("POST", path, {**body, "name": name}).body for name in ("rank-1", "rank-2"))
    server.call("PATCH", f"/iterations/{own['id']}", {"status_id": int(IterationStatus.SUCCEEDED)})
    deliver(training_job(end="Failed"))
    rows = {row["id"]: row["status_id"] for row in found(server, project.id).values()}
    assert rows[running["id"]] == rows[mine["id"]] == IterationStatus.FAILED
    assert rows[own["id"]] == IterationStatus.SUCCEEDED


@pytest.mark.parametrize("query", ["", "?purge=true"])
@pytest.mark.parametrize("experiment", ["digits", "sweep"])
def test_a_deleted_run_does_not_come_back(
    server: Server, project: deardiary.Project, query: str, experiment: str
) -> None:
    if experiment == "sweep":
        start(server, project, experiment)
    deliver(training_job(minutes=1))
    row = only(server, project.id)
    assert server.call("DELETE", f"/iterations/{row['id']}{query}").status in (202, 204)
    deliver(training_job())
    assert found(server, project.id) == {}
    server.call("DELETE", f"/experiments/{row['experiment_id']}{query}")
    deliver(training_job())
    assert found(server, project.id) == {}


def test_trials_are_children_of_their_tuning_job(server: Server, project: deardiary.Project) -> None:
    tuning = "digits-261129-0633"
    trials = [f"{tuning}-{number:03}-1a2b3c4d" for number in (1, 2)]
    for trial in trials:
        deliver(training_job(trial, TuningJobArn=f"{ARN}:hyper-parameter-tuning-job/{tuning}"))
    deliver(tuning_job(tuning, minutes=3))
    rows = found(server, project.id)
    parent = rows[f"digits/{tuning}"]
    assert parent["status_id"] == IterationStatus.RUNNING
    assert parent["labels"]["sagemaker_strategy"] == "Bayesian"
    for trial in trials:
        assert rows[f"digits/{trial}"]["parent_iteration_id"] == parent["id"]
        assert rows[f"digits/{trial}"]["parameters"]["sagemaker_tuning_job"] == tuning
    deliver(tuning_job(tuning, status="Completed", minutes=9))
    deliver(tuning_job(tuning, minutes=3))
    parent = found(server, project.id)[f"digits/{tuning}"]
    assert (parent["status_id"], parent["end_date"]) == (IterationStatus.SUCCEEDED, "2026-11-01T12:09:00.000Z")


def test_an_ended_experiment_takes_no_job(server: Server, project: deardiary.Project) -> None:
    experiment = server.client().experiments.create(project.id, "digits")
    server.call("PATCH", f"/experiments/{experiment.id}", {"status_id": 3})
    deliver(training_job())
    assert found(server, project.id) == {}
    mine = start(server, project, "sweep")  # the facts wait for a program that logs elsewhere
    assert last(only(server, project.id))["cost_usd"] == 0.0115
    assert mine["end_date"] == "2026-11-01T12:07:00.000Z"


def test_without_its_project_the_function_fails(server: Server, project: deardiary.Project) -> None:
    server.call("DELETE", f"/projects/{project.id}")
    with pytest.raises(NotFound):
        capture(event_of(training_job()), None)


def test_an_error_of_sagemaker_fails_so_that_the_event_is_repeated(
    server: Server, project: deardiary.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(client: Any, operation: str, arguments: Any) -> Any:
        if client.meta.service_model.service_name == "sagemaker":
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, operation)
        return call(client, operation, arguments)

    client_class: Any = BaseClient
    call = client_class._make_api_call
    monkeypatch.setattr(client_class, "_make_api_call", refuse)
    with pytest.raises(ClientError):
        capture(event_of(training_job()), None)


def test_other_projects_are_as_before(server: Server, project: deardiary.Project) -> None:
    deliver(training_job(minutes=1))
    other = server.client().projects.create("other")
    start(server, other, "digits")
    assert only(server, other.id)["labels"] == {}
    assert only(server, project.id)["name"] == JOB


ROLE = "arn:aws:iam::123456789012:role/service-role/train"
# The name in the job's environment, its role, the pattern, its rights, and whether the job is in the named project.
PLACES: dict[str, tuple[str, str, str, dict[str, bool], bool]] = {
    "allowed": ("theirs", ROLE, "role/train", {}, True),
    "allowed by a wildcard": ("theirs", ROLE, "role/tr*", {}, True),
    "another role": ("theirs", ROLE, "role/other", {}, False),
    "a user of the role's name": ("theirs", ROLE, "user/train", {}, False),
    "another account": ("theirs", ROLE.replace("12345", "54321"), "role/train", {}, False),
    "no right to create": ("theirs", ROLE, "role/train", {"read_only": True}, False),
    "another name": ("Theirs", ROLE, "role/train", {}, False),
    "the name of a project that does not allow the role": ("captures", ROLE, "role/train", {}, False),
    "no ARN": ("theirs", "role-that-is-no-arn-of-iam", "role/train", {}, False),
    "no name": ("", ROLE, "role/train", {}, False),
}


@pytest.mark.parametrize("case", PLACES)
@pytest.mark.parametrize("captured_first", [True, False])
def test_a_job_is_in_the_project_of_its_environment_if_that_allows_its_role(
    server: Server, project: deardiary.Project, case: str, captured_first: bool
) -> None:
    name, role, pattern, rights, is_there = PLACES[case]
    theirs = server.client().projects.create("theirs")
    made = {"pattern": f"arn:aws:iam::123456789012:{pattern}", "project_id": theirs.id, **rights}
    identity = server.call("POST", "/auth/identities", made).body["id"]
    more: dict[str, Any] = {
        "RoleArn": role,
        "Environment": {"DEARDIARY_PROJECT": name, "DEARDIARY_EXPERIMENT": "sweep"},
    }
    if captured_first:
        deliver(training_job(minutes=1, **more))
    mine = start(server, theirs, "sweep", tags=["sagemaker", JOB])
    deliver(training_job(minutes=2, **more))
    deliver(training_job(end="Failed", **more))
    row = only(server, theirs.id)
    assert row["id"] == mine["id"]
    assert ("cost_usd" in row["metrics"], row["status_id"] == IterationStatus.FAILED) == (is_there, is_there)
    assert len(found(server, project.id)) == (not is_there)
    server.call("DELETE", f"/auth/identities/{identity}")
    server.call("DELETE", f"/projects/{theirs.id}?purge=true")
    check_consistency()


def test_a_job_stays_where_it_was_captured_first(server: Server, project: deardiary.Project) -> None:
    theirs = server.client().projects.create("later")
    more: dict[str, Any] = {"RoleArn": ROLE, "Environment": {"DEARDIARY_PROJECT": "later"}}
    deliver(training_job(minutes=1, **more))
    server.client().identities.create(ROLE, theirs.id)
    deliver(training_job(**more))
    assert only(server, project.id)["status_id"] == IterationStatus.SUCCEEDED
    assert found(server, theirs.id) == {}


def test_a_deleted_project_takes_no_job(server: Server, project: deardiary.Project) -> None:
    theirs = server.client().projects.create("gone")
    server.client().identities.create(ROLE, theirs.id)
    server.call("DELETE", f"/projects/{theirs.id}")
    deliver(training_job(RoleArn=ROLE, Environment={"DEARDIARY_PROJECT": "gone"}))
    assert only(server, project.id)["status_id"] == IterationStatus.SUCCEEDED


def test_trials_and_their_tuning_job_are_in_one_project(server: Server, project: deardiary.Project) -> None:
    theirs = server.client().projects.create("tunes")
    server.client().identities.create(ROLE, theirs.id)
    place: dict[str, Any] = {"RoleArn": ROLE, "Environment": {"DEARDIARY_PROJECT": "tunes"}}
    tuning, job = "digits-261129-0634", training_job()
    required = ("AlgorithmSpecification", "StoppingCondition")
    definition = place | {name: job[name] for name in required} | {"OutputDataConfig": {"S3OutputPath": "s3://b/o"}}
    deliver(training_job(f"{tuning}-001-1a2b3c4d", TuningJobArn=f"{ARN}:hyper-parameter-tuning-job/{tuning}", **place))
    deliver(tuning_job(tuning, status="Completed", minutes=9) | {"TrainingJobDefinition": definition})
    rows = found(server, theirs.id)
    assert set(rows) == {f"digits/{tuning}", f"digits/{tuning}-001-1a2b3c4d"}
    assert {row["status_id"] for row in rows.values()} == {IterationStatus.SUCCEEDED}
    assert found(server, project.id) == {}


def test_without_the_setting_there_is_no_function(server: Server, project: deardiary.Project) -> None:
    assert blueprints.wanted() == (*blueprints.MODULES, "capture")
    with capturing(""):
        assert blueprints.wanted() == blueprints.MODULES


class Died(BaseException):
    """The process ends here."""


def test_a_function_that_dies_at_any_write_is_completed_by_the_next(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a program's iteration in another experiment, which came between two events."""

    def run(die_at: int) -> tuple[dict[str, Any], int]:
        created = server.client().projects.create("dies")
        writes = 0

        def count(client: Any, operation: str, arguments: Any) -> Any:
            nonlocal writes
            if operation in ("TransactWriteItems", "UpdateItem", "PutItem", "DeleteItem", "BatchWriteItem"):
                writes += 1
                if writes == die_at:
                    raise Died
            return call(client, operation, arguments)

        with capturing(created.id):
            deliver(training_job(minutes=1))
            with monkeypatch.context() as patch:
                patch.setattr(joining, "settle", lambda *_: None)
                start(server, created, "sweep", name="mine")
            with monkeypatch.context() as patch:
                patch.setattr(client_class, "_make_api_call", count)
                with suppress(Died):
                    deliver(training_job())
            deliver(training_job())
            return content(only(server, created.id)), writes

    client_class: Any = BaseClient
    call = client_class._make_api_call
    expected, writes = run(0)
    assert writes > 5
    for die_at in range(1, writes + 1):
        got, _ = run(die_at)
        assert {**got, "created_date": ""} == {**expected, "created_date": ""}
    check_consistency()
