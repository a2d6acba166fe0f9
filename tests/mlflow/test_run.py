"""Runs of the MLflow face: create, change, delete, log."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.services.lifecycle import liveness
from tests.support.api import found
from tests.support.mlflow import Mlflow, refusal


def _log(mlflow: Mlflow, run: str, **body: Any) -> None:
    assert found(mlflow.post("runs/log-batch", run_id=run, **body)) == {}


def _history(mlflow: Mlflow, run: str, key: str) -> list[tuple[int, int, Any]]:
    points = found(mlflow.get("metrics/get-history", run_id=run, metric_key=key))["metrics"]
    return [(each["timestamp"], each["step"], each["value"]) for each in points]


def _point(key: str, value: Any, time: int, step: int) -> dict[str, Any]:
    return {"key": key, "value": value, "timestamp": time, "step": step}


def test_a_new_run_reads_back(mlflow: Mlflow) -> None:
    experiment = mlflow.new_experiment()
    tags = [{"key": "mlflow.user", "value": "ada"}, {"key": "mlflow.note.content", "value": "why"}]
    run = mlflow.new_run(experiment, user_id="bob", run_name="first", start_time="1000", tags=tags)
    got = mlflow.run(run)
    assert got["info"] == {
        "run_id": run,
        "run_uuid": run,
        "run_name": "first",
        "experiment_id": experiment,
        "user_id": "bob",
        "status": "RUNNING",
        "start_time": 1000,
        "artifact_uri": f"mlflow-artifacts:/workspaces/{mlflow.workspace}/{experiment}/{run}/artifacts",
        "lifecycle_stage": "active",
    }
    assert got["tags"] == {"mlflow.user": "ada", "mlflow.note.content": "why", "mlflow.runName": "first"}
    assert got["metrics"] == got["params"] == {}


def test_a_run_without_a_name_gets_one(mlflow: Mlflow) -> None:
    got = mlflow.run(mlflow.new_run())
    assert got["info"]["run_name"] == got["tags"]["mlflow.runName"] != ""
    named = mlflow.new_run(tags=[{"key": "mlflow.runName", "value": "tagged"}])
    assert mlflow.run(named)["info"]["run_name"] == "tagged"


def test_a_parent_of_the_experiment_is_the_parent_of_the_record(mlflow: Mlflow) -> None:
    experiment = mlflow.new_experiment()
    parent = mlflow.new_run(experiment)
    tags = {name: [{"key": "mlflow.parentRunId", "value": value}] for name, value in (("in", parent), ("out", "A#b"))}
    child, other = mlflow.new_run(experiment, tags=tags["in"]), mlflow.new_run(experiment, tags=tags["out"])
    late = mlflow.new_run(experiment)
    found(mlflow.post("runs/set-tag", run_id=late, key="mlflow.parentRunId", value=parent))
    stored = {run: mlflow.server.call("GET", f"/iterations/{run}").body for run in (child, other, late)}
    assert [stored[run]["parent_iteration_id"] for run in (child, other, late)] == [parent, None, parent]
    assert mlflow.run(other)["tags"]["mlflow.parentRunId"] == "A#b"


@pytest.mark.parametrize(
    ("status", "stored"),
    [("FINISHED", 2), ("FAILED", 3), ("KILLED", 4), ("RUNNING", 1), ("SCHEDULED", 1), (3, 2), ("4", 3)],
)
def test_every_status_follows_every_other(mlflow: Mlflow, status: str | int, stored: int) -> None:
    run = mlflow.new_run()
    for before in ("FINISHED", "SCHEDULED", "FAILED"):
        found(mlflow.post("runs/update", run_id=run, status=before, end_time=2000))
        info = found(mlflow.post("runs/update", run_id=run, status=status, end_time=3000))["run_info"]
        names = {3: "FINISHED", "4": "FAILED"}
        assert info["status"] == mlflow.run(run)["info"]["status"] == names.get(status, status)
        assert info.get("end_time") == (None if stored == 1 else 3000)
        iteration = mlflow.server.call("GET", f"/iterations/{run}").body
        assert iteration["status_id"] == stored


def test_nothing_is_locked_after_the_end(mlflow: Mlflow) -> None:
    run = mlflow.new_run()
    found(mlflow.post("runs/update", run_id=run, status="FINISHED", end_time=5000))
    _log(mlflow, run, metrics=[_point("m", 1.0, 9000, 0)], params=[{"key": "p", "value": ""}])
    found(mlflow.post("runs/log-metric", run_id=run, **_point("m", 2.0, 9001, 1)))
    found(mlflow.post("runs/log-parameter", run_id=run, key="q", value="1"))
    found(mlflow.post("runs/set-tag", run_id=run, key="t", value="u"))
    dataset = {"name": "d", "digest": "1", "source_type": "s", "source": "{}"}
    found(mlflow.post("runs/log-inputs", run_id=run, datasets=[{"dataset": dataset}]))
    found(mlflow.post("runs/update", run_id=run, run_name="late"))
    got = mlflow.run(run)
    assert (got["metrics"], got["params"]) == ({"m": 2.0}, {"p": "", "q": "1"})
    assert got["tags"] == {"t": "u", "mlflow.runName": "late"}
    assert (got["info"]["status"], got["info"]["end_time"]) == ("FINISHED", 5000)
    assert got["inputs"]["dataset_inputs"][0]["dataset"] == dataset


def test_a_deleted_run_is_read_and_not_written(mlflow: Mlflow) -> None:
    run = mlflow.new_run()
    for _ in range(2):
        found(mlflow.post("runs/delete", run_id=run))
    assert mlflow.run(run)["info"]["lifecycle_stage"] == "deleted"
    for path, body in [
        ("set-tag", {"key": "a", "value": "b"}),
        ("log-metric", _point("m", 1, 1, 1)),
        ("log-parameter", {"key": "a", "value": "b"}),
        ("log-batch", {}),
        ("log-inputs", {}),
        ("update", {"run_name": "x"}),
        ("delete-tag", {"key": "a"}),
    ]:
        message = f"The run {run} must be in the 'active' state. Current state is deleted."
        assert refusal(mlflow.post(f"runs/{path}", run_id=run, **body)) == (400, "INVALID_PARAMETER_VALUE", message)
    for _ in range(2):
        found(mlflow.post("runs/restore", run_id=run))
    assert mlflow.run(run)["info"]["lifecycle_stage"] == "active"


def test_an_unknown_run_is_named(mlflow: Mlflow) -> None:
    for unknown in ("0pgl", "not an id", "A#B"):
        reply = mlflow.get("runs/get", run_id=unknown)
        assert refusal(reply) == (404, "RESOURCE_DOES_NOT_EXIST", f"Run with id={unknown} not found")


def test_the_same_points_are_stored_once(mlflow: Mlflow) -> None:
    run = mlflow.new_run()
    points = [_point("loss", 1.0 / (1 + step), 100 + step, step) for step in range(10)]
    for _ in range(3):
        _log(mlflow, run, metrics=points)
        found(mlflow.post("runs/log-metric", run_id=run, **points[0]))
    _log(mlflow, run, metrics=[points[0]] * 5)
    assert _history(mlflow, run, "loss") == [(100 + step, step, 1.0 / (1 + step)) for step in range(10)]
    # The record itself has each point of a repeated request once.
    _log(mlflow, run, metrics=[_point("once", 1, 1, 1)] * 5)
    _log(mlflow, run, metrics=[_point("once", 1, 1, 1)])
    stored = mlflow.server.call("GET", f"/iterations/{run}/metrics?key=once").body["data"]
    assert len(stored) == 1


def test_the_history_is_in_the_order_of_time_step_and_value(mlflow: Mlflow) -> None:
    run = mlflow.new_run()
    points = [(5, 0, 1.0), (1, 7, 2.0), (1, -3, 3.0), (1, -3, "NaN"), (5, 0, "-Infinity"), (2, 2**62, 1e300)]
    _log(mlflow, run, metrics=[_point("m", value, time, step) for time, step, value in points])
    ordered = [(1, -3, 3.0), (1, -3, "NaN"), (1, 7, 2.0), (2, 2**62, 1e300), (5, 0, "-Infinity"), (5, 0, 1.0)]
    assert _history(mlflow, run, "m") == ordered
    assert _history(mlflow, run, "none") == []
    # The last by step, then time, then value.
    last = next(each for each in found(mlflow.get("runs/get", run_id=run))["run"]["data"]["metrics"])
    assert last == {"key": "m", "value": 1e300, "timestamp": 2, "step": 2**62}
    asked = {"run_id": run, "metric_key": "m", "max_results": 4}
    first = found(mlflow.get("metrics/get-history", **asked))
    second = found(mlflow.get("metrics/get-history", page_token=first["next_page_token"], **asked))
    assert "next_page_token" not in second
    pages = first["metrics"] + second["metrics"]
    assert [(each["timestamp"], each["step"], each["value"]) for each in pages] == ordered


@pytest.mark.parametrize(("values", "last"), [([1.0, 3.0, 2.0], 3.0), (["NaN", 1.0], 1.0), ([1.0, "NaN"], 1.0)])
def test_of_points_at_one_step_and_time_the_highest_is_the_last(mlflow: Mlflow, values: list[Any], last: Any) -> None:
    run = mlflow.new_run()
    _log(mlflow, run, metrics=[_point("m", value, 1, 1) for value in values])
    assert mlflow.run(run)["metrics"] == {"m": last}


def test_a_param_has_one_value(mlflow: Mlflow) -> None:
    run = mlflow.new_run()
    for _ in range(2):
        found(mlflow.post("runs/log-parameter", run_id=run, key="lr", value="1"))
    reply = mlflow.post("runs/log-parameter", run_id=run, key="lr", value="2")
    message = (
        f"Changing param values is not allowed. Param with key='lr' was already logged with value='1' for run"
        f" ID='{run}'. Attempted logging new value '2'."
    )
    assert refusal(reply) == (400, "INVALID_PARAMETER_VALUE", message)
    _log(mlflow, run, params=[{"key": "long", "value": "x" * 7000}])
    assert mlflow.run(run)["params"] == {"lr": "1", "long": "x" * 6000}


def test_a_failing_batch_stores_nothing(mlflow: Mlflow) -> None:
    run = mlflow.new_run()
    found(mlflow.post("runs/log-parameter", run_id=run, key="lr", value="1"))
    good = {"metrics": [_point("m", 1, 1, 1)], "tags": [{"key": "t", "value": "u"}]}
    for bad in (
        {"params": [{"key": "new", "value": "1"}, {"key": "lr", "value": "2"}]},
        {"params": [{"key": "new", "value": "1"}, {"key": "new", "value": "1"}]},
        {"params": [{"key": "new", "value": "1"}, {"value": "1"}]},
        {"metrics": [*good["metrics"], {"key": "x", "value": 1}]},
    ):
        reply = mlflow.post("runs/log-batch", **{"run_id": run, **good, **bad})
        assert refusal(reply)[:2] == (400, "INVALID_PARAMETER_VALUE")
    got = mlflow.run(run)
    assert (got["metrics"], got["params"]) == ({}, {"lr": "1"})
    assert got["tags"].keys() == {"mlflow.runName"}


MANY = [{"key": f"k{number}", "value": "1"} for number in range(101)]
POINTS = [_point("m", 1, 1, number) for number in range(1001)]


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        (
            "log-batch",
            {"metrics": [{"key": "m", "value": 1}]},
            "Missing value for required parameter 'metrics[0].timestamp'.",
        ),
        (
            "log-batch",
            {"metrics": [{"key": "m", "timestamp": 1}]},
            "Missing value for required parameter 'metrics[0].value'.",
        ),
        (
            "log-batch",
            {"metrics": [{"value": 1, "timestamp": 1}]},
            "Missing value for required parameter 'metrics[0].key'.",
        ),
        ("log-batch", {"tags": [{"value": "1"}]}, "Missing value for required parameter 'tags[0].key'."),
        (
            "log-batch",
            {"metrics": POINTS},
            "A batch logging request can contain at most 1000 metrics. Got 1001 metrics.",
        ),
        ("log-batch", {"params": MANY}, "A batch logging request can contain at most 100 params. Got 101 params."),
        ("log-batch", {"tags": MANY}, "A batch logging request can contain at most 100 tags. Got 101 tags."),
        (
            "log-batch",
            {"metrics": POINTS[:950], "params": MANY[:51]},
            "A batch logging request can contain at most 1000 metrics, params, and tags.",
        ),
        (
            "log-batch",
            {"metrics": {}},
            "Invalid value {} for parameter 'metrics' supplied:  Hint: Value was of type 'dict'.",
        ),
        (
            "log-batch",
            {"run_id": 31},
            "Invalid value 31 for parameter 'run_id' supplied:  Hint: Value was of type 'int'.",
        ),
        (
            "log-metric",
            {"key": "m", "value": "x", "timestamp": 1},
            "Invalid value \"x\" for parameter 'value' supplied",
        ),
        ("log-metric", {"key": "m", "value": 1}, "Missing value for required parameter 'timestamp'."),
        ("log-metric", _point("m", 1, -1, 0), "Invalid value -1 for parameter 'timestamp' supplied: metric 'm'"),
        ("log-metric", _point("m", 1, 2**60, 0), "Invalid value 1152921504606846976 for parameter 'timestamp'"),
        ("log-metric", _point("m", 1, 1, 2**63), "Invalid value 9223372036854775808 for parameter 'step' supplied"),
        ("log-metric", _point("../m", 1, 1, 1), "Invalid value \"../m\" for parameter 'name' supplied: Names may"),
        ("log-metric", _point("m" * 251, 1, 1, 1), "'Metric name' exceeds the maximum length of 250 characters"),
        ("log-parameter", {"key": "p\n", "value": "1"}, "Invalid value \"p\\n\" for parameter 'key' supplied"),
        ("log-parameter", {"value": "1"}, "Missing value for required parameter 'key'."),
        ("set-tag", {"value": "1"}, "Missing value for required parameter 'key'."),
        ("set-tag", {"key": "deardiary.mlflow.status"}, "Invalid value"),
        ("update", {"status": "DONE"}, "Invalid value \"DONE\" for parameter 'status' supplied"),
        ("update", {"status": "FINISHED", "end_time": -1}, "Invalid value -1 for parameter 'end_time' supplied"),
        (
            "log-inputs",
            {"datasets": [{"dataset": {"name": "d"}}]},
            "Missing value for required parameter 'datasets[0].dataset.digest'.",
        ),
    ],
)
def test_bad_input_names_the_parameter(mlflow: Mlflow, path: str, body: dict[str, Any], message: str) -> None:
    reply = mlflow.post(f"runs/{path}", **{"run_id": mlflow.new_run(), **body})
    assert refusal(reply)[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert refusal(reply)[2].startswith(message)


@pytest.mark.parametrize("path", ["get", "update", "delete", "log-metric", "log-batch"])
def test_a_request_without_a_run_says_so(mlflow: Mlflow, path: str) -> None:
    reply = mlflow.get("runs/get") if path == "get" else mlflow.post(f"runs/{path}", **_point("m", 1, 1, 1))
    assert refusal(reply)[2].startswith("Missing value for required parameter 'run_id'.")


def test_a_missing_run_is_told_before_other_faults(mlflow: Mlflow) -> None:
    reply = mlflow.post("runs/log-inputs", datasets=["{}"])
    assert refusal(reply)[2].startswith("Missing value for required parameter 'run_id'.")


def test_a_run_may_be_named_by_its_old_field(mlflow: Mlflow) -> None:
    run = mlflow.new_run()
    assert found(mlflow.get("runs/get", run_uuid=run))["run"]["info"]["run_id"] == run


def test_tags_of_fields_are_set_and_deleted(mlflow: Mlflow) -> None:
    run = mlflow.new_run()
    given = {"mlflow.note.content": "why", "mlflow.source.git.commit": "1" * 40, "mlflow.source.name": "train.py"}
    _log(mlflow, run, tags=[{"key": key, "value": value} for key, value in given.items()])
    stored = mlflow.server.call("GET", f"/iterations/{run}").body
    assert (stored["notes"], stored["git_sha"], stored["entrypoint"]) == ("why", "1" * 40, "train.py")
    assert mlflow.run(run)["tags"].items() >= given.items()
    for key in given:
        found(mlflow.post("runs/delete-tag", run_id=run, key=key))
    assert mlflow.run(run)["tags"].keys() == {"mlflow.runName"}
    reply = mlflow.post("runs/delete-tag", run_id=run, key="mlflow.note.content")
    assert refusal(reply) == (
        404,
        "RESOURCE_DOES_NOT_EXIST",
        f"No tag with name: mlflow.note.content in run with id {run}",
    )


def test_a_silent_run_is_lost_after_a_day(mlflow: Mlflow, monkeypatch: pytest.MonkeyPatch) -> None:
    run = mlflow.new_run()
    ours = mlflow.server.call("POST", f"/experiments/{mlflow.new_experiment()}/iterations", {}).body["id"]
    for hours, statuses in ((23, ("RUNNING", "KILLED")), (25, ("KILLED", "KILLED"))):
        _sweep_after(hours, monkeypatch)
        assert tuple(mlflow.run(each)["info"]["status"] for each in (run, ours)) == statuses


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("log-parameter", {"key": "p", "value": "1"}),
        ("log-metric", _point("m", 1, 1, 1)),
        ("set-tag", {"key": "t", "value": "u"}),
        ("update", {"status": "RUNNING"}),
    ],
)
def test_the_next_write_opens_a_lost_run(
    mlflow: Mlflow, monkeypatch: pytest.MonkeyPatch, path: str, body: dict[str, Any]
) -> None:
    run = mlflow.new_run()
    _sweep_after(25, monkeypatch)
    assert mlflow.run(run)["info"]["status"] == "KILLED"
    found(mlflow.post(f"runs/{path}", run_id=run, **body))
    info = mlflow.run(run)["info"]
    assert (info["status"], info.get("end_time")) == ("RUNNING", None)


def _sweep_after(hours: int, monkeypatch: pytest.MonkeyPatch) -> None:
    then = clock.now() + timedelta(hours=hours)
    monkeypatch.setattr(clock, "now", lambda: then)
    assert liveness.end_silent_iterations(60)
    monkeypatch.undo()


def test_models_of_old_clients_are_listed_in_a_tag(mlflow: Mlflow) -> None:
    run = mlflow.new_run()
    model: dict[str, Any] = {
        "artifact_path": "m",
        "flavors": {"sklearn": {"code": 1, "config": 2}},
        "utc_time_created": "t",
        "run_id": run,
    }
    for _ in range(2):
        found(mlflow.post("runs/log-model", run_id=run, model_json=json.dumps(model | {"signature": {}})))
    kept = model | {"flavors": {"sklearn": {"code": 1}}}
    assert json.loads(mlflow.run(run)["tags"]["mlflow.log-model.history"]) == [kept, kept]
    for bad, message in (("{", "Malformed model info."), ("{}", "Model json is missing mandatory fields:")):
        reply = mlflow.post("runs/log-model", run_id=run, model_json=bad)
        assert refusal(reply)[:2] == (400, "INVALID_PARAMETER_VALUE")
        assert refusal(reply)[2].startswith(message)


def test_a_dataset_reads_back_with_its_tags(mlflow: Mlflow) -> None:
    run = mlflow.new_run()
    dataset = {"name": "d", "digest": "1", "source_type": "s3", "source": "{}", "schema": "[1]", "profile": "{2}"}
    tags = [{"key": "mlflow.data.context", "value": "train"}, {"key": "k", "value": "v"}]
    for _ in range(2):
        found(mlflow.post("runs/log-inputs", run_id=run, datasets=[{"dataset": dataset, "tags": tags}]))
    (used,) = mlflow.run(run)["inputs"]["dataset_inputs"]
    assert used["dataset"] == dataset
    assert sorted(used["tags"], key=lambda tag: tag["key"]) == sorted(tags, key=lambda tag: tag["key"])


def test_a_long_schema_is_kept_and_one_that_is_too_long_refused(mlflow: Mlflow) -> None:
    run = mlflow.new_run()
    schema = json.dumps([{"name": f"column {number}", "type": "long", "required": True} for number in range(15_000)])
    dataset = {"name": "wide", "digest": "1", "source_type": "s", "source": "{}", "schema": schema}
    found(mlflow.post("runs/log-inputs", run_id=run, datasets=[{"dataset": dataset}]))
    assert len(schema) > 800_000
    assert mlflow.run(run)["inputs"]["dataset_inputs"][0]["dataset"] == dataset
    noise = "".join(hashlib.sha256(str(number).encode()).hexdigest() for number in range(13_000))
    reply = mlflow.post("runs/log-inputs", run_id=run, datasets=[{"dataset": dataset | {"profile": noise}}])
    assert refusal(reply)[:2] == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("text", ["zlib:", "zlib:x", "zlib:" + "y" * 9000, "x" * 9000, "{}"])
def test_any_schema_reads_back(mlflow: Mlflow, text: str) -> None:
    run = mlflow.new_run()
    dataset = {"name": "d", "digest": "1", "source_type": "s", "source": "{}", "schema": text}
    found(mlflow.post("runs/log-inputs", run_id=run, datasets=[{"dataset": dataset}]))
    assert mlflow.run(run)["inputs"]["dataset_inputs"][0]["dataset"]["schema"] == text
