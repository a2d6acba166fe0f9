"""Registered models and their versions in MLflow's form, and the same objects through the REST API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from tests.support.api import found, made, new_experiment, new_iteration, new_member, new_project
from tests.support.consistency import check_consistency
from tests.support.mlflow import Mlflow, refusal
from tests.support.server import Server, server_on_moto

_numbers = count()


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
def name(mlflow: Mlflow) -> str:
    """The name of a new registered model."""
    name = f"model {next(_numbers)}"
    found(mlflow.post("registered-models/create", name=name))
    return name


def new_version(mlflow: Mlflow, name: str, **body: Any) -> Any:
    given = {"source": "runs:/run_id/model", **body}
    return found(mlflow.post("model-versions/create", name=name, **given))["model_version"]


def get_model(mlflow: Mlflow, name: str) -> Any:
    return found(mlflow.get("registered-models/get", name=name))["registered_model"]


def get_version(mlflow: Mlflow, name: str, version: object = 1) -> Any:
    return found(mlflow.get("model-versions/get", name=name, version=version))["model_version"]


def transition(mlflow: Mlflow, name: str, version: object, stage: str, **more: Any) -> Any:
    body = {"name": name, "version": str(version), "stage": stage, **more}
    return found(mlflow.post("model-versions/transition-stage", **body))["model_version"]


def test_a_registered_model_whole(mlflow: Mlflow) -> None:
    tags = [{"key": "a", "value": "b"}, {"key": "another key", "value": ""}]
    created = found(mlflow.post("registered-models/create", name="whole", tags=tags, description="text"))
    model = created["registered_model"]
    assert model == {
        "name": "whole",
        "creation_timestamp": model["creation_timestamp"],
        "last_updated_timestamp": model["creation_timestamp"],
        "description": "text",
        "latest_versions": [],
        "tags": tags,
        "aliases": [],
    }
    assert get_model(mlflow, "whole") == model


def test_a_version_whole(mlflow: Mlflow, name: str) -> None:
    tags = [{"key": "a", "value": "b"}]
    version = new_version(mlflow, name, run_id="run_id_1", tags=tags, run_link="https://run", description="text")
    assert version == {
        "name": name,
        "version": "1",
        "creation_timestamp": version["creation_timestamp"],
        "last_updated_timestamp": version["creation_timestamp"],
        "description": "text",
        "current_stage": "None",
        "source": "runs:/run_id/model",
        "run_id": "run_id_1",
        "run_link": "https://run",
        "status": "READY",
        "tags": tags,
        "aliases": [],
    }
    assert get_version(mlflow, name) == version
    model = get_model(mlflow, name)
    assert model["latest_versions"] == [version]
    assert model["last_updated_timestamp"] >= version["creation_timestamp"]
    uri = found(mlflow.get("model-versions/get-download-uri", name=name, version=1))
    assert uri == {"artifact_uri": "runs:/run_id/model"}


def test_a_rename_takes_the_versions_along(mlflow: Mlflow, name: str) -> None:
    new_version(mlflow, name)
    renamed = found(mlflow.post("registered-models/rename", name=name, new_name=f"{name} 2"))["registered_model"]
    assert renamed["name"] == f"{name} 2"
    assert refusal(mlflow.get("registered-models/get", name=name)) == (
        404,
        "RESOURCE_DOES_NOT_EXIST",
        f"Registered Model with name={name} not found",
    )
    assert get_version(mlflow, f"{name} 2")["name"] == f"{name} 2"
    changed = mlflow.send("PATCH", "registered-models/update", {"name": f"{name} 2", "description": "new"})
    assert found(changed)["registered_model"]["description"] == "new"


def test_a_deleted_model_frees_its_name_and_is_in_the_trash(
    server: Server, mlflow: Mlflow, project: str, name: str
) -> None:
    new_version(mlflow, name)
    assert found(mlflow.send("DELETE", "registered-models/delete", {"name": name})) == {}
    for reply in (
        mlflow.get("registered-models/get", name=name),
        mlflow.post("registered-models/rename", name=name, new_name="x"),
        mlflow.post("model-versions/create", name=name, source="s3://x"),
        mlflow.get("model-versions/get", name=name, version=1),
    ):
        assert refusal(reply)[1:] == ("RESOURCE_DOES_NOT_EXIST", f"Registered Model with name={name} not found")
    found(mlflow.post("registered-models/create", name=name))
    assert get_model(mlflow, name)["latest_versions"] == []
    assert name in [each["name"] for each in found(server.call("GET", f"/projects/{project}/trash"))["data"]]


def test_versions_are_never_numbered_twice(mlflow: Mlflow, name: str) -> None:
    for number in (1, 2):
        assert new_version(mlflow, name)["version"] == str(number)
    found(mlflow.post("registered-models/alias", name=name, alias="best", version="2"))
    found(mlflow.send("DELETE", "model-versions/delete", {"name": name, "version": "2"}))
    assert get_model(mlflow, name)["aliases"] == []
    assert new_version(mlflow, name)["version"] == "3"
    for method, path, more in (
        ("DELETE", "delete", {}),
        ("PATCH", "update", {"description": "x"}),
        ("POST", "transition-stage", {"stage": "Staging"}),
        ("POST", "set-tag", {"key": "k", "value": "v"}),
    ):
        reply = mlflow.send(method, f"model-versions/{path}", {"name": name, "version": "2", **more})
        message = f"Model Version (name={name}, version=2) not found"
        assert refusal(reply) == (404, "RESOURCE_DOES_NOT_EXIST", message), path


def test_tags_are_set_and_deleted(mlflow: Mlflow, name: str) -> None:
    new_version(mlflow, name)
    owners: list[tuple[str, dict[str, str], Callable[[], Any]]] = [
        ("registered-models", {"name": name}, lambda: get_model(mlflow, name)),
        ("model-versions", {"name": name, "version": "1"}, lambda: get_version(mlflow, name)),
    ]
    long = "x" * 100_000
    for root, owner, read in owners:
        for key, value in (("key", "value"), ("long", long), ("empty", "")):
            assert found(mlflow.post(f"{root}/set-tag", **owner, key=key, value=value)) == {}
        assert {each["key"]: each["value"] for each in read()["tags"]} == {"key": "value", "long": long, "empty": ""}
        for key in ("key", "long", "never set"):
            assert found(mlflow.send("DELETE", f"{root}/delete-tag", {**owner, "key": key})) == {}
        assert read()["tags"] == [{"key": "empty", "value": ""}]


def test_an_alias_moves_and_is_deleted(mlflow: Mlflow, name: str) -> None:
    new_version(mlflow, name), new_version(mlflow, name)
    for version in ("1", "2"):
        assert found(mlflow.post("registered-models/alias", name=name, alias="best", version=version)) == {}
        named = found(mlflow.get("registered-models/alias", name=name, alias="best"))["model_version"]
        assert (named["version"], named["aliases"]) == (version, ["best"])
        assert get_model(mlflow, name)["aliases"] == [{"alias": "best", "version": version}]
    for _ in range(2):
        assert found(mlflow.send("DELETE", "registered-models/alias", {"name": name, "alias": "best"})) == {}
    assert refusal(mlflow.get("registered-models/alias", name=name, alias="best")) == (
        400,
        "INVALID_PARAMETER_VALUE",
        "Registered model alias best not found.",
    )


def test_the_latest_version_of_each_stage(mlflow: Mlflow, name: str) -> None:
    stages = ["Archived", "Production", "Archived", "Production", "Staging", "staging", "None"]
    for number, stage in enumerate(stages, 1):
        new_version(mlflow, name)
        assert transition(mlflow, name, number, stage)["current_stage"] == stage.capitalize()

    def latest(*wanted: str) -> dict[str, str]:
        reply = mlflow.post("registered-models/get-latest-versions", name=name, stages=wanted)
        versions = found(reply)["model_versions"]
        assert found(mlflow.get("registered-models/get-latest-versions", name=name, stages=wanted))[
            "model_versions"
        ] == (versions)
        return {each["current_stage"]: each["version"] for each in versions}

    assert latest() == {"Production": "4", "Staging": "6", "Archived": "3", "None": "7"}
    assert latest("None", "staging") == {"None": "7", "Staging": "6"}
    transition(mlflow, name, 7, "Staging", archive_existing_versions=True)
    assert [get_version(mlflow, name, each)["current_stage"] for each in (5, 6, 7)] == ["Archived"] * 2 + ["Staging"]


BAD, ABSENT, TAKEN = (
    (400, "INVALID_PARAMETER_VALUE"),
    (404, "RESOURCE_DOES_NOT_EXIST"),
    (400, "RESOURCE_ALREADY_EXISTS"),
)
ERRORS: list[tuple[str, str, dict[str, Any], int, str, str]] = [
    ("POST", "registered-models/create", {}, *BAD, "Missing value for required parameter 'name'"),
    ("POST", "registered-models/create", {"name": " "}, *BAD, "Missing value for required parameter 'name'"),
    (
        "POST",
        "registered-models/create",
        {"name": "a/b"},
        *BAD,
        "Invalid model name 'a/b'. Names cannot contain '/' or ':'.",
    ),
    (
        "POST",
        "registered-models/create",
        {"name": "a:b"},
        *BAD,
        "Invalid model name 'a:b'. Names cannot contain '/' or ':'.",
    ),
    ("POST", "registered-models/create", {"name": "{name}"}, *TAKEN, "Registered Model (name={name}) already exists."),
    (
        "POST",
        "registered-models/create",
        {"name": "{name}", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]},
        *TAKEN,
        "Tried to create a prompt with name '{name}', but the name is already taken by a reg",
    ),
    (
        "POST",
        "registered-models/create",
        {"name": "tagged", "tags": [{"key": "a!", "value": ""}]},
        *BAD,
        "Invalid value \"a!\" for parameter 'key' supplied",
    ),
    (
        "POST",
        "registered-models/create",
        {"name": "tagged", "tags": [{"key": "a", "value": "x" * 100_001}]},
        *BAD,
        "'value' exceeds the maximum length of 100000 characters",
    ),
    ("GET", "registered-models/get?name=a/b", {}, *BAD, "Invalid model name 'a/b'."),
    ("GET", "registered-models/get", {}, *BAD, "Missing value for required parameter 'name'"),
    (
        "POST",
        "registered-models/rename",
        {"name": "{name}", "new_name": "{other}"},
        *TAKEN,
        "Registered Model (name={other}) already exists.",
    ),
    ("POST", "registered-models/rename", {"name": "{name}"}, *BAD, "Missing value for required parameter 'new_name'"),
    ("POST", "registered-models/rename", {"name": "{name}", "new_name": "a/b"}, *BAD, "Invalid model name 'a/b'."),
    ("GET", "model-versions/get?name={name}&version=x", {}, *BAD, "Parameter 'version' must be an integer, got 'x'."),
    (
        "GET",
        "model-versions/get?name={name}&version=0",
        {},
        *ABSENT,
        "Model Version (name={name}, version=0) not found",
    ),
    (
        "GET",
        "model-versions/get?name={name}&version=9999999999999",
        {},
        *ABSENT,
        "Model Version (name={name}, version=9999999999999) not found",
    ),
    (
        "GET",
        "model-versions/get-download-uri?name={name}&version=8",
        {},
        *ABSENT,
        "Model Version (name={name}, version=8) not found",
    ),
    ("POST", "model-versions/create", {"name": "{name}"}, *BAD, "Missing value for required parameter 'source'"),
    (
        "POST",
        "model-versions/create",
        {"name": "{name}", "source": "models:/none/1"},
        *BAD,
        "Unable to fetch model from model URI source artifact location 'models:/none/1'",
    ),
    ("POST", "model-versions/create", {"name": "{name}", "source": "models:/m-none"}, *BAD, "Unable to fetch model"),
    (
        "POST",
        "model-versions/transition-stage",
        {"name": "{name}", "version": "1", "stage": "prod"},
        *BAD,
        "Invalid Model Version stage: prod. Value must be one of None, Staging, Production, Archived.",
    ),
    (
        "POST",
        "model-versions/transition-stage",
        {"name": "{name}", "version": "1", "stage": "None", "archive_existing_versions": True},
        *BAD,
        "Model version transition cannot archive existing model versions because 'None' is not an Active stage.",
    ),
    (
        "POST",
        "registered-models/alias",
        {"name": "{name}", "alias": "a", "version": "7"},
        *ABSENT,
        "Model Version (name={name}, version=7) not found",
    ),
    (
        "POST",
        "registered-models/alias",
        {"name": "{name}", "alias": "Latest", "version": "1"},
        *BAD,
        "'latest' alias name (case insensitive) is reserved.",
    ),
    (
        "POST",
        "registered-models/alias",
        {"name": "{name}", "alias": "V9", "version": "1"},
        *BAD,
        "Version alias name 'V9' is reserved.",
    ),
    (
        "POST",
        "registered-models/alias",
        {"name": "{name}", "alias": "a b", "version": "1"},
        *BAD,
        "Invalid alias name: 'a b'.",
    ),
    (
        "POST",
        "registered-models/alias",
        {"name": "{name}", "alias": "x" * 256, "version": "1"},
        *BAD,
        "'Registered model alias name' exceeds the maximum length of 255 characters",
    ),
    (
        "POST",
        "registered-models/set-tag",
        {"name": "{name}", "key": "deardiary.mlflow.x", "value": ""},
        *BAD,
        "Tags that begin with 'deardiary.mlflow.' are reserved",
    ),
    (
        "GET",
        "registered-models/search?max_results=1001",
        {},
        *BAD,
        "Invalid value 1001 for parameter 'max_results' supplied",
    ),
    ("GET", "registered-models/search?max_results=0", {}, *BAD, "Invalid value 0 for parameter 'max_results' supplied"),
    ("GET", "registered-models/search?page_token=x", {}, *BAD, "Invalid page token"),
    ("GET", "registered-models/search?filter=run_id='1'", {}, *BAD, "Invalid attribute key 'run_id' specified."),
    (
        "GET",
        "registered-models/search?order_by=name&order_by=name+DESC",
        {},
        *BAD,
        "`order_by` contains duplicate fields",
    ),
    ("GET", "model-versions/search?filter=name+~+'1'", {}, *BAD, "Invalid clause(s) in filter string"),
    ("GET", "model-versions/search?filter=source_path+IN+('1')", {}, *BAD, ""),
    ("GET", "model-versions/search?order_by=source_path+UP", {}, *BAD, "Invalid ordering key in order_by clause"),
]


def test_errors_have_mlflows_codes_and_texts(mlflow: Mlflow, name: str) -> None:
    other = f"{name} other"
    found(mlflow.post("registered-models/create", name=other))
    new_version(mlflow, name)

    def filled(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("{name}", name).replace("{other}", other)
        return {key: filled(each) for key, each in value.items()} if isinstance(value, dict) else value

    for method, path, body, status, code, message in ERRORS:
        given = mlflow.send(method, filled(path).replace(" ", "+"), filled(body) if method != "GET" else None)
        refused = refusal(given)
        assert refused[:2] == (status, code), (path, body, refused)
        assert refused[2].startswith(filled(message)), (path, body)


@pytest.mark.parametrize(
    "source",
    [
        "mlflow-artifacts://host:9000/models/../../../",
        "http://host:9000/models/%2e%2e/%2e%2e/x",
        "mlflow-artifacts://host:9000/models/..%2f..%2fartifacts",
        "mlflow-artifacts://host:9000/models/%252e%252e%252fartifacts",
        "mlflow-artifacts:/models/artifacts%00",
        "..",
        "s3:/bucket/models/path/../../other",
    ],
)
def test_a_source_that_climbs_out_is_refused(mlflow: Mlflow, source: str) -> None:
    reply = mlflow.post("model-versions/create", name="any", source=source)
    assert refusal(reply)[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert refusal(reply)[2].startswith("Invalid model version source: ")


@pytest.mark.parametrize("source", ["/home/model", "model", "file:///path/to/model", "FILE:/x", r"C:\model", "http"])
def test_a_source_on_the_clients_disk_is_refused(mlflow: Mlflow, source: str) -> None:
    reply = mlflow.post("model-versions/create", name="any", source=source, model_id="m-any")
    assert refusal(reply)[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert "To use a local path as a model version" in refusal(reply)[2]


def test_a_copy_knows_where_its_files_are_after_the_deletion_of_the_original(mlflow: Mlflow, name: str) -> None:
    new_version(mlflow, name, source="s3://bucket/model", run_id="run_id_1")
    found(mlflow.post("registered-models/alias", name=name, alias="best", version="1"))
    transition(mlflow, name, 1, "Production")
    sources = [f"models:/{name}/1", f"models:/{name}@best", f"models:/{name}/Production", f"models:/{name}/latest"]
    target = f"{name} copy"
    found(mlflow.post("registered-models/create", name=target))
    copies = [new_version(mlflow, target, source=each) for each in sources]
    copies.append(new_version(mlflow, target, source=f"models:/{target}/1"))
    found(mlflow.send("DELETE", "registered-models/delete", {"name": name}))
    for number, copy in enumerate(copies, 1):
        assert copy["source"] == (f"models:/{name}/1" if number < 5 else f"models:/{target}/1")
        assert (copy["run_id"], copy["tags"]) == ("run_id_1", [])
        uri = found(mlflow.get("model-versions/get-download-uri", name=target, version=number))
        assert uri == {"artifact_uri": "s3://bucket/model"}


# Searches.


@pytest.fixture(scope="module")
def registry(server: Server) -> Mlflow:
    """A project of twelve models with one version each, and of one prompt."""
    caller = Mlflow(server, workspace=new_project(server))
    for number in range(12):
        tags = [{"key": "parity", "value": "even" if number % 2 == 0 else "odd"}]
        found(caller.post("registered-models/create", name=f"Model{number:02}", tags=tags))
        new_version(caller, f"Model{number:02}", source=f"s3://bucket/{number}", run_id=f"run{number}", tags=tags)
    new_version(caller, "Model03", run_id="run3")
    prompt = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
    found(caller.post("registered-models/create", name="Prompt", tags=prompt))
    new_version(caller, "Prompt", source="dummy-source", tags=prompt)
    return caller


def all_pages(mlflow: Mlflow, path: str, field: str, size: int, **query: Any) -> list[Any]:
    rows: list[Any] = []
    more: dict[str, Any] = {}
    while True:
        page = found(mlflow.get(f"{path}/search", max_results=size, **query, **more))
        assert len(page[field]) <= size
        rows += page[field]
        if "next_page_token" not in page:
            return rows
        more = {"page_token": page["next_page_token"]}


@pytest.mark.parametrize("size", [1, 5, 100])
@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", range(12)),
        ("name = 'Model03'", [3]),
        ("name = 'model03'", []),
        ("name != 'Model03'", [*range(3), *range(4, 12)]),
        ("name LIKE '%1'", [1, 11]),
        ("name LIKE 'model%'", []),
        ("name ILIKE 'model_1'", [1, 11]),
        ("name IN ('Model01', 'Model02', 'none')", [1, 2]),
        ("tags.parity = 'odd' AND name LIKE '%0%'", [1, 3, 5, 7, 9]),
        ("tags.`parity` ILIKE 'EV%' and name like '%1%'", [10]),
        ("tags.none = 'x'", []),
        ("tags.none != 'x'", []),
        ("tags.`mlflow.prompt.is_prompt` != 'true'", range(12)),
    ],
)
def test_models_by_a_filter(registry: Mlflow, size: int, text: str, numbers: Any) -> None:
    rows = all_pages(registry, "registered-models", "registered_models", size, filter=text)
    assert [each["name"] for each in rows] == [f"Model{number:02}" for number in numbers]


def test_prompts_are_found_by_their_tag(registry: Mlflow) -> None:
    text = "tags.`mlflow.prompt.is_prompt` = 'true'"
    for path, field in (("registered-models", "registered_models"), ("model-versions", "model_versions")):
        assert [each["name"] for each in all_pages(registry, path, field, 5, filter=text)] == ["Prompt"]


@pytest.mark.parametrize(
    ("order", "first"),
    [
        (["name DESC"], "Model11"),
        (["last_updated_timestamp DESC"], "Model03"),
        (["timestamp ASC", "name DESC"], None),
        (["creation_timestamp"], "Model00"),
    ],
)
def test_models_in_an_order(registry: Mlflow, order: list[str], first: str | None) -> None:
    rows = all_pages(registry, "registered-models", "registered_models", 7, order_by=order)
    assert len({each["name"] for each in rows}) == 12
    assert first is None or rows[0]["name"] == first


@pytest.mark.parametrize("size", [1, 5, 100])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name = 'Model03'", [(3, 2), (3, 1)]),
        ("run_id = 'run3'", [(3, 2), (3, 1)]),
        ("run_id IN ('run1', 'run2')", [(2, 1), (1, 1)]),
        ("source_path = 's3://bucket/4'", [(4, 1)]),
        ("source_path LIKE 's3://bucket/1%' AND version_number = 1", [(11, 1), (10, 1), (1, 1)]),
        ("version_number > 1", [(3, 2)]),
        ("tags.parity = 'odd' AND name = 'Model03'", [(3, 1)]),
    ],
)
def test_versions_by_a_filter(registry: Mlflow, size: int, text: str, expected: list[tuple[int, int]]) -> None:
    rows = all_pages(
        registry, "model-versions", "model_versions", size, filter=text, order_by="creation_timestamp DESC"
    )
    assert [(each["name"], each["version"]) for each in rows] == [
        (f"Model{number:02}", str(version)) for number, version in expected
    ]


def test_versions_in_mlflows_order_unless_another_is_given(registry: Mlflow) -> None:
    rows = all_pages(registry, "model-versions", "model_versions", 4)
    assert rows == sorted(rows, key=lambda each: (-each["last_updated_timestamp"], each["name"], -int(each["version"])))
    rows = all_pages(registry, "model-versions", "model_versions", 4, order_by="version_number DESC")
    assert [each["name"] for each in rows] == ["Model03", *(f"Model{number:02}" for number in range(12))]


# The same objects through the REST API.


def test_what_mlflow_registers_is_seen_by_the_rest_api_and_the_other_way_round(
    server: Server, mlflow: Mlflow, project: str, name: str
) -> None:
    experiment = new_experiment(server, project)
    iteration = new_iteration(server, experiment)
    new_version(mlflow, name, run_id=iteration, source=f"runs:/{iteration}/model")
    new_version(mlflow, name, run_id="elsewhere", source="s3://bucket/model")
    (model,) = found(server.call("GET", f"/projects/{project}/models?name={name.replace(' ', '+')}"))["data"]
    own, elsewhere = found(server.call("GET", f"/models/{model['id']}/versions"))["data"]
    assert (own["iteration_id"], own["source"], "run_id" in own) == (iteration, f"runs:/{iteration}/model", False)
    assert (elsewhere["iteration_id"], elsewhere["run_id"]) == (None, "elsewhere")
    assert found(server.call("GET", f"/iterations/{iteration}/modelversions"))["data"] == [own]

    changes = {"stage_id": 3, "description": "by REST", "labels": {"l": "m"}}
    found(server.call("PATCH", f"/modelversions/{elsewhere['id']}", changes))
    found(server.call("PUT", f"/models/{model['id']}/aliases/champion", {"version": 2}))
    version = found(mlflow.get("registered-models/alias", name=name, alias="champion"))["model_version"]
    assert (version["current_stage"], version["description"]) == ("Production", "by REST")
    assert version["tags"] == [{"key": "l", "value": "m"}]

    by_rest = made(server.call("POST", f"/projects/{project}/models", {"name": "by REST", "labels": {"a": "b"}}))
    made(server.call("POST", f"/models/{by_rest['id']}/versions", {"iteration_id": iteration, "description": "d"}))
    shown = get_model(mlflow, "by REST")
    assert shown["tags"] == [{"key": "a", "value": "b"}]
    assert [(each["version"], each["run_id"]) for each in shown["latest_versions"]] == [("1", iteration)]


def test_a_name_that_mlflow_could_not_create_is_found(server: Server, mlflow: Mlflow, project: str) -> None:
    made(server.call("POST", f"/projects/{project}/models", {"name": "team/model"}))
    assert get_model(mlflow, "team/model")["name"] == "team/model"


def test_a_registered_model_of_another_project_does_not_exist(server: Server, mlflow: Mlflow, name: str) -> None:
    other = Mlflow(server, workspace=new_project(server))
    assert refusal(other.get("registered-models/get", name=name))[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
    assert found(other.get("registered-models/search")) == {"registered_models": []}


def test_a_member_without_a_permission_is_refused(server: Server, project: str, mlflow: Mlflow, name: str) -> None:
    reader = Mlflow(server, new_member(server, project, "read").token, project)
    assert get_model(reader, name)["name"] == name
    for method, path, body in (
        ("POST", "registered-models/create", {"name": "new"}),
        ("POST", "model-versions/create", {"name": name, "source": "s3://x"}),
        ("PATCH", "registered-models/update", {"name": name, "description": "x"}),
        ("DELETE", "registered-models/delete", {"name": name}),
    ):
        assert refusal(reader.send(method, path, body))[:2] == (403, "PERMISSION_DENIED"), path
