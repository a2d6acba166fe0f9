"""Logged models in MLflow's form, their points, their links to runs, and their way into the trash and out of it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.services import loggedmodel as service
from chalicelib.services.loggedmodel import LoggedLink, LoggedPoint
from chalicelib.storage import iteration as iterations
from tests.support.api import found, new_experiment, new_iteration, new_member, new_project, rows
from tests.support.consistency import check_consistency
from tests.support.mlflow import Mlflow, refusal
from tests.support.server import Server, server_on_moto


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_on_moto() as running:
        yield running
        check_consistency()


@pytest.fixture(scope="module")
def project(server: Server) -> str:
    return new_project(server)


@pytest.fixture(scope="module")
def mlflow(server: Server, project: str) -> Mlflow:
    return Mlflow(server, workspace=project)


@pytest.fixture
def experiment(server: Server, project: str) -> str:
    return new_experiment(server, project)


def new_model(mlflow: Mlflow, experiment: str, **body: Any) -> Any:
    return found(mlflow.post("logged-models", experiment_id=experiment, **body))["model"]


def get_model(mlflow: Mlflow, model_id: str, **query: Any) -> Any:
    return found(mlflow.get(f"logged-models/{model_id}", **query))["model"]


def id_of(model: Any) -> str:
    return str(model["info"]["model_id"])


def record(experiment: str, run: str, model_id: str, *points: tuple[Any, ...]) -> None:
    """Store points: key, value, time and step, and perhaps name and digest of a data set."""
    iteration = iterations.find_iteration(experiment, run)
    assert iteration is not None
    whole = [LoggedPoint._make([*(*each, None, None)[:6], run]) for each in points]
    service.record_points(iteration, {model_id: whole})


def no_model(model_id: str) -> tuple[int, str, str]:
    return 404, "RESOURCE_DOES_NOT_EXIST", f"Logged model with ID '{model_id}' not found."


def test_a_logged_model_whole(mlflow: Mlflow, project: str, experiment: str) -> None:
    pairs = {"tags": [{"key": "t", "value": "v"}], "params": [{"key": "p", "value": ""}]}
    model = new_model(mlflow, experiment, name="net", model_type="torch", source_run_id="run", **pairs)
    model_id, created = id_of(model), model["info"]["creation_timestamp_ms"]
    assert model == {
        "info": {
            "model_id": model_id,
            "experiment_id": experiment,
            "name": "net",
            "creation_timestamp_ms": created,
            "last_updated_timestamp_ms": created,
            "artifact_uri": f"mlflow-artifacts:/workspaces/{project}/{experiment}/models/{model_id}/artifacts",
            "status": "LOGGED_MODEL_PENDING",
            "tags": pairs["tags"],
            "model_type": "torch",
            "source_run_id": "run",
        },
        "data": {"params": pairs["params"], "metrics": []},
    }
    assert model_id.startswith("m-")
    assert get_model(mlflow, model_id) == model


def test_a_model_without_a_name_gets_one(mlflow: Mlflow, experiment: str) -> None:
    model = new_model(mlflow, experiment)
    assert model["info"]["name"]
    assert "source_run_id" not in model["info"]


def test_a_status_is_finalized_and_dates_the_model(mlflow: Mlflow, experiment: str) -> None:
    model_id = id_of(new_model(mlflow, experiment))
    for given, shown in (
        (2, "READY"),
        ("LOGGED_MODEL_READY", "READY"),
        ("LOGGED_MODEL_UPLOAD_FAILED", "UPLOAD_FAILED"),
    ):
        body = {"model_id": model_id, "status": given}
        changed = found(mlflow.send("PATCH", f"logged-models/{model_id}", body))["model"]
        assert changed["info"]["status"] == f"LOGGED_MODEL_{shown}"
        assert changed == get_model(mlflow, model_id)


def test_tags_and_params_are_added(mlflow: Mlflow, experiment: str) -> None:
    model_id = id_of(new_model(mlflow, experiment, params=[{"key": "a", "value": "1"}]))
    path, long = f"logged-models/{model_id}", "x" * 8000
    for tags in ({"a b": "1", "long": long}, {"a b": "2"}):
        body = {"tags": [{"key": key, "value": value} for key, value in tags.items()]}
        assert found(mlflow.send("PATCH", f"{path}/tags", body)) == {}
    added = [{"key": key, "value": value} for key, value in (("b", "y" * 6001), ("a", "1"))]
    for _ in range(2):
        assert found(mlflow.send("POST", f"{path}/params", {"params": added})) == {}
    model = get_model(mlflow, model_id)
    assert model["info"]["tags"] == [{"key": "a b", "value": "2"}, {"key": "long", "value": long}]
    assert model["data"]["params"] == [{"key": "a", "value": "1"}, {"key": "b", "value": "y" * 6000}]
    assert found(mlflow.send("DELETE", f"{path}/tags/a%20b", {"model_id": model_id, "tag_key": "a b"})) == {}
    assert get_model(mlflow, model_id)["info"]["tags"] == [{"key": "long", "value": long}]
    other = mlflow.send("POST", f"{path}/params", {"params": [{"key": "a", "value": "2"}]})
    assert refusal(other)[:2] == (400, "INVALID_PARAMETER_VALUE")


def test_params_have_limits(mlflow: Mlflow, experiment: str) -> None:
    model_id = id_of(new_model(mlflow, experiment))
    path = f"logged-models/{model_id}/params"

    def add(number: int, length: int, prefix: str) -> int:
        params = [{"key": f"{prefix}{each}", "value": "x" * length} for each in range(number)]
        return mlflow.send("POST", path, {"params": params}).status

    assert add(32, 6000, "long") == 200
    assert add(1, 6000, "longer") == 400
    assert add(1, 2000, "longer") == 200
    short = id_of(new_model(mlflow, experiment))
    path = f"logged-models/{short}/params"
    assert [add(1000, 0, f"{each}.") for each in range(5)] == [200] * 5
    assert add(1, 0, "one more") == 400


ERRORS: list[tuple[str, str, Any, int, str]] = [
    ("POST", "logged-models", {}, 400, "Missing value for required parameter 'experiment_id'"),
    ("POST", "logged-models", {"experiment_id": "none"}, 404, "No Experiment with id=none exists"),
    *(
        ("POST", "logged-models", {"experiment_id": "EXPERIMENT", "name": name}, 400, "Invalid model name")
        for name in ("", "my/model", "my.model", "my:model", "my%model", "my'model", 'my"model')
    ),
    (
        "POST",
        "logged-models",
        {"experiment_id": "EXPERIMENT", "params": [{"key": "", "value": "b"}]},
        400,
        "Missing value",
    ),
    ("POST", "logged-models", {"experiment_id": "EXPERIMENT", "params": [{"key": "a" * 251}]}, 400, "'key' exceeds"),
    (
        "POST",
        "logged-models",
        {"experiment_id": "EXPERIMENT", "tags": [{"key": "a!", "value": ""}]},
        400,
        "Invalid value",
    ),
    (
        "POST",
        "logged-models",
        {"experiment_id": "EXPERIMENT", "tags": [{"key": "a", "value": "x" * 8001}]},
        400,
        "'value' exceeds",
    ),
    ("GET", "logged-models/1234", None, 404, "Logged model with ID '1234' not found."),
    ("GET", "logged-models/1234?allow_deleted=true", None, 404, "Logged model with ID '1234' not found."),
    ("GET", "logged-models/m-00?allow_deleted=true", None, 404, "Logged model with ID 'm-00' not found."),
    ("PATCH", "logged-models/m-00", {"status": 2}, 404, "Logged model with ID 'm-00' not found."),
    ("PATCH", "logged-models/MODEL", {"status": "DONE"}, 400, "Invalid value \"DONE\" for parameter 'status' supplied"),
    ("PATCH", "logged-models/MODEL", {}, 400, "Missing value for required parameter 'status'"),
    ("DELETE", "logged-models/m-00", None, 404, "Logged model with ID 'm-00' not found."),
    ("PATCH", "logged-models/m-00/tags", {"tags": []}, 404, "Logged model with ID 'm-00' not found."),
    ("DELETE", "logged-models/MODEL/tags/none", None, 404, "No tag with key 'none' found for model with ID 'MODEL'."),
    ("POST", "logged-models/m-00/params", {"params": []}, 404, "Logged model with ID 'm-00' not found."),
    ("POST", "logged-models/search", {}, 400, "Invalid value [] for parameter 'experiment_ids' supplied"),
    (
        "POST",
        "logged-models/search",
        {"experiment_ids": ["EXPERIMENT"], "filter": "metrics.m = 'x'"},
        400,
        "Expected numeric value",
    ),
    (
        "POST",
        "logged-models/search",
        {"experiment_ids": ["EXPERIMENT"], "filter": "none = 'x'"},
        400,
        "Invalid attribute key 'none'",
    ),
    (
        "POST",
        "logged-models/search",
        {"experiment_ids": ["EXPERIMENT"], "datasets": [{"dataset_digest": "d"}]},
        400,
        "`dataset_name` in the `datasets` clause must be specified.",
    ),
    (
        "POST",
        "logged-models/search",
        {"experiment_ids": ["EXPERIMENT"], "order_by": [{"field_name": "params.x"}]},
        400,
        "Invalid order_by entity type",
    ),
    (
        "POST",
        "logged-models/search",
        {"experiment_ids": ["EXPERIMENT"], "max_results": 0},
        400,
        "Invalid value 0 for parameter 'max_results' supplied",
    ),
    ("POST", "logged-models/search", {"experiment_ids": ["EXPERIMENT"], "page_token": "x"}, 400, "Invalid page token"),
]


def test_errors_have_mlflows_codes_and_texts(mlflow: Mlflow, experiment: str) -> None:
    model_id = id_of(new_model(mlflow, experiment))
    for method, path, body, status, message in ERRORS:
        given = json.loads(json.dumps(body).replace("EXPERIMENT", experiment))
        refused = refusal(mlflow.send(method, path.replace("MODEL", model_id), given))
        assert refused[0] == status, (path, body, refused)
        assert refused[2].startswith(message.replace("MODEL", model_id)), (path, body, refused)


# Points.


def test_points_of_all_runs_and_data_sets_are_shown_once(server: Server, mlflow: Mlflow, experiment: str) -> None:
    runs = [new_iteration(server, experiment) for _ in range(2)]
    model_id = id_of(new_model(mlflow, experiment))
    points = [("loss", 0.5, 20, 1), ("loss", math.nan, 10, 0), ("acc", 0.75, 20, 1, "train", "d1")]
    for _ in range(2):
        record(experiment, runs[0], model_id, *points)
    record(experiment, runs[1], model_id, points[0])
    shown = get_model(mlflow, model_id)["data"]["metrics"]
    ends = [(each["key"], each["value"], each["timestamp"], each["step"], each["run_id"]) for each in shown]
    assert ends == [
        ("loss", "NaN", 10, 0, runs[0]),
        ("acc", 0.75, 20, 1, runs[0]),
        *(("loss", 0.5, 20, 1, run) for run in sorted(runs)),
    ]
    assert {each["model_id"] for each in shown} == {model_id}
    (on_data,) = [each for each in shown if "dataset_name" in each]
    assert (on_data["dataset_name"], on_data["dataset_digest"]) == ("train", "d1")


def test_long_points_are_in_several_rows(server: Server, mlflow: Mlflow, experiment: str) -> None:
    run, model_id = new_iteration(server, experiment), id_of(new_model(mlflow, experiment))
    record(experiment, run, model_id, *((f"{number:04}" + "\U0001f600" * 246, 1.0, number, 0) for number in range(300)))
    assert len(get_model(mlflow, model_id)["data"]["metrics"]) == 300


def test_a_model_that_is_gone_or_of_another_project_gets_no_points(
    server: Server, mlflow: Mlflow, experiment: str
) -> None:
    run, model_id = new_iteration(server, experiment), id_of(new_model(mlflow, experiment))
    foreign = new_iteration(server, elsewhere := new_experiment(server))
    record(elsewhere, foreign, model_id, ("loss", 1.0, 1, 0))
    record(experiment, run, "m-none", ("loss", 1.0, 1, 0))
    assert get_model(mlflow, model_id)["data"]["metrics"] == []
    found(mlflow.send("DELETE", f"logged-models/{model_id}"))
    record(experiment, run, model_id, ("loss", 1.0, 1, 0))
    assert get_model(mlflow, model_id, allow_deleted="true")["data"]["metrics"] == []


def test_metrics_of_a_run_reach_the_model_that_they_name(server: Server, mlflow: Mlflow, experiment: str) -> None:
    run, model_id = new_iteration(server, experiment), id_of(new_model(mlflow, experiment))
    batch = [
        {"key": "loss", "value": 0.5, "timestamp": 1, "step": step, "model_id": model_id, **dataset}
        for step, dataset in enumerate(({}, {"dataset_name": "train", "dataset_digest": "d"}))
    ]
    unknown = {"key": "loss", "value": 0.5, "timestamp": 1, "step": 9, "model_id": "m-unknown"}
    for _ in range(2):
        found(mlflow.post("runs/log-batch", run_id=run, metrics=[*batch, {"key": "other", "value": 1, "timestamp": 1}]))
        found(mlflow.post("runs/log-metric", run_id=run, key="acc", value="NaN", timestamp=2, model_id=model_id))
        found(mlflow.post("runs/log-metric", run_id=run, **unknown))
    shown = get_model(mlflow, model_id)["data"]["metrics"]
    assert [(each["key"], each["value"], each["step"], each.get("dataset_name")) for each in shown] == [
        ("loss", 0.5, 0, None),
        ("loss", 0.5, 1, "train"),
        ("acc", "NaN", 0, None),
    ]
    history = found(mlflow.get("metrics/get-history", run_id=run, metric_key="loss"))["metrics"]
    assert [each["step"] for each in history] == [0, 1, 9]
    failing = mlflow.post("runs/log-batch", run_id=run, metrics=[*batch, {"key": "none", "timestamp": 3}])
    assert refusal(failing)[0] == 400


def test_a_run_names_the_models_that_it_has_read_and_written(server: Server, mlflow: Mlflow, experiment: str) -> None:
    run, model_id = new_iteration(server, experiment), id_of(new_model(mlflow, experiment))
    for _ in range(2):
        found(mlflow.post("runs/outputs", run_id=run, models=[{"model_id": model_id, "step": 7}, {"model_id": "m-x"}]))
        found(mlflow.post("runs/log-inputs", run_id=run, models=[{"model_id": "m-read"}]))
    searched = found(mlflow.post("runs/search", experiment_ids=[experiment]))["runs"]
    for shown in (found(mlflow.get("runs/get", run_id=run))["run"], searched[0]):
        assert shown["inputs"]["model_inputs"] == [{"model_id": "m-read"}]
        outputs = shown["outputs"]["model_outputs"]
        assert sorted((each["model_id"], each["step"]) for each in outputs) == sorted([(model_id, 7), ("m-x", 0)])
    refused = mlflow.post("runs/outputs", run_id=run, models=[{"step": 1}])
    assert refusal(refused)[2].startswith("Missing value for required parameter 'models[0].model_id'")
    assert refusal(mlflow.post("runs/outputs", run_id="none", models=[]))[:2] == (404, "RESOURCE_DOES_NOT_EXIST")


def test_links_of_runs_to_models(server: Server, experiment: str) -> None:
    first, second = new_iteration(server, experiment), new_iteration(server, experiment)
    for run, links in (
        (first, [LoggedLink("m-a", 0), LoggedLink("m-b", 3), LoggedLink("m-a", None)]),
        (first, [LoggedLink("m-a", 0)]),
        (second, [LoggedLink(f"m-{number}", number) for number in range(120)]),
    ):
        iteration = iterations.find_iteration(experiment, run)
        assert iteration is not None
        service.link_iteration(iteration, links)
    found_links = service.read_links(experiment, [first, second])
    assert sorted(found_links[first], key=repr) == [("m-a", 0), ("m-a", None), ("m-b", 3)]
    assert len(found_links[second]) == 120
    assert server.call("DELETE", f"/iterations/{second}?purge=true").status == 204
    assert service.read_links(experiment, [first, second])[second] == []


# Searches.


class Many:
    """Five models: m0 … m4, with the metric loss on two data sets, and a sixth without anything."""

    def __init__(self, mlflow: Mlflow, experiment: str, run: str) -> None:
        self.mlflow, self.experiment, self.run = mlflow, experiment, run
        for number in range(5):
            pairs = {
                "tags": [{"key": "parity", "value": ("even", "odd")[number % 2]}],
                "params": [{"key": "depth", "value": str(number)}],
            }
            model_id = id_of(new_model(mlflow, experiment, name=f"m{number}", model_type="Tree", **pairs))
            points = [
                ("loss", 0.1 * number, 1000, 0, "train", "d1"),
                ("loss", 9.0, 1000, 0, "test", "d2"),
                ("loss", -0.1 * number, 2000, 1, "test", "d2"),
            ]
            record(experiment, run, model_id, *points)
        new_model(mlflow, experiment, name="plain", source_run_id=run)

    def search(self, **body: Any) -> list[str]:
        names: list[str] = []
        token: dict[str, str] = {}
        while True:
            page = found(self.mlflow.post("logged-models/search", experiment_ids=[self.experiment], **body, **token))
            names += [each["info"]["name"] for each in page["models"]]
            if "next_page_token" not in page:
                return names
            token = {"page_token": page["next_page_token"]}


@pytest.fixture(scope="module")
def many(server: Server, mlflow: Mlflow, project: str) -> Many:
    experiment = new_experiment(server, project)
    return Many(mlflow, experiment, new_iteration(server, experiment))


@pytest.mark.parametrize("size", [2, 100])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["plain", "m4", "m3", "m2", "m1", "m0"]),
        ("name = 'm1'", ["m1"]),
        ("name LIKE 'm%' AND attributes.name != 'm1'", ["m4", "m3", "m2", "m0"]),
        ("name IN ('m1', 'plain')", ["plain", "m1"]),
        ("model_type ILIKE 'tr%' and params.depth = '3'", ["m3"]),
        ("status = 'PENDING' AND tags.parity = 'odd'", ["m3", "m1"]),
        ("status = 'READY'", []),
        ("creation_timestamp > 0 AND name = 'm2'", ["m2"]),
        ("metrics.loss < -0.25", ["m4", "m3"]),
        ("metrics.loss = 9", ["m4", "m3", "m2", "m1", "m0"]),
        ("metrics.loss > 100", []),
    ],
)
def test_models_by_a_filter(many: Many, size: int, text: str, expected: list[str]) -> None:
    assert many.search(filter=text, max_results=size) == expected


@pytest.mark.parametrize(
    ("datasets", "text", "expected"),
    [
        ([{"dataset_name": "train"}], "", ["m4", "m3", "m2", "m1", "m0"]),
        ([{"dataset_name": "train", "dataset_digest": "d2"}], "", []),
        ([{"dataset_name": "train"}], "metrics.loss > 0.25", ["m4", "m3"]),
        (
            [{"dataset_name": "train"}, {"dataset_name": "test", "dataset_digest": "d2"}],
            "metrics.loss = 9 AND name = 'm0'",
            ["m0"],
        ),
    ],
)
def test_models_by_their_metrics_on_data_sets(many: Many, datasets: list[Any], text: str, expected: list[str]) -> None:
    assert many.search(filter=text, datasets=datasets) == expected


UP, DOWN = ["m0", "m1", "m2", "m3", "m4"], ["m4", "m3", "m2", "m1", "m0"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ([{"field_name": "name"}], [*UP, "plain"]),
        ([{"field_name": "name", "ascending": False}], ["plain", *DOWN]),
        ([{"field_name": "creation_timestamp", "ascending": True}], [*UP, "plain"]),
        # The latest value of the metric; models without it are last, in both directions.
        ([{"field_name": "metrics.loss"}], [*DOWN, "plain"]),
        ([{"field_name": "metrics.loss", "ascending": False}], [*UP, "plain"]),
        ([{"field_name": "metrics.loss", "dataset_name": "train"}], [*UP, "plain"]),
        ([{"field_name": "metrics.loss", "dataset_name": "test", "dataset_digest": "d2"}], [*DOWN, "plain"]),
        ([{"field_name": "source_run_id"}, {"field_name": "name"}], ["plain", *UP]),
    ],
)
def test_models_in_an_order(many: Many, order: list[Any], expected: list[str]) -> None:
    assert many.search(order_by=order, max_results=4) == expected


def test_experiments_that_do_not_exist_are_left_out(many: Many, server: Server) -> None:
    ids = [many.experiment, "none", new_experiment(server)]
    page = found(many.mlflow.post("logged-models/search", experiment_ids=ids))
    assert len(page["models"]) == 6


# Registration.


def test_a_version_of_a_logged_model_names_it_and_is_noted_on_it(mlflow: Mlflow, experiment: str) -> None:
    model = new_model(mlflow, experiment, source_run_id="a-run")
    model_id, location = id_of(model), model["info"]["artifact_uri"]
    found(mlflow.post("registered-models/create", name=experiment))
    versions = [
        found(mlflow.post("model-versions/create", name=experiment, **body))["model_version"]
        for body in (
            {"source": f"models:/{model_id}"},
            {"source": location, "model_id": model_id},
            {"source": "s3://elsewhere", "model_id": "m-unknown"},
        )
    ]
    assert [each["run_id"] for each in versions] == ["a-run", "a-run", ""]
    assert [each["model_id"] for each in versions] == [model_id, model_id, "m-unknown"]
    uris = [
        found(mlflow.get("model-versions/get-download-uri", name=experiment, version=number))["artifact_uri"]
        for number in (1, 2, 3)
    ]
    assert uris == [location, location, "s3://elsewhere"]
    (tag,) = get_model(mlflow, model_id)["info"]["tags"]
    assert tag["key"] == "mlflow.modelVersions"
    assert json.loads(tag["value"]) == [{"name": experiment, "version": number} for number in (1, 2)]


# Deletion.


def logged_rows(model_id: str) -> list[Any]:
    return [key for key in rows() if model_id in "".join(key)]


def test_a_deleted_model_is_in_the_trash_and_comes_back(
    server: Server, mlflow: Mlflow, project: str, experiment: str
) -> None:
    run, model = new_iteration(server, experiment), new_model(mlflow, experiment, name="net")
    model_id = id_of(model)
    record(experiment, run, model_id, ("loss", 1.0, 1, 0))
    before = get_model(mlflow, model_id)
    assert found(mlflow.send("DELETE", f"logged-models/{model_id}")) == {}
    for reply in (
        mlflow.get(f"logged-models/{model_id}"),
        mlflow.send("DELETE", f"logged-models/{model_id}"),
        mlflow.send("PATCH", f"logged-models/{model_id}", {"status": 2}),
    ):
        assert refusal(reply) == no_model(model_id)
    assert found(mlflow.post("logged-models/search", experiment_ids=[experiment]))["models"] == []
    assert get_model(mlflow, model_id, allow_deleted="true") == before
    trash = found(server.call("GET", f"/projects/{project}/trash"))["data"]
    assert (model_id, "loggedmodel", "net") in [(each["id"], each["kind"], each["name"]) for each in trash]
    restored = found(server.call("POST", f"/trash/{model_id}", {"name": "net 2"}))
    assert (restored["id"], restored["name"], restored["status_id"]) == (model_id, "net 2", 1)
    assert get_model(mlflow, model_id)["data"] == before["data"]


def test_a_purged_model_leaves_no_row(server: Server, mlflow: Mlflow, experiment: str) -> None:
    run, model_id = new_iteration(server, experiment), id_of(new_model(mlflow, experiment))
    record(experiment, run, model_id, ("loss", 1.0, 1, 0))
    found(mlflow.send("PATCH", f"logged-models/{model_id}/tags", {"tags": [{"key": "long", "value": "x" * 5000}]}))
    found(mlflow.send("DELETE", f"logged-models/{model_id}"))
    assert server.call("DELETE", f"/trash/{model_id}").status == 204
    assert logged_rows(model_id) == []
    assert refusal(mlflow.get(f"logged-models/{model_id}", allow_deleted="true")) == no_model(model_id)


@pytest.mark.parametrize("in_trash", [False, True])
def test_an_experiment_takes_its_models_along(server: Server, mlflow: Mlflow, project: str, in_trash: bool) -> None:
    experiment = new_experiment(server, project)
    run, model_id = new_iteration(server, experiment), id_of(new_model(mlflow, experiment))
    record(experiment, run, model_id, ("loss", 1.0, 1, 0))
    if in_trash:
        found(mlflow.send("DELETE", f"logged-models/{model_id}"))
    assert server.call("DELETE", f"/experiments/{experiment}?purge=true").status == 204
    assert logged_rows(model_id) == []


def test_the_permissions_of_each_operation(server: Server, project: str, mlflow: Mlflow, experiment: str) -> None:
    model_id = id_of(new_model(mlflow, experiment))
    reader = Mlflow(server, new_member(server, project, "read").token, project)
    assert id_of(get_model(reader, model_id)) == model_id
    for method, path, body in (
        ("POST", "logged-models", {"experiment_id": experiment}),
        ("PATCH", f"logged-models/{model_id}", {"status": 2}),
        ("PATCH", f"logged-models/{model_id}/tags", {"tags": [{"key": "a", "value": "b"}]}),
        ("DELETE", f"logged-models/{model_id}", None),
    ):
        assert refusal(reader.send(method, path, body))[:2] == (403, "PERMISSION_DENIED"), path
    stranger = Mlflow(server, new_member(server, new_project(server), "read").token)
    assert refusal(stranger.get(f"logged-models/{model_id}")) == no_model(model_id)
    other = Mlflow(server, workspace=new_project(server))
    assert refusal(other.get(f"logged-models/{model_id}")) == no_model(model_id)
