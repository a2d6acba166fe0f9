"""One record: MLflow's clients read what other clients log, and the other way round."""

from __future__ import annotations

from typing import Any

from tests.support.api import found, made, new_experiment, new_iteration, new_project
from tests.support.mlflow import Mlflow
from tests.support.server import Server


def test_what_mlflow_logs_is_in_the_record(server: Server) -> None:
    project = new_project(server)
    mlflow = Mlflow(server, workspace=project)
    experiment = mlflow.new_experiment(name="sweep", tags=[{"key": "mlflow.note.content", "value": "why"}])
    run = mlflow.new_run(experiment, run_name="first", tags=[{"key": "team", "value": "vision"}], start_time=1000)
    points = [{"key": "loss", "value": 1.0 / (1 + step), "timestamp": 2000 + step, "step": step} for step in range(3)]
    found(mlflow.post("runs/log-batch", run_id=run, metrics=points, params=[{"key": "lr", "value": "0.1"}]))
    found(mlflow.post("runs/update", run_id=run, status="FINISHED", end_time=9000))

    (listed,) = found(server.call("GET", f"/projects/{project}/experiments"))["data"]
    assert (listed["id"], listed["name"], listed["description"]) == (experiment, "sweep", "why")
    query = "?include=parameters,metrics&filter=metrics.loss%20%3C%200.5"
    (row,) = found(server.call("GET", f"/experiments/{experiment}/iterations{query}"))["data"]
    assert (row["id"], row["name"], row["status_id"], row["labels"]) == (run, "first", 2, {"team": "vision"})
    assert (row["created_date"], row["end_date"]) == ("1970-01-01T00:00:01.000Z", "1970-01-01T00:00:09.000Z")
    assert row["parameters"] == {"lr": "0.1"}
    assert row["metrics"]["loss"]["count"] == 3


def test_what_our_client_logs_is_read_by_mlflow(server: Server) -> None:
    project = new_project(server)
    experiment = new_experiment(server, project, name="ours", description="why")
    parent = new_iteration(server, experiment)
    run = new_iteration(
        server, experiment, name="first", notes="a note", parent_iteration_id=parent, labels={"team": "vision"}
    )
    batch: dict[str, Any] = {
        "batch_id": "1",
        "parameters": {"lr": "0.1"},
        "metrics": [{"key": "loss", "value": 0.25, "step": 7, "recorded_at": "2026-01-01T00:00:00Z"}],
    }
    made(server.call("POST", f"/iterations/{run}/log", batch))
    used = {"kind": "dataset", "name": "iris", "digest": "d", "source": "s3://x", "context": "training"}
    made(server.call("POST", f"/iterations/{run}/inputs", used))
    found(server.call("PATCH", f"/iterations/{run}", {"git_sha": "1" * 40, "entrypoint": "train.py"}))
    found(server.call("PATCH", f"/iterations/{run}", {"status_id": 3}))

    for mlflow in (Mlflow(server, workspace=project), Mlflow(server)):
        got = mlflow.run(run)
        assert (got["info"]["status"], got["info"]["run_name"]) == ("FAILED", "first")
        assert got["tags"] == {
            "team": "vision",
            "mlflow.note.content": "a note",
            "mlflow.parentRunId": parent,
            "mlflow.source.git.commit": "1" * 40,
            "mlflow.source.name": "train.py",
            "mlflow.runName": "first",
        }
        assert (got["metrics"], got["params"]) == ({"loss": 0.25}, {"lr": "0.1"})
        (one,) = got["inputs"]["dataset_inputs"]
        assert (one["dataset"]["name"], one["tags"]) == ("iris", [{"key": "mlflow.data.context", "value": "training"}])
        assert mlflow.search(experiment, filter="metrics.loss = 0.25 AND tags.team = 'vision'") == [run]
        assert mlflow.experiment(experiment)["tags"] == {"mlflow.note.content": "why"}
        (point,) = found(mlflow.get("metrics/get-history", run_id=run, metric_key="loss"))["metrics"]
        assert point == {"key": "loss", "value": 0.25, "step": 7, "timestamp": 1767225600000}
    # MLflow may annotate and extend it after its end.
    mlflow = Mlflow(server)
    found(mlflow.post("runs/log-batch", run_id=run, params=[{"key": "late", "value": "1"}]))
    parameters = found(server.call("GET", f"/iterations/{run}/parameters"))["data"]
    assert {each["key"] for each in parameters} == {"lr", "late"}


def test_an_iteration_that_is_deleted_here_is_deleted_there(server: Server) -> None:
    project = new_project(server)
    mlflow = Mlflow(server, workspace=project)
    run = mlflow.new_run()
    assert server.call("DELETE", f"/iterations/{run}").status == 204
    assert mlflow.run(run)["info"]["lifecycle_stage"] == "deleted"
    found(mlflow.post("runs/restore", run_id=run))
    assert server.call("GET", f"/iterations/{run}").status == 200
    found(mlflow.post("runs/delete", run_id=run))
    (entry,) = found(server.call("GET", f"/projects/{project}/trash"))["data"]
    assert entry["id"] == run
    assert server.call("DELETE", f"/trash/{run}").status == 204
    assert mlflow.get("runs/get", run_id=run).status == 404
