"""Experiments of the MLflow face."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import found, new_person, new_project
from tests.support.mlflow import Mlflow, refusal
from tests.support.server import Server


def test_an_experiment_has_its_tags_location_and_times(mlflow: Mlflow) -> None:
    tags = [{"key": "team", "value": "vision"}, {"key": "mlflow.note.content", "value": "why"}]
    one = mlflow.experiment(mlflow.new_experiment(tags=tags))
    other = mlflow.experiment(mlflow.new_experiment(artifact_location="s3://bucket/path"))
    assert one["tags"] == {"team": "vision", "mlflow.note.content": "why"}
    assert one["artifact_location"] == f"mlflow-artifacts:/workspaces/{mlflow.workspace}/{one['experiment_id']}"
    assert other["artifact_location"] == "s3://bucket/path"
    assert one["creation_time"] == one["last_update_time"] > 1_700_000_000_000
    run = mlflow.run(mlflow.new_run(other["experiment_id"]))["info"]
    assert run["artifact_uri"] == f"s3://bucket/path/{run['run_id']}/artifacts"


def test_a_name_is_unique_also_against_the_trash(mlflow: Mlflow) -> None:
    one = mlflow.new_experiment(name="unique")
    for _ in range(2):
        reply = mlflow.post("experiments/create", name="unique")
        assert refusal(reply) == (400, "RESOURCE_ALREADY_EXISTS", "Experiment(name=unique) already exists.")
        found(mlflow.post("experiments/delete", experiment_id=one))
    known = found(mlflow.get("experiments/get-by-name", experiment_name="unique"))["experiment"]
    assert (known["experiment_id"], known["lifecycle_stage"]) == (one, "deleted")
    other = mlflow.new_experiment(name="another")
    reply = mlflow.post("experiments/update", experiment_id=other, new_name="unique")
    assert refusal(reply)[1] == "RESOURCE_ALREADY_EXISTS"


def test_a_deleted_experiment_is_read_and_not_written(mlflow: Mlflow) -> None:
    experiment = mlflow.new_experiment()
    run = mlflow.new_run(experiment)
    for _ in range(2):
        found(mlflow.post("experiments/delete", experiment_id=experiment))
    assert mlflow.experiment(experiment)["lifecycle_stage"] == "deleted"
    assert mlflow.run(run)["info"]["lifecycle_stage"] == "deleted"
    assert mlflow.search(experiment) == []
    assert mlflow.search(experiment, run_view_type="DELETED_ONLY") == [run]
    state = f"The experiment {experiment} must be in the 'active' state. Current state is deleted."
    for path, body in [
        ("runs/create", {"experiment_id": experiment}),
        ("experiments/set-experiment-tag", {"experiment_id": experiment, "key": "a", "value": "b"}),
    ]:
        assert refusal(mlflow.post(path, **body)) == (400, "INVALID_PARAMETER_VALUE", state)
    reply = mlflow.post("experiments/update", experiment_id=experiment, new_name="new")
    assert refusal(reply)[2] == "Cannot rename a non-active experiment."
    assert "'active' state" in refusal(mlflow.post("runs/set-tag", run_id=run, key="a", value="b"))[2]
    for _ in range(2):
        found(mlflow.post("experiments/restore", experiment_id=experiment))
    assert mlflow.experiment(experiment)["lifecycle_stage"] == "active"
    assert mlflow.search(experiment) == [run]


def test_an_update_renames_and_moves_the_time_of_the_last_change(mlflow: Mlflow) -> None:
    experiment = mlflow.new_experiment()
    before = mlflow.experiment(experiment)
    found(mlflow.post("experiments/update", experiment_id=experiment, new_name="renamed"))
    after = mlflow.experiment(experiment)
    assert after["name"] == "renamed"
    assert after["last_update_time"] > before["last_update_time"] == after["creation_time"]
    assert after["tags"] == {}


def test_tags_are_set_replaced_and_deleted(mlflow: Mlflow) -> None:
    experiment = mlflow.new_experiment()
    for value in ("one", "two"):
        found(mlflow.post("experiments/set-experiment-tag", experiment_id=experiment, key="a", value=value))
    found(mlflow.post("experiments/set-experiment-tag", experiment_id=experiment, key="long", value="x" * 20_000))
    assert mlflow.experiment(experiment)["tags"] == {"a": "two", "long": "x" * 20_000}
    for key in ("a", "long"):
        found(mlflow.post("experiments/delete-experiment-tag", experiment_id=experiment, key=key))
    assert mlflow.experiment(experiment)["tags"] == {}
    reply = mlflow.post("experiments/delete-experiment-tag", experiment_id=experiment, key="a")
    message = f"No tag with name: a in experiment with id {experiment}"
    assert refusal(reply) == (404, "RESOURCE_DOES_NOT_EXIST", message)


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("create", {"name": " "}, "Invalid experiment name: ' '"),
        ("create", {"name": "x" * 501}, "'name' exceeds the maximum length of 500 characters"),
        ("create", {"name": "x", "artifact_location": "runs:/x"}, "Artifact location cannot be a runs:/ URI."),
        ("create", {"name": "x", "tags": [{"value": "v"}]}, "Missing value for required parameter 'key'."),
        ("set-experiment-tag", {"key": "a//b"}, "Invalid value \"a//b\" for parameter 'key' supplied: Names may"),
        ("set-experiment-tag", {"key": "a", "value": "x" * 20_001}, "'value' exceeds the maximum length of 20000"),
        ("set-experiment-tag", {"key": "x" * 251}, "'key' exceeds the maximum length of 250 characters"),
        ("set-experiment-tag", {"key": "deardiary.mlflow.x"}, "Invalid value"),
        ("update", {}, "Missing value for required parameter 'new_name'."),
        ("search", {"max_results": 0}, "Invalid value 0 for parameter 'max_results' supplied: It must be"),
        ("search", {"view_type": "SOME"}, "Invalid value \"SOME\" for parameter 'view_type' supplied"),
        ("search", {"filter": "params.a = 'b'"}, "Invalid entity type 'params'."),
        ("search", {"filter": "name IS NULL"}, "IS NULL / IS NOT NULL is only supported for tags"),
        ("search", {"order_by": ["tags.a"]}, "Invalid order_by entity type 'tag'"),
        ("search", {"page_token": "x"}, "Invalid page token"),
    ],
)
def test_bad_input_is_refused(mlflow: Mlflow, path: str, body: dict[str, Any], message: str) -> None:
    known = {} if path in ("create", "search") else {"experiment_id": mlflow.new_experiment()}
    status, code, text = refusal(mlflow.post(f"experiments/{path}", **known, **body))
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert text.startswith(message)


def test_an_unknown_experiment_is_named(mlflow: Mlflow) -> None:
    for unknown in ("0pgl", "not an id", "A#B"):
        reply = mlflow.get("experiments/get", experiment_id=unknown)
        assert refusal(reply) == (404, "RESOURCE_DOES_NOT_EXIST", f"No Experiment with id={unknown} exists")


def test_the_search_filters_orders_and_pages(server: Server) -> None:
    mlflow = Mlflow(server, workspace=new_project(server))
    ids = [
        mlflow.new_experiment(name=f"e{number}", tags=[{"key": "n", "value": str(number % 2)}]) for number in range(5)
    ]
    found(mlflow.post("experiments/delete", experiment_id=ids[4]))

    def search(**body: Any) -> list[int]:
        reply = found(mlflow.post("experiments/search", **body))
        return [ids.index(each["experiment_id"]) for each in reply["experiments"]]

    assert search() == [3, 2, 1, 0]
    assert search(view_type="ALL") == [4, 3, 2, 1, 0]
    assert search(view_type="DELETED_ONLY") == [4]
    assert search(filter="tags.n = '0'", order_by=["name ASC"]) == [0, 2]
    assert search(filter="name ILIKE 'E%' AND attribute.name != 'e1'") == [3, 2, 0]
    assert search(filter="tags.other IS NULL", order_by=["name DESC"]) == [3, 2, 1, 0]
    assert search(filter=f"experiment_id IN ('{ids[0]}')") == [0]
    assert search(filter="creation_time > 0", max_results=2) == [3, 2]
    first = found(mlflow.post("experiments/search", max_results=3))
    assert search(max_results=3, page_token=first["next_page_token"]) == [0]


def test_the_experiment_0_is_the_default_one(server: Server) -> None:
    mlflow = Mlflow(server, new_person(server).token)
    assert [each["name"] for each in found(mlflow.post("experiments/search"))["experiments"]] == ["Default"]
    default = mlflow.experiment("0")
    assert (default["experiment_id"], default["name"]) == ("0", "Default")
    run = found(mlflow.post("runs/create"))["run"]["info"]
    assert run["experiment_id"] == "0"
    assert mlflow.search("0") == [run["run_id"]]
    by_name = found(mlflow.get("experiments/get-by-name", experiment_name="Default"))["experiment"]
    assert by_name["experiment_id"] == "0"
    assert refusal(mlflow.post("experiments/create", name="Default"))[1] == "RESOURCE_ALREADY_EXISTS"
    assert "0" in {each["experiment_id"] for each in found(mlflow.post("experiments/search"))["experiments"]}


def test_a_workspace_has_no_experiment_0(mlflow: Mlflow) -> None:
    reply = mlflow.get("experiments/get", experiment_id="0")
    assert refusal(reply) == (404, "RESOURCE_DOES_NOT_EXIST", "No Experiment with id=0 exists")
